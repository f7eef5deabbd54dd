import { expect, test } from "vitest";
import { ApiError } from "../../api";
import { de } from "../../i18n/de";
import { en } from "../../i18n/en";
import { rowProblems } from "./problems";

test("problems stand in the order of the file's rows, those of the whole file first", () => {
  const error = new ApiError(422, "The input is not valid", [
    { loc: ["row", 7, "email"], msg: "no @" },
    { loc: ["row", 1, "e mail"], msg: "unknown column" },
    { loc: ["file"], msg: "3 more" },
  ]);
  expect(rowProblems(error, en)).toEqual([
    { row: null, column: "", message: "3 more" },
    { row: 1, column: "e mail", message: "unknown column" },
    { row: 7, column: "email", message: "no @" },
  ]);
});

test("a server that does not answer has said nothing about the file", () => {
  expect(rowProblems(new ApiError(0, "no answer"), en)).toEqual([]);
});

test("each row's problem is said in the reader's language, an unknown one in the server's words", () => {
  const error = new ApiError(422, "The input is not valid", [
    {
      loc: ["row", 2, "total"],
      msg: "'1,234.50' has a thousands separator; write it without",
      code: "thousandsSeparator",
      values: { text: "1,234.50" },
    },
    { loc: ["row", 3, "unit"], msg: "is haunted", code: "haunted", values: {} },
  ]);
  expect(rowProblems(error, de).map(({ message }) => message)).toEqual([
    "'1,234.50' hat ein Tausendertrennzeichen. Bitte ohne schreiben.",
    "is haunted",
  ]);
});

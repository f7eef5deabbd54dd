import { expect, test } from "vitest";
import { ApiError } from "../../api";
import { rowProblems } from "./problems";

test("problems stand in the order of the file's rows, those of the whole file first", () => {
  const error = new ApiError(422, "The input is not valid", [
    { loc: ["row", 7, "email"], msg: "no @" },
    { loc: ["row", 1, "e mail"], msg: "unknown column" },
    { loc: ["file"], msg: "3 more" },
  ]);
  expect(rowProblems(error)).toEqual([
    { row: null, column: "", message: "3 more" },
    { row: 1, column: "e mail", message: "unknown column" },
    { row: 7, column: "email", message: "no @" },
  ]);
});

test("a server that does not answer has said nothing about the file", () => {
  expect(rowProblems(new ApiError(0, "no answer"))).toEqual([]);
});

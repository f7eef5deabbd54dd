import { expect, test } from "vitest";
import { ApiError } from "../../api";
import { de } from "../../i18n/de";
import { en } from "../../i18n/en";
import { problemsOf } from "./problems";

const refused = (...fields: ApiError["fields"]) => new ApiError(422, "not valid", fields);

test("each fault stands at its field, in the reader's language", () => {
  const error = refused(
    {
      loc: ["body", "templates", "de", "subject"],
      msg: "there is no {{ recipent }}; did you mean recipient? Known are recipient, unit",
    },
    { loc: ["body", "sender", "phone"], msg: "is no telephone number" },
  );
  expect(Object.fromEntries(problemsOf(error, en))).toEqual({
    "de.subject": en.templates.problems.unknownNear("recipent", "recipient"),
    "sender.phone": en.templates.problems.noPhoneNumber,
  });
  expect(problemsOf(error, de).get("de.subject")).toBe(
    de.templates.problems.unknownNear("recipent", "recipient"),
  );
});

test("a sentence the screen does not know is shown as it came, and two at one field are both read", () => {
  const error = refused(
    { loc: ["body", "templates", "en", "intro"], msg: "line 2: call is not for texts" },
    { loc: ["body", "templates", "en", "intro"], msg: "there is no {{ x }}. Known are …" },
  );
  expect(problemsOf(error, en).get("en.intro")).toBe(
    `line 2: call is not for texts ${en.templates.problems.unknown("x")}`,
  );
});

test("what concerns the message as a whole has no field", () => {
  const error = refused({ loc: ["body"], msg: "there is no phone number" });
  expect(problemsOf(error, en).get("")).toBe(en.templates.problems.billWithoutPhone);
});

test("a server that does not answer has said nothing about the texts", () => {
  expect(problemsOf(new ApiError(0, "no answer"), en).size).toBe(0);
});

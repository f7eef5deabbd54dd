import { expect, test } from "vitest";
import { ApiError } from "./api";
import { de } from "./i18n/de";
import { en } from "./i18n/en";
import { problemText, refusalOf } from "./problems";

const future = { loc: ["body", "occurredAt"], msg: "this lies in the future", code: "inFuture" };
const early = {
  loc: ["body", "dispatchedAt"],
  msg: "this is before 2025",
  code: "beforeYear",
  values: { year: 2025 },
};

test("box and field say the same, in the reader's language", () => {
  const error = new ApiError(422, "The input is not valid", [future, early]);
  expect(refusalOf(error, de)?.field("occurredAt")).toBe("Das liegt in der Zukunft.");
  expect(refusalOf(error, de)?.field("note")).toBeUndefined();
  expect(problemText(error, de)).toBe("Das liegt in der Zukunft. Das liegt vor dem Jahr 2025.");
  expect(problemText(error, en)).toBe("This lies in the future. This is before 2025.");
});

test("a refusal as a whole is worded by its code; without one, as the server says it", () => {
  const said = { code: "newerAttempt", values: { attempt: 2 } };
  const words = "attempt 2 has begun since you looked; look at it before you resend";
  expect(problemText(new ApiError(409, words, [], said), de)).toBe(
    "Inzwischen hat Versuch 2 begonnen. Bitte erst ansehen, dann erneut senden.",
  );
  expect(problemText(new ApiError(409, words), de)).toBe(words);
  // A name every object has is no code.
  expect(problemText(new ApiError(409, words, [], { code: "toString" }), de)).toBe(words);
});

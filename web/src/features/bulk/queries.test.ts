import { expect, test } from "vitest";
import { choiceOf } from "./queries";

const filters = { channel: "EMAIL", status: "FAILED", search: "", sort: "unitNumber" } as const;

test("all that match are named by the filters, not one by one", () => {
  expect(choiceOf({ matching: { ...filters, search: "Anna" } }, filters)).toEqual({
    channel: "EMAIL",
    status: "FAILED",
    search: "Anna",
  });
});

test("of ticked units, only the messages that the filters show are meant", () => {
  expect(choiceOf({ unitIds: ["u1", "u2"] }, { channel: "SMS", status: null })).toEqual({
    channel: "SMS",
    status: null,
    unitIds: ["u1", "u2"],
  });
});

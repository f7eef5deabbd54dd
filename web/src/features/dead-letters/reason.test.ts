import { expect, test } from "vitest";
import { deathKind } from "./reason";

test.each([
  ["MalformedMessage: not a SendCommunicationJob: Expected `uuid`", "malformed"],
  ["MalformedMessage: there is no communication 0199", "gone"],
  ["MalformedMessage: this communication was never asked to be sent", "notOurs"],
  ["no reason was recorded: its worker was killed", "killed"],
  ["OperationalError: connection to server was lost", "trouble"],
  ["ZeroDivisionError: division by zero", "other"],
] as const)("'%s' is told as %s", (reason, kind) => {
  expect(deathKind(reason)).toBe(kind);
});

import { expect, test } from "vitest";
import type { EventOut } from "../../client";
import { type FailureFacts, factsOfEvent, failureKind } from "./failure";

const mail = (facts: Partial<FailureFacts>): FailureFacts => ({
  channel: "EMAIL",
  code: "",
  text: "",
  unknown: false,
  ...facts,
});

test.each([
  ["5.1.1", "noSuchAddress"],
  ["5.2.2", "mailboxFull"],
  ["4.2.2", "mailboxFull"],
  ["5.7.1", "refused"],
  ["5.3.4", "tooLarge"],
  ["5.4.4", "noRoute"],
] as const)("status code %s of a mail report means %s", (code, kind) => {
  expect(failureKind(mail({ code }))).toBe(kind);
});

test("a code quoted in the provider's words counts when there is no other", () => {
  expect(failureKind(mail({ text: "550 5.1.1 <a@example.org>: rejected" }))).toBe("noSuchAddress");
});

test("Exchange's 'access denied' is an address that does not exist, not a lost route", () => {
  const text = "550 5.4.1 Recipient address rejected: Access denied.";
  expect(failureKind(mail({ code: "5.4.1", text }))).toBe("noSuchAddress");
});

test("Graph refuses what is no address at all", () => {
  expect(failureKind(mail({ code: "ErrorInvalidRecipients" }))).toBe("invalidAddress");
});

test("words decide where there is no code", () => {
  expect(failureKind(mail({ text: "Mailbox is full" }))).toBe("mailboxFull");
});

test("an unknown outcome is said before anything else", () => {
  expect(failureKind(mail({ code: "5.1.1", unknown: true }))).toBe("unknown");
});

test("unknown words are not guessed at", () => {
  expect(failureKind(mail({ code: "X99", text: "computer says no" }))).toBe("other");
});

test("a recipient who answered STOP has opted out, whatever the carrier adds", () => {
  expect(failureKind({ ...mail({ code: "4007", text: "blocked" }), channel: "SMS" })).toBe(
    "optedOut",
  );
});

test("a text message that did not arrive points to the number", () => {
  expect(failureKind({ ...mail({ code: "4" }), channel: "SMS" })).toBe("smsUndelivered");
});

test("the report of a text message that failed is read by its code, not by its word", () => {
  const payload = { statusCode: "Failed", error: { code: "4007", message: "4007" } };
  expect(failureKind(factsOfEvent({ payload } as unknown as EventOut, "SMS"))).toBe("optedOut");
});

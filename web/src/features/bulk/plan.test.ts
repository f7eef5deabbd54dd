import { expect, test } from "vitest";
import type { CommunicationBrief, CommunicationOut, EventOut, UnitRow } from "../../client";
import { candidates, planOf } from "./plan";

const message = (changes: Partial<CommunicationOut>): CommunicationOut => ({
  id: "c1",
  building: { id: "b", code: "B1", name: "House", timeZone: "Europe/Berlin" },
  unit: { id: "u", number: "A-01" },
  year: 2025,
  batchId: "batch",
  channel: "EMAIL",
  deliveryStatus: "FAILED",
  readyToPrint: false,
  outcomeUnknown: false,
  contradictory: false,
  recipient: {
    name: "Anna",
    email: "old@example.org",
    phone: null,
    street: "Am Hof 1",
    street2: null,
    postcode: "10115",
    city: "Berlin",
    country: "DE",
    language: "de",
  },
  subject: "",
  bodyText: null,
  bodyHtmlUrl: null,
  attachments: [],
  attempts: [],
  events: [],
  auditNotes: [],
  deliveryRecords: [],
  queuedAt: null,
  sentAt: null,
  deliveredAt: null,
  openedAt: null,
  failedAt: null,
  providerMessageId: "",
  error: null,
  ...changes,
});

const resend = (newContact: Record<string, unknown>): EventOut => ({
  id: "e",
  sequence: 4,
  attempt: 2,
  type: "RESEND_REQUESTED",
  source: "USER",
  occurredAt: "2025-11-24T12:00:00Z",
  recordedAt: "2025-11-24T12:00:00Z",
  user: null,
  payload: { channel: "EMAIL", newContact },
  hash: "",
});

test("a failed message goes where the billing file says", () => {
  const plan = planOf(message({}), null, "");
  expect(plan).toMatchObject({ to: "old@example.org", correctedFrom: null, repeat: null });
  expect(plan.request).toEqual({ channel: "EMAIL" });
});

test("a contact that was corrected since is kept, and said again", () => {
  const events = [resend({ email: "new@example.org" })];
  const plan = planOf(message({ events }), null, "once more");
  expect(plan).toMatchObject({ to: "new@example.org", correctedFrom: "old@example.org" });
  expect(plan.request).toEqual({
    channel: "EMAIL",
    contact: { email: "new@example.org" },
    note: "once more",
  });
});

test("a corrected postal address serves a letter", () => {
  const address = { street: "Neue Str. 2", postcode: "10117", city: "Berlin", country: "DE" };
  const plan = planOf(message({ events: [resend({ address })] }), "LETTER", "");
  expect(plan.to).toBe("Neue Str. 2, 10117, Berlin, DE");
  expect(plan.request.contact).toEqual({ address });
});

test("what was delivered, and what may have been, would be a repeat", () => {
  expect(planOf(message({ deliveryStatus: "OPENED" }), null, "").repeat).toBe("sent");
  expect(planOf(message({ outcomeUnknown: true }), null, "").repeat).toBe("unknown");
});

test("nobody is reached through a channel without an address", () => {
  expect(planOf(message({}), "SMS", "").obstacle).toBe("unreachable");
});

test("what waits in the queue is not resent", () => {
  expect(planOf(message({ deliveryStatus: "ENQUEUED" }), null, "").obstacle).toBe("inQueue");
});

test("only what the filters show is meant", () => {
  const brief = (id: string, changes: Partial<CommunicationBrief>): CommunicationBrief => ({
    id,
    channel: "EMAIL",
    deliveryStatus: "FAILED",
    readyToPrint: false,
    outcomeUnknown: false,
    contradictory: false,
    lastEventType: "FAILED",
    lastEventAt: "2025-11-24T12:00:00Z",
    error: null,
    ...changes,
  });
  const row: UnitRow = {
    unitId: "u",
    unitNumber: "A-01",
    recipientName: "Anna",
    communications: [
      brief("mail", {}),
      brief("sms", { channel: "SMS", deliveryStatus: "DELIVERED" }),
    ],
    counts: {},
    lastEvent: null,
    manualLetter: false,
  };
  const ids = (...choice: [Parameters<typeof candidates>[1], "failed" | "all"]) =>
    candidates([row], ...choice).map(({ id }) => id);
  expect(ids({ channel: null, status: null }, "all")).toEqual(["mail", "sms"]);
  expect(ids({ channel: null, status: null }, "failed")).toEqual(["mail"]);
  expect(ids({ channel: "SMS", status: null }, "all")).toEqual(["sms"]);
});

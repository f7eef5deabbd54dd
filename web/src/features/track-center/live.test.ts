import { expect, test } from "vitest";
import type { Stats, YearOut } from "../../client";
import { liveInterval, whileQueued } from "./live";

const stats = (counts: Partial<Stats>): Stats => ({
  total: 0,
  pending: 0,
  enqueued: 0,
  sent: 0,
  delivered: 0,
  opened: 0,
  failed: 0,
  manual: 0,
  readyToPrint: 0,
  cancelled: 0,
  outcomeUnknown: 0,
  ...counts,
});

const year = (
  channels: YearOut["channels"],
  batchStatus: YearOut["batchStatus"] = "COMPLETED",
): YearOut => ({
  year: 2025,
  batchId: "b",
  batchStatus,
  sendRequestedAt: null,
  completedAt: null,
  channels,
});

test("nothing is polled when everything is final", () => {
  expect(liveInterval(year({ EMAIL: stats({ delivered: 3, failed: 1 }) }))).toBe(false);
});

test("a queued message is watched closely, and one that was asked for and is not queued yet", () => {
  const queued = year({ EMAIL: stats({ sent: 3, enqueued: 1 }) }, "SENDING");
  expect(liveInterval(queued)).toBe(3_000);
  expect(liveInterval(year({ EMAIL: stats({ pending: 3 }) }, "SENDING"))).toBe(3_000);
  expect(liveInterval(year({ EMAIL: stats({ pending: 3 }) }, "PARTLY_SENT"))).toBe(false);
});

test("a receipt is awaited with patience", () => {
  expect(liveInterval(year({ SMS: stats({ sent: 1 }) }))).toBe(10_000);
});

test("letters waiting for the printer move only by hand", () => {
  expect(liveInterval(year({ LETTER: stats({ sent: 5, readyToPrint: 5 }) }))).toBe(false);
});

test("a message that is shown as queued is looked at again, whatever the figures say", () => {
  expect(whileQueued(false, ["DELIVERED", "ENQUEUED"])).toBe(3_000);
  expect(whileQueued(10_000, ["ENQUEUED"])).toBe(3_000);
  expect(whileQueued(10_000, ["SENT"])).toBe(10_000);
  expect(whileQueued(false, ["DELIVERED", "PENDING"])).toBe(false);
});

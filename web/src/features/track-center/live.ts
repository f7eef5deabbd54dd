import type { Stats, YearOut } from "../../client";
import type { DeliveryStatus } from "../communications/words";

/** Milliseconds between looks while messages leave, and while receipts are awaited. */
export const sending = 3_000;
const awaitingReceipts = 10_000;

function sum(channels: Stats[], count: (stats: Stats) => number): number {
  return channels.reduce((total, stats) => total + count(stats), 0);
}

/**
 * How often to look again: often while something is being sent, now and then while a receipt may
 * still come, not at all when everything is final. Letters waiting for the printer move only when
 * a person does something.
 */
export function liveInterval(year: YearOut | undefined): number | false {
  if (!year) return false;
  // Also while what was asked for is not in the queue yet.
  if (year.batchStatus === "SENDING") return sending;
  const digital = [year.channels.EMAIL, year.channels.SMS].filter((stats) => stats !== undefined);
  return sum(digital, (stats) => stats.sent) > 0 ? awaitingReceipts : false;
}

/**
 * The same for what shows messages by itself: as long as one is shown as queued it is looked at
 * again, for the figures of its year may have come to rest before that was read.
 */
export function whileQueued(
  interval: number | false,
  shown: Iterable<DeliveryStatus>,
): number | false {
  return [...shown].includes("ENQUEUED") ? sending : interval;
}

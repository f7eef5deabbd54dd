import { expect, test } from "vitest";
import type { BatchOut } from "../../client";
import { follow, type Run, sizeOf, stillOpen } from "./sending";

/** A batch of which so many wait to be asked for, and so many are in the queue. */
function aBatch(total: number, pending: number, enqueued: number, failed = 0) {
  return {
    progress: { total, enqueued, failed, done: total - pending - enqueued - failed },
    channels: { EMAIL: { pending } },
  } as unknown as BatchOut;
}

function doneOf(run: Run | null, batch: BatchOut) {
  if (run === null) throw new Error("nothing is sent");
  const size = sizeOf(run, batch);
  return [size - stillOpen(batch, run), size];
}

test("a sending seen from its beginning is as large as what was queued then", () => {
  let run = follow(null, aBatch(250, 0, 3), true);
  expect(doneOf(run, aBatch(250, 0, 3))).toEqual([0, 3]);
  run = follow(run, aBatch(250, 0, 1), true);
  expect(doneOf(run, aBatch(250, 0, 1))).toEqual([2, 3]);
});

test("one that is joined on its way counts what had left before", () => {
  let run = follow(null, aBatch(130, 17, 61), false);
  expect(doneOf(run, aBatch(130, 17, 61))).toEqual([52, 113]);
  run = follow(run, aBatch(130, 17, 10, 1), false);
  expect(doneOf(run, aBatch(130, 17, 10, 1))).toEqual([103, 113]);
});

test("joined while it is still being queued, it grows and never goes back", () => {
  const early = aBatch(130, 100, 20);
  const run = follow(null, early, false);
  expect(doneOf(run, early)).toEqual([10, 30]);
  const later = aBatch(130, 0, 90);
  expect(doneOf(follow(run, later, false), later)).toEqual([40, 130]);
});

test("what one asked for oneself counts as open before it is queued", () => {
  const run: Run = { peak: 30, joined: false, failedBefore: 0, staying: 100 };
  expect(doneOf(run, aBatch(130, 130, 0))).toEqual([0, 30]);
  expect(doneOf(run, aBatch(130, 100, 12))).toEqual([18, 30]);
});

test("nothing open is no sending", () => {
  expect(follow(null, aBatch(130, 0, 0), true)).toBeNull();
});

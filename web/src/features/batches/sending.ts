import type { BatchOut } from "../../client";

/** One sending, as this screen has seen it. */
export interface Run {
  /** The most that was open at once. */
  peak: number;
  /** Under way when this screen looked first: how much had left before is not known. */
  joined: boolean;
  failedBefore: number;
  /** What was not asked for and stays unsent; null when somebody else asked. */
  staying: number | null;
}

export const pendingOf = ({ channels }: BatchOut) =>
  Object.values(channels).reduce((sum, { pending }) => sum + pending, 0);

/** How many messages a sending is of; one joined on its way is measured by all that was asked for. */
export const sizeOf = (run: Run, batch: BatchOut) =>
  run.joined ? batch.progress.total - pendingOf(batch) : run.peak;

/** What still has to leave: queued, or asked for and not in the queue yet. */
export function stillOpen(batch: BatchOut, run: Run | null): number {
  const { enqueued } = batch.progress;
  if (run === null || run.staying === null) return enqueued;
  return Math.min(run.peak, enqueued + Math.max(0, pendingOf(batch) - run.staying));
}

/**
 * A sending that goes on, with what is known of it by now; null while nothing is open.
 * `fromItsBeginning`: the batch was seen at rest before.
 */
export function follow(run: Run | null, batch: BatchOut, fromItsBeginning: boolean): Run | null {
  const open = stillOpen(batch, run);
  if (open <= (run?.peak ?? 0)) return run;
  return run
    ? { ...run, peak: open }
    : {
        peak: open,
        joined: !fromItsBeginning,
        failedBefore: batch.progress.failed,
        staying: null,
      };
}

import { useMutation, useQueryClient } from "@tanstack/react-query";
import {
  type CommunicationOut,
  getCommunication,
  listUnits,
  resendCommunication,
  type UnitPage,
  type UnitRow,
} from "../../client";
import type { Channel } from "../communications/words";
import type { UnitFilters } from "../units/queries";
import { candidates, mostAtOnce, type Planned, planOf, type Wanted } from "./plan";
import { inPool } from "./pool";

/** Requests under way at once: quick, and the server still answers everybody else. */
const lanes = 5;

/** Units chosen one by one, or all that match the filters. */
export type Selection = { rows: UnitRow[] } | { matching: UnitFilters; total: number };

export interface DryRun {
  communications: CommunicationOut[];
  /** More than fit into one go. */
  left: number;
}

export type Progress = (done: number, total: number) => void;

async function rowsOf(selection: Selection, buildingId: string, year: number): Promise<UnitRow[]> {
  if ("rows" in selection) return selection.rows;
  const { channel, status, search, sort } = selection.matching;
  const rows: UnitRow[] = [];
  let cursor: string | null = null;
  do {
    const { data }: { data: UnitPage } = await listUnits({
      path: { building_id: buildingId, year },
      query: {
        limit: 200,
        sort,
        ...(channel ? { channel } : {}),
        ...(status ? { status } : {}),
        ...(search ? { search } : {}),
        ...(cursor ? { cursor } : {}),
      },
      throwOnError: true,
    });
    rows.push(...data.items);
    cursor = data.nextCursor;
  } while (cursor);
  return rows;
}

interface DryRunRequest {
  selection: Selection;
  buildingId: string;
  year: number;
  filters: Pick<UnitFilters, "channel" | "status">;
  wanted: Wanted;
  onProgress: Progress;
}

/** Reads every message of the selection as it stands now; nothing is changed. */
export function useDryRun() {
  return useMutation({
    mutationFn: async (request: DryRunRequest): Promise<DryRun> => {
      const rows = await rowsOf(request.selection, request.buildingId, request.year);
      const found = candidates(rows, request.filters, request.wanted);
      const taken = found.slice(0, mostAtOnce);
      let done = 0;
      const communications = await inPool(taken, lanes, async ({ id }) => {
        const { data } = await getCommunication({
          path: { communication_id: id },
          throwOnError: true,
        });
        done += 1;
        request.onProgress(done, taken.length);
        return data;
      });
      return { communications, left: found.length - taken.length };
    },
  });
}

export interface Refusal {
  planned: Planned;
  reason: Error;
}

/** Resends each message on its own: one refusal does not stop the others. */
export function useBulkResend() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ plans, onProgress }: { plans: Planned[]; onProgress: Progress }) => {
      const refusals: Refusal[] = [];
      let done = 0;
      await inPool(plans, lanes, async (planned) => {
        try {
          await resendCommunication({
            path: { communication_id: planned.id },
            body: planned.request,
            throwOnError: true,
          });
        } catch (error) {
          if (!(error instanceof Error)) throw error;
          refusals.push({ planned, reason: error });
        }
        done += 1;
        onProgress(done, plans.length);
      });
      return { sent: plans.length - refusals.length, refusals };
    },
    onSettled: () => client.invalidateQueries(),
  });
}

/** The plan of every message, for a channel and a reason that can still change. */
export function plansOf(dryRun: DryRun, through: Channel | null, note: string): Planned[] {
  return dryRun.communications.map((communication) => planOf(communication, through, note));
}

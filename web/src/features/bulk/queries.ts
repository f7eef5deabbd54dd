import {
  keepPreviousData,
  queryOptions,
  skipToken,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useEffect } from "react";
import {
  type BulkResendIn,
  bulkResend,
  getBulkResend,
  planBulkResend,
  type ResendChoiceIn,
} from "../../client";
import { aroundMessages, renew } from "../../queries";
import type { UnitFilters } from "../units/queries";

/** Units chosen one by one, or all that match the filters. */
export type Selection = { unitIds: string[] } | { matching: UnitFilters };

/** Milliseconds between looks at a bulk resend under way. */
const interval = 1_000;

/** The messages that a selection of units means, in the server's words. */
export function choiceOf(
  selection: Selection,
  filters: Pick<UnitFilters, "channel" | "status">,
): ResendChoiceIn {
  const { channel, status } = filters;
  return {
    channel,
    status,
    ...("unitIds" in selection
      ? { unitIds: selection.unitIds }
      : { search: selection.matching.search }),
  };
}

/**
 * What resending would do now. Its key names what the person has seen and confirms, so it is asked
 * for again by a new choice or on purpose, never by itself.
 */
export const planQuery = (batchId: string, choice: ResendChoiceIn) =>
  queryOptions({
    queryKey: ["bulk-plan", batchId, choice],
    queryFn: async ({ signal }) => {
      const { data } = await planBulkResend({
        path: { batch_id: batchId },
        body: choice,
        signal,
        throwOnError: true,
      });
      return data;
    },
    placeholderData: keepPreviousData,
    staleTime: "static",
    gcTime: 0,
  });

/** Confirms a plan; the same plan confirmed twice is one request. */
export function useBulkResend(batchId: string) {
  return useMutation({
    mutationFn: async (body: BulkResendIn) => {
      const { data } = await bulkResend({
        path: { batch_id: batchId },
        body,
        throwOnError: true,
      });
      return data;
    },
  });
}

/** How far a confirmed bulk resend is; the screen behind it is renewed when it has ended. */
export function useProgress(id: string | undefined) {
  const client = useQueryClient();
  const query = useQuery({
    queryKey: ["bulk-resend", id],
    queryFn: id
      ? async ({ signal }) => {
          const { data } = await getBulkResend({
            path: { resend_id: id },
            signal,
            throwOnError: true,
          });
          return data;
        }
      : skipToken,
    refetchInterval: ({ state }) => (state.data?.finishedAt ? false : interval),
  });
  const finished = Boolean(query.data?.finishedAt);
  useEffect(() => {
    if (finished) void renew(client, aroundMessages);
  }, [finished, client]);
  return query;
}

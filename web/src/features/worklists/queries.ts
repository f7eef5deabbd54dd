import {
  infiniteQueryOptions,
  queryOptions,
  useInfiniteQuery,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import {
  listContradictions,
  listPausedSenders,
  listSuggestions,
  listUnknownOutcomes,
  listUnresolvedReceipts,
  settleSuggestions,
  type VerdictIn,
} from "../../client";
import { deadLettersQuery } from "../dead-letters/queries";

/** Entries of one page of a list. */
export const pageSize = 50;

/** Milliseconds between looks: what is on these lists has waited for hours. */
const interval = 60_000;

const asked = (cursor: string) => ({ limit: pageSize, ...(cursor ? { cursor } : {}) });

const paging = {
  initialPageParam: "",
  getNextPageParam: (last: { nextCursor: string | null }) => last.nextCursor ?? undefined,
  refetchInterval: interval,
};

export const unknownQuery = () =>
  infiniteQueryOptions({
    queryKey: ["work", "unknown"],
    queryFn: async ({ pageParam, signal }) => {
      const { data } = await listUnknownOutcomes({
        query: asked(pageParam),
        signal,
        throwOnError: true,
      });
      return data;
    },
    ...paging,
  });

export const contradictoryQuery = () =>
  infiniteQueryOptions({
    queryKey: ["work", "contradictory"],
    queryFn: async ({ pageParam, signal }) => {
      const { data } = await listContradictions({
        query: asked(pageParam),
        signal,
        throwOnError: true,
      });
      return data;
    },
    ...paging,
  });

export const suggestionsQuery = () =>
  infiniteQueryOptions({
    queryKey: ["work", "suggestions"],
    queryFn: async ({ pageParam, signal }) => {
      const { data } = await listSuggestions({
        query: asked(pageParam),
        signal,
        throwOnError: true,
      });
      return data;
    },
    ...paging,
  });

export const receiptsQuery = () =>
  infiniteQueryOptions({
    queryKey: ["work", "receipts"],
    queryFn: async ({ pageParam, signal }) => {
      const { data } = await listUnresolvedReceipts({
        query: asked(pageParam),
        signal,
        throwOnError: true,
      });
      return data;
    },
    ...paging,
  });

export const sendersQuery = () =>
  queryOptions({
    queryKey: ["work", "senders"],
    queryFn: async ({ signal }) => {
      const { data } = await listPausedSenders({ signal, throwOnError: true });
      return data;
    },
    refetchInterval: interval,
  });

/**
 * How many wait for a decision, as far as is known; `more` where there are further pages. Dead
 * letters count for those who may decide them (`canWrite`), in the rhythm of their own list.
 */
export function useWaiting(canWrite: boolean): { count: number; more: boolean } {
  const dead = useInfiniteQuery({ ...deadLettersQuery(), enabled: canWrite });
  const lists = [
    useInfiniteQuery(unknownQuery()),
    useInfiniteQuery(contradictoryQuery()),
    useInfiniteQuery(suggestionsQuery()),
    dead,
  ];
  return {
    count: lists.reduce(
      (sum, { data }) =>
        sum + (data?.pages.reduce((items, page) => items + page.items.length, 0) ?? 0),
      0,
    ),
    more: lists.some(({ hasNextPage }) => hasNextPage),
  };
}

/** Says whether a message really came back; its entry is gone by the time `onDone` is told. */
export function useSettle(
  communicationId: string,
  onDone: (verdict: VerdictIn["verdict"]) => void,
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (verdict: VerdictIn["verdict"]) =>
      settleSuggestions({
        path: { communication_id: communicationId },
        body: { verdict },
        throwOnError: true,
      }),
    onSuccess: (_answer, verdict) => onDone(verdict),
    onSettled: () => client.invalidateQueries(),
  });
}

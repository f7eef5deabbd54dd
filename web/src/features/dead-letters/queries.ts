import {
  type InfiniteData,
  infiniteQueryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import {
  type DeadLetterPage,
  discardDeadLetter,
  listDeadLetters,
  requeueDeadLetter,
} from "../../client";

/** Entries of one page of the list. */
export const pageSize = 50;

/** Milliseconds between looks: what lies here does not move by itself. */
const interval = 60_000;

export const deadLettersQuery = () =>
  infiniteQueryOptions({
    queryKey: ["dead-letters"],
    queryFn: async ({ pageParam, signal }) => {
      const { data } = await listDeadLetters({
        query: { limit: pageSize, ...(pageParam ? { cursor: pageParam } : {}) },
        signal,
        throwOnError: true,
      });
      return data;
    },
    initialPageParam: "",
    getNextPageParam: (last: DeadLetterPage) => last.nextCursor ?? undefined,
    refetchInterval: interval,
  });

export type Decision = { id: string; verdict: "requeue" } | { id: string; note: string };

function without(pages: InfiniteData<DeadLetterPage>, id: string): InfiniteData<DeadLetterPage> {
  return {
    ...pages,
    pages: pages.pages.map((page) => ({
      ...page,
      items: page.items.filter((letter) => letter.id !== id),
    })),
  };
}

/**
 * Queues a dead letter again, or discards it. It leaves the list before the server has answered,
 * and is back in it if the server refuses; the caller says so to the person.
 */
export function useDecide() {
  const client = useQueryClient();
  const { queryKey } = deadLettersQuery();
  return useMutation({
    mutationFn: (decision: Decision) =>
      "note" in decision
        ? discardDeadLetter({
            path: { letter_id: decision.id },
            body: { note: decision.note },
            throwOnError: true,
          })
        : requeueDeadLetter({ path: { letter_id: decision.id }, throwOnError: true }),
    onMutate: async ({ id }) => {
      await client.cancelQueries({ queryKey });
      const before = client.getQueryData(queryKey);
      if (before) client.setQueryData(queryKey, without(before, id));
      return { before };
    },
    onError: (_error, _decision, context) => {
      if (context?.before) client.setQueryData(queryKey, context.before);
    },
    onSettled: () => client.invalidateQueries(),
  });
}

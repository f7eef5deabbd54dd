import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { getBatch, sendBatch } from "../../client";
import type { Channel } from "../communications/words";

export const batchQuery = (id: string) =>
  queryOptions({
    queryKey: ["batch", id],
    queryFn: async ({ signal }) => {
      const { data } = await getBatch({ path: { batch_id: id }, signal, throwOnError: true });
      return data;
    },
    refetchInterval: ({ state }) =>
      state.data && state.data.progress.enqueued > 0 ? 2_000 : false,
  });

export function useSendBatch(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (channels: Channel[]) =>
      sendBatch({ path: { batch_id: id }, body: { channels }, throwOnError: true }),
    onSuccess: () =>
      Promise.all(
        ["batch", "years", "units", "unit", "activity", "buildings", "communication"].map((name) =>
          client.invalidateQueries({ queryKey: [name] }),
        ),
      ),
  });
}

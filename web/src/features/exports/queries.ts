import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { type ExportIn, type ExportOut, listExports, requestExport } from "../../client";

const moving = ({ status }: ExportOut) => status === "PENDING" || status === "RUNNING";

/** The newest exports; looked at again while one of them is being written. */
export const exportsQuery = () =>
  queryOptions({
    queryKey: ["exports"],
    queryFn: async ({ signal }) => {
      const { data } = await listExports({ query: { limit: 50 }, signal, throwOnError: true });
      return data;
    },
    refetchInterval: ({ state }) => (state.data?.items.some(moving) ? 1_500 : false),
  });

export function useRequestExport() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: ExportIn) => {
      const { data } = await requestExport({ body, throwOnError: true });
      return data;
    },
    onSuccess: (made) => {
      client.setQueryData(exportsQuery().queryKey, (known) =>
        known ? { ...known, items: [made, ...known.items] } : known,
      );
      return client.invalidateQueries({ queryKey: exportsQuery().queryKey });
    },
  });
}

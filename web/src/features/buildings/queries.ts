import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { listBuildings, listYears } from "../../client";
import { liveInterval } from "../track-center/live";

/** Buildings asked for at once; beyond these the server searches. */
export const buildingLimit = 200;

export const buildingsQuery = (search: string) =>
  queryOptions({
    queryKey: ["buildings", search],
    queryFn: async ({ signal }) => {
      const query = { limit: buildingLimit, ...(search ? { search } : {}) };
      const { data } = await listBuildings({ query, signal, throwOnError: true });
      return data;
    },
    placeholderData: keepPreviousData,
  });

/** One building, for a link to one that is not among the first. */
export const buildingQuery = (id: string) =>
  queryOptions({
    queryKey: ["buildings", "one", id],
    queryFn: async ({ signal }) => {
      const { data } = await listBuildings({ query: { id }, signal, throwOnError: true });
      return data.items[0] ?? null;
    },
  });

export const yearsQuery = (buildingId: string, chosenYear: number | null) =>
  queryOptions({
    queryKey: ["years", buildingId],
    queryFn: async ({ signal }) => {
      const { data } = await listYears({
        path: { building_id: buildingId },
        signal,
        throwOnError: true,
      });
      return data;
    },
    refetchInterval: ({ state }) => {
      const year = chosenYear ?? state.data?.defaultYear;
      return liveInterval(state.data?.items.find((item) => item.year === year));
    },
  });

import { infiniteQueryOptions } from "@tanstack/react-query";
import { listActivity } from "../../client";
import type { EventType } from "../communications/words";
import type { Filters } from "../track-center/filters";

/** Event types behind each filter of the feed; none means all. */
export const kindTypes: Record<Filters["kind"], EventType[]> = {
  all: [],
  failed: ["FAILED", "RETURNED", "DEFERRED"],
  manual: ["MANUAL_MARKED", "RESEND_REQUESTED", "POSTED", "RETURNED"],
  receipts: ["DELIVERED", "OPENED", "NOTICE"],
};

export const activityQuery = (buildingId: string, year: number, kind: Filters["kind"]) =>
  infiniteQueryOptions({
    queryKey: ["activity", buildingId, year, kind],
    queryFn: async ({ signal, pageParam }) => {
      const types = kindTypes[kind];
      const { data } = await listActivity({
        path: { building_id: buildingId, year },
        query: {
          limit: 50,
          ...(types.length > 0 ? { type: types } : {}),
          ...(pageParam ? { cursor: pageParam } : {}),
        },
        signal,
        throwOnError: true,
      });
      return data;
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });

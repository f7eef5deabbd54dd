import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { type ActivityItem, type ActivityPage, listActivity } from "../../client";
import type { EventType } from "../communications/words";
import type { Filters } from "../track-center/filters";

/** The filters of events; 'dead' is no event's: it shows what the queue has given up. */
export type EventKind = Exclude<Filters["kind"], "dead">;

/** Event types behind each filter of the feed; none means all. */
export const kindTypes: Record<EventKind, EventType[]> = {
  all: [],
  failed: ["FAILED", "RETURNED"],
  manual: ["MANUAL_MARKED", "RESEND_REQUESTED", "POSTED", "RETURNED"],
  receipts: ["DELIVERED", "OPENED", "NOTICE"],
};

/** Events of one page: as many as can be new before the number is only 'more than'. */
export const pageSize = 50;

async function page(
  buildingId: string,
  year: number,
  kind: EventKind,
  cursor: string,
  signal: AbortSignal,
): Promise<ActivityPage> {
  const types = kindTypes[kind];
  const { data } = await listActivity({
    path: { building_id: buildingId, year },
    query: {
      limit: pageSize,
      ...(types.length > 0 ? { type: types } : {}),
      ...(cursor ? { cursor } : {}),
    },
    signal,
    throwOnError: true,
  });
  return data;
}

/**
 * The feed as it stood when it was opened, and older pages of it. It never renews itself: what is
 * read must not move. A feed that nobody looks at is forgotten, so that the next look is a new one.
 */
export const activityQuery = (buildingId: string, year: number, kind: EventKind) =>
  infiniteQueryOptions({
    queryKey: ["activity-feed", buildingId, year, kind],
    queryFn: ({ signal, pageParam }) => page(buildingId, year, kind, pageParam, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    staleTime: "static",
    gcTime: 0,
  });

/** The newest events as they stand now; compared with the feed, it tells what is new. */
export const newestQuery = (buildingId: string, year: number, kind: EventKind) =>
  queryOptions({
    queryKey: ["activity", buildingId, year, kind],
    queryFn: ({ signal }) => page(buildingId, year, kind, "", signal),
    gcTime: 0,
  });

/** What came since the feed was read: the newest of now are among the newest of then, or new. */
export function newEvents(newest: ActivityItem[], feed: ActivityItem[]): ActivityItem[] {
  const known = new Set(feed.map(({ id }) => id));
  return newest.filter(({ id }) => !known.has(id));
}

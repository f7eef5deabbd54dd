import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { getUnit, listUnits, type UnitOut } from "../../client";
import type { Filters } from "../track-center/filters";

export const pageSize = 50;

export type UnitFilters = Pick<Filters, "channel" | "status" | "search" | "sort">;

export const unitsQuery = (
  buildingId: string,
  year: number,
  filters: UnitFilters,
  cursor: string | undefined,
) =>
  queryOptions({
    queryKey: ["units", buildingId, year, filters, cursor ?? null],
    queryFn: async ({ signal }) => {
      const { data } = await listUnits({
        path: { building_id: buildingId, year },
        query: {
          limit: pageSize,
          ...(filters.channel ? { channel: filters.channel } : {}),
          ...(filters.status ? { status: filters.status } : {}),
          ...(filters.search ? { search: filters.search } : {}),
          ...(filters.sort === "unitNumber" ? {} : { sort: filters.sort }),
          ...(cursor ? { cursor } : {}),
        },
        signal,
        throwOnError: true,
      });
      return data;
    },
    // Rows stay while a filter or a page changes, but never those of another building or year.
    placeholderData: (previous, query) =>
      query?.queryKey[1] === buildingId && query.queryKey[2] === year
        ? keepPreviousData(previous)
        : undefined,
  });

/** A unit with its messages of all years. */
export const unitQuery = (unitId: string) =>
  queryOptions({
    queryKey: ["unit", unitId],
    queryFn: async ({ signal }) => {
      const { data } = await getUnit({ path: { unit_id: unitId }, signal, throwOnError: true });
      return data;
    },
  });

/** How the messages of a unit stand; none before it is read. */
export const statusesOf = (unit: UnitOut | undefined) =>
  unit?.communications.map(({ deliveryStatus }) => deliveryStatus) ?? [];

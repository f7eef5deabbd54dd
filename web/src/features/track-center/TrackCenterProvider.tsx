import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useMemo } from "react";
import { bootstrap } from "../../bootstrap";
import type { BuildingOut, YearOut, YearsOut } from "../../client";
import { buildingQuery, buildingsQuery, yearsQuery } from "../buildings/queries";
import { useFilters } from "./filters";
import { liveInterval } from "./live";
import { useFollowing } from "./useFollowing";

interface TrackCenter extends ReturnType<typeof useFilters> {
  building: BuildingOut | undefined;
  buildings: ReturnType<typeof useBuildings>;
  /** There is none of this id for this reader, as far as is known by now. */
  noBuilding: boolean;
  years: {
    data: YearsOut | undefined;
    isPending: boolean;
    error: Error | null;
    refetch: () => void;
  };
  year: number | undefined;
  yearInfo: YearOut | undefined;
  timeZone: string;
  canWrite: boolean;
  /** Milliseconds between looks while something moves, else false. */
  interval: number | false;
  /** When the shown figures were read, in milliseconds since the epoch; 0 before that. */
  updatedAt: number;
  refreshing: boolean;
  stale: boolean;
  refresh: () => void;
}

const TrackCenterContext = createContext<TrackCenter | null>(null);

/** Only the URL's part: it does not change whenever figures are read again. */
const UrlContext = createContext<ReturnType<typeof useFilters> | null>(null);

function useBuildings() {
  return useQuery(buildingsQuery(""));
}

/** Resolves building and year of the URL, and shares them with every part of the screen. */
export function TrackCenterProvider({ children }: { children: ReactNode }) {
  const url = useFilters();
  const client = useQueryClient();
  const buildings = useBuildings();
  const { buildingId } = url.filters;
  const listed = buildings.data?.items.find((item) => !buildingId || item.id === buildingId);
  const beyond = useQuery({
    ...buildingQuery(buildingId ?? ""),
    enabled: buildingId !== null && buildings.data !== undefined && !listed,
  });
  const building = listed ?? (buildingId ? (beyond.data ?? undefined) : undefined);
  const years = useQuery({
    ...yearsQuery(building?.id ?? "", url.filters.year),
    enabled: building !== undefined,
  });
  const year = url.filters.year ?? years.data?.defaultYear;
  const yearInfo = years.data?.items.find((item) => item.year === year);

  const interval = liveInterval(yearInfo);
  useFollowing(yearInfo, interval);

  const refresh = useCallback(() => {
    void client.invalidateQueries();
  }, [client]);

  const value = useMemo<TrackCenter>(
    () => ({
      ...url,
      building,
      buildings,
      noBuilding: buildings.data !== undefined && !building && !beyond.isLoading,
      years: {
        data: years.data,
        isPending: years.isPending,
        error: years.error,
        refetch: () => void years.refetch(),
      },
      year,
      yearInfo,
      timeZone: building?.timeZone || bootstrap.timeZone,
      canWrite: bootstrap.user.role === "admin",
      interval,
      updatedAt: years.dataUpdatedAt,
      refreshing: years.isFetching,
      stale: years.isRefetchError,
      refresh,
    }),
    [url, building, buildings, beyond.isLoading, years, year, yearInfo, interval, refresh],
  );
  return (
    <UrlContext.Provider value={url}>
      <TrackCenterContext.Provider value={value}>{children}</TrackCenterContext.Provider>
    </UrlContext.Provider>
  );
}

/** The screen's state in the URL, and the moves that change it. */
export function useUrl(): ReturnType<typeof useFilters> {
  const value = useContext(UrlContext);
  if (!value) throw new Error("useUrl needs a TrackCenterProvider above it");
  return value;
}

/** Building, year and filters of the screen. */
export function useTrackCenter(): TrackCenter {
  const value = useContext(TrackCenterContext);
  if (!value) throw new Error("useTrackCenter needs a TrackCenterProvider above it");
  return value;
}

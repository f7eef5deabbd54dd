import { useQueryClient } from "@tanstack/react-query";
import { type UnitFilters, unitsQuery } from "../units/queries";
import { yearsQuery } from "./queries";

/** Reads what a building's page shows first: its years, then the first units of the one that opens. */
export function useAhead({ channel, status, search, sort }: UnitFilters) {
  const client = useQueryClient();
  return async (buildingId: string): Promise<void> => {
    const years = yearsQuery(buildingId, null);
    await client.prefetchQuery(years);
    // What could not be read ahead is read, and complained about, when it is chosen.
    const year = client.getQueryData(years.queryKey)?.defaultYear;
    if (year === undefined) return;
    const filters = { channel, status, search, sort };
    await client.prefetchQuery(unitsQuery(buildingId, year, filters, undefined));
  };
}

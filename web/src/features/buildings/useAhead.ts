import { useQueryClient } from "@tanstack/react-query";
import { type UnitFilters, unitsQuery } from "../units/queries";
import { yearsQuery } from "./queries";

/**
 * Reads what a building's page shows first. `years` of the buildings that stand at the top of an
 * open list; `everything`, while the person is pointing at one: its years, then the first units of
 * the year that opens.
 */
export function useAhead({ channel, status, search, sort }: UnitFilters) {
  const client = useQueryClient();
  const years = (buildingId: string) => client.prefetchQuery(yearsQuery(buildingId, null));
  const everything = async (buildingId: string): Promise<void> => {
    await years(buildingId);
    // What could not be read ahead is read, and complained about, when it is chosen.
    const year = client.getQueryData(yearsQuery(buildingId, null).queryKey)?.defaultYear;
    if (year === undefined) return;
    const filters = { channel, status, search, sort };
    await client.prefetchQuery(unitsQuery(buildingId, year, filters, undefined));
  };
  return { years, everything };
}

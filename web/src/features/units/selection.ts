import { useCallback, useState } from "react";
import type { UnitRow } from "../../client";

type Chosen = { all: true } | { all: false; rows: ReadonlyMap<string, UnitRow> };

const none: Chosen = { all: false, rows: new Map() };

/** Units ticked one by one across pages, or all that match; `scope` names the list they belong to. */
export function useSelection(scope: string) {
  const [chosen, setChosen] = useState<Chosen>(none);
  const [of, setOf] = useState(scope);
  // Another building, year or filter is another list: what was ticked there must not linger.
  if (of !== scope) {
    setOf(scope);
    setChosen(none);
  }
  const current = of === scope ? chosen : none;

  const set = useCallback(
    (rows: UnitRow[], ticked: boolean) =>
      setChosen((old) => {
        const kept = new Map(old.all ? [] : old.rows);
        for (const row of rows) {
          if (ticked) kept.set(row.unitId, row);
          else kept.delete(row.unitId);
        }
        return { all: false, rows: kept };
      }),
    [],
  );

  return {
    all: current.all,
    rows: current.all ? [] : [...current.rows.values()],
    has: (row: UnitRow) => current.all || current.rows.has(row.unitId),
    set,
    selectAll: () => setChosen({ all: true }),
    clear: () => setChosen(none),
  };
}

export type UnitSelection = ReturnType<typeof useSelection>;

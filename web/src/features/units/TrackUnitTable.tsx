import { useMediaQuery } from "@mantine/hooks";
import { IconHome } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { useText } from "../../i18n/Language";
import { EmptyState } from "../track-center/EmptyState";
import { whileQueued } from "../track-center/live";
import { ProblemNotice } from "../track-center/ProblemNotice";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { useKeys } from "../track-center/useKeys";
import { unitsQuery } from "./queries";
import { SelectionBar } from "./SelectionBar";
import { useSelection } from "./selection";
import classes from "./TrackUnitTable.module.css";
import { UnitFilterBar } from "./UnitFilterBar";
import { UnitPager } from "./UnitPager";
import { UnitRows } from "./UnitRows";

export function TrackUnitTable() {
  const { building, year, years, filters, interval, canWrite, nextPage, previousPage } =
    useTrackCenter();
  const client = useQueryClient();
  const narrow = useMediaQuery("(max-width: 760px)") ?? false;
  const search = useRef<HTMLInputElement>(null);
  const table = useRef<HTMLTableElement>(null);
  const { channel, status, search: wanted, sort } = filters;
  const query = (cursor: string | undefined) =>
    unitsQuery(building?.id ?? "", year ?? 0, { channel, status, search: wanted, sort }, cursor);
  const units = useQuery({
    ...query(filters.after.at(-1)),
    enabled: building !== undefined && year !== undefined,
    refetchInterval: ({ state }) =>
      whileQueued(
        interval,
        state.data?.items.flatMap((row) => row.communications.map((one) => one.deliveryStatus)) ??
          [],
      ),
  });
  const selection = useSelection(JSON.stringify([building?.id, year, channel, status, wanted]));
  const next = units.isPlaceholderData ? null : (units.data?.nextCursor ?? null);

  const move = (step: 1 | -1) => {
    const links = [...(table.current?.querySelectorAll<HTMLAnchorElement>("a[data-unit]") ?? [])];
    const row = document.activeElement?.closest("tr");
    const at = links.findIndex((link) => link.closest("tr") === row);
    const target = at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step;
    links[target]?.focus();
  };

  const toggleFocused = () => {
    const number = document.activeElement?.closest("tr")?.dataset.unitId;
    const row = units.data?.items.find(({ unitId }) => unitId === number);
    if (row && canWrite) selection.set([row], !selection.has(row));
  };

  useKeys({
    "/": () => search.current?.select(),
    j: () => move(1),
    k: () => move(-1),
    x: toggleFocused,
    n: () => next && void nextPage(next),
    p: () => filters.page > 1 && void previousPage(),
  });

  if (years.data && year !== undefined && !years.data.items.some((item) => item.year === year)) {
    return <NothingYet />;
  }
  return (
    <section>
      <UnitFilterBar searchRef={search} />
      {units.error && !units.data ? (
        <div className={classes.frame}>
          <div className={classes.notice}>
            <ProblemNotice error={units.error} onRetry={() => void units.refetch()} />
          </div>
        </div>
      ) : (
        <>
          {units.data && <SelectionBar selection={selection} page={units.data} />}
          <UnitRows
            tableRef={table}
            selection={canWrite ? selection : null}
            page={units.data}
            fading={units.isPlaceholderData}
            narrow={narrow}
          />
          {units.data && units.data.items.length > 0 && (
            <UnitPager
              page={units.data}
              next={next}
              onNext={() => next && void nextPage(next)}
              onNextLikely={() => next && void client.prefetchQuery(query(next))}
            />
          )}
        </>
      )}
    </section>
  );
}

function NothingYet() {
  const t = useText();
  return (
    <div className={classes.frame}>
      <EmptyState icon={IconHome} title={t.units.none} hint={t.units.noneHint} />
    </div>
  );
}

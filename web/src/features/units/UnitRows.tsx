import { Button, Checkbox, Skeleton } from "@mantine/core";
import {
  IconArrowDown,
  IconArrowUp,
  IconFilterOff,
  IconHome,
  IconSearchOff,
  IconSelector,
} from "@tabler/icons-react";
import { useDeferredValue, useMemo } from "react";
import type { UnitPage, UnitRow as UnitRowData } from "../../client";
import { useText } from "../../i18n/Language";
import { ChannelIcon } from "../communications/ChannelIcon";
import { isLetter } from "../communications/StatusBadge";
import type { Channel } from "../communications/words";
import { EmptyState } from "../track-center/EmptyState";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import type { UnitSelection } from "./selection";
import classes from "./TrackUnitTable.module.css";
import { type ChannelColumn, UnitRow } from "./UnitRow";

const columns: ChannelColumn[] = [
  { key: "EMAIL", holds: (channel) => channel === "EMAIL" },
  { key: "SMS", holds: (channel) => channel === "SMS" },
  { key: "LETTER", holds: isLetter },
];

interface UnitRowsProps {
  /** Null for somebody who may only look. */
  selection: UnitSelection | null;
  tableRef: React.RefObject<HTMLTableElement | null>;
  page: UnitPage | undefined;
  fading: boolean;
  narrow: boolean;
}

/** The table itself: its heads, its rows, or why there are none. */
export function UnitRows({ selection, tableRef, page, fading, narrow }: UnitRowsProps) {
  const t = useText();
  const { building, year, yearInfo, filters, filter, timeZone } = useTrackCenter();
  const figures = yearInfo?.channels;
  const hidden = useMemo(() => new Set<string>(filters.hide), [filters.hide]);
  const shown = useMemo(() => {
    const present = columns.filter((column) =>
      figures
        ? Object.entries(figures).some(
            ([channel, stats]) =>
              column.holds(channel as Channel) && stats.total + stats.cancelled > 0,
          )
        : true,
    );
    return present.filter(({ key }) => !hidden.has(key));
  }, [figures, hidden]);
  const filtered = filters.channel !== null || filters.status !== null || filters.search !== "";
  if (page && page.items.length === 0) {
    return (
      <div className={classes.frame} aria-live="polite">
        {filtered ? (
          <EmptyState icon={IconSearchOff} title={t.units.noMatch} hint={t.units.noMatchHint}>
            <Button
              variant="default"
              mt="xs"
              leftSection={<IconFilterOff size={16} aria-hidden />}
              onClick={() => void filter({ channel: null, status: null, search: "" })}
            >
              {t.units.clear}
            </Button>
          </EmptyState>
        ) : (
          <EmptyState icon={IconHome} title={t.units.none} hint={t.units.noneHint} />
        )}
      </div>
    );
  }
  return (
    <div className={classes.frame}>
      <table
        ref={tableRef}
        className={classes.table}
        aria-busy={!page || fading}
        data-fading={fading || undefined}
        data-narrow={narrow || undefined}
      >
        <caption className={classes.hidden}>
          {building && year !== undefined ? t.units.caption(building.name, year) : t.common.loading}
        </caption>
        <thead>
          <tr>
            {selection && (
              <th scope="col" className={classes.tick}>
                <PageTick selection={selection} page={page} />
              </th>
            )}
            <SortHeader column="unitNumber" label={t.units.unit} />
            {narrow ? (
              <th scope="col">{t.units.messages}</th>
            ) : (
              <>
                {!hidden.has("recipient") && (
                  <SortHeader column="recipientName" label={t.units.recipient} />
                )}
                {shown.map(({ key }) => (
                  <th key={key} scope="col">
                    <span className={classes.heading}>
                      <ChannelIcon channel={key} size={15} />
                      {t.channelShort[key]}
                    </span>
                  </th>
                ))}
                {!hidden.has("lastEvent") && <th scope="col">{t.units.lastEvent}</th>}
              </>
            )}
          </tr>
        </thead>
        <tbody>
          {page ? (
            <Rows key={`${building?.id} ${year}`} items={page.items}>
              {(row) => (
                <UnitRow
                  buildingId={building?.id ?? null}
                  year={year ?? null}
                  key={row.unitId}
                  row={row}
                  columns={shown}
                  hidden={hidden}
                  narrow={narrow}
                  open={filters.unit === row.unitId}
                  timeZone={timeZone}
                  ticked={selection?.has(row) ?? false}
                  onTick={selection?.set ?? null}
                />
              )}
            </Rows>
          ) : (
            Array.from({ length: 12 }, (_, index) => (
              <SkeletonRow
                // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
                key={index}
                cells={(narrow ? 2 : shown.length + 3) + (selection ? 1 : 0)}
              />
            ))
          )}
        </tbody>
      </table>
    </div>
  );
}

/** Rows that fit on a screen; the others are drawn right after these are on it. */
const atOnce = 14;

interface RowsProps {
  items: UnitRowData[];
  children: (row: UnitRowData) => React.ReactNode;
}

/** The rows of another building: those one can see first, so that nobody waits for the rest. */
function Rows({ items, children }: RowsProps) {
  const all = useDeferredValue(true, false);
  return (all ? items : items.slice(0, atOnce)).map(children);
}

/** Ticks the whole page, or says that part of it is ticked. */
function PageTick({ selection, page }: { selection: UnitSelection; page: UnitPage | undefined }) {
  const t = useText();
  const rows = page?.items ?? [];
  const ticked = rows.filter((row) => selection.has(row)).length;
  const all = rows.length > 0 && ticked === rows.length;
  return (
    <Checkbox
      size="xs"
      aria-label={t.selection.page}
      checked={all}
      indeterminate={ticked > 0 && !all}
      disabled={rows.length === 0}
      onChange={() => selection.set(rows, !all)}
    />
  );
}

type SortColumn = "unitNumber" | "recipientName";

function SortHeader({ column, label }: { column: SortColumn; label: string }) {
  const t = useText();
  const { filters, filter } = useTrackCenter();
  const direction =
    filters.sort === column ? "ascending" : filters.sort === `-${column}` ? "descending" : "none";
  const Arrow =
    direction === "none" ? IconSelector : direction === "ascending" ? IconArrowUp : IconArrowDown;
  return (
    <th scope="col" aria-sort={direction}>
      <button
        type="button"
        className={classes.sort}
        data-active={direction !== "none" || undefined}
        title={t.units.sortBy(label)}
        onClick={() => void filter({ sort: filters.sort === column ? `-${column}` : column })}
      >
        {label}
        <Arrow size={14} aria-hidden />
      </button>
    </th>
  );
}

function SkeletonRow({ cells }: { cells: number }) {
  return (
    <tr>
      {Array.from({ length: cells }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
        <td key={index}>
          {/* Seventy that pulse cost more than the rows they stand for. */}
          <Skeleton
            height={16}
            width={index === 0 ? 36 : index === 1 ? 150 : 88}
            radius="xl"
            animate={false}
          />
        </td>
      ))}
    </tr>
  );
}

import {
  ActionIcon,
  Button,
  Checkbox,
  Group,
  Select,
  Skeleton,
  Text,
  TextInput,
} from "@mantine/core";
import { useDebouncedCallback, useMediaQuery } from "@mantine/hooks";
import {
  IconArrowDown,
  IconArrowUp,
  IconChevronLeft,
  IconChevronRight,
  IconChevronsLeft,
  IconFilterOff,
  IconHome,
  IconSearch,
  IconSearchOff,
  IconSelector,
  IconX,
} from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { memo, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import type { CommunicationBrief, UnitPage, UnitRow } from "../../client";
import { Hint } from "../../hint/Hint";
import { useLanguage, useText } from "../../i18n/Language";
import { TimeStamp } from "../../time/TimeStamp";
import { ChannelIcon } from "../communications/ChannelIcon";
import { failureReason } from "../communications/failure";
import {
  ContradictoryBadge,
  isLetter,
  StatusBadge,
  shownStatus,
} from "../communications/StatusBadge";
import type { Channel } from "../communications/words";
import { EmptyState } from "../track-center/EmptyState";
import { channels, statuses } from "../track-center/filters";
import { ProblemNotice } from "../track-center/ProblemNotice";
import { StateLink } from "../track-center/StateLink";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { useKeys } from "../track-center/useKeys";
import { ColumnMenu } from "./ColumnMenu";
import { pageSize, unitsQuery } from "./queries";
import { SelectionBar } from "./SelectionBar";
import { type UnitSelection, useSelection } from "./selection";
import classes from "./TrackUnitTable.module.css";

/** A column of the table that shows messages: both kinds of letter share one. */
interface ChannelColumn {
  key: "EMAIL" | "SMS" | "LETTER";
  holds: (channel: Channel) => boolean;
}

const columns: ChannelColumn[] = [
  { key: "EMAIL", holds: (channel) => channel === "EMAIL" },
  { key: "SMS", holds: (channel) => channel === "SMS" },
  { key: "LETTER", holds: isLetter },
];

/** The id of a unit's link, so that focus finds its way back when the panel closes. */
export const unitLinkId = (unitId: string) => `unit-${unitId}`;

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
    refetchInterval: interval,
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
            <Pager
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

function UnitFilterBar({ searchRef }: { searchRef: React.RefObject<HTMLInputElement | null> }) {
  const t = useText();
  const { filters, filter } = useTrackCenter();
  const [text, setText] = useState(filters.search);
  const asked = useRef(filters.search);
  const ask = useDebouncedCallback((value: string) => {
    asked.current = value;
    void filter({ search: value });
  }, 250);
  useEffect(() => {
    // Back, forward or 'clear' changed it: follow. Our own words are already in the field.
    if (filters.search !== asked.current) {
      asked.current = filters.search;
      setText(filters.search);
    }
  }, [filters.search]);
  const active = filters.channel !== null || filters.status !== null || filters.search !== "";
  return (
    <search className={classes.filters}>
      <TextInput
        ref={searchRef}
        type="search"
        className={classes.search}
        aria-label={t.units.search}
        aria-keyshortcuts="/"
        placeholder={t.units.search}
        leftSection={<IconSearch size={16} aria-hidden />}
        rightSection={text === "" ? <kbd className={classes.key}>/</kbd> : null}
        value={text}
        maxLength={100}
        onChange={(event) => {
          setText(event.currentTarget.value);
          ask(event.currentTarget.value.trim());
        }}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      <Select
        className={classes.choice}
        aria-label={t.units.channel}
        placeholder={t.units.allChannels}
        data={channels.map((value) => ({ value, label: t.channels[value] }))}
        value={filters.channel}
        onChange={(value) =>
          void filter({ channel: channels.find((known) => known === value) ?? null })
        }
        clearable
        clearButtonProps={{ "aria-label": t.units.clear, tabIndex: -1 }}
        allowDeselect
        comboboxProps={{ shadow: "md" }}
      />
      <Select
        className={classes.choice}
        aria-label={t.units.status}
        placeholder={t.units.allStatuses}
        data={statuses.map((value) => ({ value, label: t.statuses[value] }))}
        value={filters.status}
        onChange={(value) =>
          void filter({ status: statuses.find((known) => known === value) ?? null })
        }
        clearable
        clearButtonProps={{ "aria-label": t.units.clear, tabIndex: -1 }}
        allowDeselect
        maxDropdownHeight={320}
        comboboxProps={{ shadow: "md" }}
      />
      {active && (
        <Button
          variant="subtle"
          leftSection={<IconX size={14} aria-hidden />}
          onClick={() => void filter({ channel: null, status: null, search: "" })}
        >
          {t.units.clear}
        </Button>
      )}
      <span className={classes.columnMenu}>
        <ColumnMenu />
      </span>
    </search>
  );
}

interface UnitRowsProps {
  /** Null for somebody who may only look. */
  selection: UnitSelection | null;
  tableRef: React.RefObject<HTMLTableElement | null>;
  page: UnitPage | undefined;
  fading: boolean;
  narrow: boolean;
}

function UnitRows({ selection, tableRef, page, fading, narrow }: UnitRowsProps) {
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
                <Row
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
  items: UnitRow[];
  children: (row: UnitRow) => React.ReactNode;
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

interface RowProps {
  row: UnitRow;
  columns: ChannelColumn[];
  hidden: ReadonlySet<string>;
  narrow: boolean;
  open: boolean;
  timeZone: string;
  ticked: boolean;
  /** Null for somebody who may only look. */
  onTick: UnitSelection["set"] | null;
}

/** Drawn again only when something of it changed: there are fifty of them. */
const Row = memo(function Row({
  row,
  columns: shown,
  hidden,
  narrow,
  open,
  timeZone,
  ticked,
  onTick,
}: RowProps) {
  const t = useText();
  const link = (
    <StateLink
      id={unitLinkId(row.unitId)}
      changes={{ unit: row.unitId, communication: null }}
      className={classes.unit}
      data-unit
      aria-label={`${t.drawer.title(row.unitNumber)}, ${row.recipientName}`}
    >
      {row.unitNumber}
    </StateLink>
  );
  const tick = onTick && (
    <td className={classes.tick}>
      <Checkbox
        size="xs"
        aria-label={t.selection.unit(row.unitNumber)}
        checked={ticked}
        onChange={(event) => onTick([row], event.currentTarget.checked)}
      />
    </td>
  );
  const state = {
    "data-unit-id": row.unitId,
    "data-open": open || undefined,
    "data-ticked": ticked || undefined,
  };
  if (narrow) {
    return (
      <tr {...state}>
        {tick}
        <td>
          {link}
          <span className={classes.recipient}>{row.recipientName}</span>
        </td>
        <td>
          <span className={classes.stack}>
            {row.communications.map((communication) => (
              <MessageLink
                key={communication.id}
                row={row}
                communication={communication}
                withChannel
              />
            ))}
          </span>
        </td>
      </tr>
    );
  }
  return (
    <tr {...state}>
      {tick}
      <td>{link}</td>
      {!hidden.has("recipient") && <td>{row.recipientName}</td>}
      {shown.map((column) => {
        const messages = row.communications.filter(({ channel }) => column.holds(channel));
        return (
          <td key={column.key}>
            {messages.length === 0 ? (
              <span className={classes.none}>
                <span aria-hidden>–</span>
                <span className={classes.hidden}>{t.units.noMessage}</span>
              </span>
            ) : (
              <span className={classes.stack}>
                {messages.map((communication) => (
                  <MessageLink
                    key={communication.id}
                    row={row}
                    communication={communication}
                    withChannel={communication.channel === "LETTER_WITH_RECEIPT"}
                  />
                ))}
              </span>
            )}
          </td>
        );
      })}
      {!hidden.has("lastEvent") && (
        <td className={classes.time}>
          {row.lastEvent && <TimeStamp value={row.lastEvent.at} timeZone={timeZone} />}
        </td>
      )}
    </tr>
  );
});

interface MessageLinkProps {
  row: UnitRow;
  communication: CommunicationBrief;
  withChannel: boolean;
}

/** A status badge that leads to its message. */
function MessageLink({ row, communication, withChannel }: MessageLinkProps) {
  const t = useText();
  const { channel } = communication;
  return (
    <StateLink
      changes={{ unit: row.unitId, communication: communication.id }}
      className={classes.message}
    >
      {withChannel ? (
        <Hint label={t.channels[channel]}>
          <span className={classes.channel} role="img" aria-label={t.channels[channel]}>
            <ChannelIcon channel={channel} size={15} />
          </span>
        </Hint>
      ) : (
        <span className={classes.hidden}>{t.channels[channel]}: </span>
      )}
      <StatusBadge status={shownStatus(communication)} reason={failureReason(communication, t)} />
      {communication.contradictory && <ContradictoryBadge />}
    </StateLink>
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

interface PagerProps {
  page: UnitPage;
  next: string | null;
  onNext: () => void;
  /** The person is about to ask for the next page. */
  onNextLikely: () => void;
}

function Pager({ page, next, onNext, onNextLikely }: PagerProps) {
  const { text: t } = useLanguage();
  const { filters, set, previousPage } = useTrackCenter();
  const from = (filters.page - 1) * pageSize + 1;
  const single = filters.page === 1 && next === null;
  return (
    <Group justify="space-between" mt="sm">
      <Text size="sm" c="dimmed" aria-live="polite">
        {single
          ? t.units.total(page.total)
          : t.units.range(from, from + page.items.length - 1, page.total)}
      </Text>
      {!single && (
        <Group gap={6}>
          <PageButton
            label={t.units.first}
            disabled={filters.page === 1}
            onClick={() => void set({ after: null, page: null })}
          >
            <IconChevronsLeft size={18} aria-hidden />
          </PageButton>
          <PageButton
            label={t.units.previous}
            disabled={filters.page === 1}
            onClick={() => void previousPage()}
          >
            <IconChevronLeft size={18} aria-hidden />
          </PageButton>
          <PageButton
            label={t.units.next}
            disabled={next === null}
            onClick={onNext}
            onLikely={onNextLikely}
          >
            <IconChevronRight size={18} aria-hidden />
          </PageButton>
        </Group>
      )}
    </Group>
  );
}

interface PageButtonProps {
  label: string;
  disabled: boolean;
  onClick: () => void;
  onLikely?: () => void;
  children: React.ReactNode;
}

function PageButton({ label, disabled, onClick, onLikely, children }: PageButtonProps) {
  return (
    <ActionIcon
      variant="default"
      size="lg"
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onClick}
      onPointerEnter={onLikely}
      onFocus={onLikely}
    >
      {children}
    </ActionIcon>
  );
}

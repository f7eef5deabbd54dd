import {
  createSerializer,
  parseAsArrayOf,
  parseAsBoolean,
  parseAsInteger,
  parseAsString,
  parseAsStringLiteral,
  useQueryStates,
} from "nuqs";
import { useCallback, useMemo } from "react";

export const tabs = ["units", "activity", "exports"] as const;
export const channels = ["EMAIL", "SMS", "LETTER", "LETTER_WITH_RECEIPT"] as const;
export const statuses = [
  "PENDING",
  "ENQUEUED",
  "SENT",
  "DELIVERED",
  "OPENED",
  "FAILED",
  "MANUAL",
  "CANCELLED",
] as const;
export const sorts = ["unitNumber", "-unitNumber", "recipientName", "-recipientName"] as const;
/** Columns of the table that can be hidden; the unit itself always shows. */
export const columnNames = ["recipient", "EMAIL", "SMS", "LETTER", "lastEvent"] as const;
export const views = ["templates", "work"] as const;
export const activityKinds = ["all", "failed", "manual", "receipts", "dead"] as const;

/** Everything on the screen that a shared link must bring back; a default is left out of the URL. */
const parsers = {
  buildingId: parseAsString,
  year: parseAsInteger,
  tab: parseAsStringLiteral(tabs).withDefault("units"),
  channel: parseAsStringLiteral(channels),
  status: parseAsStringLiteral(statuses),
  search: parseAsString.withDefault(""),
  sort: parseAsStringLiteral(sorts).withDefault("unitNumber"),
  /** Cursors of the pages gone through, newest last: 'previous' works after a reload, too. */
  after: parseAsArrayOf(parseAsString).withDefault([]),
  page: parseAsInteger.withDefault(1),
  /** The open unit; it survives a change of year. */
  unit: parseAsString,
  communication: parseAsString,
  /** The open unit has the page for itself. */
  full: parseAsBoolean.withDefault(false),
  hide: parseAsArrayOf(parseAsStringLiteral(columnNames)).withDefault([]),
  kind: parseAsStringLiteral(activityKinds).withDefault("all"),
  /** What takes the place of the tabs. */
  view: parseAsStringLiteral(views),
  /** Of the templates' page: language of the texts, channel and unit of the preview. */
  language: parseAsString,
  preview: parseAsStringLiteral(channels).withDefault("EMAIL"),
  example: parseAsString,
};

/** Cursors kept in the URL. From further in, 'previous' leads to the first page. */
const keptCursors = 12;

/** Leads from the page of templates back to the tabs. */
export const leaveTemplates = { view: null, language: null, preview: null, example: null } as const;

export const firstPage = { after: null, page: null } as const;

type Values = ReturnType<typeof useQueryStates<typeof parsers>>[0];
export type Filters = Values;

/** The screen's state in the URL, and the moves that keep it consistent. */
export function useFilters() {
  const [filters, set] = useQueryStates(parsers, { history: "push", clearOnDefault: true });

  /** Changes filters and goes back to page one: the old cursor belongs to the old list. */
  const filter = useCallback(
    (changes: Partial<Pick<Filters, "channel" | "status" | "search" | "sort">>) =>
      set({ ...changes, ...firstPage }, "search" in changes ? { history: "replace" } : {}),
    [set],
  );

  const nextPage = useCallback(
    (cursor: string) =>
      set((old) => ({ after: [...old.after, cursor].slice(-keptCursors), page: old.page + 1 })),
    [set],
  );

  const previousPage = useCallback(
    () =>
      set((old) =>
        old.after.length > 1
          ? { after: old.after.slice(0, -1), page: old.page - 1 }
          : { after: null, page: null },
      ),
    [set],
  );

  // One object as long as nothing moved: hundreds of links on the screen hang on it.
  return useMemo(
    () => ({ filters, set, filter, nextPage, previousPage }),
    [filters, set, filter, nextPage, previousPage],
  );
}

/** A link to this screen in another state, for real anchors. */
export const hrefOf = createSerializer(parsers, { clearOnDefault: true });

/**
 * The browser's own variety of a language: en-GB and en-US write dates differently. Where it names
 * none, English is the European one.
 */
export function localeOf(
  language: string,
  wanted: readonly string[] = navigator.languages,
): string {
  const own = wanted.find(
    (tag) => tag.includes("-") && tag.toLowerCase().startsWith(`${language}-`),
  );
  return own ?? (language === "en" ? "en-GB" : language);
}

const made = new Map<string, Intl.DateTimeFormat>();

/** Making a formatter takes as long as drawing a row of a table: each is made once. */
function dates(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`;
  const known = made.get(key) ?? new Intl.DateTimeFormat(locale, options);
  made.set(key, known);
  return known;
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["week", 7 * 86_400],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** '3 minutes ago' in the language given; `now` in milliseconds since the epoch. */
export function relativeTime(iso: string, now: number, language: string): string {
  const seconds = Math.round((Date.parse(iso) - now) / 1000);
  const format = new Intl.RelativeTimeFormat(localeOf(language), { numeric: "auto" });
  for (const [unit, length] of steps) {
    if (Math.abs(seconds) >= length || unit === "second") {
      return format.format(Math.trunc(seconds / length), unit);
    }
  }
  return format.format(0, "second");
}

/** Date, time to the second and the zone's name, as the wall clock in `timeZone` shows it. */
export function absoluteTime(iso: string, timeZone: string, language: string): string {
  const stamp = dates(localeOf(language), {
    dateStyle: "full",
    timeStyle: "medium",
    timeZone,
  }).format(new Date(iso));
  return `${stamp} (${timeZone})`;
}

/** Short date and time without seconds, for lists. */
export function shortTime(iso: string, timeZone: string, language: string): string {
  return dates(localeOf(language), {
    dateStyle: "medium",
    timeStyle: "short",
    timeZone,
  }).format(new Date(iso));
}

/** Time of day, for entries under a day's heading. */
export function clockTime(iso: string, timeZone: string, language: string): string {
  return dates(localeOf(language), { timeStyle: "short", timeZone }).format(new Date(iso));
}

/** The calendar day in `timeZone` as YYYY-MM-DD: the key entries are grouped by. */
export function dayKey(iso: string | number, timeZone: string): string {
  return dates("en-CA", {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    timeZone,
  }).format(new Date(iso));
}

/** 'Monday, 24 November 2025' for a day key. */
export function dayName(key: string, language: string): string {
  return dates(localeOf(language), { dateStyle: "full", timeZone: "UTC" }).format(
    new Date(`${key}T12:00:00Z`),
  );
}

/** '24 Nov 2025' for a day key: a date that belongs to no time zone. */
export function calendarDay(key: string, language: string): string {
  return dates(localeOf(language), {
    dateStyle: "medium",
    timeZone: "UTC",
  }).format(new Date(`${key}T12:00:00Z`));
}

/** Minutes that `timeZone` is ahead of UTC at an instant. */
function offsetMinutes(instant: number, timeZone: string): number {
  const parts = dates("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  }).formatToParts(new Date(instant));
  const part = (type: string) => Number(parts.find((p) => p.type === type)?.value);
  const wall = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"));
  return Math.round((wall - Math.floor(instant / 60_000) * 60_000) / 60_000);
}

/** What a `datetime-local` field shows for an instant: the wall clock in `timeZone`, to the minute. */
export function isoToWallClock(iso: string, timeZone: string): string {
  const instant = Date.parse(iso);
  return new Date(instant + offsetMinutes(instant, timeZone) * 60_000).toISOString().slice(0, 16);
}

/** UTC ISO time of a `datetime-local` value read as the wall clock in `timeZone`. */
export function wallClockToIso(local: string, timeZone: string): string {
  const asUtc = Date.parse(`${local}Z`);
  const guess = asUtc - offsetMinutes(asUtc, timeZone) * 60_000;
  // Once more at the guessed instant: the offset may differ across a clock change.
  return new Date(asUtc - offsetMinutes(guess, timeZone) * 60_000).toISOString();
}

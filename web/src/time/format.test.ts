import { expect, test } from "vitest";
import {
  absoluteTime,
  dayKey,
  isoToWallClock,
  localeOf,
  relativeTime,
  wallClockToIso,
} from "./format";

const now = Date.parse("2025-11-24T12:00:00Z");

test("a time is told relative to now in the reader's language", () => {
  expect(relativeTime("2025-11-24T11:57:00Z", now, "en")).toBe("3 minutes ago");
  expect(relativeTime("2025-11-23T12:00:00Z", now, "de")).toBe("gestern");
  expect(relativeTime("2025-11-24T12:00:00Z", now, "en")).toBe("now");
});

test("the absolute time names its zone", () => {
  expect(absoluteTime("2025-11-24T23:30:00Z", "Europe/Berlin", "en")).toMatch(
    /Tuesday, November 25, 2025.*12:30:00.*\(Europe\/Berlin\)/,
  );
});

test.each([
  ["en", ["en-GB", "en"], "en-GB"],
  ["en", ["en-US", "en"], "en-US"],
  ["en", ["de-DE", "de"], "en-GB"],
  ["en", ["en"], "en-GB"],
  ["de", ["en-US", "de-AT"], "de-AT"],
  ["de", ["en-US"], "de"],
])("%s is written as the browser with %j writes it: %s", (language, wanted, locale) => {
  expect(localeOf(language, wanted)).toBe(locale);
});

test("days end at midnight in the building's zone", () => {
  expect(dayKey("2025-11-24T23:30:00Z", "Europe/Berlin")).toBe("2025-11-25");
  expect(dayKey("2025-11-24T23:30:00Z", "America/New_York")).toBe("2025-11-24");
});

test.each([
  ["2025-11-24T13:00", "2025-11-24T12:00:00.000Z"],
  ["2025-07-01T13:00", "2025-07-01T11:00:00.000Z"],
  ["2025-03-30T03:30", "2025-03-30T01:30:00.000Z"],
  ["2025-10-26T04:00", "2025-10-26T03:00:00.000Z"],
])("a wall clock in Berlin becomes UTC, also around clock changes: %s", (local, utc) => {
  expect(wallClockToIso(local, "Europe/Berlin")).toBe(utc);
  expect(isoToWallClock(utc, "Europe/Berlin")).toBe(local);
});

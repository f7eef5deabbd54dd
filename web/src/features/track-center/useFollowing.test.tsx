import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { expect, test } from "vitest";
import type { YearOut } from "../../client";
import { useFollowing } from "./useFollowing";

const aYear = (batchId: string) => ({ batchId, year: 2025 }) as YearOut;

/** Which of what is shown would be read again after the figures went from `before` to `after`. */
function readAgain(before: YearOut, after: YearOut, interval: number | false) {
  const client = new QueryClient();
  const shown = ["units", "unit", "communication", "buildings", "progress", "years"];
  for (const name of shown) client.setQueryData([name, "x"], "old");
  const { rerender } = renderHook(({ year, live }) => useFollowing(year, live), {
    initialProps: { year: before, live: 3_000 as number | false },
    wrapper: ({ children }: { children: ReactNode }) => (
      <QueryClientProvider client={client}>{children}</QueryClientProvider>
    ),
  });
  rerender({ year: after, live: interval });
  return shown.filter((name) => client.getQueryState([name, "x"])?.isInvalidated);
}

test("when the figures come to rest, all that is shown is read once more", () => {
  expect(readAgain(aYear("a"), aYear("a"), false)).toEqual([
    "units",
    "unit",
    "communication",
    "buildings",
    "progress",
  ]);
});

test("while they move, only what does not look by itself is read again", () => {
  expect(readAgain(aYear("a"), aYear("a"), 3_000)).toEqual(["buildings"]);
});

test("unchanged figures and another year read nothing again", () => {
  const same = aYear("a");
  expect(readAgain(same, same, false)).toEqual([]);
  expect(readAgain(aYear("a"), aYear("b"), false)).toEqual([]);
});

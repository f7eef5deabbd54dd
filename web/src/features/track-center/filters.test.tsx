import { act, renderHook } from "@testing-library/react";
import { NuqsTestingAdapter } from "nuqs/adapters/testing";
import type { ReactNode } from "react";
import { expect, test } from "vitest";
import { hrefOf, useFilters } from "./filters";

function open(search: string) {
  return renderHook(() => useFilters(), {
    wrapper: ({ children }: { children: ReactNode }) => (
      <NuqsTestingAdapter searchParams={search} hasMemory>
        {children}
      </NuqsTestingAdapter>
    ),
  });
}

test("a changed filter goes back to the first page", async () => {
  const { result } = open("?after=a,b&page=3");
  await act(async () => void result.current.filter({ status: "FAILED" }));
  expect(result.current.filters).toMatchObject({ status: "FAILED", after: [], page: 1 });
});

test("pages are gone through and back again", async () => {
  const { result } = open("");
  await act(async () => void result.current.nextPage("a"));
  await act(async () => void result.current.nextPage("b"));
  expect(result.current.filters).toMatchObject({ after: ["a", "b"], page: 3 });
  await act(async () => void result.current.previousPage());
  expect(result.current.filters).toMatchObject({ after: ["a"], page: 2 });
  await act(async () => void result.current.previousPage());
  expect(result.current.filters).toMatchObject({ after: [], page: 1 });
});

test("far into a long list the URL stays short, and 'previous' leads to the beginning at last", async () => {
  const { result } = open("");
  for (let page = 1; page <= 20; page += 1) {
    await act(async () => void result.current.nextPage(`cursor${page}`));
  }
  expect(result.current.filters.after).toHaveLength(12);
  expect(result.current.filters.page).toBe(21);
  for (let step = 1; step <= 12; step += 1) {
    await act(async () => void result.current.previousPage());
  }
  expect(result.current.filters).toMatchObject({ after: [], page: 1 });
});

test("an unknown word in the URL is as good as none", () => {
  expect(open("?status=EATEN&tab=nonsense").result.current.filters).toMatchObject({
    status: null,
    tab: "units",
  });
});

test("defaults are left out of links", () => {
  const { result } = open("?tab=units&page=1&year=2024");
  expect(hrefOf("/track", { ...result.current.filters, unit: "u" })).toBe(
    "/track?year=2024&unit=u",
  );
});

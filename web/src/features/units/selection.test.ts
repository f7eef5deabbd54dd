import { act, renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import type { UnitRow } from "../../client";
import { useSelection } from "./selection";

const row = (unitId: string): UnitRow => ({
  unitId,
  unitNumber: unitId,
  recipientName: "",
  communications: [],
  counts: {},
  lastEvent: null,
  manualLetter: false,
});

const start = () =>
  renderHook(({ scope }) => useSelection(scope), { initialProps: { scope: "2025" } });

test("ticks add up across pages", () => {
  const { result } = start();
  act(() => result.current.set([row("a"), row("b")], true));
  act(() => result.current.set([row("c")], true));
  act(() => result.current.set([row("a")], false));
  expect(result.current.rows.map(({ unitId }) => unitId)).toEqual(["b", "c"]);
});

test("another filter begins with nothing ticked", () => {
  const { result, rerender } = start();
  act(() => result.current.selectAll());
  expect(result.current.has(row("z"))).toBe(true);
  rerender({ scope: "2024" });
  expect(result.current.has(row("z"))).toBe(false);
});

test("unticking a row after 'all' leaves nothing that nobody chose", () => {
  const { result } = start();
  act(() => result.current.selectAll());
  act(() => result.current.set([row("a")], false));
  expect(result.current.all).toBe(false);
  expect(result.current.rows).toEqual([]);
});

import { expect, test } from "vitest";
import type { ActivityItem } from "../../client";
import { newEvents } from "./queries";

const items = (...ids: string[]) => ids.map((id) => ({ id }) as ActivityItem);

test("nothing is new when nothing came", () => {
  expect(newEvents(items("b", "a"), items("b", "a"))).toEqual([]);
});

test("what came since is new, wherever it stands", () => {
  // An event of a transaction that took long stands below one that was quick.
  expect(newEvents(items("d", "b", "c", "a"), items("b", "a"))).toEqual(items("d", "c"));
});

test("older pages that were read are not new", () => {
  expect(newEvents(items("c", "b"), items("b", "a", "z"))).toEqual(items("c"));
});

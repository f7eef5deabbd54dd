import { expect, test } from "vitest";
import { cumulative, linePath } from "./progress";

const none = { sent: 0, delivered: 0, opened: 0, failed: 0 };
const story = {
  stepSeconds: 60,
  items: [
    { ...none, at: "2025-11-24T12:00:00Z", sent: 4 },
    { ...none, at: "2025-11-24T12:02:00Z", delivered: 3, failed: 1 },
  ],
};

test("what happened adds up, and is level where nothing happened", () => {
  expect(cumulative(story).map(({ sent, delivered }) => [sent, delivered])).toEqual([
    [0, 0],
    [4, 0],
    [4, 0],
    [4, 3],
  ]);
});

test("a batch without events draws nothing", () => {
  expect(cumulative({ stepSeconds: 1, items: [] })).toEqual([]);
});

test("the line runs from the lower left to the upper right of its box", () => {
  const path = linePath(cumulative(story), "sent", 4, 300, 84);
  expect(path.startsWith("M0.0 83.0")).toBe(true);
  expect(path.endsWith("L300.0 2.0")).toBe(true);
});

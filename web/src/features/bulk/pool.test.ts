import { expect, test } from "vitest";
import { inPool } from "./pool";

test("never more than the limit run at once, and results keep their order", async () => {
  let running = 0;
  let most = 0;
  const results = await inPool([5, 1, 4, 2, 3], 2, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
    return item * 10;
  });
  expect(most).toBe(2);
  expect(results).toEqual([50, 10, 40, 20, 30]);
});

test("nothing to do is done", async () => {
  expect(await inPool([], 4, async () => 1)).toEqual([]);
});

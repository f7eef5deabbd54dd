import type { ProgressOverTime } from "../../client";

export const seriesNames = ["sent", "delivered", "opened", "failed"] as const;
export type Series = (typeof seriesNames)[number];

/** What had happened by `at` (milliseconds since the epoch), the end of a step. */
export type Point = Record<Series, number> & { at: number };

/** The steps added up, beginning with nothing. */
export function cumulative({ items, stepSeconds }: ProgressOverTime): Point[] {
  const first = items[0];
  if (!first) return [];
  const sums: Point = { at: Date.parse(first.at), sent: 0, delivered: 0, opened: 0, failed: 0 };
  const points: Point[] = [{ ...sums }];
  for (const step of items) {
    const begins = Date.parse(step.at);
    // Nothing happened meanwhile: a level line, not a slope.
    if (begins > sums.at) points.push({ ...sums, at: begins });
    for (const name of seriesNames) sums[name] += step[name];
    sums.at = begins + stepSeconds * 1000;
    points.push({ ...sums });
  }
  return points;
}

/** SVG path of one series in a box; `top` is the value at its upper edge. */
export function linePath(
  points: Point[],
  name: Series,
  top: number,
  width: number,
  height: number,
): string {
  const from = points[0]?.at ?? 0;
  const span = Math.max(1, (points.at(-1)?.at ?? 0) - from);
  return points
    .map((point, index) => {
      const x = (width * (point.at - from)) / span;
      const y = height - 1 - (height - 3) * (point[name] / top);
      return `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("");
}

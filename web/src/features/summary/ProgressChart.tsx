import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ProgressOverTime } from "../../client";
import { useLanguage } from "../../i18n/Language";
import { clockTime, dayKey, shortTime } from "../../time/format";
import { progressQuery } from "../batches/queries";
import type { Tone } from "../communications/StatusBadge";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import classes from "./ProgressChart.module.css";
import { cumulative, linePath, type Series, seriesNames } from "./progress";
import cards from "./TrackSummaryCards.module.css";

const tones: Record<Series, Tone> = {
  sent: "violet",
  delivered: "green",
  opened: "teal",
  failed: "red",
};
const width = 300;
const height = 84;

/** How the batch went: sent, delivered, opened and failed, added up over time. */
export function ProgressChart({ batchId }: { batchId: string }) {
  const { interval } = useTrackCenter();
  const progress = useQuery({ ...progressQuery(batchId), refetchInterval: interval });
  // Two steps make a line; the figures beside it say all there is to say about one.
  if (!progress.data || progress.data.items.length < 2) return null;
  return <Chart progress={progress.data} />;
}

function Chart({ progress }: { progress: ProgressOverTime }) {
  const { text: t, code } = useLanguage();
  const { timeZone } = useTrackCenter();
  const points = cumulative(progress);
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last) return null;
  const top = Math.max(...seriesNames.map((name) => last[name]), 1);
  const oneDay = dayKey(first.at, timeZone) === dayKey(last.at, timeZone);
  const [from, to] = [first, last].map(({ at }) =>
    (oneDay ? clockTime : shortTime)(new Date(at).toISOString(), timeZone, code),
  ) as [string, string];
  const shown = seriesNames.filter((name) => last[name] > 0);
  return (
    <div className={cards.card}>
      <h2 className={cards.title}>{t.summary.progress}</h2>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        className={classes.chart}
        role="img"
        aria-label={t.summary.progressLabel(from, to)}
        preserveAspectRatio="none"
      >
        <line x1="0" x2={width} y1={height - 1} y2={height - 1} className={classes.axis} />
        {shown.map((name) => (
          <path
            key={name}
            d={linePath(points, name, top, width, height)}
            className={classes.line}
            data-tone={tones[name]}
          />
        ))}
      </svg>
      <div className={classes.span}>
        <Text size="xs" c="dimmed">
          {from}
        </Text>
        <Text size="xs" c="dimmed" ta="right">
          {to}
        </Text>
      </div>
      <ul className={classes.legend}>
        {shown.map((name) => (
          <li key={name} data-tone={tones[name]}>
            {t.summary.series[name]} {last[name].toLocaleString(code)}
          </li>
        ))}
      </ul>
    </div>
  );
}

import { Skeleton } from "@mantine/core";
import type { Stats } from "../../client";
import { useLanguage } from "../../i18n/Language";
import { ChannelIcon } from "../communications/ChannelIcon";
import { isLetter, type ShownStatus, statusLook } from "../communications/StatusBadge";
import type { Channel, DeliveryStatus } from "../communications/words";
import { channels } from "../track-center/filters";
import { StateLink } from "../track-center/StateLink";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { ProgressChart } from "./ProgressChart";
import classes from "./TrackSummaryCards.module.css";

interface Figure {
  shown: ShownStatus;
  /** The status a click filters by. */
  status: DeliveryStatus;
  count: number;
  /** Left out while it is zero. */
  passing?: boolean;
}

/** The exclusive statuses of one channel, in the order of a message's life. */
function figuresOf(channel: Channel, stats: Stats): Figure[] {
  const sent: Figure[] = isLetter(channel)
    ? [
        { shown: "READY_TO_PRINT", status: "SENT", count: stats.readyToPrint },
        { shown: "POSTED", status: "SENT", count: stats.sent - stats.readyToPrint },
      ]
    : [{ shown: "SENT", status: "SENT", count: stats.sent }];
  return [
    { shown: "PENDING", status: "PENDING", count: stats.pending, passing: true },
    { shown: "ENQUEUED", status: "ENQUEUED", count: stats.enqueued, passing: true },
    ...sent,
    { shown: "DELIVERED", status: "DELIVERED", count: stats.delivered },
    { shown: "OPENED", status: "OPENED", count: stats.opened, passing: isLetter(channel) },
    { shown: "FAILED", status: "FAILED", count: stats.failed },
    { shown: "MANUAL", status: "MANUAL", count: stats.manual },
  ];
}

/** One card a channel: how its messages stand; a figure filters the table. */
export function TrackSummaryCards() {
  const { text: t } = useLanguage();
  const { years, yearInfo } = useTrackCenter();
  if (years.isPending) {
    return (
      <div className={classes.cards}>
        {[1, 2, 3].map((key) => (
          <Skeleton key={key} height={158} radius="md" />
        ))}
      </div>
    );
  }
  if (!yearInfo) return null;
  return (
    <section className={classes.cards} aria-label={t.summary.label}>
      {channels.map((channel) => {
        const stats = yearInfo.channels[channel];
        return stats && stats.total + stats.cancelled > 0 ? (
          <SummaryCard key={channel} channel={channel} stats={stats} />
        ) : null;
      })}
      <ProgressChart batchId={yearInfo.batchId} />
    </section>
  );
}

function SummaryCard({ channel, stats }: { channel: Channel; stats: Stats }) {
  const { text: t, code } = useLanguage();
  const { filters } = useTrackCenter();
  const figures = figuresOf(channel, stats).filter((figure) => figure.count > 0 || !figure.passing);
  const back = { tab: null, unit: null, communication: null, after: null, page: null } as const;
  const allChosen = filters.channel === channel && !filters.status;
  return (
    <div className={classes.card}>
      <div className={classes.heading}>
        <span className={classes.picture}>
          <ChannelIcon channel={channel} size={18} />
        </span>
        <h2 className={classes.title}>{t.channelShort[channel]}</h2>
        <StateLink
          changes={{ ...back, channel: allChosen ? null : channel, status: null }}
          className={classes.total}
          aria-label={`${t.summary.showAll(t.channels[channel])}: ${stats.total}`}
          aria-current={allChosen || undefined}
        >
          {t.summary.total(stats.total)}
        </StateLink>
      </div>
      <div className={classes.bar} aria-hidden>
        {figures
          .filter((figure) => figure.count > 0)
          .map((figure) => (
            <span
              key={figure.shown}
              data-tone={statusLook[figure.shown].tone}
              style={{ flexGrow: figure.count }}
            />
          ))}
      </div>
      <ul className={classes.figures}>
        {figures.map(({ shown, status, count }) => {
          const chosen = filters.channel === channel && filters.status === status;
          return (
            <li key={shown}>
              <StateLink
                changes={{
                  ...back,
                  channel: chosen ? null : channel,
                  status: chosen ? null : status,
                }}
                className={classes.figure}
                data-zero={count === 0 || undefined}
                data-tone={statusLook[shown].tone}
                data-chosen={chosen || undefined}
                aria-current={chosen || undefined}
                aria-label={`${t.summary.show(t.channels[channel], t.statuses[shown])}: ${count}`}
              >
                <span className={classes.label}>{t.statuses[shown]}</span>
                <span className={classes.count}>{count.toLocaleString(code)}</span>
              </StateLink>
            </li>
          );
        })}
      </ul>
      {stats.cancelled > 0 && (
        <p className={classes.cancelled}>{t.summary.cancelled(stats.cancelled)}</p>
      )}
    </div>
  );
}

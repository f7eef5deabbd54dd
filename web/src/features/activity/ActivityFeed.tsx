import { Button, SegmentedControl, Skeleton, Stack, Text } from "@mantine/core";
import { IconActivity, IconArrowUp, IconFilterOff } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { ActivityItem } from "../../client";
import { useLanguage } from "../../i18n/Language";
import { dayKey, dayName } from "../../time/format";
import { useNow } from "../../time/useNow";
import { ChannelIcon } from "../communications/ChannelIcon";
import { EventEntry } from "../communications/CommunicationTimeline";
import DeadLetters from "../dead-letters/DeadLetters";
import { deadLettersQuery } from "../dead-letters/queries";
import { EmptyState } from "../track-center/EmptyState";
import { activityKinds, type Filters } from "../track-center/filters";
import { ProblemNotice } from "../track-center/ProblemNotice";
import { StateLink } from "../track-center/StateLink";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import classes from "./ActivityFeed.module.css";
import { activityQuery, type EventKind, newEvents, newestQuery, pageSize } from "./queries";

function byDay(items: ActivityItem[], timeZone: string): [string, ActivityItem[]][] {
  const days = new Map<string, ActivityItem[]>();
  for (const item of items) {
    const key = dayKey(item.recordedAt, timeZone);
    days.set(key, [...(days.get(key) ?? []), item]);
  }
  return [...days];
}

/** What happened in the building and year; for administrators also what the queue has given up. */
export default function ActivityFeed() {
  const { text: t, code } = useLanguage();
  const { filters, set, canWrite } = useTrackCenter();
  const dead = useInfiniteQuery({ ...deadLettersQuery(), enabled: canWrite });
  const lying = dead.data?.pages.reduce((sum, page) => sum + page.items.length, 0) ?? 0;
  const control = useRef<HTMLDivElement>(null);
  // On a phone the control is wider than the screen: what is chosen must not stay outside of it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another choice is another place
  useEffect(() => {
    const chosen = control.current?.querySelector("input:checked + label");
    chosen?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [filters.kind, lying]);
  const label = (kind: Filters["kind"]) =>
    kind === "dead" && lying > 0
      ? `${t.activity.dead} (${lying.toLocaleString(code)}${dead.hasNextPage ? "+" : ""})`
      : t.activity[kind];
  return (
    <>
      <div className={classes.filters} ref={control}>
        <SegmentedControl
          aria-label={t.activity.filters}
          value={filters.kind}
          onChange={(value) =>
            void set({ kind: activityKinds.find((known) => known === value) ?? "all" })
          }
          data={activityKinds
            .filter((kind) => kind !== "dead" || canWrite)
            .map((value) => ({ value, label: label(value) }))}
        />
      </div>
      {filters.kind === "dead" ? <DeadLetters /> : <Events kind={filters.kind} />}
    </>
  );
}

/**
 * The latest events, grouped by day. New ones are announced and shown when the person asks for
 * them: a list that is being read does not move.
 */
function Events({ kind }: { kind: EventKind }) {
  const { text: t, code } = useLanguage();
  const { building, year, interval, timeZone } = useTrackCenter();
  const now = useNow();
  const client = useQueryClient();
  const top = useRef<HTMLElement>(null);
  const known = building !== undefined && year !== undefined;
  const query = activityQuery(building?.id ?? "", year ?? 0, kind);
  const feed = useInfiniteQuery({ ...query, enabled: known });
  const newest = useQuery({
    ...newestQuery(building?.id ?? "", year ?? 0, kind),
    enabled: known && feed.isSuccess,
    refetchInterval: interval,
  });
  const items = feed.data?.pages.flatMap((page) => page.items) ?? [];
  const fresh = feed.data && newest.data ? newEvents(newest.data.items, items).length : 0;
  const showNew = () => {
    if (newest.data) {
      client.setQueryData(query.queryKey, { pages: [newest.data], pageParams: [""] });
    }
    top.current?.focus({ preventScroll: true });
    top.current?.scrollIntoView({ block: "start", behavior: "smooth" });
  };
  const dayLabel = (key: string) => {
    if (key === dayKey(now, timeZone)) return t.activity.today;
    if (key === dayKey(now - 86_400_000, timeZone)) return t.activity.yesterday;
    return dayName(key, code);
  };
  return (
    <section aria-label={t.activity.label} ref={top} tabIndex={-1} className={classes.feed}>
      <div role="status" className={classes.news}>
        {fresh > 0 && (
          <Button
            size="xs"
            radius="xl"
            className={classes.show}
            leftSection={<IconArrowUp size={14} aria-hidden />}
            onClick={showNew}
          >
            {t.activity.fresh(fresh, fresh >= pageSize)}
          </Button>
        )}
      </div>
      {feed.isPending ? (
        <div className={classes.frame} aria-busy>
          <Stack p="md">
            {[1, 2, 3, 4, 5, 6].map((key) => (
              <Skeleton key={key} height={44} radius="md" />
            ))}
          </Stack>
        </div>
      ) : feed.error && !feed.data ? (
        <ProblemNotice error={feed.error} onRetry={() => void feed.refetch()} />
      ) : items.length === 0 ? (
        <div className={classes.frame}>
          {kind === "all" ? (
            <EmptyState icon={IconActivity} title={t.activity.none} hint={t.activity.noneHint} />
          ) : (
            <EmptyState icon={IconFilterOff} title={t.activity.noMatch} />
          )}
        </div>
      ) : (
        <div className={classes.frame}>
          {byDay(items, timeZone).map(([day, entries]) => (
            <section key={day} aria-label={dayLabel(day)}>
              <h3 className={classes.day}>{dayLabel(day)}</h3>
              <ol className={classes.entries}>
                {entries.map(({ unit, communication, ...event }) => (
                  <li key={event.id} className={classes.entry}>
                    <EventEntry
                      event={event}
                      channel={communication.channel}
                      timeZone={timeZone}
                      timeStyle="clock"
                    />
                    <span className={classes.where}>
                      <StateLink
                        changes={{
                          buildingId: building?.id ?? null,
                          year: year ?? null,
                          unit: unit.id,
                          communication: communication.id,
                        }}
                        className={classes.unit}
                      >
                        {t.activity.unit(unit.number)}
                      </StateLink>
                      <Text size="xs" c="dimmed" className={classes.channel}>
                        <ChannelIcon channel={communication.channel} size={14} />
                        {t.channels[communication.channel]} · {unit.recipientName}
                      </Text>
                    </span>
                  </li>
                ))}
              </ol>
            </section>
          ))}
        </div>
      )}
      {feed.hasNextPage && (
        <Button
          variant="default"
          mt="md"
          loading={feed.isFetchingNextPage}
          onClick={() => void feed.fetchNextPage()}
        >
          {t.activity.older}
        </Button>
      )}
    </section>
  );
}

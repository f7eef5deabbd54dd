import { Button, Skeleton, Stack, Text } from "@mantine/core";
import {
  type Icon,
  IconArrowLeft,
  IconArrowsSplit2,
  IconChecklist,
  IconClockPause,
  IconHandStop,
  IconHelpCircle,
  IconMailOff,
  IconMailQuestion,
  IconMailX,
  IconMoodSmile,
} from "@tabler/icons-react";
import {
  type InfiniteData,
  type UseInfiniteQueryResult,
  useInfiniteQuery,
  useQuery,
} from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import type {
  BuildingOut,
  ErrorOut,
  ReceiptOut,
  SenderPauseOut,
  SuggestionOut,
  WorkItem,
} from "../../client";
import type { Dictionary } from "../../i18n/en";
import { useLanguage, useText } from "../../i18n/Language";
import { problemText } from "../../problems";
import { TimeStamp } from "../../time/TimeStamp";
import { ChannelIcon } from "../communications/ChannelIcon";
import { announceDone } from "../communications/FormDialog";
import { failureKind } from "../communications/failure";
import { ManualDeliveryForm } from "../communications/ManualDeliveryForm";
import { StatusBadge, shownStatus } from "../communications/StatusBadge";
import { UnknownDecision } from "../communications/UnknownOutcome";
import { deadLettersQuery } from "../dead-letters/queries";
import { EmptyState } from "../track-center/EmptyState";
import { firstPage } from "../track-center/filters";
import { ProblemNotice } from "../track-center/ProblemNotice";
import { StateLink } from "../track-center/StateLink";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import {
  contradictoryQuery,
  receiptsQuery,
  sendersQuery,
  suggestionsQuery,
  unknownQuery,
  useSettle,
} from "./queries";
import classes from "./WorkPage.module.css";

/** Leads from this list to a building, its newest year and all of its units. */
const wholeBuilding = {
  year: null,
  view: null,
  tab: null,
  channel: null,
  status: null,
  search: null,
  ...firstPage,
} as const;

/** Everything that goes on only when a person has looked, of all buildings. */
export default function WorkPage() {
  const t = useText();
  const { timeZone, canWrite } = useTrackCenter();
  // Outlives the entry it is about, which goes with the answer.
  const [settling, setSettling] = useState({ id: "", opened: false });
  const unknown = useInfiniteQuery(unknownQuery());
  const contradictory = useInfiniteQuery(contradictoryQuery());
  const suggestions = useInfiniteQuery(suggestionsQuery());
  const receipts = useInfiniteQuery(receiptsQuery());
  const senders = useQuery(sendersQuery());
  const dead = useInfiniteQuery({ ...deadLettersQuery(), enabled: canWrite });
  const lying = dead.data?.pages.flatMap((page) => page.items).length ?? 0;
  const lists = [unknown, contradictory, suggestions, receipts];
  const nothing =
    lists.every(({ data }) => data?.pages.every(({ items }) => items.length === 0)) &&
    senders.data?.items.length === 0 &&
    lying === 0;
  useEffect(() => {
    document.title = `${t.work.title} · ${t.product}`;
  }, [t]);
  return (
    <article>
      <StateLink changes={{ view: null }} className={classes.back}>
        <IconArrowLeft size={16} aria-hidden /> {t.drawer.backToList}
      </StateLink>
      <h1 className={classes.title}>{t.work.title}</h1>
      <Text size="sm" c="dimmed" mb="md">
        {t.work.hint}
      </Text>
      {nothing ? (
        <div className={classes.card} role="status">
          <NothingWaits />
        </div>
      ) : (
        <Stack gap="lg">
          <List
            icon={IconHelpCircle}
            words={t.work.unknown}
            query={unknown}
            keyOf={(item) => item.communicationId}
            row={(item) => <Unknown item={item} />}
          />
          <List
            icon={IconMailQuestion}
            words={t.work.suggestions}
            query={suggestions}
            keyOf={(item) => item.id}
            row={(item) => <Suggested item={item} />}
          />
          <List
            icon={IconArrowsSplit2}
            words={t.work.contradictory}
            query={contradictory}
            keyOf={(item) => item.communicationId}
            row={(item) => (
              <Contradictory
                item={item}
                onSettle={() => setSettling({ id: item.communicationId, opened: true })}
              />
            )}
          />
          <List
            icon={IconMailX}
            words={t.work.receipts}
            query={receipts}
            keyOf={(item) => item.id}
            row={(item) => <Unresolved item={item} />}
          />
          {lying > 0 && (
            <Section
              icon={IconMailOff}
              words={t.deadLetters}
              count={`${lying}${dead.hasNextPage ? "+" : ""}`}
            >
              <div className={classes.row}>
                <StateLink
                  changes={{ view: null, tab: "activity", kind: "dead" }}
                  className={classes.link}
                >
                  {t.work.showDead}
                </StateLink>
              </div>
            </Section>
          )}
          {senders.error && !senders.data ? (
            <ProblemNotice error={senders.error} onRetry={() => void senders.refetch()} />
          ) : (
            senders.data &&
            senders.data.items.length > 0 && (
              <Section
                icon={IconClockPause}
                words={t.work.senders}
                count={`${senders.data.items.length}`}
              >
                <ul className={classes.rows}>
                  {senders.data.items.map((item) => (
                    <li key={`${item.channel} ${item.sender}`} className={classes.row}>
                      <Paused item={item} />
                    </li>
                  ))}
                </ul>
              </Section>
            )
          )}
        </Stack>
      )}
      {settling.id && (
        <ManualDeliveryForm
          key={settling.id}
          communication={settling}
          timeZone={timeZone}
          suggested="RECEIPT_CONFIRMED"
          opened={settling.opened}
          onOpen={() => setSettling((old) => ({ ...old, opened: true }))}
          onClose={() => setSettling((old) => ({ ...old, opened: false }))}
        />
      )}
    </article>
  );
}

/** Buildings named where nothing waits: those with most to look at. */
const named = 5;

/** No decision is waiting; that is not yet 'all is well', and says where something lies. */
function NothingWaits() {
  const { text: t, code } = useLanguage();
  const { buildings } = useTrackCenter();
  const lies = ({ stats }: BuildingOut) => stats.failed + stats.readyToPrint;
  const unwell = (buildings.data?.items ?? [])
    .filter((building) => lies(building) > 0)
    .sort((a, b) => lies(b) - lies(a))
    .slice(0, named);
  if (unwell.length === 0) {
    return <EmptyState icon={IconMoodSmile} title={t.work.none} hint={t.work.noneHint} />;
  }
  return (
    <EmptyState icon={IconChecklist} title={t.work.none} hint={t.work.noneHint}>
      <Text size="sm" mt="sm">
        {t.work.elsewhere}
      </Text>
      <ul className={classes.unwell}>
        {unwell.map(({ id, name, stats }) => (
          <li key={id}>
            <StateLink changes={{ ...wholeBuilding, buildingId: id }} className={classes.link}>
              {name}
            </StateLink>
            <Text span size="sm" c="dimmed">
              {[
                stats.failed > 0 && t.work.failed(stats.failed.toLocaleString(code)),
                stats.readyToPrint > 0 && t.work.toPrint(stats.readyToPrint.toLocaleString(code)),
              ]
                .filter(Boolean)
                .join(" · ")}
            </Text>
          </li>
        ))}
      </ul>
    </EmptyState>
  );
}

interface Words {
  title: string;
  hint: string;
}

interface SectionProps {
  icon: Icon;
  words: Words;
  count: string;
  children: ReactNode;
}

function Section({ icon: Picture, words, count, children }: SectionProps) {
  return (
    <section className={classes.card} aria-label={words.title}>
      <header className={classes.head}>
        <h2 className={classes.heading}>
          <Picture size={18} aria-hidden />
          {words.title}
          <span className={classes.count}>{count}</span>
        </h2>
        <Text size="sm" c="dimmed">
          {words.hint}
        </Text>
      </header>
      {children}
    </section>
  );
}

interface ListProps<Item> {
  icon: Icon;
  words: Words;
  query: UseInfiniteQueryResult<InfiniteData<{ items: Item[]; nextCursor: string | null }>, Error>;
  keyOf: (item: Item) => string;
  row: (item: Item) => ReactNode;
}

/** One list, page by page; an empty one takes no room. */
function List<Item>({ icon, words, query, keyOf, row }: ListProps<Item>) {
  const t = useText();
  if (query.isPending) {
    return (
      <section className={classes.card} aria-label={words.title} aria-busy>
        <Stack p="md" gap="sm">
          <Skeleton height={20} width={240} />
          <Skeleton height={64} radius="md" />
        </Stack>
      </section>
    );
  }
  if (!query.data) {
    return (
      <section aria-label={words.title}>
        <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
      </section>
    );
  }
  const items = query.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return null;
  return (
    <Section icon={icon} words={words} count={`${items.length}${query.hasNextPage ? "+" : ""}`}>
      <ul className={classes.rows}>
        {items.map((item) => (
          <li key={keyOf(item)} className={classes.row}>
            {row(item)}
          </li>
        ))}
      </ul>
      {query.hasNextPage && (
        <Button
          variant="subtle"
          size="sm"
          m="sm"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {t.work.more}
        </Button>
      )}
    </Section>
  );
}

/** Whose message it is: the link opens the unit beside this page. */
function Whose({ item, children }: { item: WorkItem | SuggestionOut; children?: ReactNode }) {
  const t = useText();
  return (
    <div className={classes.whose}>
      <StateLink
        changes={{
          buildingId: item.building.id,
          year: item.year,
          unit: item.unit.id,
          communication: item.communicationId,
          channel: null,
          status: null,
          search: null,
          after: null,
          page: null,
        }}
        className={classes.link}
      >
        {t.drawer.title(item.unit.number)}, {item.recipientName}
      </StateLink>
      <Text size="sm" c="dimmed">
        {item.building.name} · {item.year}
      </Text>
      <span className={classes.channel}>
        <ChannelIcon channel={item.channel} size={15} />
        {t.channels[item.channel]}
      </span>
      {children}
    </div>
  );
}

/** A time of somewhere: buildings differ in their zone, and the lists hold all of them. */
function When({ value }: { value: string }) {
  const { timeZone } = useTrackCenter();
  return (
    <Text size="sm" c="dimmed" component="span">
      <TimeStamp value={value} timeZone={timeZone} focusable />
    </Text>
  );
}

function Unknown({ item }: { item: WorkItem }) {
  const t = useText();
  const { canWrite } = useTrackCenter();
  const started = item.attempt?.sendStartedAt ?? item.lastEventAt;
  return (
    <>
      <Whose item={item}>{started && <When value={started} />}</Whose>
      {item.attempt && (
        <Text size="sm" className={classes.words}>
          {t.drawer.to}: {item.attempt.recipient.replaceAll("\n", ", ")}
        </Text>
      )}
      {canWrite && <UnknownDecision id={item.communicationId} />}
    </>
  );
}

/** What the source says that calls it failed, in the reader's language where it is known. */
function whyFailed({ channel }: WorkItem, error: ErrorOut, t: Dictionary): string {
  const kind = failureKind({
    channel,
    code: error.code ?? "",
    text: error.message,
    unknown: false,
  });
  return kind === "other" ? error.message : t.failures[kind].what;
}

function Contradictory({ item, onSettle }: { item: WorkItem; onSettle: () => void }) {
  const t = useText();
  const { canWrite } = useTrackCenter();
  return (
    <>
      <Whose item={item}>
        <StatusBadge status={shownStatus({ ...item, readyToPrint: false })} />
        {item.lastEventAt && <When value={item.lastEventAt} />}
      </Whose>
      {item.error && (
        <Text size="sm" className={classes.words}>
          {whyFailed(item, item.error, t)}
        </Text>
      )}
      {canWrite && (
        <div>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconHandStop size={14} aria-hidden />}
            onClick={onSettle}
          >
            {t.work.settle}
          </Button>
        </div>
      )}
    </>
  );
}

function Suggested({ item }: { item: SuggestionOut }) {
  const t = useText();
  const { canWrite } = useTrackCenter();
  const settle = useSettle(item.communicationId, (verdict) =>
    announceDone(verdict === "BOUNCED" ? t.work.bounced : t.work.dismissed, t),
  );
  return (
    <>
      <Whose item={item}>
        <When value={item.receivedAt} />
      </Whose>
      <Text size="sm" className={classes.words}>
        {t.drawer.to}: {item.recipient}
      </Text>
      <blockquote className={classes.quote}>{item.reason}</blockquote>
      {canWrite && (
        <div className={classes.actions}>
          <Button
            size="xs"
            variant="default"
            loading={settle.isPending && settle.variables === "BOUNCED"}
            disabled={settle.isPending}
            onClick={() => settle.mutate("BOUNCED")}
          >
            {t.work.bounce}
          </Button>
          <Button
            size="xs"
            variant="default"
            loading={settle.isPending && settle.variables === "DISMISSED"}
            disabled={settle.isPending}
            onClick={() => settle.mutate("DISMISSED")}
          >
            {t.work.dismiss}
          </Button>
        </div>
      )}
      {settle.error && (
        <Text size="sm" c="var(--tc-red-fg)" role="alert">
          {problemText(settle.error, t)}
        </Text>
      )}
    </>
  );
}

function Unresolved({ item }: { item: ReceiptOut }) {
  const t = useText();
  return (
    <>
      <div className={classes.whose}>
        <Text size="sm" fw={600} component="span">
          {t.work.origins[item.origin] ?? item.origin}
        </Text>
        <When value={item.receivedAt} />
      </div>
      {item.reason && (
        <Text size="sm" className={classes.words}>
          {item.reason}
        </Text>
      )}
      {item.correlation.length > 0 && (
        <Text size="xs" c="dimmed" className={classes.words}>
          {t.work.quotes}: {item.correlation.join(", ")}
        </Text>
      )}
    </>
  );
}

function Paused({ item }: { item: SenderPauseOut }) {
  const t = useText();
  const { timeZone } = useTrackCenter();
  return (
    <>
      <div className={classes.whose}>
        <Text size="sm" fw={600} component="span">
          {item.sender}
        </Text>
        <Text size="sm" c="dimmed" component="span">
          {t.work.until}{" "}
          <TimeStamp value={item.pausedUntil} timeZone={timeZone} style="short" focusable />
        </Text>
      </div>
      <Text size="sm" className={classes.words}>
        {item.reason}
      </Text>
    </>
  );
}

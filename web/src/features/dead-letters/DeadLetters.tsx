import { Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import {
  type Icon,
  IconFileExport,
  IconMailCheck,
  IconMailOff,
  IconMoodSmile,
  IconPrinter,
  IconQuestionMark,
  IconRepeat,
  IconSend,
  IconTrash,
} from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import type { DeadLetterOut } from "../../client";
import { useText } from "../../i18n/Language";
import { TimeStamp } from "../../time/TimeStamp";
import { ChannelIcon } from "../communications/ChannelIcon";
import timeline from "../communications/CommunicationTimeline.module.css";
import { announceDone, announceRollback } from "../communications/FormDialog";
import { EmptyState } from "../track-center/EmptyState";
import { ProblemNotice } from "../track-center/ProblemNotice";
import { StateLink } from "../track-center/StateLink";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import classes from "./DeadLetters.module.css";
import { DiscardForm } from "./DiscardForm";
import { deadLettersQuery, useDecide } from "./queries";
import { deathKind } from "./reason";

/** What the queue has given up, in every building: why, and whether to try it again. */
export default function DeadLetters() {
  const t = useText();
  const { canWrite, timeZone } = useTrackCenter();
  const list = useInfiniteQuery({ ...deadLettersQuery(), enabled: canWrite });
  const decide = useDecide();
  const frame = useRef<HTMLElement>(null);
  // Outlives the entry it is about, which goes with the decision.
  const [discarding, setDiscarding] = useState<{ letter: DeadLetterOut; opened: boolean }>();
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];

  /** The entry goes, and with it what had the focus. */
  const keepFocus = () => frame.current?.focus({ preventScroll: true });
  const requeue = ({ id }: DeadLetterOut) => {
    keepFocus();
    decide.mutate(
      { id, verdict: "requeue" },
      {
        onSuccess: () => announceDone(t.deadLetters.requeued, t),
        onError: (error) => announceRollback(t.deadLetters.failed, error, t),
      },
    );
  };
  const discard = (letter: DeadLetterOut, note: string) => {
    setDiscarding({ letter, opened: false });
    decide.mutate(
      { id: letter.id, note },
      {
        onSuccess: () => announceDone(t.deadLetters.discarded, t),
        onError: (error) => {
          announceRollback(t.deadLetters.failed, error, t);
          setDiscarding({ letter, opened: true });
        },
      },
    );
  };

  if (!canWrite) {
    return (
      <div className={classes.frame}>
        <EmptyState icon={IconMailOff} title={t.deadLetters.onlyAdmins} />
      </div>
    );
  }
  if (list.isPending) {
    return (
      <div className={classes.frame} aria-busy>
        <Stack p="md">
          {[1, 2, 3].map((key) => (
            <Skeleton key={key} height={92} radius="md" />
          ))}
        </Stack>
      </div>
    );
  }
  if (!list.data) return <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />;
  return (
    <section className={classes.frame} aria-label={t.deadLetters.title} ref={frame} tabIndex={-1}>
      {items.length === 0 ? (
        <div role="status">
          <EmptyState
            icon={IconMoodSmile}
            title={t.deadLetters.none}
            hint={t.deadLetters.noneHint}
          />
        </div>
      ) : (
        <>
          <header className={classes.head}>
            <h3 className={classes.heading}>{t.deadLetters.title}</h3>
            <Text size="sm" c="dimmed">
              {t.deadLetters.hint}
            </Text>
          </header>
          <ul className={classes.rows}>
            {items.map((letter) => (
              <li key={letter.id} className={classes.row}>
                <Entry
                  letter={letter}
                  timeZone={timeZone}
                  onRequeue={() => requeue(letter)}
                  onDiscard={() => setDiscarding({ letter, opened: true })}
                />
              </li>
            ))}
          </ul>
        </>
      )}
      {list.hasNextPage && (
        <div className={classes.row}>
          <Button
            variant="default"
            loading={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            {t.work.more}
          </Button>
        </div>
      )}
      {discarding && (
        <DiscardForm
          key={discarding.letter.id}
          letter={discarding.letter}
          opened={discarding.opened}
          error={decide.error}
          onClose={() => setDiscarding({ ...discarding, opened: false })}
          onDiscard={(note) => discard(discarding.letter, note)}
        />
      )}
    </section>
  );
}

const icons: Record<string, Icon> = {
  "send-batch": IconSend,
  "make-print-run": IconPrinter,
  "write-export": IconFileExport,
  "apply-receipt": IconMailCheck,
};

function Picture({ letter }: { letter: DeadLetterOut }) {
  if (letter.channel && letter.task === "deliver") return <ChannelIcon channel={letter.channel} />;
  const Other = icons[letter.task] ?? IconQuestionMark;
  return <Other size={15} stroke={1.9} aria-hidden />;
}

interface EntryProps {
  letter: DeadLetterOut;
  timeZone: string;
  onRequeue: () => void;
  onDiscard: () => void;
}

function Entry({ letter, timeZone, onRequeue, onDiscard }: EntryProps) {
  const t = useText();
  const reason = t.deadLetters.reasons[deathKind(letter.reason)];
  const work =
    letter.task === "deliver" && letter.channel
      ? t.deadLetters.deliver[letter.channel]
      : (t.deadLetters.tasks[letter.task] ?? t.deadLetters.otherTask(letter.task));
  return (
    <>
      <span className={timeline.dot} data-tone="red">
        <Picture letter={letter} />
      </span>
      <div className={timeline.body}>
        <div className={classes.whose}>
          <Text size="sm" fw={600} component="span">
            {work}
          </Text>
          <About letter={letter} />
        </div>
        <Text size="sm" component="p" className={timeline.detail}>
          {reason.what}
        </Text>
        <Text size="sm" component="p" className={timeline.detail}>
          <strong>{t.events.nextStep}:</strong> {reason.next}
        </Text>
        <Text size="xs" c="dimmed" component="p" className={timeline.meta}>
          {t.deadLetters.gaveUp} <TimeStamp value={letter.failedAt} timeZone={timeZone} focusable />
          <span aria-hidden> · </span>
          {t.deadLetters.runs(letter.runs)}
        </Text>
        <details className={timeline.raw}>
          <summary>{t.deadLetters.inspect}</summary>
          <dl className={classes.facts}>
            <dt>{t.deadLetters.reason}</dt>
            <dd>{letter.reason}</dd>
            <dt>{t.deadLetters.queue}</dt>
            <dd>
              {letter.queue}, {letter.task}, {letter.id}
            </dd>
            <dt>{t.deadLetters.message}</dt>
            <dd>
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
              <pre tabIndex={0}>{JSON.stringify(letter.message, null, 2)}</pre>
            </dd>
          </dl>
        </details>
        <Group gap="xs" mt={8}>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconRepeat size={14} aria-hidden />}
            onClick={onRequeue}
          >
            {t.deadLetters.requeue}
          </Button>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconTrash size={14} aria-hidden />}
            onClick={onDiscard}
          >
            {t.deadLetters.discard}
          </Button>
        </Group>
      </div>
    </>
  );
}

/** The unit it concerns, as a link where that is known; else building and year. */
function About({ letter }: { letter: DeadLetterOut }) {
  const t = useText();
  const { building, unit, year } = letter;
  const place = [building?.name, year].filter(Boolean).join(" · ");
  return (
    <>
      {unit && building && (
        <StateLink
          changes={{
            buildingId: building.id,
            year,
            unit: unit.id,
            communication: letter.communicationId,
          }}
          className={classes.link}
        >
          {t.drawer.title(unit.number)}, {letter.recipientName}
        </StateLink>
      )}
      {place && (
        <Text size="sm" c="dimmed" component="span">
          {place}
        </Text>
      )}
    </>
  );
}

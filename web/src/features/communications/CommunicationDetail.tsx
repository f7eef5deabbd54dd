import {
  Alert,
  Anchor,
  Button,
  CopyButton,
  Group,
  Skeleton,
  Stack,
  Text,
  Tooltip,
} from "@mantine/core";
import {
  IconAlertCircle,
  IconAlertTriangle,
  IconEye,
  IconHandStop,
  IconInfoCircle,
  IconNote,
  IconRepeat,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import type { CommunicationOut } from "../../client";
import type { Dictionary } from "../../i18n/en";
import { useLanguage, useText } from "../../i18n/Language";
import { shortTime } from "../../time/format";
import { TimeRows } from "../../time/TimeRows";
import { TimeStamp } from "../../time/TimeStamp";
import { noteText } from "../delivery-records/words";
import { FileList } from "../files/FileList";
import { whileQueued } from "../track-center/live";
import { ProblemNotice } from "../track-center/ProblemNotice";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { AddNoteForm } from "./AddNoteForm";
import classes from "./CommunicationDetail.module.css";
import { CommunicationTimeline, optimisticId } from "./CommunicationTimeline";
import { destination } from "./contact";
import { earlierArrival } from "./earlier";
import { ManualDeliveryForm } from "./ManualDeliveryForm";
import { postedOn } from "./payload";
import { communicationQuery } from "./queries";
import { ResendForm } from "./ResendForm";
import { renderEvent } from "./renderers";
import { isLetter } from "./StatusBadge";
import { UnknownOutcome } from "./UnknownOutcome";
import type { Channel, DeliveryStatus } from "./words";

const CommunicationPreview = lazy(() => import("./CommunicationPreview"));

/** Channel of each attempt, where the communication has attempts of its own choosing. */
function channelsOfAttempts(communication: CommunicationOut): Record<number, Channel> {
  return Object.fromEntries(communication.attempts.map(({ number, channel }) => [number, channel]));
}

/** One message: why it failed, whom it went to, what can be done, and all that happened. */
export function CommunicationDetail({ id }: { id: string }) {
  const { interval, timeZone, canWrite } = useTrackCenter();
  const query = useQuery({
    ...communicationQuery(id),
    refetchInterval: ({ state }) =>
      whileQueued(interval, state.data ? [state.data.deliveryStatus] : []),
  });
  const t = useText();
  if (query.isPending) {
    return (
      <Stack aria-busy>
        <Skeleton height={90} radius="md" />
        <Skeleton height={36} width="70%" radius="md" />
        {[1, 2, 3, 4].map((key) => (
          <Skeleton key={key} height={44} radius="md" />
        ))}
      </Stack>
    );
  }
  if (!query.data)
    return <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />;
  const communication = query.data;
  return (
    <Stack gap="lg">
      {communication.outcomeUnknown && canWrite ? (
        <UnknownOutcome id={communication.id} />
      ) : (
        <FailureNotice communication={communication} />
      )}
      {communication.contradictory && (
        <Alert
          color="yellow"
          icon={<IconAlertTriangle />}
          title={t.drawer.contradictory}
          classNames={{ root: classes.warning, title: classes.ink, icon: classes.ink }}
        >
          <Text size="sm" c="inherit">
            {t.drawer.contradictoryHint}
          </Text>
        </Alert>
      )}
      <EarlierNotice communication={communication} timeZone={timeZone} />
      <Facts communication={communication} timeZone={timeZone} />
      <Actions communication={communication} timeZone={timeZone} />
      <Attachments communication={communication} />
      <section aria-labelledby={`timeline-${id}`}>
        <h3 id={`timeline-${id}`} className={classes.section}>
          {t.drawer.timeline}
        </h3>
        <CommunicationTimeline
          events={communication.events}
          channel={communication.channel}
          channelOfAttempt={channelsOfAttempts(communication)}
          timeZone={timeZone}
          files={communication.attachments}
        />
      </section>
      <Notes communication={communication} timeZone={timeZone} />
      <Evidence id={id} />
    </Stack>
  );
}

function FailureNotice({ communication }: { communication: CommunicationOut }) {
  const t = useText();
  if (communication.deliveryStatus !== "FAILED") return null;
  const newest = Math.max(...communication.events.map(({ attempt }) => attempt));
  const event = communication.events.findLast(
    ({ type, attempt }) => attempt === newest && (type === "FAILED" || type === "RETURNED"),
  );
  if (!event) return null;
  const channel = channelsOfAttempts(communication)[event.attempt] ?? communication.channel;
  const { sentence, nextStep } = renderEvent(event, channel, t);
  return (
    <Alert
      color="red"
      icon={<IconAlertCircle />}
      title={sentence}
      classNames={{ root: classes.failure, title: classes.ink, icon: classes.ink }}
    >
      <Text size="sm" c="inherit">
        <strong>{t.events.nextStep}:</strong> {nextStep}
      </Text>
    </Alert>
  );
}

interface PartProps {
  communication: CommunicationOut;
  timeZone: string;
}

/** A later copy that failed does not take back what the recipient has. */
function EarlierNotice({ communication, timeZone }: PartProps) {
  const { text: t, code } = useLanguage();
  const earlier = earlierArrival(communication);
  if (!earlier) return null;
  return (
    <Alert
      color="teal"
      icon={<IconInfoCircle />}
      title={t.earlier.title(earlier.attempt)}
      classNames={{ root: classes.arrived, title: classes.ink, icon: classes.ink }}
    >
      <Text size="sm" c="inherit">
        {t.earlier[earlier.how](shortTime(earlier.at, timeZone, code))}
      </Text>
    </Alert>
  );
}

/** What the number of a message is: a letter has no provider, its numbers are on the envelope. */
function idLabel(id: string, channel: Channel, t: Dictionary): string {
  if (!isLetter(channel)) return t.drawer.providerId;
  return /^[A-Z]{2}\d{9}[A-Z]{2}$/.test(id) ? t.drawer.postalNumber : t.drawer.documentCode;
}

function Facts({ communication, timeZone }: PartProps) {
  const t = useText();
  const { channel, to } = destination(communication);
  const newest = communication.attempts.at(-1)?.number;
  const posted = communication.events.findLast(
    ({ type, attempt }) => type === "POSTED" && attempt === newest,
  );
  const times = [
    [t.drawer.queuedAt, communication.queuedAt],
    // Of a posted letter one knows the day, not the hour.
    [t.drawer.sentAt, (posted && postedOn(posted)) || communication.sentAt],
    [t.drawer.deliveredAt, communication.deliveredAt],
    [t.drawer.openedAt, communication.openedAt],
    [t.drawer.failedAt, communication.failedAt],
  ] as const;
  return (
    <dl className={classes.facts}>
      <dt>{t.drawer.to}</dt>
      <dd>{to || "–"}</dd>
      {channel !== communication.channel && (
        <>
          <dt>{t.drawer.sentBy}</dt>
          <dd>{t.channels[channel]}</dd>
        </>
      )}
      {communication.subject && (
        <>
          <dt>{t.drawer.subject}</dt>
          <dd>{communication.subject}</dd>
        </>
      )}
      <TimeRows times={times} timeZone={timeZone} />
      {communication.providerMessageId && (
        <>
          <dt>{idLabel(communication.providerMessageId, channel, t)}</dt>
          <dd className={classes.id}>
            <code>{communication.providerMessageId}</code>
            <CopyButton value={communication.providerMessageId}>
              {({ copied, copy }) => (
                <Button variant="subtle" size="compact-xs" onClick={copy} aria-live="polite">
                  {copied ? t.common.copied : t.common.copy}
                </Button>
              )}
            </CopyButton>
          </dd>
        </>
      )}
    </dl>
  );
}

/** Why it cannot be resent now, or null. */
function resendObstacle(status: DeliveryStatus, t: Dictionary): string | null {
  if (status === "PENDING") return t.resend.notYet;
  if (status === "ENQUEUED") return t.resend.inQueue;
  return status === "CANCELLED" ? t.resend.cancelled : null;
}

type Dialog = "preview" | "resend" | "manual" | "note" | null;

function Actions({ communication, timeZone }: PartProps) {
  const t = useText();
  const { canWrite } = useTrackCenter();
  const [dialog, setDialog] = useState<Dialog>(null);
  const [previewed, setPreviewed] = useState(false);
  const close = () => setDialog(null);
  const obstacle = resendObstacle(communication.deliveryStatus, t);
  return (
    <Group gap="xs">
      {canWrite && (
        <Tooltip label={obstacle} disabled={!obstacle}>
          <Button
            size="sm"
            variant={communication.deliveryStatus === "FAILED" ? "filled" : "default"}
            leftSection={<IconRepeat size={16} aria-hidden />}
            // Still reachable, so that the reason can be read.
            aria-disabled={obstacle !== null}
            data-disabled={obstacle !== null || undefined}
            onClick={() => obstacle === null && setDialog("resend")}
          >
            {t.drawer.resend}
          </Button>
        </Tooltip>
      )}
      <Button
        size="sm"
        variant="default"
        leftSection={<IconEye size={16} aria-hidden />}
        onClick={() => {
          setPreviewed(true);
          setDialog("preview");
        }}
      >
        {t.drawer.preview}
      </Button>
      {canWrite && (
        <>
          <Button
            size="sm"
            variant="default"
            leftSection={<IconHandStop size={16} aria-hidden />}
            onClick={() => setDialog("manual")}
          >
            {isLetter(communication.channel) ? t.drawer.mark : t.drawer.markLetter}
          </Button>
          <Button
            size="sm"
            variant="default"
            leftSection={<IconNote size={16} aria-hidden />}
            onClick={() => setDialog("note")}
          >
            {t.drawer.addNote}
          </Button>
          <ResendForm
            communication={communication}
            opened={dialog === "resend"}
            onOpen={() => setDialog("resend")}
            onClose={close}
          />
          <ManualDeliveryForm
            communication={communication}
            suggested={isLetter(communication.channel) ? "RECEIPT_CONFIRMED" : "POSTAL_DELIVERY"}
            timeZone={timeZone}
            opened={dialog === "manual"}
            onOpen={() => setDialog("manual")}
            onClose={close}
          />
          <AddNoteForm
            id={communication.id}
            opened={dialog === "note"}
            onOpen={() => setDialog("note")}
            onClose={close}
          />
        </>
      )}
      {previewed && (
        <Suspense>
          <CommunicationPreview
            communication={communication}
            opened={dialog === "preview"}
            onClose={close}
          />
        </Suspense>
      )}
    </Group>
  );
}

function Attachments({ communication }: { communication: CommunicationOut }) {
  const t = useText();
  if (communication.attachments.length === 0) return null;
  // The same document goes with each attempt; the timeline says with which.
  const known = new Set<string>();
  const files = communication.attachments.filter(
    ({ sha256 }) => !known.has(sha256) && known.add(sha256),
  );
  return (
    <section>
      <h3 className={classes.section}>{t.drawer.attachments}</h3>
      <FileList files={files} />
    </section>
  );
}

/** Everything on record, for somebody who must not have to believe this screen. */
function Evidence({ id }: { id: string }) {
  const t = useText();
  return (
    <section>
      <h3 className={classes.section}>{t.evidence.title}</h3>
      <Anchor href={`/api/track/communications/${id}/evidence`} size="sm" download>
        {t.evidence.download}
      </Anchor>
      <Text size="xs" c="dimmed">
        {t.evidence.hint}
      </Text>
    </section>
  );
}

/** Notes shown before the rest is folded away. */
const unfoldedNotes = 8;

function Notes({ communication, timeZone }: PartProps) {
  const { text: t, code } = useLanguage();
  const [folded, setFolded] = useState(true);
  const eventOf = new Map(communication.events.map((event) => [event.id, event]));
  const newestFirst = communication.auditNotes.toReversed();
  const shown = folded ? newestFirst.slice(0, unfoldedNotes) : newestFirst;
  const hidden = newestFirst.length - shown.length;
  return (
    <section>
      <h3 className={classes.section}>{t.drawer.notes}</h3>
      {communication.auditNotes.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t.note.none}
        </Text>
      ) : (
        <ul className={classes.notes}>
          {shown.map((note) => (
            <li key={note.id}>
              <Text size="sm" className={classes.note}>
                {noteText(note.note, eventOf.get(note.eventId ?? ""), { t, code, timeZone })}
              </Text>
              <Text size="xs" c="dimmed">
                {note.id === optimisticId ? (
                  t.events.saving
                ) : (
                  <TimeStamp value={note.createdAt} timeZone={timeZone} focusable />
                )}
                <span aria-hidden> · </span>
                {note.user?.username ?? t.events.system}
              </Text>
            </li>
          ))}
        </ul>
      )}
      {hidden > 0 && (
        <Button variant="subtle" size="xs" onClick={() => setFolded(false)}>
          {t.note.showMore(hidden)}
        </Button>
      )}
    </section>
  );
}

import { Button, Text } from "@mantine/core";
import { startTransition, useState } from "react";
import type { AttachmentOut, EventOut } from "../../client";
import { useLanguage, useText } from "../../i18n/Language";
import { calendarDay } from "../../time/format";
import { TimeStamp } from "../../time/TimeStamp";
import { noteText } from "../delivery-records/words";
import { FileList } from "../files/FileList";
import classes from "./CommunicationTimeline.module.css";
import { postedOn, proofsOf, rawAnswer } from "./payload";
import { renderEvent } from "./renderers";
import type { Channel } from "./words";

/** Events shown before the rest is folded away. */
const unfolded = 8;
/** The two times of an event are both shown from this difference on, in milliseconds. */
const notable = 60_000;

/** An event the server has not confirmed yet. */
export const optimisticId = "optimistic";

interface EventEntryProps {
  event: EventOut;
  channel: Channel;
  timeZone: string;
  timeStyle?: "relative" | "clock";
  /** Files of the communication: those the event names as proofs are shown with it. */
  files?: AttachmentOut[] | undefined;
}

/** One event: icon, sentence, who, which attempt, when; the provider's own words behind a disclosure. */
export function EventEntry({
  event,
  channel,
  timeZone,
  timeStyle = "relative",
  files,
}: EventEntryProps) {
  const { text: t, code } = useLanguage();
  const shown = renderEvent(event, channel, t);
  const Picture = shown.icon;
  const named = proofsOf(event.payload);
  const proofs = (files ?? []).filter(({ kind, sha256 }) => kind === "PROOF" && named.has(sha256));
  const saving = event.id === optimisticId;
  const late = Math.abs(Date.parse(event.recordedAt) - Date.parse(event.occurredAt)) > notable;
  const day = postedOn(event);
  // Two times are there to be compared: both in full.
  const style = late || day ? "short" : timeStyle;
  return (
    <>
      <span className={classes.dot} data-tone={shown.tone}>
        <Picture size={15} stroke={1.9} aria-hidden />
      </span>
      <div className={classes.body} data-saving={saving || undefined}>
        <Text size="sm" fw={550} component="p">
          {shown.sentence}
        </Text>
        {shown.details.map((detail) => (
          <Text key={detail} size="sm" component="p" className={classes.detail}>
            {noteText(detail, event, { t, code, timeZone })}
          </Text>
        ))}
        {shown.nextStep && (
          <Text size="sm" component="p" className={classes.detail}>
            <strong>{t.events.nextStep}:</strong> {shown.nextStep}
          </Text>
        )}
        {proofs.length > 0 && (
          <div className={classes.proofs}>
            <FileList files={proofs} />
          </div>
        )}
        <Text size="xs" c="dimmed" component="p" className={classes.meta}>
          {saving ? (
            t.events.saving
          ) : (
            <>
              {day ? (
                <time dateTime={day}>{calendarDay(day, code)}</time>
              ) : (
                <TimeStamp value={event.occurredAt} timeZone={timeZone} style={style} focusable />
              )}
              {(late || day) && (
                <>
                  {" "}
                  ({t.events.recorded}{" "}
                  <TimeStamp value={event.recordedAt} timeZone={timeZone} style={style} focusable />
                  )
                </>
              )}
            </>
          )}
          <span aria-hidden> · </span>
          {event.user?.username ?? t.events.system}
          {event.attempt > 0 && (
            <>
              <span aria-hidden> · </span>
              {t.events.attempt(event.attempt)}
            </>
          )}
        </Text>
        {shown.raw && (
          <details className={classes.raw}>
            <summary>{t.events.raw}</summary>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
            <pre tabIndex={0}>{rawAnswer(event.payload)}</pre>
          </details>
        )}
      </div>
    </>
  );
}

interface CommunicationTimelineProps {
  /** In the order they were recorded. */
  events: EventOut[];
  channel: Channel;
  /** Channel of each attempt that used another one. */
  channelOfAttempt?: Record<number, Channel>;
  timeZone: string;
  files?: AttachmentOut[];
}

/** Everything that happened to a communication, newest first; a long story is folded. */
export function CommunicationTimeline({
  events,
  channel,
  channelOfAttempt = {},
  timeZone,
  files,
}: CommunicationTimelineProps) {
  const t = useText();
  const [folded, setFolded] = useState(true);
  if (events.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {t.events.none}
      </Text>
    );
  }
  const newestFirst = events.toReversed();
  const hidden = folded ? Math.max(0, newestFirst.length - unfolded) : 0;
  return (
    <>
      <ol className={classes.timeline}>
        {newestFirst.slice(0, newestFirst.length - hidden).map((event) => (
          <li key={event.id} className={classes.entry}>
            <EventEntry
              event={event}
              channel={channelOfAttempt[event.attempt] ?? channel}
              timeZone={timeZone}
              files={files}
            />
          </li>
        ))}
      </ol>
      {hidden > 0 && (
        <Button variant="subtle" size="xs" onClick={() => startTransition(() => setFolded(false))}>
          {t.events.showMore(hidden)}
        </Button>
      )}
    </>
  );
}

import {
  type Icon,
  IconAlertCircle,
  IconArrowBackUp,
  IconBan,
  IconCheck,
  IconClockPause,
  IconFilePlus,
  IconHandStop,
  IconHourglass,
  IconInfoCircle,
  IconMailbox,
  IconMailOpened,
  IconPrinter,
  IconRepeat,
  IconSend,
} from "@tabler/icons-react";
import type { EventOut } from "../../client";
import type { Dictionary } from "../../i18n/en";
import { factsOfEvent, failureKind } from "./failure";
import { contactLine, field, record } from "./payload";
import { isLetter, type Tone } from "./StatusBadge";
import type { Channel, EventType } from "./words";

export interface Rendered {
  icon: Icon;
  tone: Tone;
  /** One plain sentence. */
  sentence: string;
  /** More to know: a note, a contact, a hint. */
  details: string[];
  /** What to do about it. */
  nextStep?: string;
  /** Whether the provider's own words are worth a disclosure. */
  raw: boolean;
}

type Renderer = (event: EventOut, channel: Channel, t: Dictionary) => Rendered;

const noteOf = (event: EventOut): string[] => {
  const note = field(event.payload, "note");
  return note ? [note] : [];
};

const troubleOf = (event: EventOut): string[] => {
  const message = field(record(event.payload.error), "message");
  return message ? [message] : [];
};

const isReadyToPrint = (event: EventOut): boolean => event.payload.stage === "READY_TO_PRINT";

/** The channel an event names, else the one given. */
export const channelOf = (event: EventOut, fallback: Channel): Channel => {
  const channel = field(event.payload, "channel");
  return channel === "EMAIL" ||
    channel === "SMS" ||
    channel === "LETTER" ||
    channel === "LETTER_WITH_RECEIPT"
    ? channel
    : fallback;
};

/** How a person says it was delivered, in words; undefined for a program's own word. */
export const methodOf = (event: EventOut, t: Dictionary): string | undefined => {
  const methods: Record<string, string> = { ...t.deliveryRecords.methods, ...t.manual.types };
  return methods[field(event.payload, "method")];
};

/** A total map: a new kind of event does not compile until it says here how it reads. */
const renderers: { [Kind in EventType]: Renderer } = {
  CREATED: (event, _channel, t) => {
    const file = field(event.payload, "fileName");
    return {
      icon: IconFilePlus,
      tone: "gray",
      sentence: file ? t.events.CREATED_IMPORT(file) : t.events.CREATED,
      details: [],
      raw: false,
    };
  },
  ENQUEUED: (_event, _channel, t) => ({
    icon: IconHourglass,
    tone: "blue",
    sentence: t.events.ENQUEUED,
    details: [],
    raw: false,
  }),
  SENT: (event, channel, t) => {
    const recipient = field(event.payload, "recipient").replaceAll("\n", ", ");
    const letter = isReadyToPrint(event) || isLetter(channel);
    const confirmations: Record<string, string> = t.events.CONFIRMED;
    const confirmed = confirmations[field(event.payload, "confirmed")];
    return {
      icon: letter ? IconPrinter : IconSend,
      tone: letter ? "amber" : "violet",
      sentence: confirmed || t.events.SENT[channel],
      details: [...(recipient ? [`${t.drawer.to}: ${recipient}`] : []), ...noteOf(event)],
      raw: Object.keys(record(event.payload.detail)).length > 0,
    };
  },
  DELIVERED: (_event, channel, t) => ({
    icon: IconCheck,
    tone: "green",
    sentence: t.events.DELIVERED[channel],
    details: [],
    raw: true,
  }),
  OPENED: (_event, _channel, t) => ({
    icon: IconMailOpened,
    tone: "teal",
    sentence: t.events.OPENED,
    details: [t.events.OPENED_HINT],
    raw: true,
  }),
  FAILED: (event, channel, t) => {
    const kind = failureKind(factsOfEvent(event, channel));
    const explained = t.failures[kind];
    const error = record(event.payload.error);
    return {
      icon: IconAlertCircle,
      tone: "red",
      sentence:
        kind === "other"
          ? field(error, "explanation") || field(error, "message") || explained.what
          : explained.what,
      // Why somebody gave it up, in that person's words.
      details: kind === "givenUp" ? [field(error, "message")] : [],
      nextStep: kind === "other" ? field(error, "nextStep") || explained.next : explained.next,
      raw: true,
    };
  },
  DEFERRED: (event, _channel, t) => ({
    icon: IconClockPause,
    tone: "amber",
    sentence: t.events.DEFERRED,
    details: troubleOf(event),
    raw: true,
  }),
  NOTICE: (event, _channel, t) => {
    const notices: Record<string, string> = t.events.NOTICES;
    const made = record(event.payload.detail).created === true;
    const named = field(event.payload, "kind");
    const kind = named === "DELIVERY_RECORD" && made ? "DELIVERY_RECORDED" : named;
    return {
      icon: IconInfoCircle,
      tone: "gray",
      sentence: notices[kind] ?? (kind ? `${t.events.NOTICE}: ${kind}` : t.events.NOTICE),
      details: [],
      // What a person did is no provider's answer.
      raw: event.source !== "USER",
    };
  },
  RESEND_REQUESTED: (event, channel, t) => {
    const before = record(event.payload.oldContact);
    const changes = Object.entries(record(event.payload.newContact)).flatMap(([name, value]) => {
      const [was, is] = [contactLine(before[name]), contactLine(value)];
      if (!is || is === was) return [];
      return [was ? t.events.CONTACT_CHANGED(was, is) : t.events.CONTACT_SET(is)];
    });
    return {
      icon: IconRepeat,
      tone: "blue",
      sentence: t.events.RESEND_BY(t.channels[channelOf(event, channel)]),
      details: [...changes, ...noteOf(event)],
      raw: false,
    };
  },
  MANUAL_MARKED: (event, _channel, t) => ({
    icon: IconHandStop,
    tone: "brown",
    sentence: methodOf(event, t) ?? t.events.MANUAL_MARKED,
    details: noteOf(event),
    raw: false,
  }),
  POSTED: (_event, _channel, t) => ({
    icon: IconMailbox,
    tone: "violet",
    sentence: t.events.POSTED,
    details: [],
    raw: false,
  }),
  RETURNED: (event, _channel, t) => ({
    icon: IconArrowBackUp,
    tone: "red",
    sentence: t.events.RETURNED,
    details: noteOf(event),
    nextStep: t.failures.returned.next,
    raw: false,
  }),
  CANCELLED: (_event, _channel, t) => ({
    icon: IconBan,
    tone: "gray",
    sentence: t.events.CANCELLED,
    details: [],
    raw: false,
  }),
};

/** How an event of a communication reads. `channel` is the one its attempt used. */
export function renderEvent(event: EventOut, channel: Channel, t: Dictionary): Rendered {
  return renderers[event.type](event, channel, t);
}

import type { CommunicationBrief, EventOut } from "../../client";
import type { Dictionary } from "../../i18n/en";
import { field, record, words } from "./payload";
import type { Channel } from "./words";

export type FailureKind = keyof Dictionary["failures"];

/** The little of a failure that decides what to tell the administrator. */
export interface FailureFacts {
  channel: Channel;
  /** Enhanced status code of RFC 3463, such as 5.1.1, or the provider's own code. */
  code: string;
  /** Everything the provider said. */
  text: string;
  unknown: boolean;
}

/** Codes first: they are exact. Words only where there is no code we know. */
const byCode: [RegExp, FailureKind][] = [
  [/^5\.1\.(1|3|6|10)$/, "noSuchAddress"],
  [/^[45]\.2\.2$/, "mailboxFull"],
  [/^[45]\.(3\.4|2\.3)$/, "tooLarge"],
  [/^[45]\.(7\.\d+|2\.1)$/, "refused"],
  [/^([45]\.4\.\d+|5\.1\.2|5\.1\.8)$/, "noRoute"],
  [/^4007$/, "optedOut"],
  [/^ErrorInvalidRecipients$/, "invalidAddress"],
  [/^GIVEN_UP$/, "givenUp"],
  [/^(429|TooManyRequests|ApplicationThrottled)$/i, "throttled"],
];

const byWords: [RegExp, FailureKind][] = [
  [
    /user unknown|no such (user|mailbox)|recipientnotfound|does not exist|unknown user/i,
    "noSuchAddress",
  ],
  [/mailbox (is )?full|over quota|quota exceeded/i, "mailboxFull"],
  [/too large|size limit/i, "tooLarge"],
  [/host (not found|unknown)|no mx|name or service|domain not found/i, "noRoute"],
  [/spam|blocked|policy|denied|rejected|quarantin|suppressed/i, "refused"],
];

/** Which of the explained failures this is; 'other' where nothing is recognised. */
export function failureKind({ channel, code, text, unknown }: FailureFacts): FailureKind {
  if (unknown) return "unknown";
  // Exchange's edge says 5.4.1 (a routing code) for a recipient it does not know.
  if (code === "5.4.1" && /access denied/i.test(text)) return "noSuchAddress";
  for (const [pattern, kind] of byCode) if (pattern.test(code)) return kind;
  if (channel === "SMS") return "smsUndelivered";
  const quoted = /\b[45]\.\d{1,3}\.\d{1,3}\b/.exec(text)?.[0];
  if (quoted) for (const [pattern, kind] of byCode) if (pattern.test(quoted)) return kind;
  for (const [pattern, kind] of byWords) if (pattern.test(text)) return kind;
  return "other";
}

/** The facts of a FAILED event. */
export function factsOfEvent(event: EventOut, channel: Channel): FailureFacts {
  const error = record(event.payload.error);
  return {
    channel,
    // A text message's status is a word of the provider's; its code is the error's.
    code: field(error, "code") || field(event.payload, "statusCode"),
    text: words(field(event.payload, "diagnostic"), field(error, "message"), field(error, "raw")),
    unknown: event.payload.outcome === "UNKNOWN",
  };
}

/** Why a message of a list failed: our plain words, then the provider's. Null if it did not. */
export function failureReason(communication: CommunicationBrief, t: Dictionary): string | null {
  const { channel, deliveryStatus, error, outcomeUnknown } = communication;
  if (deliveryStatus !== "FAILED") return null;
  if (error?.code === "RETURNED") return t.failures.returned.what;
  const kind = failureKind({
    channel,
    code: error?.code ?? "",
    text: error?.message ?? "",
    unknown: outcomeUnknown,
  });
  return words(t.failures[kind].what, error?.message ?? "");
}

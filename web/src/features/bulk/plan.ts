import type { CommunicationBrief, CommunicationOut, ResendIn, UnitRow } from "../../client";
import {
  billedContact,
  correctedAddress,
  likelyContact,
  newestCorrection,
} from "../communications/contact";
import { field } from "../communications/payload";
import { isLetter } from "../communications/StatusBadge";
import type { Channel } from "../communications/words";
import type { Filters } from "../track-center/filters";

/** Messages prepared at once: more belong into several goes that a person can oversee. */
export const mostAtOnce = 1_000;

export type Wanted = "failed" | "all";

/** Why a message cannot be resent now. */
export type Obstacle = "notYet" | "inQueue" | "cancelled" | "unreachable";

/** What would be a second copy: it was sent already, or may have been. */
export type Repeat = "sent" | "unknown";

/** One message of a bulk resend, as it would go. */
export interface Planned {
  id: string;
  unitNumber: string;
  recipientName: string;
  channel: Channel;
  to: string;
  /** The contact of the billing file, where a later correction took its place. */
  correctedFrom: string | null;
  repeat: Repeat | null;
  obstacle: Obstacle | null;
  request: ResendIn;
}

export interface Candidate {
  id: string;
  channel: Channel;
  status: CommunicationBrief["deliveryStatus"];
}

/** The messages of chosen units that the filters and the choice leave. */
export function candidates(
  rows: UnitRow[],
  filters: Pick<Filters, "channel" | "status">,
  wanted: Wanted,
): Candidate[] {
  return rows
    .flatMap((row) => row.communications)
    .filter(
      ({ channel, deliveryStatus }) =>
        (!filters.channel || channel === filters.channel) &&
        (!filters.status || deliveryStatus === filters.status) &&
        (wanted === "all" || deliveryStatus === "FAILED"),
    )
    .map(({ id, channel, deliveryStatus }) => ({ id, channel, status: deliveryStatus }));
}

function obstacleOf(communication: CommunicationOut, to: string): Obstacle | null {
  if (communication.deliveryStatus === "PENDING") return "notYet";
  if (communication.deliveryStatus === "ENQUEUED") return "inQueue";
  if (communication.deliveryStatus === "CANCELLED") return "cancelled";
  return to === "" ? "unreachable" : null;
}

function repeatOf({ deliveryStatus, outcomeUnknown }: CommunicationOut): Repeat | null {
  if (outcomeUnknown) return "unknown";
  const arrived = ["DELIVERED", "OPENED", "MANUAL", "SENT"].includes(deliveryStatus);
  return arrived ? "sent" : null;
}

/** The correction to say again: it held for one attempt only. */
function contactOf(communication: CommunicationOut, channel: Channel): ResendIn["contact"] {
  const correction = newestCorrection(communication);
  if (isLetter(channel)) {
    const address = correctedAddress(communication);
    if (!address) return undefined;
    const { street2, ...rest } = address;
    return { address: street2 ? address : rest };
  }
  const name = channel === "SMS" ? "phone" : "email";
  const corrected = field(correction, name);
  return corrected && corrected !== communication.recipient[name]
    ? { [name]: corrected }
    : undefined;
}

/** How one message would be resent: through its own channel, or `through` another. */
export function planOf(
  communication: CommunicationOut,
  through: Channel | null,
  note: string,
): Planned {
  const channel = through ?? communication.channel;
  const to = likelyContact(communication, channel);
  const contact = contactOf(communication, channel);
  return {
    id: communication.id,
    unitNumber: communication.unit.number,
    recipientName: communication.recipient.name,
    channel,
    to,
    correctedFrom: contact ? billedContact(communication.recipient, channel) : null,
    repeat: repeatOf(communication),
    obstacle: obstacleOf(communication, to),
    request: { channel, ...(contact ? { contact } : {}), ...(note ? { note } : {}) },
  };
}

import type { AddressIn, CommunicationOut, RecipientOut } from "../../client";
import { contactLine, field, type Payload, record } from "./payload";
import { channelOf } from "./renderers";
import { isLetter } from "./StatusBadge";
import type { Channel } from "./words";

/** Where the billing file would send it, on one line. */
function billedContact(recipient: RecipientOut, channel: Channel): string {
  if (channel === "EMAIL") return recipient.email ?? "";
  if (channel === "SMS") return recipient.phone ?? "";
  const place = [recipient.postcode, recipient.city].filter(Boolean).join(" ");
  return [recipient.street, recipient.street2, place, recipient.country].filter(Boolean).join(", ");
}

/** The billing file's postal address; what is missing is empty. */
export function billedAddress(recipient: RecipientOut): Required<AddressIn> {
  return {
    street: recipient.street ?? "",
    street2: recipient.street2 ?? "",
    postcode: recipient.postcode ?? "",
    city: recipient.city ?? "",
    country: recipient.country ?? "",
  };
}

/** The contact that the newest resend asked for; empty when nothing was ever corrected. */
function newestCorrection(communication: CommunicationOut): Payload {
  const request = communication.events.findLast(({ type }) => type === "RESEND_REQUESTED");
  return request ? record(request.payload.newContact) : {};
}

/** The postal address of the newest correction, if it had one. */
export function correctedAddress(communication: CommunicationOut): Required<AddressIn> | null {
  const address = record(newestCorrection(communication).address);
  if (Object.keys(address).length === 0) return null;
  return {
    street: field(address, "street"),
    street2: field(address, "street2"),
    postcode: field(address, "postcode"),
    city: field(address, "city"),
    country: field(address, "country"),
  };
}

/** What a correction says about a channel, on one line; '' where it says nothing. */
function correctedContact(correction: Payload, channel: Channel): string {
  if (isLetter(channel)) return contactLine(correction.address);
  return field(correction, channel === "SMS" ? "phone" : "email");
}

/** Where this channel's next attempt would go: the newest correction, else the billing file. */
export function likelyContact(communication: CommunicationOut, channel: Channel): string {
  return (
    correctedContact(newestCorrection(communication), channel) ||
    billedContact(communication.recipient, channel)
  );
}

/** Through what and where to the newest attempt goes; a resend names it before it has left. */
export function destination(communication: CommunicationOut): { channel: Channel; to: string } {
  const { attempts, events, recipient } = communication;
  const request = events.findLast(({ type }) => type === "RESEND_REQUESTED");
  const newest = attempts.at(-1);
  if (request && (!newest?.recipient || newest.number < request.attempt)) {
    const channel = channelOf(request, communication.channel);
    const corrected = correctedContact(record(request.payload.newContact), channel);
    return { channel, to: corrected || billedContact(recipient, channel) };
  }
  const channel = newest?.channel ?? communication.channel;
  const used = newest?.recipient.replaceAll("\n", ", ");
  return { channel, to: used || billedContact(recipient, channel) };
}

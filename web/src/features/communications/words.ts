import type { CommunicationOut, EventOut } from "../../client";

/** The API's words, named once. */
export type Channel = CommunicationOut["channel"];
export type DeliveryStatus = CommunicationOut["deliveryStatus"];
export type EventType = EventOut["type"];

/** Channels in the order the screen lists them. */
export const allChannels = [
  "EMAIL",
  "SMS",
  "LETTER",
  "LETTER_WITH_RECEIPT",
] as const satisfies Channel[];

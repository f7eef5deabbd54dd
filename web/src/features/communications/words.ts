import type { CommunicationOut, EventOut } from "../../client";

/** The API's words, named once. */
export type Channel = CommunicationOut["channel"];
export type DeliveryStatus = CommunicationOut["deliveryStatus"];
export type EventType = EventOut["type"];

/** Channels a message can be sent through from here. */
export const sendable = ["EMAIL", "SMS"] as const satisfies Channel[];
export type Sendable = (typeof sendable)[number];

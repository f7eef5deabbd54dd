import type { CommunicationOut, EventOut } from "../../client";

/** How an earlier attempt is known to have reached somebody. */
export interface EarlierArrival {
  attempt: number;
  how: "DELIVERED" | "OPENED" | "MANUAL_MARKED";
  /** ISO 8601, UTC. */
  at: string;
}

const arrived = ["DELIVERED", "OPENED", "MANUAL"];

/**
 * What an earlier attempt achieved, where the newest has not arrived: the status tells of the newest
 * alone, and a copy that failed later does not take back what the recipient has. Null if none did.
 */
export function earlierArrival(communication: CommunicationOut): EarlierArrival | null {
  const { deliveryStatus, events } = communication;
  if (arrived.includes(deliveryStatus)) return null;
  const newest = Math.max(...events.map(({ attempt }) => attempt));
  const attempts = [...new Set(events.map(({ attempt }) => attempt))].toSorted((a, b) => b - a);
  for (const attempt of attempts) {
    const event = attempt < newest && strongest(events.filter((one) => one.attempt === attempt));
    if (event) return { attempt, how: event.type as EarlierArrival["how"], at: event.occurredAt };
  }
  return null;
}

/** The event by which an attempt arrived, in the order of the lifecycle's strengths. */
function strongest(events: EventOut[]): EventOut | undefined {
  const has = (kind: EventOut["type"]) => events.find(({ type }) => type === kind);
  if (has("RETURNED")) return undefined;
  // That it was posted is no arrival.
  const vouched = events.find(
    ({ type, payload }) => type === "MANUAL_MARKED" && payload.method !== "POSTAL_DELIVERY",
  );
  const bounced = events.some(
    ({ type, payload }) => type === "FAILED" && payload.outcome !== "UNKNOWN",
  );
  return vouched ?? has("OPENED") ?? (bounced ? undefined : has("DELIVERED"));
}

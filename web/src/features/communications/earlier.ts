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
  const first = (type: EventOut["type"]) => events.find((event) => event.type === type);
  if (first("RETURNED")) return undefined;
  const bounced = events.some(
    ({ type, payload }) => type === "FAILED" && payload.outcome !== "UNKNOWN",
  );
  return first("MANUAL_MARKED") ?? first("OPENED") ?? (bounced ? undefined : first("DELIVERED"));
}

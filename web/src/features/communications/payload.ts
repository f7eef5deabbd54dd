import type { EventOut } from "../../client";

/** Event payloads differ by kind and grow with time: read them without trusting their shape. */
export type Payload = Record<string, unknown>;

/** A nested object, or an empty one. */
export function record(value: unknown): Payload {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Payload)
    : {};
}

/** A text or number of the payload, or ''. */
export function field(payload: Payload, name: string): string {
  const value = payload[name];
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

/** The day a letter was posted, as YYYY-MM-DD; '' for other events, and for old ones. */
export const postedOn = (event: EventOut): string => field(event.payload, "postedOn");

/** The texts that are there, joined by spaces. */
export function words(...texts: string[]): string {
  return texts.filter(Boolean).join(" ");
}

/** A contact (e-mail, phone or postal address) on one line. */
export function contactLine(contact: unknown): string {
  if (typeof contact === "string") return contact;
  return Object.values(record(contact))
    .map((value) => (typeof value === "object" ? contactLine(value) : String(value ?? "")))
    .filter(Boolean)
    .join(", ");
}

/** The files an event names as proofs, by the SHA-256 of their content. */
export function proofsOf(payload: Payload): Set<string> {
  const listed = record(payload.detail).proofs;
  return new Set([field(payload, "proofSha256"), ...(Array.isArray(listed) ? listed : [])]);
}

/** What a provider said, as it said it: its raw words, else the whole payload. */
export function rawAnswer(payload: Payload): string {
  const raw = field(record(payload.error), "raw");
  if (raw) {
    try {
      return JSON.stringify(JSON.parse(raw), null, 2);
    } catch (error) {
      if (error instanceof SyntaxError) return raw;
      throw error;
    }
  }
  return JSON.stringify(payload, null, 2);
}

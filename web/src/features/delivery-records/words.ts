import type { EventOut } from "../../client";
import type { Dictionary } from "../../i18n/en";
import { shortTime } from "../../time/format";
import { field, record } from "../communications/payload";

/** Offered in the form; a program may have recorded another word. */
export const methods = [
  "HAND_DELIVERY",
  "POSTAL_DELIVERY",
  "REGISTERED_LETTER",
  "EMAIL",
  "SMS",
] as const;

export type Method = (typeof methods)[number];

/** A method's name, or the word itself where it is somebody's own. */
export function methodName(method: string, t: Dictionary): string {
  const names: Record<string, string> = t.deliveryRecords.methods;
  return names[method] ?? method;
}

/** Whom a text is for: in which words, and by which clock. */
interface Reader {
  t: Dictionary;
  /** Language code. */
  code: string;
  timeZone: string;
}

/** A changed field's value; times by the reader's clock. */
export function valueText(name: string, value: string | null, { code, timeZone }: Reader): string {
  if (!value) return "–";
  return name.endsWith("At") ? shortTime(value, timeZone, code) : value;
}

/** What the fields of a record are called. */
export function fieldName(name: string, t: Dictionary): string {
  const names: Record<string, string> = {
    dispatchedAt: t.deliveryRecords.dispatched,
    deliveredAt: t.deliveryRecords.delivered,
    witness: t.deliveryRecords.witness,
    note: t.manual.note,
  };
  return names[name] ?? name;
}

/**
 * A note as its reader understands it: what a person wrote stays as it is. Where nobody wrote
 * anything, the server noted a record in English and UTC; its event says the same in parts.
 */
export function noteText(note: string, event: EventOut | undefined, reader: Reader): string {
  const detail = record(event?.payload.detail);
  const [method, year] = [field(detail, "method"), field(detail, "year")];
  const servers = `Delivery record ${method} of ${year}`;
  if (!method || (note !== servers && !note.startsWith(`${servers}; `))) return note;
  const { t } = reader;
  const changed = record(detail.changes);
  // The database keeps them in an order of its own.
  const changes = ["dispatchedAt", "deliveredAt", "witness", "note"]
    .filter((name) => name in changed)
    .map((name) => [name, field(record(changed[name]), "new")] as const)
    .map(([name, value]) => `${fieldName(name, t)}: ${valueText(name, value, reader)}`);
  const proofs = Array.isArray(detail.proofs) ? detail.proofs.length : 0;
  return [
    t.deliveryRecords.noted(methodName(method, t), year, detail.created === true),
    ...changes,
    ...(proofs > 0 ? [t.deliveryRecords.filesAdded(proofs)] : []),
  ].join("; ");
}

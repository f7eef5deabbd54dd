import type { Dictionary } from "../../i18n/en";

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

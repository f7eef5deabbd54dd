import type { Dictionary } from "../../i18n/en";

export type DeathKind = keyof Dictionary["deadLetters"]["reasons"];

/** The first that fits. Each is how the queue, or a program of ours, words why it gave up. */
const byWords: [RegExp, DeathKind][] = [
  [/no communication|no such|NoSuchExport|NotFound|does not exist/i, "gone"],
  [/never asked|no attempt of this communication|channel does not match/i, "notOurs"],
  [/MalformedMessage|not an? \w+Job|ValidationError|JSON/i, "malformed"],
  [/worker was killed|MemoryError|MaxDeliveryCount/i, "killed"],
  [/RenderError|SnapshotError|TemplateError|FontError/, "content"],
  [
    /Operational|Interface|Connect|Timeout|timed out|unreachable|getaddrinfo|No space left|OSError/i,
    "trouble",
  ],
];

/** What lies behind the reason that was kept with a dead letter; 'other' if nothing is recognised. */
export function deathKind(reason: string): DeathKind {
  return byWords.find(([pattern]) => pattern.test(reason))?.[1] ?? "other";
}

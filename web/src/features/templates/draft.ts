import { useMemo, useSyncExternalStore } from "react";
import type { TemplatesIn, TemplatesOut } from "../../client";

export const senderFields = ["name", "address", "replyTo", "phone", "payee"] as const;
export const textFields = ["subject", "greeting", "intro", "closing", "smsText"] as const;
export type SenderField = (typeof senderFields)[number];
export type TextField = (typeof textFields)[number];

type Sender = Record<SenderField, string>;
type Texts = Record<TextField, string>;

/** A building's sender and texts as somebody is writing them; empty means 'as the installation'. */
export interface Draft {
  sender: Sender;
  texts: Record<string, Texts>;
}

function words<Name extends string>(
  names: readonly Name[],
  values: Record<Name, string | null>,
): Record<Name, string> {
  return Object.fromEntries(names.map((name) => [name, values[name] ?? ""])) as Record<
    Name,
    string
  >;
}

export function draftOf({ sender, languages }: TemplatesOut): Draft {
  return {
    sender: words(senderFields, sender),
    texts: Object.fromEntries(
      Object.entries(languages).map(([code, { texts }]) => [code, words(textFields, texts)]),
    ),
  };
}

/** What the server is told: everything, for what is left out would be lost. */
export function requestOf({ sender, texts }: Draft): Required<TemplatesIn> {
  return { sender, templates: texts };
}

export const isSame = (one: Draft, other: Draft) => JSON.stringify(one) === JSON.stringify(other);

/** A draft that is not saved yet, and what it began from. */
export interface Unsaved {
  buildingId: string;
  buildingName: string;
  draft: Draft;
  /** `updatedAt` of what was saved when the writing began. */
  since: string | null;
}

// Drafts outlive their page: whoever goes elsewhere and comes back finds what was written.
const drafts = new Map<string, Unsaved>();
const listeners = new Set<() => void>();
let all: readonly Unsaved[] = [];

/** Asks before the tab is closed or left for another page. */
const holdBack = (event: BeforeUnloadEvent) => event.preventDefault();

function changed(): void {
  all = [...drafts.values()];
  window.removeEventListener("beforeunload", holdBack);
  if (all.length > 0) window.addEventListener("beforeunload", holdBack);
  for (const listener of listeners) listener();
}

export function keepDraft(unsaved: Unsaved): void {
  drafts.set(unsaved.buildingId, unsaved);
  changed();
}

export function dropDraft(buildingId: string): void {
  if (drafts.delete(buildingId)) changed();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Everything that was written and is not saved yet. */
export function useDrafts(): readonly Unsaved[] {
  return useSyncExternalStore(subscribe, () => all);
}

/** The draft of one building, if there is one. */
export function useDraft(buildingId: string): Unsaved | undefined {
  const known = useDrafts();
  return useMemo(() => known.find((one) => one.buildingId === buildingId), [known, buildingId]);
}

import type { QueryClient } from "@tanstack/react-query";

/** What shows a message, or counts it: to be read again when something happened to one. */
export const aroundMessages = [
  "communication",
  "units",
  "unit",
  "years",
  "activity",
  "buildings",
  "work",
] as const;

/** Reads again every query whose key begins with one of these names; settles when they have. */
export function renew(client: QueryClient, names: readonly string[]): Promise<unknown> {
  return Promise.all(names.map((name) => client.invalidateQueries({ queryKey: [name] })));
}

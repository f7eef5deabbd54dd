import { expect, test } from "vitest";
import type { EventOut } from "../../client";
import { de } from "../../i18n/de";
import { en } from "../../i18n/en";
import { noteText } from "./words";

const event = {
  payload: {
    detail: {
      method: "HAND_DELIVERY",
      year: 2024,
      created: true,
      changes: {
        witness: { old: null, new: "Frau Roth" },
        deliveredAt: { old: null, new: "2025-03-02T08:00:00Z" },
      },
      proofs: ["c0ffee"],
    },
  },
} as unknown as EventOut;
const servers =
  "Delivery record HAND_DELIVERY of 2024; delivered 2025-03-02T08:00:00.000000Z; witness Frau Roth";
const german = { t: de, code: "de", timeZone: "Europe/Berlin" };

test("what the server noted of a record is told in the reader's language and time zone", () => {
  expect(noteText(servers, event, german)).toBe(
    "Zustellnachweis 2024 erfasst: Persönlich übergeben; Zugestellt: 02.03.2025, 09:00; Zeuge: Frau Roth; 1 Datei hinzugefügt",
  );
  expect(noteText(servers, event, { t: en, code: "en", timeZone: "Europe/London" })).toMatch(
    /^Delivery record of 2024 made: Handed over in person; Delivered: .*8:00.*; Witness: Frau Roth/,
  );
});

test("what a person wrote stays, and so does a note without its event", () => {
  const written = "Delivery record lies in folder 7";
  expect(noteText(written, event, german)).toBe(written);
  expect(noteText(servers, undefined, german)).toBe(servers);
});

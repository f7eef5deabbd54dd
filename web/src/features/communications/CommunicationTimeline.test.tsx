import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { EventOut } from "../../client";
import { renderInApp } from "../../test/render";
import { CommunicationTimeline } from "./CommunicationTimeline";

const event = (sequence: number, changes: Partial<EventOut>): EventOut => ({
  id: `event-${sequence}`,
  sequence,
  attempt: 1,
  type: "ENQUEUED",
  source: "WORKER",
  occurredAt: "2025-11-24T12:00:00Z",
  recordedAt: "2025-11-24T12:00:00Z",
  user: null,
  payload: {},
  hash: "",
  ...changes,
});

const show = (events: EventOut[], language: "en" | "de" = "en") =>
  renderInApp(<CommunicationTimeline events={events} channel="EMAIL" timeZone="Europe/Berlin" />, {
    language,
  });

test("the newest event stands first", () => {
  show([event(1, { type: "SENT" }), event(2, { type: "DELIVERED" })]);
  const [first] = screen.getAllByRole("listitem");
  expect(first).toHaveTextContent("Delivered to the recipient's mailbox");
});

test("a failure says what happened, what to do, and keeps the provider's words", () => {
  show([
    event(1, {
      type: "FAILED",
      payload: {
        statusCode: "5.1.1",
        error: { message: "User unknown", raw: "Status: 5.1.1\nUser unknown" },
      },
    }),
  ]);
  expect(screen.getByText("The mail address does not exist.")).toBeVisible();
  expect(screen.getByText(/Ask the recipient for the right address/)).toBeVisible();
  expect(screen.getByText(/Status: 5.1.1/)).toBeInTheDocument();
});

test("a person is named, a machine is 'System'", () => {
  show([
    event(1, { type: "SENT" }),
    event(2, {
      type: "MANUAL_MARKED",
      source: "USER",
      user: { id: "u", username: "m.hoffmann" },
      payload: { method: "HAND_DELIVERY", note: "Given to her at the door" },
    }),
  ]);
  const [manual, sent] = screen.getAllByRole("listitem");
  expect(manual).toHaveTextContent("Handed over in person");
  expect(manual).toHaveTextContent("Given to her at the door");
  expect(manual).toHaveTextContent("m.hoffmann");
  expect(sent).toHaveTextContent("System");
});

test("a delivery record is said to be new or changed", () => {
  const recorded = (sequence: number, created: boolean) =>
    event(sequence, {
      type: "NOTICE",
      source: "USER",
      payload: { kind: "DELIVERY_RECORD", detail: { created } },
    });
  show([recorded(1, true), recorded(2, false)]);
  const [changed, made] = screen.getAllByRole("listitem");
  expect(changed).toHaveTextContent("The delivery record was changed");
  expect(made).toHaveTextContent("A delivery was recorded");
});

test("only a contact that changed is mentioned", () => {
  show([
    event(1, {
      type: "RESEND_REQUESTED",
      payload: {
        channel: "EMAIL",
        oldContact: { email: "old@example.org", phone: "+4930123" },
        newContact: { email: "new@example.org", phone: "+4930123" },
      },
    }),
  ]);
  expect(screen.getByText("Contact changed from old@example.org to new@example.org")).toBeVisible();
  expect(screen.queryByText(/\+4930123/)).not.toBeInTheDocument();
});

test("both times are shown when the news came late", () => {
  show([event(1, { type: "DELIVERED", recordedAt: "2025-11-24T12:05:00Z" })]);
  const times = within(screen.getByRole("listitem")).getAllByRole("time");
  expect(times.map((time) => time.getAttribute("datetime"))).toEqual([
    "2025-11-24T12:00:00Z",
    "2025-11-24T12:05:00Z",
  ]);
});

test("a long story is folded and can be unfolded", async () => {
  show(Array.from({ length: 20 }, (_, index) => event(index + 1, {})));
  expect(screen.getAllByRole("listitem")).toHaveLength(8);
  await userEvent.click(screen.getByRole("button", { name: "Show 12 more events" }));
  expect(screen.getAllByRole("listitem")).toHaveLength(20);
});

test("it speaks German, too", () => {
  show([event(1, { type: "OPENED" })], "de");
  expect(screen.getByText("Lesebestätigung erhalten")).toBeVisible();
});

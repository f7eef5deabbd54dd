import { expect, test } from "vitest";
import type { CommunicationOut, EventOut } from "../../client";
import { earlierArrival } from "./earlier";

type Happened = [attempt: number, type: EventOut["type"], payload?: Record<string, unknown>];

const aMessage = (
  deliveryStatus: CommunicationOut["deliveryStatus"],
  ...happened: Happened[]
): CommunicationOut =>
  ({
    deliveryStatus,
    events: happened.map(([attempt, type, payload = {}], index) => ({
      attempt,
      type,
      payload,
      occurredAt: `2026-11-24T10:00:0${index}Z`,
    })),
  }) as unknown as CommunicationOut;

test("a copy that failed later does not hide that the first was opened", () => {
  expect(
    earlierArrival(
      aMessage("FAILED", [1, "DELIVERED"], [1, "OPENED"], [2, "RESEND_REQUESTED"], [2, "FAILED"]),
    ),
  ).toEqual({ attempt: 1, how: "OPENED", at: "2026-11-24T10:00:01Z" });
});

test("delivered and then bounced, or come back, is not arrived", () => {
  const again: Happened = [2, "RESEND_REQUESTED"];
  expect(earlierArrival(aMessage("ENQUEUED", [1, "DELIVERED"], [1, "FAILED"], again))).toBeNull();
  expect(
    earlierArrival(aMessage("ENQUEUED", [1, "MANUAL_MARKED"], [1, "RETURNED"], again)),
  ).toBeNull();
  const unknown: Happened = [1, "FAILED", { outcome: "UNKNOWN" }];
  expect(earlierArrival(aMessage("ENQUEUED", [1, "DELIVERED"], unknown, again))?.attempt).toBe(1);
});

test("that a person posted it is no arrival, that it was handed over is one", () => {
  const again: Happened = [2, "RESEND_REQUESTED"];
  const marked = (method: string) =>
    earlierArrival(aMessage("ENQUEUED", [1, "MANUAL_MARKED", { method }], again))?.how;
  expect(marked("POSTAL_DELIVERY")).toBeUndefined();
  expect(marked("HAND_DELIVERY")).toBe("MANUAL_MARKED");
});

test("the newest attempt's own arrival, or none at all, needs no word", () => {
  expect(earlierArrival(aMessage("DELIVERED", [1, "DELIVERED"], [2, "DELIVERED"]))).toBeNull();
  expect(earlierArrival(aMessage("FAILED", [1, "SENT"], [1, "FAILED"]))).toBeNull();
  expect(earlierArrival(aMessage("PENDING", [0, "CREATED"]))).toBeNull();
});

import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { asForm } from "../../api";
import { bootstrap } from "../../bootstrap";
import {
  addNote,
  type CommunicationOut,
  type EventOut,
  getCommunication,
  type RecordManualEventData,
  type ResendIn,
  type ResolveIn,
  recordManualEvent,
  resendCommunication,
  resolveUnknownOutcome,
} from "../../client";
import { aroundMessages, renew } from "../../queries";
import { optimisticId } from "./CommunicationTimeline";
import type { DeliveryStatus } from "./words";

export const communicationQuery = (id: string) =>
  queryOptions({
    queryKey: ["communication", id],
    queryFn: async ({ signal }) => {
      const { data } = await getCommunication({
        path: { communication_id: id },
        signal,
        throwOnError: true,
      });
      return data;
    },
  });

const me = () => ({ id: optimisticId, username: bootstrap.user.username });

function expectedEvent(
  known: CommunicationOut,
  event: Pick<EventOut, "type" | "attempt" | "payload">,
): EventOut {
  const now = new Date().toISOString();
  return {
    ...event,
    id: optimisticId,
    sequence: known.events.length + 1,
    source: "USER",
    occurredAt: now,
    recordedAt: now,
    user: me(),
    hash: "",
  };
}

/**
 * Shows what a change will do before the server has answered, and takes it back if it refuses.
 * The caller says so to the person: `onError` of the mutation it gets.
 */
function useOptimistic<Request>(
  id: string,
  send: (request: Request) => Promise<unknown>,
  expect: (known: CommunicationOut, request: Request) => CommunicationOut,
) {
  const client = useQueryClient();
  const { queryKey } = communicationQuery(id);
  return useMutation({
    mutationFn: send,
    onMutate: async (request: Request) => {
      await client.cancelQueries({ queryKey });
      const before = client.getQueryData(queryKey);
      if (before) client.setQueryData(queryKey, expect(before, request));
      return { before };
    },
    onError: (_error, _request, context) => {
      if (context?.before) client.setQueryData(queryKey, context.before);
    },
    onSettled: () => renew(client, aroundMessages),
  });
}

export function useResend(id: string) {
  return useOptimistic(
    id,
    (body: ResendIn) =>
      resendCommunication({ path: { communication_id: id }, body, throwOnError: true }),
    (known, request) => ({
      ...known,
      deliveryStatus: "ENQUEUED",
      events: [
        ...known.events,
        expectedEvent(known, {
          type: "RESEND_REQUESTED",
          attempt: Math.max(1, ...known.events.map((event) => event.attempt)) + 1,
          payload: {
            channel: request.channel ?? known.channel,
            note: request.note ?? "",
            oldContact: { email: known.recipient.email, phone: known.recipient.phone },
            newContact: request.contact ?? {},
          },
        }),
      ],
    }),
  );
}

export type ManualEvent = RecordManualEventData["body"] & { proof?: File };

export function useManualEvent(id: string) {
  return useOptimistic(
    id,
    ({ proof, ...body }: ManualEvent) =>
      recordManualEvent({
        path: { communication_id: id },
        body,
        ...(proof ? asForm({ ...body, proofFile: proof }) : {}),
        throwOnError: true,
      }),
    (known, request) => {
      const returned = request.type === "RETURNED";
      const newest = Math.max(0, ...known.events.map((event) => event.attempt));
      // An envelope is the one that was posted, whatever was sent since.
      const posted = known.events.findLast(({ type }) => type === "POSTED")?.attempt;
      const attempt = (returned && posted) || newest;
      const status: DeliveryStatus = returned ? "FAILED" : "MANUAL";
      return {
        ...known,
        deliveryStatus: attempt === newest ? status : known.deliveryStatus,
        events: [
          ...known.events,
          expectedEvent(known, {
            type: returned ? "RETURNED" : "MANUAL_MARKED",
            attempt,
            payload: { method: request.type, note: request.note },
          }),
        ],
      };
    },
  );
}

export function useAddNote(id: string) {
  return useOptimistic(
    id,
    (note: string) =>
      addNote({ path: { communication_id: id }, body: { note }, throwOnError: true }),
    (known, note) => ({
      ...known,
      auditNotes: [
        ...known.auditNotes,
        {
          id: optimisticId,
          note,
          user: me(),
          createdAt: new Date().toISOString(),
          eventId: null,
        },
      ],
    }),
  );
}

/**
 * Settles a message of which nobody knows whether it left. `onDone` is told even when what asked
 * has left the screen by then, as a settled entry of a list does.
 */
export function useResolve(id: string, onDone: (action: ResolveIn["action"]) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: ResolveIn) =>
      resolveUnknownOutcome({ path: { communication_id: id }, body, throwOnError: true }),
    onSuccess: (_answer, { action }) => onDone(action),
    onSettled: () => client.invalidateQueries(),
  });
}

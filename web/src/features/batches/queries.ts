import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { asForm } from "../../api";
import {
  estimateBatch,
  getBatch,
  getProgress,
  listPrintRuns,
  listUnits,
  makePrintRun,
  markPosted,
  previewMessage,
  sendBatch,
} from "../../client";
import { renew } from "../../queries";
import type { Channel } from "../communications/words";

/** Real messages shown before a batch is sent. */
export const sampleCount = 3;

export const batchQuery = (id: string) =>
  queryOptions({
    queryKey: ["batch", id],
    queryFn: async ({ signal }) => {
      const { data } = await getBatch({ path: { batch_id: id }, signal, throwOnError: true });
      return data;
    },
    refetchInterval: ({ state }) => (state.data?.batchStatus === "SENDING" ? 2_000 : false),
  });

/** Everything that shows how a batch's messages stand. */
const affected = [
  "batch",
  "progress",
  "print-runs",
  "years",
  "units",
  "unit",
  "activity",
  "buildings",
  "communication",
];

function useRenewal() {
  const client = useQueryClient();
  return () => renew(client, affected);
}

export function useSendBatch(id: string) {
  const renew = useRenewal();
  return useMutation({
    mutationFn: (channels: Channel[]) =>
      sendBatch({ path: { batch_id: id }, body: { channels }, throwOnError: true }),
    onSuccess: renew,
  });
}

/** The print runs of a batch, looked at again while the files of one are being made. */
export const printRunsQuery = (batchId: string) =>
  queryOptions({
    queryKey: ["print-runs", batchId],
    queryFn: async ({ signal }) => {
      const { data } = await listPrintRuns({
        path: { batch_id: batchId },
        signal,
        throwOnError: true,
      });
      return data;
    },
    refetchInterval: ({ state }) =>
      state.data?.items.some(({ status }) => status === "PENDING") ? 1_500 : false,
  });

export function useMakePrintRun(batchId: string) {
  const renew = useRenewal();
  return useMutation({
    mutationFn: async () => {
      const { data } = await makePrintRun({ path: { batch_id: batchId }, throwOnError: true });
      return data;
    },
    onSuccess: renew,
  });
}

export function useMarkPosted() {
  const renew = useRenewal();
  return useMutation({
    mutationFn: ({ id, date, scan }: { id: string; date: string; scan: File | null }) =>
      markPosted({
        path: { print_run_id: id },
        body: { date },
        ...(scan ? asForm({ date, scan }) : {}),
        throwOnError: true,
      }),
    onSuccess: renew,
  });
}

/** What sending the rest of a batch takes: messages by channel, segments of text messages. */
export const estimateQuery = (batchId: string) =>
  queryOptions({
    queryKey: ["batch", batchId, "estimate"],
    queryFn: async ({ signal }) => {
      const { data } = await estimateBatch({
        path: { batch_id: batchId },
        signal,
        throwOnError: true,
      });
      return data;
    },
  });

/** A few messages that wait to be sent through a channel. */
export const samplesQuery = (buildingId: string, year: number, channel: Channel) =>
  queryOptions({
    queryKey: ["units", buildingId, year, "samples", channel],
    queryFn: async ({ signal }) => {
      const { data } = await listUnits({
        path: { building_id: buildingId, year },
        query: { channel, status: "PENDING", limit: sampleCount },
        signal,
        throwOnError: true,
      });
      return data.items.flatMap((unit) =>
        unit.communications
          .filter((item) => item.channel === channel && item.deliveryStatus === "PENDING")
          .map(({ id }) => ({
            id,
            channel,
            unitNumber: unit.unitNumber,
            name: unit.recipientName,
          })),
      );
    },
  });

/** A message as it would be sent now; nothing is sent. */
export const previewQuery = (communicationId: string) =>
  queryOptions({
    queryKey: ["preview", communicationId],
    queryFn: async ({ signal }) => {
      const { data } = await previewMessage({
        body: { communicationId },
        signal,
        throwOnError: true,
      });
      return data;
    },
    staleTime: 60_000,
  });

/** What was sent, delivered, opened and what failed, step by step. */
export const progressQuery = (batchId: string) =>
  queryOptions({
    queryKey: ["progress", batchId],
    queryFn: async ({ signal }) => {
      const { data } = await getProgress({
        path: { batch_id: batchId },
        signal,
        throwOnError: true,
      });
      return data;
    },
  });

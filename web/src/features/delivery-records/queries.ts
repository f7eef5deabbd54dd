import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type RecordDeliveryData, recordDelivery } from "../../client";
import { formDataBodySerializer } from "../../client/client";
import { record } from "../communications/payload";

export type NewRecord = RecordDeliveryData["body"] & { file?: File };

/** Creates or changes the record of a unit, year and method. */
export function useRecordDelivery(unitId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ file, ...body }: NewRecord) =>
      recordDelivery({
        path: { unit_id: unitId },
        body,
        // As a form, so that the file can come along; the browser names the boundary.
        ...(file
          ? {
              bodySerializer: (given: unknown) =>
                formDataBodySerializer.bodySerializer({ ...record(given), files: file }),
              headers: { "Content-Type": null },
            }
          : {}),
        throwOnError: true,
      }),
    onSettled: () =>
      Promise.all(
        ["communication", "units", "unit", "years", "activity", "buildings"].map((name) =>
          client.invalidateQueries({ queryKey: [name] }),
        ),
      ),
  });
}

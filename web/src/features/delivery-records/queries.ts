import { useMutation, useQueryClient } from "@tanstack/react-query";
import { asForm } from "../../api";
import { type RecordDeliveryData, recordDelivery } from "../../client";
import { aroundMessages, renew } from "../../queries";

/** Null takes a value back; what is left out stays. */
export type RecordFields = Omit<RecordDeliveryData["body"], "year" | "method">;

interface Recording {
  year: number;
  method: string;
  changes: RecordFields;
  files: File[];
}

/** Creates or changes the record of a unit, year and method. */
export function useRecordDelivery(unitId: string) {
  const client = useQueryClient();
  const path = { unit_id: unitId };
  return useMutation({
    mutationFn: async ({ year, method, changes, files }: Recording) => {
      const body = { year, method, ...changes };
      // A form cannot say 'nothing': what is taken back is said in JSON, before the files.
      const takesBack = Object.values(changes).includes(null);
      if (takesBack || files.length === 0) await recordDelivery({ path, body, throwOnError: true });
      if (files.length === 0) return;
      const fields = takesBack ? { year, method } : body;
      await recordDelivery({
        path,
        body: fields,
        ...asForm({ ...fields, files }),
        throwOnError: true,
      });
    },
    onSettled: () => renew(client, aroundMessages),
  });
}

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { importBillingFile } from "../../client";

export interface ImportRequest {
  file: File;
  dryRun: boolean;
}

/** A rehearsal or the real import of a billing file: whole or not at all. */
export function useImport() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ file, dryRun }: ImportRequest) => {
      const { data } = await importBillingFile({ body: { file, dryRun }, throwOnError: true });
      return data;
    },
    onSuccess: (_data, { dryRun }) => (dryRun ? undefined : client.invalidateQueries()),
  });
}

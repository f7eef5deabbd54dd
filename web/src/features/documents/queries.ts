import { useMutation } from "@tanstack/react-query";
import { findDocument } from "../../client";

/** What a document code or postal number leads to, typed or scanned. */
export function useFindDocument() {
  return useMutation({
    mutationFn: async (code: string) => {
      const { data } = await findDocument({ path: { document_code: code }, throwOnError: true });
      return data;
    },
  });
}

import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import {
  getTemplates,
  listUnits,
  type PreviewIn,
  previewMessage,
  removeLogo,
  saveLogo,
  saveTemplates,
  type TemplatesOut,
} from "../../client";
import { renew } from "../../queries";
import { type Draft, requestOf } from "./draft";

export const templatesQuery = (buildingId: string) =>
  queryOptions({
    queryKey: ["templates", buildingId],
    queryFn: async ({ signal }) => {
      const { data } = await getTemplates({
        path: { building_id: buildingId },
        signal,
        throwOnError: true,
      });
      return data;
    },
  });

/** One change of a building's templates; what the server answers is how they stand. */
function useChange<Request>(
  buildingId: string,
  send: (request: Request) => Promise<{ data: TemplatesOut }>,
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: send,
    onSuccess: ({ data }) => {
      client.setQueryData(templatesQuery(buildingId).queryKey, data);
      // What a message would look like has changed everywhere it is shown before sending.
      return renew(client, ["preview", "template-preview"]);
    },
  });
}

export const useSaveTemplates = (buildingId: string) =>
  useChange(buildingId, (draft: Draft) =>
    saveTemplates({
      path: { building_id: buildingId },
      body: requestOf(draft),
      throwOnError: true,
    }),
  );

export const useSaveLogo = (buildingId: string) =>
  useChange(buildingId, (file: File) =>
    saveLogo({ path: { building_id: buildingId }, body: { file }, throwOnError: true }),
  );

export const useRemoveLogo = (buildingId: string) =>
  useChange(buildingId, (_: undefined) =>
    removeLogo({ path: { building_id: buildingId }, throwOnError: true }),
  );

/** A bill with these unsaved texts; nothing is sent. The last one stays until the next is there. */
export const templatePreviewQuery = (request: PreviewIn) =>
  queryOptions({
    queryKey: ["template-preview", request],
    queryFn: async ({ signal }) => {
      const { data } = await previewMessage({ body: request, signal, throwOnError: true });
      return data;
    },
    // Every look at somebody's bill is written down: none without a reason.
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: false,
    placeholderData: keepPreviousData,
  });

/** Units whose bill can be the example. */
export const exampleUnitsQuery = (buildingId: string, year: number, search: string) =>
  queryOptions({
    queryKey: ["units", buildingId, year, "examples", search],
    queryFn: async ({ signal }) => {
      const { data } = await listUnits({
        path: { building_id: buildingId, year },
        query: { limit: 20, ...(search ? { search } : {}) },
        signal,
        throwOnError: true,
      });
      return data.items;
    },
    placeholderData: keepPreviousData,
  });

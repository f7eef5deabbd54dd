import { ActionIcon, TextInput } from "@mantine/core";
import { IconArrowRight, IconBarcode } from "@tabler/icons-react";
import { type RefObject, useState } from "react";
import { ApiError } from "../../api";
import { useText } from "../../i18n/Language";
import { problemText } from "../../problems";
import { leaveTemplates } from "../track-center/filters";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { useFindDocument } from "./queries";

/** From the code on a page (typed, or read by a scanner that ends with Enter) to its unit. */
export function DocumentLookup({ inputRef }: { inputRef: RefObject<HTMLInputElement | null> }) {
  const t = useText();
  const { set } = useTrackCenter();
  const find = useFindDocument();
  const [code, setCode] = useState("");
  const error = find.error
    ? find.error instanceof ApiError && find.error.status === 404
      ? t.lookup.unknown
      : problemText(find.error, t)
    : undefined;
  const submit = () => {
    const wanted = code.trim();
    if (wanted === "" || find.isPending) return;
    find.mutate(wanted, {
      onSuccess: (found) => {
        setCode("");
        void set({
          buildingId: found.buildingId,
          year: found.year,
          unit: found.unitId,
          communication: found.communications.at(-1)?.id ?? null,
          tab: null,
          full: null,
          after: null,
          page: null,
          ...leaveTemplates,
        });
      },
    });
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <TextInput
        ref={inputRef}
        label={t.lookup.label}
        description={t.lookup.hint}
        autoComplete="off"
        autoCapitalize="characters"
        spellCheck={false}
        aria-keyshortcuts="d"
        leftSection={<IconBarcode size={18} aria-hidden />}
        rightSection={
          <ActionIcon
            type="submit"
            variant="subtle"
            aria-label={t.lookup.submit}
            loading={find.isPending}
          >
            <IconArrowRight size={16} aria-hidden />
          </ActionIcon>
        }
        value={code}
        maxLength={80}
        error={error}
        onChange={(event) => {
          find.reset();
          setCode(event.currentTarget.value);
        }}
      />
    </form>
  );
}

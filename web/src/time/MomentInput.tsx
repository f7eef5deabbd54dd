import { TextInput } from "@mantine/core";
import type { ChangeEvent } from "react";
import { useLanguage } from "../i18n/Language";
import { shortTime, wallClockToIso } from "./format";

interface MomentInputProps {
  label: string;
  description?: string;
  /** The wall clock in `timeZone`, as a `datetime-local` field has it; '' for none. */
  value: string;
  timeZone: string;
  error?: string | undefined;
  onChange: (event: ChangeEvent<HTMLInputElement>) => void;
}

/**
 * Date and time of day. A browser writes such a field in the order of its own language, not the
 * page's; so what was chosen is said again with the month's name.
 */
export function MomentInput({ description, value, timeZone, ...rest }: MomentInputProps) {
  const { code } = useLanguage();
  // Five digits typed for a year are no moment the page could read.
  const chosen =
    value.length === "2025-11-24T12:00".length
      ? shortTime(wallClockToIso(value, timeZone), timeZone, code)
      : "";
  return (
    <TextInput
      {...rest}
      type="datetime-local"
      description={chosen ? `${chosen} (${timeZone})` : description}
      value={value}
      max="9999-12-31T23:59"
    />
  );
}

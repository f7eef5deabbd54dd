import { Hint } from "../hint/Hint";
import { useLanguage } from "../i18n/Language";
import { absoluteTime, clockTime, relativeTime, shortTime } from "./format";
import { useNow } from "./useNow";

interface TimeStampProps {
  /** ISO 8601, UTC. */
  value: string;
  timeZone: string;
  style?: "relative" | "short" | "clock";
  /** Lets the keyboard reach the tooltip; leave off inside long lists. */
  focusable?: boolean;
}

/** A time people can read, with the exact one and its zone on hover and focus. */
export function TimeStamp({
  value,
  timeZone,
  style = "relative",
  focusable = false,
}: TimeStampProps) {
  const { code } = useLanguage();
  const now = useNow();
  const label =
    style === "relative"
      ? relativeTime(value, Math.max(now, Date.parse(value)), code)
      : style === "short"
        ? shortTime(value, timeZone, code)
        : clockTime(value, timeZone, code);
  return (
    <Hint label={absoluteTime(value, timeZone, code)}>
      <time dateTime={value} tabIndex={focusable ? 0 : undefined}>
        {label}
      </time>
    </Hint>
  );
}

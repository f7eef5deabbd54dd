import { useLanguage } from "../i18n/Language";
import { calendarDay } from "./format";
import classes from "./TimeRows.module.css";
import { TimeStamp } from "./TimeStamp";

interface TimeRowsProps {
  /** Label and moment (ISO 8601), or a day without a time; one without either is left out. */
  times: readonly (readonly [label: string, value: string | null])[];
  timeZone: string;
}

/** Days have ten characters: YYYY-MM-DD. */
const isDay = (value: string) => value.length === 10;

/** Moments as rows of a `<dl>`. */
export function TimeRows({ times, timeZone }: TimeRowsProps) {
  const { code } = useLanguage();
  return times.map(
    ([label, value]) =>
      value && (
        <div key={label} className={classes.row}>
          <dt>{label}</dt>
          <dd>
            {isDay(value) ? (
              <time dateTime={value}>{calendarDay(value, code)}</time>
            ) : (
              <TimeStamp value={value} timeZone={timeZone} style="short" focusable />
            )}
          </dd>
        </div>
      ),
  );
}

import classes from "./TimeRows.module.css";
import { TimeStamp } from "./TimeStamp";

interface TimeRowsProps {
  /** Label and moment; one without a moment is left out. */
  times: readonly (readonly [label: string, value: string | null])[];
  timeZone: string;
}

/** Moments as rows of a `<dl>`. */
export function TimeRows({ times, timeZone }: TimeRowsProps) {
  return times.map(
    ([label, value]) =>
      value && (
        <div key={label} className={classes.row}>
          <dt>{label}</dt>
          <dd>
            <TimeStamp value={value} timeZone={timeZone} style="short" focusable />
          </dd>
        </div>
      ),
  );
}

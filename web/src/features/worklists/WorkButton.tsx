import { IconChecklist } from "@tabler/icons-react";
import { useLanguage } from "../../i18n/Language";
import { StateLink } from "../track-center/StateLink";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { useWaiting } from "./queries";
import classes from "./WorkButton.module.css";

/** What leads from anywhere to the list of what waits for a person. */
export const toWork = {
  view: "work",
  unit: null,
  communication: null,
  full: null,
} as const;

/** Leads to what waits for a person, and says how much it is. */
export function WorkButton() {
  const { text: t, code } = useLanguage();
  const { filters, canWrite } = useTrackCenter();
  const { count, more } = useWaiting(canWrite);
  const number = count.toLocaleString(code) + (more ? "+" : "");
  return (
    <StateLink
      changes={toWork}
      className={classes.button}
      aria-label={count > 0 ? t.work.openWith(number) : t.work.open}
      aria-current={filters.view === "work" ? "page" : undefined}
    >
      <IconChecklist size={17} aria-hidden />
      <span className={classes.word}>{t.work.open}</span>
      {count > 0 && (
        <span className={classes.count} aria-hidden>
          {number}
        </span>
      )}
    </StateLink>
  );
}

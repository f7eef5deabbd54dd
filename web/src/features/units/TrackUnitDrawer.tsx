import { Drawer, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconMaximize } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useState } from "react";
import { useText } from "../../i18n/Language";
import { whileQueued } from "../track-center/live";
import { StateLink } from "../track-center/StateLink";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { useOpened } from "../track-center/useOpened";
import { statusesOf, unitQuery } from "./queries";
import classes from "./TrackUnitDrawer.module.css";
import { UnitContent, unitTitle } from "./UnitContent";
import { unitLinkId } from "./UnitRow";

/** Slide-over with everything about one unit; as wide as the screen on a phone. */
export default function TrackUnitDrawer() {
  const t = useText();
  const { year, filters, set, interval } = useTrackCenter();
  const phone = useMediaQuery("(max-width: 760px)") ?? false;
  // The last unit stays while the panel slides out.
  const [shown, setShown] = useState(filters.unit);
  if (filters.unit && filters.unit !== shown) setShown(filters.unit);
  const unit = useQuery({
    ...unitQuery(shown ?? ""),
    enabled: shown !== null,
    refetchInterval: ({ state }) =>
      filters.unit === null ? false : whileQueued(interval, statusesOf(state.data)),
  });

  const close = () => void set({ unit: null, communication: null });
  /** Only from inside the panel: in a dialog above it, Escape closes the dialog alone. */
  const closeOnEscape = (event: KeyboardEvent<HTMLElement>) => {
    const inside = event.target instanceof Node && event.currentTarget.contains(event.target);
    if (event.key === "Escape" && inside) close();
  };
  /** After a reload there was no link to come from: go to the row all the same. */
  const returnFocus = () => {
    if (document.activeElement === document.body && shown) {
      document.getElementById(unitLinkId(shown))?.focus();
    }
  };

  return (
    <Drawer
      opened={useOpened(filters.unit !== null && !filters.full)}
      onClose={close}
      closeOnEscape={false}
      onKeyDown={closeOnEscape}
      onExitTransitionEnd={returnFocus}
      position="right"
      size={phone ? "100%" : 680}
      padding="lg"
      title={
        <span className={classes.title}>
          {unitTitle(unit, t)}
          {unit.data && (
            <Text span size="sm" c="dimmed" fw={400}>
              {unit.data.building.name} · {year} ·{" "}
              <StateLink changes={{ full: true }} className={classes.fullLink}>
                <IconMaximize size={13} aria-hidden /> {t.drawer.fullPage}
              </StateLink>
            </Text>
          )}
        </span>
      }
      closeButtonProps={{ "aria-label": t.drawer.close }}
      classNames={{ content: classes.content, header: classes.header }}
    >
      {shown && <UnitContent unit={unit} />}
    </Drawer>
  );
}

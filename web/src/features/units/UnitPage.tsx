import { Text } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useText } from "../../i18n/Language";
import { whileQueued } from "../track-center/live";
import { StateLink } from "../track-center/StateLink";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { statusesOf, unitQuery } from "./queries";
import classes from "./TrackUnitDrawer.module.css";
import { UnitContent, unitTitle } from "./UnitContent";

/** One unit on a page of its own: to be sent as a link, printed, or read at length. */
export default function UnitPage({ unitId }: { unitId: string }) {
  const t = useText();
  const { year, interval } = useTrackCenter();
  const unit = useQuery({
    ...unitQuery(unitId),
    refetchInterval: ({ state }) => whileQueued(interval, statusesOf(state.data)),
  });
  const name = unitTitle(unit, t);
  useEffect(() => {
    document.title = `${name} · ${t.product}`;
  }, [name, t]);
  return (
    <article>
      <StateLink changes={{ full: null, unit: null, communication: null }} className={classes.back}>
        <IconArrowLeft size={16} aria-hidden /> {t.drawer.backToList}
      </StateLink>
      <h1 className={classes.pageTitle}>{name}</h1>
      {unit.data && (
        <Text size="sm" c="dimmed" mb="md">
          {unit.data.building.name} · {year}
        </Text>
      )}
      <div className={classes.page}>
        <UnitContent unit={unit} />
      </div>
    </article>
  );
}

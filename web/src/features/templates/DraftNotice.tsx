import { Alert, Button, Group } from "@mantine/core";
import { IconPencil } from "@tabler/icons-react";
import { useText } from "../../i18n/Language";
import { StateLink } from "../track-center/StateLink";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import classes from "./DraftNotice.module.css";
import { dropDraft, useDrafts } from "./draft";

/** Says, wherever somebody went, that texts were written and not saved. */
export function DraftNotice() {
  const t = useText();
  const { building, filters } = useTrackCenter();
  const elsewhere = useDrafts().filter(
    ({ buildingId }) => filters.view !== "templates" || buildingId !== building?.id,
  );
  return elsewhere.map(({ buildingId, buildingName }) => (
    <Alert
      key={buildingId}
      icon={<IconPencil />}
      title={t.templates.unsavedOf(buildingName)}
      role="status"
      classNames={{ root: classes.notice, title: classes.ink, icon: classes.ink }}
    >
      <Group gap="md">
        <StateLink changes={{ view: "templates", buildingId, unit: null, communication: null }}>
          {t.templates.goOn}
        </StateLink>
        <Button
          variant="subtle"
          size="compact-sm"
          color="red"
          className={classes.discard}
          onClick={() => dropDraft(buildingId)}
        >
          {t.templates.discard}
        </Button>
      </Group>
    </Alert>
  ));
}

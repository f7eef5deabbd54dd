import { Button, Popover } from "@mantine/core";
import { IconDotsVertical, IconTemplate } from "@tabler/icons-react";
import { useState } from "react";
import { useText } from "../../i18n/Language";
import { StateLink } from "./StateLink";
import classes from "./TrackHeader.module.css";

/** What an administrator sets for a building as a whole. */
export function BuildingMenu() {
  const t = useText();
  const [opened, setOpened] = useState(false);
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="bottom-start"
      width={240}
      shadow="md"
      trapFocus
      returnFocus
    >
      <Popover.Target>
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          className={classes.icon}
          leftSection={<IconDotsVertical size={16} aria-hidden />}
          onClick={() => setOpened((before) => !before)}
        >
          {t.building.settings}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="xs" aria-label={t.building.settings}>
        <StateLink
          changes={{ view: "templates", unit: null, communication: null }}
          className={classes.choice}
          onFollow={() => setOpened(false)}
        >
          <IconTemplate size={16} aria-hidden /> {t.templates.open}
        </StateLink>
      </Popover.Dropdown>
    </Popover>
  );
}

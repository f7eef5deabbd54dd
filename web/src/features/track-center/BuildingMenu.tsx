import { Button, Popover } from "@mantine/core";
import { IconDotsVertical, IconPrinter, IconTemplate } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { useText } from "../../i18n/Language";
import { StateLink } from "./StateLink";
import { useTrackCenter } from "./TrackCenterProvider";
import classes from "./TrackHeader.module.css";

const PrintRunDialog = lazy(() => import("../batches/PrintRunDialog"));

/** What an administrator sets for a building as a whole, and its print runs of the year. */
export function BuildingMenu() {
  const t = useText();
  const { yearInfo } = useTrackCenter();
  const [opened, setOpened] = useState(false);
  const [printing, setPrinting] = useState(false);
  const [printUsed, setPrintUsed] = useState(false);
  return (
    <>
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
          {yearInfo && (
            <button
              type="button"
              className={classes.choice}
              onClick={() => {
                setOpened(false);
                setPrintUsed(true);
                setPrinting(true);
              }}
            >
              <IconPrinter size={16} aria-hidden /> {t.print.runs}
            </button>
          )}
        </Popover.Dropdown>
      </Popover>
      <Suspense>
        {printUsed && yearInfo && (
          <PrintRunDialog
            batchId={yearInfo.batchId}
            year={yearInfo.year}
            opened={printing}
            onClose={() => setPrinting(false)}
          />
        )}
      </Suspense>
    </>
  );
}

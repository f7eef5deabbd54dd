import { Button, Text } from "@mantine/core";
import { IconRepeat, IconX } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import type { UnitPage } from "../../client";
import { useText } from "../../i18n/Language";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import classes from "./SelectionBar.module.css";
import type { UnitSelection } from "./selection";

const BulkResendDialog = lazy(() => import("../bulk/BulkResendDialog"));

interface SelectionBarProps {
  selection: UnitSelection;
  page: UnitPage;
}

/** How many are ticked, the way to all that match, and what can be done with them. */
export function SelectionBar({ selection, page }: SelectionBarProps) {
  const t = useText();
  const { filters } = useTrackCenter();
  const [resending, setResending] = useState(false);
  const [used, setUsed] = useState(false);
  const count = selection.all ? page.total : selection.rows.length;
  if (count === 0) return null;
  const { channel, status, search, sort } = filters;
  return (
    <section className={classes.bar} aria-label={t.selection.label}>
      <Text size="sm" fw={600} aria-live="polite">
        {t.selection.count(count)}
      </Text>
      {!selection.all && page.total > count && (
        <Button variant="subtle" size="compact-sm" onClick={selection.selectAll}>
          {t.selection.all(page.total)}
        </Button>
      )}
      <span className={classes.grow} />
      <Button
        size="xs"
        leftSection={<IconRepeat size={15} aria-hidden />}
        onClick={() => {
          setUsed(true);
          setResending(true);
        }}
      >
        {t.selection.resend}
      </Button>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconX size={14} aria-hidden />}
        onClick={selection.clear}
      >
        {t.selection.clear}
      </Button>
      <Suspense>
        {used && (
          <BulkResendDialog
            selection={
              selection.all
                ? { matching: { channel, status, search, sort } }
                : { unitIds: selection.rows.map(({ unitId }) => unitId) }
            }
            opened={resending}
            onClose={() => setResending(false)}
            onDone={selection.clear}
          />
        )}
      </Suspense>
    </section>
  );
}

import { ActionIcon, Group, Text, Tooltip } from "@mantine/core";
import { IconAlertTriangle, IconRefresh } from "@tabler/icons-react";
import { useLanguage } from "../../i18n/Language";
import { relativeTime } from "../../time/format";
import { useNow } from "../../time/useNow";
import classes from "./Freshness.module.css";
import { useTrackCenter } from "./TrackCenterProvider";

/** 'updated 12 seconds ago', whether it renews itself, and a button that does it now. */
export function Freshness() {
  const { text: t, code } = useLanguage();
  const { updatedAt, refreshing, stale, interval, refresh } = useTrackCenter();
  const now = Math.max(useNow(), updatedAt);
  if (!updatedAt) return null;
  const age = now - updatedAt;
  return (
    <Group gap={6} wrap="nowrap">
      {stale ? (
        <Text size="sm" c="var(--tc-red-fg)" className={classes.line}>
          <IconAlertTriangle size={14} aria-hidden /> {t.freshness.stale}
        </Text>
      ) : (
        interval !== false && (
          <Tooltip label={t.freshness.live}>
            <span className={classes.live} role="img" aria-label={t.freshness.live} />
          </Tooltip>
        )
      )}
      <Text size="sm" c="dimmed" className={classes.line}>
        {t.freshness.updated}{" "}
        {age < 5_000 ? t.freshness.now : relativeTime(new Date(updatedAt).toISOString(), now, code)}
      </Text>
      <Tooltip label={t.freshness.refresh}>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={t.freshness.refresh}
          onClick={refresh}
          data-busy={refreshing || undefined}
          className={classes.refresh}
        >
          <IconRefresh size={16} aria-hidden />
        </ActionIcon>
      </Tooltip>
    </Group>
  );
}

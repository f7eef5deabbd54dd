import { ActionIcon, Checkbox, Popover, Stack, Tooltip } from "@mantine/core";
import { IconColumns3 } from "@tabler/icons-react";
import { useText } from "../../i18n/Language";
import { columnNames } from "../track-center/filters";
import { useTrackCenter } from "../track-center/TrackCenterProvider";

/** Shows and hides columns of the table; what is hidden stands in the link. */
export function ColumnMenu() {
  const t = useText();
  const { filters, set } = useTrackCenter();
  const labels: Record<(typeof columnNames)[number], string> = {
    recipient: t.units.recipient,
    EMAIL: t.channelShort.EMAIL,
    SMS: t.channelShort.SMS,
    LETTER: t.channelShort.LETTER,
    lastEvent: t.units.lastEvent,
  };
  return (
    <Popover position="bottom-end" shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <Tooltip label={t.units.columns}>
          <ActionIcon variant="default" size={36} aria-label={t.units.columns}>
            <IconColumns3 size={18} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown aria-label={t.units.columns}>
        <Stack gap="xs">
          {columnNames.map((name) => (
            <Checkbox
              key={name}
              label={labels[name]}
              checked={!filters.hide.includes(name)}
              onChange={(event) =>
                void set({
                  hide: event.currentTarget.checked
                    ? filters.hide.filter((other) => other !== name)
                    : [...filters.hide, name],
                })
              }
            />
          ))}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

import { Button, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch, IconX } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useText } from "../../i18n/Language";
import { channels, statuses } from "../track-center/filters";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { ColumnMenu } from "./ColumnMenu";
import classes from "./TrackUnitTable.module.css";

/** Which units are listed: search, channel, status; and which columns stand in the list. */
export function UnitFilterBar({
  searchRef,
}: {
  searchRef: React.RefObject<HTMLInputElement | null>;
}) {
  const t = useText();
  const { filters, filter } = useTrackCenter();
  const [text, setText] = useState(filters.search);
  const asked = useRef(filters.search);
  const ask = useDebouncedCallback((value: string) => {
    asked.current = value;
    void filter({ search: value });
  }, 250);
  useEffect(() => {
    // Back, forward or 'clear' changed it: follow. Our own words are already in the field.
    if (filters.search !== asked.current) {
      asked.current = filters.search;
      setText(filters.search);
    }
  }, [filters.search]);
  const active = filters.channel !== null || filters.status !== null || filters.search !== "";
  return (
    <search className={classes.filters}>
      <TextInput
        ref={searchRef}
        type="search"
        className={classes.search}
        aria-label={t.units.search}
        aria-keyshortcuts="/"
        placeholder={t.units.search}
        leftSection={<IconSearch size={16} aria-hidden />}
        rightSection={text === "" ? <kbd className={classes.key}>/</kbd> : null}
        value={text}
        maxLength={100}
        onChange={(event) => {
          setText(event.currentTarget.value);
          ask(event.currentTarget.value.trim());
        }}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      <Select
        className={classes.choice}
        aria-label={t.units.channel}
        placeholder={t.units.allChannels}
        data={channels.map((value) => ({ value, label: t.channels[value] }))}
        value={filters.channel}
        onChange={(value) =>
          void filter({ channel: channels.find((known) => known === value) ?? null })
        }
        clearable
        clearButtonProps={{ "aria-label": t.units.clear, tabIndex: -1 }}
        allowDeselect
        comboboxProps={{ shadow: "md" }}
      />
      <Select
        className={classes.choice}
        aria-label={t.units.status}
        placeholder={t.units.allStatuses}
        data={statuses.map((value) => ({ value, label: t.statuses[value] }))}
        value={filters.status}
        onChange={(value) =>
          void filter({ status: statuses.find((known) => known === value) ?? null })
        }
        clearable
        clearButtonProps={{ "aria-label": t.units.clear, tabIndex: -1 }}
        allowDeselect
        maxDropdownHeight={320}
        comboboxProps={{ shadow: "md" }}
      />
      {active && (
        <Button
          variant="subtle"
          leftSection={<IconX size={14} aria-hidden />}
          onClick={() => void filter({ channel: null, status: null, search: "" })}
        >
          {t.units.clear}
        </Button>
      )}
      <span className={classes.columnMenu}>
        <ColumnMenu />
      </span>
    </search>
  );
}

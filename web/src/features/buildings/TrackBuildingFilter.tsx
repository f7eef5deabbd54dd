import { Combobox, InputBase, ScrollArea, Skeleton, Text, useCombobox } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconBuilding, IconSelector } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { BuildingOut, BuildingStats } from "../../client";
import { useLanguage } from "../../i18n/Language";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { buildingLimit, buildingsQuery } from "./queries";
import classes from "./TrackBuildingFilter.module.css";
import { useAhead } from "./useAhead";

/** What left us successfully so far; a letter that lies here ready to be printed has not. */
const gone = (stats: BuildingStats) =>
  stats.sent - stats.readyToPrint + stats.delivered + stats.opened;

function matches(building: BuildingOut, wanted: string): boolean {
  const text = `${building.code} ${building.name} ${building.address}`.toLocaleLowerCase();
  return wanted
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Buildings at the top of the list that are read when it opens: most often one of them is meant. */
const readAhead = 4;

/** Searchable choice of the building; those with most failures need attention first. */
export function TrackBuildingFilter() {
  const { text: t, code } = useLanguage();
  const { building, buildings, filters, set } = useTrackCenter();
  const ahead = useAhead(filters);
  const [search, setSearch] = useState("");
  const [wanted] = useDebouncedValue(search, 200);
  const combobox = useCombobox({
    onDropdownClose: () => {
      setSearch("");
      combobox.resetSelectedOption();
    },
    onDropdownOpen: () => {
      combobox.focusSearchInput();
      for (const { id } of everything.slice(0, readAhead)) void ahead(id);
    },
  });
  const everything = (buildings.data?.items ?? []).toSorted(
    (a, b) => b.stats.failed - a.stats.failed || a.name.localeCompare(b.name),
  );
  // The whole list is here unless there are very many: only then does the server search.
  const partial = everything.length >= buildingLimit && buildings.data?.nextCursor != null;
  const found = useQuery({ ...buildingsQuery(wanted), enabled: partial && wanted !== "" });
  const shown =
    partial && wanted
      ? (found.data?.items ?? [])
      : everything.filter((item) => matches(item, search));

  if (buildings.isPending) {
    return (
      <div>
        <Skeleton height={14} width={70} mb={8} />
        <Skeleton height={48} radius="md" mb={12} />
        <Skeleton height={62} radius="md" />
      </div>
    );
  }
  // The error stands in the middle of the page.
  if (!buildings.data) return null;
  return (
    <div>
      <Text component="label" htmlFor="building" size="sm" fw={600} display="block" mb={6}>
        {t.building.label}
      </Text>
      <Combobox
        store={combobox}
        onOptionSubmit={(id) => {
          combobox.closeDropdown();
          void set({
            buildingId: id,
            year: null,
            // The list of what is to do is of all buildings: who chooses one wants to see that.
            view: filters.view === "work" ? null : filters.view,
            unit: null,
            communication: null,
            after: null,
            page: null,
            example: null,
          });
        }}
      >
        <Combobox.Target targetType="button">
          <InputBase
            id="building"
            component="button"
            type="button"
            pointer
            multiline
            disabled={everything.length === 0}
            aria-label={`${t.building.label}: ${building?.name ?? t.building.none}`}
            leftSection={<IconBuilding size={18} aria-hidden />}
            rightSection={<IconSelector size={16} aria-hidden />}
            rightSectionPointerEvents="none"
            onClick={() => combobox.toggleDropdown()}
          >
            <span className={classes.chosen}>
              <span className={classes.name}>{building?.name ?? t.building.none}</span>
              {building && <span className={classes.code}>{building.code}</span>}
            </span>
          </InputBase>
        </Combobox.Target>
        <Combobox.Dropdown className={classes.dropdown}>
          <Combobox.Search
            value={search}
            onChange={(event) => {
              setSearch(event.currentTarget.value);
              combobox.selectFirstOption();
            }}
            placeholder={t.building.search}
            aria-label={t.building.search}
          />
          <Combobox.Options aria-label={t.building.label}>
            <ScrollArea.Autosize mah={380} type="auto">
              {shown.length === 0 && <Combobox.Empty>{t.building.noMatch}</Combobox.Empty>}
              {shown.map((item) => (
                <Combobox.Option
                  key={item.id}
                  value={item.id}
                  active={item.id === building?.id}
                  className={classes.option}
                  onPointerEnter={() => void ahead(item.id)}
                >
                  <span className={classes.name}>{item.name}</span>
                  <span className={classes.code}>
                    {item.code} · {t.building.units(item.unitCount)}
                  </span>
                  <span className={classes.figures}>
                    <span>
                      {t.building.sent} {gone(item.stats).toLocaleString(code)}
                    </span>
                    <span data-tone={item.stats.failed > 0 ? "red" : undefined}>
                      {t.building.failed} {item.stats.failed.toLocaleString(code)}
                    </span>
                    <span data-tone={item.stats.manual > 0 ? "brown" : undefined}>
                      {t.building.manual} {item.stats.manual.toLocaleString(code)}
                    </span>
                  </span>
                </Combobox.Option>
              ))}
            </ScrollArea.Autosize>
          </Combobox.Options>
        </Combobox.Dropdown>
      </Combobox>
      {building && <QuickStats building={building} />}
    </div>
  );
}

function QuickStats({ building }: { building: BuildingOut }) {
  const { text: t, code } = useLanguage();
  const { stats } = building;
  return (
    <div className={classes.quick}>
      <Text size="sm" c="dimmed">
        {building.address}
      </Text>
      <Text size="sm" c="dimmed">
        {t.building.units(building.unitCount)} · {t.building.quickStats}
      </Text>
      <dl className={classes.tiles}>
        <div>
          <dt>{t.building.sent}</dt>
          <dd>{gone(stats).toLocaleString(code)}</dd>
        </div>
        <div data-tone={stats.failed > 0 ? "red" : undefined}>
          <dt>{t.building.failed}</dt>
          <dd>{stats.failed.toLocaleString(code)}</dd>
        </div>
        <div data-tone={stats.manual > 0 ? "brown" : undefined}>
          <dt>{t.building.manual}</dt>
          <dd>{stats.manual.toLocaleString(code)}</dd>
        </div>
      </dl>
    </div>
  );
}

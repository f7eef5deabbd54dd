import { Button, Group, Skeleton, Tabs, Text } from "@mantine/core";
import {
  IconActivity,
  IconBuilding,
  IconFileExport,
  IconLayoutList,
  IconUpload,
} from "@tabler/icons-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useText } from "../../i18n/Language";
import { BatchBar } from "../batches/BatchBar";
import { TrackBuildingFilter } from "../buildings/TrackBuildingFilter";
import { TrackYearTimeline } from "../buildings/TrackYearTimeline";
import { DocumentLookup } from "../documents/DocumentLookup";
import { TrackSummaryCards } from "../summary/TrackSummaryCards";
import { DraftNotice } from "../templates/DraftNotice";
import { TrackUnitTable } from "../units/TrackUnitTable";
import { toWork } from "../worklists/WorkButton";
import { BuildingMenu } from "./BuildingMenu";
import { EmptyState } from "./EmptyState";
import { Freshness } from "./Freshness";
import { tabs } from "./filters";
import { ProblemNotice } from "./ProblemNotice";
import classes from "./TrackCenterPage.module.css";
import { TrackCenterProvider, useTrackCenter } from "./TrackCenterProvider";
import { TrackHeader } from "./TrackHeader";
import { useKeys } from "./useKeys";

const ActivityFeed = lazy(() => import("../activity/ActivityFeed"));
const ExportPanel = lazy(() => import("../exports/ExportPanel"));
const TrackUnitDrawer = lazy(() => import("../units/TrackUnitDrawer"));
const UnitPage = lazy(() => import("../units/UnitPage"));
const TemplatesPage = lazy(() => import("../templates/TemplatesPage"));
const WorkPage = lazy(() => import("../worklists/WorkPage"));
const ImportWizard = lazy(() => import("../imports/ImportWizard"));
const KeyboardHelp = lazy(() => import("./KeyboardHelp"));

/** The whole screen at /track. */
export function TrackCenterPage() {
  return (
    <TrackCenterProvider>
      <Frame />
    </TrackCenterProvider>
  );
}

function Frame() {
  const t = useText();
  const { filters, set } = useTrackCenter();
  const lookup = useRef<HTMLInputElement>(null);
  const [help, setHelp] = useState(false);
  const [importing, setImporting] = useState(false);
  const [importUsed, setImportUsed] = useState(false);
  // Loaded with their first use, and kept from then on, so that they can slide out.
  const [helpUsed, setHelpUsed] = useState(false);
  const [drawerUsed, setDrawerUsed] = useState(false);
  if (help && !helpUsed) setHelpUsed(true);
  if (filters.unit !== null && !drawerUsed) setDrawerUsed(true);
  if (importing && !importUsed) setImportUsed(true);
  useKeys({
    "?": () => setHelp(true),
    d: () => lookup.current?.select(),
    t: () => void set(toWork),
  });
  return (
    <>
      <a href="#content" className="tc-skip">
        {t.skipToContent}
      </a>
      <TrackHeader onHelp={() => setHelp(true)} onImport={() => setImporting(true)} />
      <div className={classes.columns}>
        <aside
          className={classes.side}
          aria-label={t.building.label}
          data-all-buildings={filters.view === "work" || undefined}
        >
          <TrackBuildingFilter />
          <TrackYearTimeline />
          <DocumentLookup inputRef={lookup} />
        </aside>
        <main id="content" className={classes.main} tabIndex={-1}>
          <Content onImport={() => setImporting(true)} />
        </main>
      </div>
      <Suspense>
        {drawerUsed && <TrackUnitDrawer />}
        {importUsed && <ImportWizard opened={importing} onClose={() => setImporting(false)} />}
        {helpUsed && <KeyboardHelp opened={help} onClose={() => setHelp(false)} />}
      </Suspense>
    </>
  );
}

function Content({ onImport }: { onImport: () => void }) {
  const t = useText();
  const { building, buildings, noBuilding, years, year, filters, set, canWrite } = useTrackCenter();
  const place = building && year !== undefined ? `${building.name} ${year} · ` : "";
  useEffect(() => {
    if (!filters.full && !filters.view) document.title = `${place}${t.product}`;
  }, [place, filters.full, filters.view, t]);
  if (buildings.error && !buildings.data) {
    return (
      <>
        <h1 className={classes.hidden}>{t.product}</h1>
        <ProblemNotice error={buildings.error} onRetry={() => void buildings.refetch()} />
      </>
    );
  }
  if (noBuilding) {
    return (
      <>
        <h1 className={classes.hidden}>{t.product}</h1>
        <div className={classes.card}>
          {filters.buildingId ? (
            <EmptyState icon={IconBuilding} title={t.common.loadFailed} hint={t.common.gone} />
          ) : (
            <EmptyState icon={IconBuilding} title={t.building.none} hint={t.building.noneHint}>
              {canWrite && (
                <Button
                  mt="xs"
                  leftSection={<IconUpload size={16} aria-hidden />}
                  onClick={onImport}
                >
                  {t.imports.open}
                </Button>
              )}
            </EmptyState>
          )}
        </div>
      </>
    );
  }
  if (filters.full && filters.unit) {
    return (
      <Suspense fallback={<Skeleton height={400} radius="md" />}>
        <UnitPage unitId={filters.unit} />
      </Suspense>
    );
  }
  if (filters.view === "work") {
    return (
      <Suspense fallback={<Skeleton height={400} radius="md" />}>
        <WorkPage />
      </Suspense>
    );
  }
  if (filters.view === "templates" && building) {
    return (
      <>
        <DraftNotice />
        <Suspense fallback={<Skeleton height={400} radius="md" />}>
          <TemplatesPage key={building.id} building={building} />
        </Suspense>
      </>
    );
  }
  return (
    <>
      <DraftNotice />
      <div className={classes.heading}>
        {building ? (
          <div>
            <h1 className={classes.title}>
              {building.name} <span className={classes.year}>{year}</span>
            </h1>
            {building.address && (
              <Text size="sm" c="dimmed">
                {building.address}
              </Text>
            )}
          </div>
        ) : (
          <h1 className={classes.title} aria-busy>
            <Skeleton component="span" display="block" height={30} width={260} />
            <span className={classes.hidden}>{t.product}</span>
          </h1>
        )}
        <Group gap="sm">
          {building && canWrite && <BuildingMenu />}
          <Freshness />
        </Group>
      </div>
      {years.error && !years.data ? (
        <ProblemNotice error={years.error} onRetry={years.refetch} />
      ) : (
        <>
          <BatchBar />
          <TrackSummaryCards />
          <Tabs
            value={filters.tab}
            onChange={(value) =>
              void set({ tab: tabs.find((known) => known === value) ?? "units" })
            }
            keepMounted={false}
            classNames={{ list: classes.tabs }}
          >
            <Tabs.List mb="md">
              <Tabs.Tab value="units" leftSection={<IconLayoutList size={16} aria-hidden />}>
                {t.tabs.units}
              </Tabs.Tab>
              <Tabs.Tab value="activity" leftSection={<IconActivity size={16} aria-hidden />}>
                {t.tabs.activity}
              </Tabs.Tab>
              <Tabs.Tab value="exports" leftSection={<IconFileExport size={16} aria-hidden />}>
                {t.tabs.exports}
              </Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="units">
              <TrackUnitTable />
            </Tabs.Panel>
            <Tabs.Panel value="activity">
              <Suspense fallback={<Skeleton height={300} radius="md" />}>
                <ActivityFeed />
              </Suspense>
            </Tabs.Panel>
            <Tabs.Panel value="exports">
              <Suspense fallback={<Skeleton height={300} radius="md" />}>
                <ExportPanel />
              </Suspense>
            </Tabs.Panel>
          </Tabs>
        </>
      )}
    </>
  );
}

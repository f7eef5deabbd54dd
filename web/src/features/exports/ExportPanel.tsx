import {
  Alert,
  Anchor,
  Button,
  Checkbox,
  Group,
  Modal,
  Progress,
  SegmentedControl,
  Skeleton,
  Stack,
  Text,
  Tooltip,
} from "@mantine/core";
import {
  type Icon,
  IconAlertCircle,
  IconCheck,
  IconClock,
  IconDownload,
  IconFileExport,
  IconFileSpreadsheet,
  IconLoader,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { ExportFilters, ExportIn, ExportOut } from "../../client";
import type { Dictionary } from "../../i18n/en";
import { useLanguage, useText } from "../../i18n/Language";
import { fileSize } from "../../i18n/sizes";
import { problemText } from "../../problems";
import { TimeStamp } from "../../time/TimeStamp";
import { announceDone } from "../communications/FormDialog";
import type { Tone } from "../communications/StatusBadge";
import badge from "../communications/StatusBadge.module.css";
import { RetentionCard } from "../retention/RetentionCard";
import { EmptyState } from "../track-center/EmptyState";
import { ProblemNotice } from "../track-center/ProblemNotice";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import classes from "./ExportPanel.module.css";
import { exportsQuery, useRequestExport } from "./queries";

const looks: Record<ExportOut["status"], { icon: Icon; tone: Tone }> = {
  PENDING: { icon: IconClock, tone: "gray" },
  RUNNING: { icon: IconLoader, tone: "blue" },
  READY: { icon: IconCheck, tone: "green" },
  FAILED: { icon: IconAlertCircle, tone: "red" },
};

type Names = ReadonlyMap<string, string>;

/** What an export holds, as words: one for each filter. */
function filterWords(filters: ExportFilters, buildings: Names, t: Dictionary): string[] {
  const { buildingId, year, channel, status, search } = filters;
  const words = [
    buildingId ? (buildings.get(buildingId) ?? t.exports.oneBuilding) : t.exports.allBuildings,
    year ? String(year) : t.exports.allYears,
    ...(channel ? [t.channels[channel]] : []),
    ...(status ? [t.statuses[status]] : []),
    ...(search ? [`“${search}”`] : []),
  ];
  return words;
}

/** Files of communications: asked for with the filters of the screen, and fetched when written. */
export default function ExportPanel() {
  const t = useText();
  const { buildings } = useTrackCenter();
  const [asking, setAsking] = useState(false);
  const exports = useQuery(exportsQuery());
  const names: Names = new Map((buildings.data?.items ?? []).map(({ id, name }) => [id, name]));
  return (
    <div className={classes.columns}>
      <section aria-labelledby="exports-heading" className={classes.history}>
        <Group justify="space-between" mb="sm">
          <h2 id="exports-heading" className={classes.heading}>
            {t.exports.history}
          </h2>
          <Button
            leftSection={<IconFileExport size={16} aria-hidden />}
            onClick={() => setAsking(true)}
          >
            {t.exports.start}
          </Button>
        </Group>
        {exports.isPending ? (
          <Stack aria-busy>
            {[1, 2, 3].map((key) => (
              <Skeleton key={key} height={68} radius="md" />
            ))}
          </Stack>
        ) : !exports.data ? (
          <ProblemNotice error={exports.error} onRetry={() => void exports.refetch()} />
        ) : exports.data.items.length === 0 ? (
          <div className={classes.frame}>
            <EmptyState
              icon={IconFileSpreadsheet}
              title={t.exports.none}
              hint={t.exports.noneHint}
            />
          </div>
        ) : (
          <ol className={classes.frame} aria-live="polite">
            {exports.data.items.map((item) => (
              <ExportEntry key={item.id} item={item} names={names} />
            ))}
          </ol>
        )}
      </section>
      <aside className={classes.aside}>
        <section className={classes.info} aria-labelledby="gdpr-heading">
          <h2 id="gdpr-heading" className={classes.heading}>
            {t.exports.gdprTitle}
          </h2>
          {t.exports.gdpr.map((sentence) => (
            <Text key={sentence} size="sm" mt={6}>
              {sentence}
            </Text>
          ))}
        </section>
        <RetentionCard />
      </aside>
      <ExportDialog opened={asking} names={names} onClose={() => setAsking(false)} />
    </div>
  );
}

function ExportEntry({ item, names }: { item: ExportOut; names: Names }) {
  const { text: t, code } = useLanguage();
  const { timeZone } = useTrackCenter();
  const { icon: Picture, tone } = looks[item.status];
  return (
    <li className={classes.entry}>
      <div className={classes.grow}>
        <Text size="sm" fw={550}>
          {filterWords(item.filters, names, t).join(" · ")}
        </Text>
        <Text size="xs" c="dimmed">
          {item.format.toUpperCase()} ·{" "}
          <TimeStamp value={item.createdAt} timeZone={timeZone} focusable /> ·{" "}
          {item.requestedBy.username}
          {item.rowCount !== null && <> · {t.exports.rows(item.rowCount)}</>}
          {item.size !== null && <> · {fileSize(item.size, code)}</>}
        </Text>
        {item.sha256 && (
          <Tooltip label={`SHA-256 ${item.sha256}`}>
            <Text size="xs" c="dimmed" component="code">
              SHA-256 {item.sha256.slice(0, 12)}…
            </Text>
          </Tooltip>
        )}
        {item.status === "RUNNING" && (
          <Progress
            value={item.progress}
            mt={6}
            animated
            aria-label={t.exports.progress(item.progress)}
          />
        )}
        {item.reason && (
          <Text size="sm" c="var(--tc-red-fg)">
            {item.reason}
          </Text>
        )}
      </div>
      <span className={badge.badge} data-tone={tone}>
        <Picture size={14} aria-hidden className={badge.icon} />
        {t.exports.statuses[item.status]}
        {item.status === "RUNNING" && ` ${item.progress} %`}
      </span>
      {item.url ? (
        <Stack gap={0} align="flex-end">
          <Anchor href={item.url} download={item.fileName} size="sm" className={classes.download}>
            <IconDownload size={16} aria-hidden />
            {t.exports.download}
            <span className={badge.hidden}>: {item.fileName}</span>
          </Anchor>
          {item.expiresAt && (
            <Text size="xs" c="dimmed">
              {t.exports.keptUntil}{" "}
              <TimeStamp value={item.expiresAt} timeZone={timeZone} style="short" focusable />
            </Text>
          )}
        </Stack>
      ) : (
        item.status === "READY" && (
          <Text size="xs" c="dimmed">
            {t.exports.expired}
          </Text>
        )
      )}
    </li>
  );
}

interface ExportDialogProps {
  opened: boolean;
  names: Names;
  onClose: () => void;
}

const formats = ["csv", "xlsx"] as const satisfies NonNullable<ExportIn["format"]>[];

/** Says which filters will be used before anything is asked for; each can be left out. */
function ExportDialog({ opened, names, onClose }: ExportDialogProps) {
  const t = useText();
  const { building, year, filters } = useTrackCenter();
  const request = useRequestExport();
  const [format, setFormat] = useState<(typeof formats)[number]>("csv");
  const [left, setLeft] = useState<(keyof ExportFilters)[]>([]);
  const screen: ExportFilters = {
    ...(building ? { buildingId: building.id } : {}),
    ...(year !== undefined ? { year } : {}),
    ...(filters.channel ? { channel: filters.channel } : {}),
    ...(filters.status ? { status: filters.status } : {}),
    ...(filters.search ? { search: filters.search } : {}),
  };
  const given = Object.keys(screen) as (keyof ExportFilters)[];
  const used = Object.fromEntries(
    Object.entries(screen).filter(([name]) => !left.includes(name as keyof ExportFilters)),
  ) as ExportFilters;
  const labels: Record<keyof ExportFilters, string> = {
    buildingId: `${t.building.label}: ${names.get(screen.buildingId ?? "") ?? ""}`,
    year: `${t.years.label}: ${screen.year}`,
    channel: `${t.units.channel}: ${screen.channel ? t.channels[screen.channel] : ""}`,
    status: `${t.units.status}: ${screen.status ? t.statuses[screen.status] : ""}`,
    search: `${t.exports.search}: ${screen.search}`,
  };
  const close = () => {
    request.reset();
    setLeft([]);
    onClose();
  };
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={t.exports.dialogTitle}
      closeButtonProps={{ "aria-label": t.common.close }}
    >
      <Stack>
        <Text size="sm">{t.exports.dialogText}</Text>
        <Stack gap="xs">
          {given.map((name) => (
            <Checkbox
              key={name}
              label={labels[name]}
              checked={!left.includes(name)}
              onChange={(event) =>
                setLeft(
                  event.currentTarget.checked
                    ? left.filter((other) => other !== name)
                    : [...left, name],
                )
              }
            />
          ))}
        </Stack>
        <Text size="sm" c="dimmed" aria-live="polite">
          {t.exports.willHold} {filterWords(used, names, t).join(" · ")}
        </Text>
        <SegmentedControl
          aria-label={t.exports.format}
          value={format}
          onChange={(value) => setFormat(formats.find((known) => known === value) ?? format)}
          data={formats.map((value) => ({ value, label: t.exports.formats[value] }))}
        />
        {request.error && (
          <Alert color="red" title={t.exports.failed} role="alert">
            {problemText(request.error, t)}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t.common.cancel}
          </Button>
          <Button
            loading={request.isPending}
            leftSection={<IconFileExport size={16} aria-hidden />}
            onClick={() =>
              request.mutate(
                { filters: used, format },
                {
                  onSuccess: () => {
                    announceDone(t.exports.asked, t);
                    close();
                  },
                },
              )
            }
          >
            {t.exports.confirm}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

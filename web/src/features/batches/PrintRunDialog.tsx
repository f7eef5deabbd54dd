import {
  Alert,
  Anchor,
  Button,
  Group,
  Modal,
  Skeleton,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import {
  type Icon,
  IconAlertCircle,
  IconHourglass,
  IconMailbox,
  IconPrinter,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { PrintRunOut } from "../../client";
import { useLanguage } from "../../i18n/Language";
import { problemText, refusalOf } from "../../problems";
import { calendarDay, dayKey } from "../../time/format";
import { TimeStamp } from "../../time/TimeStamp";
import { announceDone } from "../communications/FormDialog";
import type { Tone } from "../communications/StatusBadge";
import badge from "../communications/StatusBadge.module.css";
import { FileDrop } from "../files/FileDrop";
import { largestProof, proofKinds } from "../files/proofs";
import { ProblemNotice } from "../track-center/ProblemNotice";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { useOpened } from "../track-center/useOpened";
import classes from "./PrintRunDialog.module.css";
import { printRunsQuery, useMakePrintRun, useMarkPosted } from "./queries";

const looks: Record<PrintRunOut["status"], { icon: Icon; tone: Tone }> = {
  PENDING: { icon: IconHourglass, tone: "blue" },
  READY: { icon: IconPrinter, tone: "amber" },
  FAILED: { icon: IconAlertCircle, tone: "red" },
  POSTED: { icon: IconMailbox, tone: "violet" },
};

interface PrintRunDialogProps {
  batchId: string;
  year: number;
  opened: boolean;
  onClose: () => void;
}

/** From letters that lie ready to letters in the post: make a run, print its files, mark it posted. */
export default function PrintRunDialog({ batchId, year, opened, onClose }: PrintRunDialogProps) {
  const { text: t } = useLanguage();
  const { canWrite } = useTrackCenter();
  const phone = useMediaQuery("(max-width: 760px)") ?? false;
  const runs = useQuery({ ...printRunsQuery(batchId), enabled: opened });
  const make = useMakePrintRun(batchId);
  const ready = runs.data?.ready ?? 0;
  return (
    <Modal
      opened={useOpened(opened)}
      onClose={() => {
        make.reset();
        onClose();
      }}
      size={680}
      fullScreen={phone}
      title={t.print.title(year)}
      closeButtonProps={{ "aria-label": t.common.close }}
    >
      {runs.isPending ? (
        <Stack aria-busy>
          <Skeleton height={60} radius="md" />
          <Skeleton height={110} radius="md" />
        </Stack>
      ) : !runs.data ? (
        <ProblemNotice error={runs.error} onRetry={() => void runs.refetch()} />
      ) : (
        <Stack>
          {/* What is ready was taken into the run below: there is nothing to say twice. */}
          {(ready > 0 || runs.data.items.length === 0) && (
            <Group justify="space-between" className={classes.ready}>
              <div>
                <Text size="sm" fw={600} aria-live="polite">
                  {t.print.ready(ready)}
                </Text>
                <Text size="sm" c="dimmed">
                  {ready > 0 ? t.print.readyHint : t.print.noneHint}
                </Text>
              </div>
              {canWrite && (
                <Button
                  disabled={ready === 0}
                  loading={make.isPending}
                  leftSection={<IconPrinter size={16} aria-hidden />}
                  onClick={() => make.mutate()}
                >
                  {t.print.make}
                </Button>
              )}
            </Group>
          )}
          {make.error && (
            <Alert color="red" title={t.print.failed} role="alert">
              {problemText(make.error, t)}
            </Alert>
          )}
          {runs.data.items.length > 0 && (
            <ol className={classes.runs} aria-label={t.print.runs}>
              {runs.data.items.map((run) => (
                <Run key={run.id} run={run} canWrite={canWrite} />
              ))}
            </ol>
          )}
        </Stack>
      )}
    </Modal>
  );
}

function Run({ run, canWrite }: { run: PrintRunOut; canWrite: boolean }) {
  const { text: t, code } = useLanguage();
  const { timeZone } = useTrackCenter();
  const { icon: Picture, tone } = looks[run.status];
  const files = [
    [t.print.letters, run.lettersUrl],
    [t.print.labels, run.labelsUrl],
    [t.print.slip, run.slipUrl],
  ] as const;
  return (
    <li className={classes.run}>
      <Group justify="space-between" align="flex-start">
        <div>
          <Text size="sm" fw={600}>
            {t.print.letterCount(run.letterCount)}
            {run.registeredCount > 0 && `, ${t.print.registered(run.registeredCount)}`}
          </Text>
          <Text size="xs" c="dimmed">
            <TimeStamp value={run.createdAt} timeZone={timeZone} focusable />
            {run.pageCount !== null && ` · ${t.print.pages(run.pageCount)}`}
            {run.postedOn && ` · ${t.print.postedOn(calendarDay(run.postedOn, code))}`}
          </Text>
        </div>
        <span className={badge.badge} data-tone={tone}>
          <Picture size={14} aria-hidden className={badge.icon} />
          {t.print.statuses[run.status]}
        </span>
      </Group>
      {run.reason && (
        <Text size="sm" c="var(--tc-red-fg)">
          {run.reason}
        </Text>
      )}
      {(run.scanUrl || files.some(([, url]) => url)) && (
        <Group gap="md">
          {files.map(
            ([label, url]) =>
              url && (
                <Anchor key={label} href={url} target="_blank" rel="noreferrer" size="sm">
                  {label} (PDF)
                  <span className={badge.hidden}> ({t.common.newTab})</span>
                </Anchor>
              ),
          )}
          {run.scanUrl && (
            <Anchor href={run.scanUrl} download={run.scanName ?? true} size="sm">
              {t.print.scan}
              <span className={badge.hidden}> ({run.scanName})</span>
            </Anchor>
          )}
        </Group>
      )}
      {canWrite && (run.status === "READY" || awaitsScan(run)) && <MarkPosted run={run} />}
    </li>
  );
}

/** A slip was stamped when these were posted, and nobody has brought its scan yet. */
const awaitsScan = (run: PrintRunOut) =>
  run.status === "POSTED" && run.registeredCount > 0 && !run.scanUrl;

/** The day they were brought to the post, in the building's time zone, and the slip it stamped. */
function MarkPosted({ run }: { run: PrintRunOut }) {
  const { text: t } = useLanguage();
  const { timeZone } = useTrackCenter();
  const mark = useMarkPosted();
  const today = dayKey(Date.now(), timeZone);
  const posted = run.postedOn;
  const [date, setDate] = useState(posted ?? today);
  const [scan, setScan] = useState<File | null>(null);
  const [scanProblem, setScanProblem] = useState<string>();
  const refusedScan = refusalOf(mark.error, t)?.field("scan");
  const problem = mark.error && !refusedScan ? problemText(mark.error, t) : undefined;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        mark.mutate(
          { id: run.id, date, scan },
          {
            onSuccess: () =>
              announceDone(posted ? t.print.scanAdded : t.print.posted(run.letterCount), t),
          },
        );
      }}
    >
      <Stack gap="sm">
        {(run.registeredCount > 0 || posted) && (
          <FileDrop
            label={`${t.print.scan}${posted ? "" : ` (${t.common.optional})`}`}
            hint={t.manual.proofHint}
            accept={proofKinds}
            maxSize={largestProof}
            camera
            file={scan}
            error={scanProblem ?? refusedScan}
            onFile={(file) => {
              setScanProblem(undefined);
              mark.reset();
              setScan(file);
            }}
            onRefused={setScanProblem}
          />
        )}
        <Group align="flex-end" gap="sm">
          {!posted && (
            <TextInput
              type="date"
              label={t.print.day}
              value={date}
              min={dayKey(run.createdAt, timeZone)}
              max={today}
              required
              size="sm"
              onChange={(event) => setDate(event.currentTarget.value)}
            />
          )}
          <Button
            type="submit"
            variant="default"
            loading={mark.isPending}
            disabled={date === "" || (posted !== null && !scan)}
            leftSection={<IconMailbox size={16} aria-hidden />}
          >
            {posted ? t.print.addScan : t.print.mark}
          </Button>
        </Group>
        {problem && (
          <Text size="sm" c="var(--mantine-color-error)" role="alert">
            {problem}
          </Text>
        )}
      </Stack>
    </form>
  );
}

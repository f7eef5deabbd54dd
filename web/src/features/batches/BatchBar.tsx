import { Button, Group, Progress as ProgressBar, Text } from "@mantine/core";
import { IconAlertTriangle, IconPrinter, IconSend } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import type { BuildingOut, YearOut } from "../../client";
import { useLanguage } from "../../i18n/Language";
import { allChannels } from "../communications/words";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import classes from "./BatchBar.module.css";
import { batchQuery } from "./queries";
import { follow, pendingOf, type Run, sizeOf, stillOpen } from "./sending";
import { messagesOf } from "./words";

const SendDialog = lazy(() => import("./SendDialog"));
const PrintRunDialog = lazy(() => import("./PrintRunDialog"));

/** Offers to send what waits, asks once with the number, then shows how it goes. */
export function BatchBar() {
  const { building, yearInfo } = useTrackCenter();
  if (!building || !yearInfo) return null;
  return <BatchBarOf key={yearInfo.batchId} building={building} yearInfo={yearInfo} />;
}

function BatchBarOf({ building, yearInfo }: { building: BuildingOut; yearInfo: YearOut }) {
  const { text: t, code } = useLanguage();
  const { canWrite } = useTrackCenter();
  const [dialog, setDialog] = useState<"send" | "print" | null>(null);
  // Loaded with their first use, and kept, so that they can slide out.
  const [used, setUsed] = useState({ send: false, print: false });
  if (dialog && !used[dialog]) setUsed({ ...used, [dialog]: true });
  const [run, setRun] = useState<Run | null>(null);
  const batch = useQuery(batchQuery(yearInfo.batchId));
  const progress = batch.data?.progress;
  const moving = batch.data?.batchStatus === "SENDING";
  // Seen at rest, then moving: what begins now is seen from its beginning.
  const [wasAtRest, setWasAtRest] = useState(false);
  if (batch.data && !moving && !wasAtRest) setWasAtRest(true);
  const followed = batch.data && moving ? follow(run, batch.data, wasAtRest) : run;
  if (followed !== run) setRun(followed);
  const size = batch.data && run ? sizeOf(run, batch.data) : 0;
  const done = batch.data ? size - stillOpen(batch.data, run) : 0;

  const waiting = allChannels.flatMap((channel) => {
    const count = yearInfo.channels[channel]?.pending ?? 0;
    return count > 0 ? [{ channel, count }] : [];
  });
  const parts = new Intl.ListFormat(code).format(
    waiting.map(({ channel, count }) => messagesOf(channel, count, t)),
  );
  const letters = [yearInfo.channels.LETTER, yearInfo.channels.LETTER_WITH_RECEIPT];
  const ready = letters.reduce((sum, stats) => sum + (stats?.readyToPrint ?? 0), 0);

  return (
    <>
      {progress && run && (
        <section className={classes.bar}>
          <div className={classes.grow}>
            <Group justify="space-between" mb={6} aria-live="polite">
              <Text size="sm" fw={550}>
                {moving ? t.batch.sending(done, size) : t.batch.finished(run.joined ? null : size)}
              </Text>
              {progress.failed > run.failedBefore && (
                <Text size="sm" c="var(--tc-red-fg)" className={classes.failed}>
                  <IconAlertTriangle size={14} aria-hidden />{" "}
                  {t.batch.failed(progress.failed - run.failedBefore)}
                </Text>
              )}
            </Group>
            <ProgressBar
              value={(100 * done) / size}
              animated={moving}
              aria-label={t.batch.started}
            />
          </div>
          {!moving && (
            <Button variant="subtle" size="xs" onClick={() => setRun(null)}>
              {t.batch.dismiss}
            </Button>
          )}
        </section>
      )}
      {waiting.length > 0 && !(moving && run?.staying === 0) && (
        <section className={classes.bar}>
          <Text size="sm" fw={550} className={classes.grow}>
            {t.batch.waiting(parts)}
            {!canWrite && (
              <Text span c="dimmed" size="sm">
                {" "}
                {t.batch.viewerHint}
              </Text>
            )}
          </Text>
          {canWrite && (
            <Button
              leftSection={<IconSend size={16} aria-hidden />}
              onClick={() => setDialog("send")}
            >
              {t.batch.send}
            </Button>
          )}
        </section>
      )}
      {ready > 0 && (
        <section className={classes.bar}>
          <Text size="sm" fw={550} className={classes.grow}>
            {t.print.ready(ready)}
          </Text>
          <Button
            variant="default"
            leftSection={<IconPrinter size={16} aria-hidden />}
            onClick={() => setDialog("print")}
          >
            {t.print.open}
          </Button>
        </section>
      )}
      <Suspense>
        {used.send && (
          <SendDialog
            opened={dialog === "send"}
            onClose={() => setDialog(null)}
            onStarted={(count) =>
              setRun({
                peak: count,
                joined: false,
                failedBefore: progress?.failed ?? 0,
                staying: (batch.data ? pendingOf(batch.data) : count) - count,
              })
            }
            batchId={yearInfo.batchId}
            year={yearInfo.year}
            building={building}
            waiting={waiting}
          />
        )}
        {used.print && (
          <PrintRunDialog
            batchId={yearInfo.batchId}
            year={yearInfo.year}
            opened={dialog === "print"}
            onClose={() => setDialog(null)}
          />
        )}
      </Suspense>
    </>
  );
}

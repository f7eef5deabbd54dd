import { Alert, Button, Checkbox, Group, Modal, Progress, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconSend } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { BuildingOut, YearOut } from "../../client";
import { useText } from "../../i18n/Language";
import { type Sendable, sendable } from "../communications/words";
import { problemText } from "../track-center/ProblemNotice";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import classes from "./BatchBar.module.css";
import { batchQuery, useSendBatch } from "./queries";

/** Offers to send what waits, asks once with the number, then shows how it goes. */
export function BatchBar() {
  const { building, yearInfo } = useTrackCenter();
  if (!building || !yearInfo) return null;
  return <BatchBarOf key={yearInfo.batchId} building={building} yearInfo={yearInfo} />;
}

function BatchBarOf({ building, yearInfo }: { building: BuildingOut; yearInfo: YearOut }) {
  const t = useText();
  const { canWrite } = useTrackCenter();
  const [asking, setAsking] = useState(false);
  /** The most that was queued at once, and the failures before: this run's own figures. */
  const [run, setRun] = useState<{ peak: number; failedBefore: number } | null>(null);
  const batch = useQuery(batchQuery(yearInfo.batchId));
  const progress = batch.data?.progress;
  const moving = (progress?.enqueued ?? 0) > 0;
  if (progress && progress.enqueued > (run?.peak ?? 0)) {
    setRun({ peak: progress.enqueued, failedBefore: run?.failedBefore ?? progress.failed });
  }

  const waiting = sendable.flatMap((channel) => {
    const count = yearInfo.channels[channel]?.pending ?? 0;
    return count > 0 ? [{ channel, count }] : [];
  });
  const parts = waiting
    .map(({ channel, count }) => (channel === "EMAIL" ? t.batch.emails(count) : t.batch.sms(count)))
    .join(` ${t.batch.and} `);

  return (
    <>
      {progress && run && (
        <section className={classes.bar}>
          <div className={classes.grow}>
            <Group justify="space-between" mb={6} aria-live="polite">
              <Text size="sm" fw={550}>
                {moving
                  ? t.batch.sending(run.peak - progress.enqueued, run.peak)
                  : t.batch.finished(run.peak)}
              </Text>
              {progress.failed > run.failedBefore && (
                <Text size="sm" c="var(--tc-red-fg)" className={classes.failed}>
                  <IconAlertTriangle size={14} aria-hidden />{" "}
                  {t.batch.failed(progress.failed - run.failedBefore)}
                </Text>
              )}
            </Group>
            <Progress
              value={(100 * (run.peak - progress.enqueued)) / run.peak}
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
      {waiting.length > 0 && (
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
              onClick={() => setAsking(true)}
            >
              {t.batch.send}
            </Button>
          )}
        </section>
      )}
      <SendDialog
        opened={asking}
        onClose={() => setAsking(false)}
        onStarted={(count) => setRun({ peak: count, failedBefore: progress?.failed ?? 0 })}
        batchId={yearInfo.batchId}
        year={yearInfo.year}
        building={building.name}
        waiting={waiting}
      />
    </>
  );
}

interface SendDialogProps {
  opened: boolean;
  onClose: () => void;
  onStarted: (count: number) => void;
  batchId: string;
  year: number;
  building: string;
  waiting: { channel: Sendable; count: number }[];
}

function SendDialog({
  opened,
  onClose,
  onStarted,
  batchId,
  year,
  building,
  waiting,
}: SendDialogProps) {
  const t = useText();
  const send = useSendBatch(batchId);
  const [left, setLeft] = useState<Sendable[]>([]);
  const chosen = waiting.filter(({ channel }) => !left.includes(channel));
  const count = chosen.reduce((sum, item) => sum + item.count, 0);
  const close = () => {
    send.reset();
    setLeft([]);
    onClose();
  };
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={t.batch.confirmTitle(year)}
      closeButtonProps={{ "aria-label": t.common.close }}
    >
      <Stack>
        <Text size="sm">{t.batch.confirmText(building)}</Text>
        <Stack gap="xs">
          {waiting.map(({ channel, count: messages }) => (
            <Checkbox
              key={channel}
              label={channel === "EMAIL" ? t.batch.emails(messages) : t.batch.sms(messages)}
              checked={!left.includes(channel)}
              onChange={(event) =>
                setLeft(
                  event.currentTarget.checked
                    ? left.filter((other) => other !== channel)
                    : [...left, channel],
                )
              }
            />
          ))}
        </Stack>
        {send.error && (
          <Alert color="red" title={t.batch.sendFailed} role="alert">
            {problemText(send.error, t)}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t.common.cancel}
          </Button>
          <Button
            loading={send.isPending}
            disabled={count === 0}
            leftSection={<IconSend size={16} aria-hidden />}
            onClick={() =>
              send.mutate(
                chosen.map(({ channel }) => channel),
                {
                  onSuccess: () => {
                    onStarted(count);
                    close();
                  },
                },
              )
            }
          >
            {count === 0 ? t.batch.chooseOne : t.batch.confirm(count)}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

import {
  Alert,
  Button,
  Checkbox,
  Group,
  Modal,
  Progress,
  Select,
  Skeleton,
  Stack,
  Table,
  Text,
  Textarea,
} from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconAlertTriangle, IconCircleCheck, IconRepeat } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "../../api";
import type { BulkResendOut, PlannedResend, ResendPlan } from "../../client";
import type { Dictionary } from "../../i18n/en";
import { useLanguage, useText } from "../../i18n/Language";
import { problemText } from "../../problems";
import { messagesOf } from "../batches/words";
import { ChannelIcon } from "../communications/ChannelIcon";
import { allChannels, type Channel } from "../communications/words";
import { ProblemNotice } from "../track-center/ProblemNotice";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { useOpened } from "../track-center/useOpened";
import classes from "./BulkResendDialog.module.css";
import { choiceOf, planQuery, type Selection, useBulkResend, useProgress } from "./queries";

interface BulkResendDialogProps {
  selection: Selection;
  opened: boolean;
  onClose: () => void;
  /** It was confirmed: the selection has served its purpose. */
  onDone: () => void;
}

/**
 * First a dry run: who, through what, what changed since, what would be a repeat. Then the number.
 * From the confirmation on it is the server's work, and goes on without this dialog.
 */
export default function BulkResendDialog({
  selection,
  opened,
  onClose,
  onDone,
}: BulkResendDialogProps) {
  const t = useText();
  const { yearInfo, filters } = useTrackCenter();
  const phone = useMediaQuery("(max-width: 760px)") ?? false;
  const [onlyFailed, setOnlyFailed] = useState(true);
  const [through, setThrough] = useState<Channel | null>(null);
  const [repeats, setRepeats] = useState(false);
  const [note, setNote] = useState("");
  const batchId = yearInfo?.batchId ?? "";
  const choice = {
    ...choiceOf(selection, {
      channel: filters.channel,
      status: filters.status ?? (onlyFailed ? "FAILED" : null),
    }),
    through,
    repeats,
  };
  const resend = useBulkResend(batchId);
  const confirmed = resend.data !== undefined;
  const plan = useQuery({
    ...planQuery(batchId, choice),
    enabled: opened && batchId !== "" && !confirmed,
  });
  const progress = useProgress(resend.data?.id);
  const now = progress.data ?? resend.data;
  const looking = plan.isPlaceholderData || plan.isFetching;

  const confirm = ({ key, lookedAt, going }: ResendPlan) =>
    resend.mutate(
      { ...choice, key, lookedAt, expected: going, note: note.trim() || null },
      {
        onError: (error) => {
          // What is confirmed must be what was seen.
          if (error instanceof ApiError && error.status === 409) void plan.refetch();
        },
      },
    );
  const close = () => {
    resend.reset();
    setNote("");
    setRepeats(false);
    if (confirmed) onDone();
    onClose();
  };

  return (
    <Modal
      opened={useOpened(opened)}
      onClose={close}
      size={900}
      fullScreen={phone}
      title={t.bulk.title}
      closeButtonProps={{ "aria-label": t.common.close }}
    >
      <Stack>
        {now ? (
          <Going now={now} />
        ) : (
          <>
            <Group grow align="flex-start" preventGrowOverflow={false}>
              {filters.status === null && (
                <Select
                  label={t.bulk.which}
                  data={[
                    { value: "failed", label: t.bulk.onlyFailed },
                    { value: "all", label: t.bulk.all },
                  ]}
                  value={onlyFailed ? "failed" : "all"}
                  allowDeselect={false}
                  onChange={(value) => setOnlyFailed(value === "failed")}
                />
              )}
              <Select
                label={t.bulk.through}
                data={[
                  { value: "own", label: t.bulk.ownChannel },
                  ...allChannels.map((value) => ({ value, label: t.channels[value] })),
                ]}
                value={through ?? "own"}
                allowDeselect={false}
                onChange={(value) =>
                  setThrough(allChannels.find((known) => known === value) ?? null)
                }
              />
            </Group>
            {plan.error && <ProblemNotice error={plan.error} onRetry={() => void plan.refetch()} />}
            {plan.isPending && <Skeleton height={180} radius="md" aria-label={t.bulk.looking} />}
            {plan.data && (
              <div className={looking ? classes.looking : undefined} aria-busy={looking}>
                <Stack>
                  <Figures plan={plan.data} status={filters.status} />
                  {plan.data.repeats > 0 && (
                    <Checkbox
                      label={t.bulk.withRepeats(plan.data.repeats)}
                      checked={repeats}
                      onChange={(event) => setRepeats(event.currentTarget.checked)}
                    />
                  )}
                  {plan.data.examples.length > 0 && <PlanTable plan={plan.data} narrow={phone} />}
                </Stack>
              </div>
            )}
            {plan.data && (
              <Textarea
                label={t.resend.note}
                description={`${t.resend.noteHint} (${t.common.optional})`}
                autosize
                minRows={1}
                maxLength={4000}
                value={note}
                onChange={(event) => setNote(event.currentTarget.value)}
              />
            )}
            {resend.error && (
              <Alert color="red" icon={<IconAlertTriangle />} title={t.bulk.failed} role="alert">
                {refusal(resend.error, t)}
              </Alert>
            )}
          </>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close} disabled={resend.isPending}>
            {confirmed ? t.common.close : t.common.cancel}
          </Button>
          {!confirmed && (
            <Button
              leftSection={<IconRepeat size={16} aria-hidden />}
              disabled={!plan.data || plan.data.going === 0 || looking}
              loading={resend.isPending}
              onClick={() => plan.data && confirm(plan.data)}
            >
              {t.bulk.confirm(plan.data?.going ?? 0)}
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}

function refusal(error: Error, t: Dictionary): string {
  const status = error instanceof ApiError ? error.status : undefined;
  if (status === 409) return t.bulk.changed;
  return status === 0 ? `${problemText(error, t)} ${t.bulk.again}` : problemText(error, t);
}

interface FiguresProps {
  plan: ResendPlan;
  status: keyof Dictionary["statuses"] | null;
}

function Figures({ plan, status }: FiguresProps) {
  const { text: t, code } = useLanguage();
  const channels = allChannels.flatMap((channel) => {
    const number = plan.byChannel[channel] ?? 0;
    return number > 0 ? [messagesOf(channel, number, t)] : [];
  });
  const obstacles = (["unreachable", "inQueue", "notYet", "cancelled"] as const).flatMap((name) => {
    const number = plan.obstacles[name] ?? 0;
    return number > 0 ? [`${number.toLocaleString(code)}: ${t.bulk.obstacles[name]}`] : [];
  });
  return (
    <div aria-live="polite">
      {status && (
        <Text size="sm" c="dimmed">
          {t.bulk.withStatus(t.statuses[status])}
        </Text>
      )}
      <Text size="sm" fw={600}>
        {plan.total === 0 ? t.bulk.nothing : channels.join(" · ") || t.bulk.nothingPossible}
      </Text>
      {plan.corrected > 0 && (
        <Text size="sm" c="dimmed">
          {t.bulk.corrected(plan.corrected)}
        </Text>
      )}
      {obstacles.map((line) => (
        <Text key={line} size="sm" c="dimmed">
          {line}
        </Text>
      ))}
    </div>
  );
}

function PlanTable({ plan, narrow }: { plan: ResendPlan; narrow: boolean }) {
  const t = useText();
  const remarked = plan.examples.some(
    ({ obstacle, repeat, correctedFrom }) => obstacle ?? repeat ?? correctedFrom,
  );
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
      <section className={classes.list} tabIndex={0} aria-label={t.bulk.list}>
        <Table stickyHeader fz="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t.units.unit}</Table.Th>
              {!narrow && <Table.Th>{t.units.recipient}</Table.Th>}
              <Table.Th>{t.bulk.to}</Table.Th>
              {remarked && <Table.Th>{t.bulk.remark}</Table.Th>}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {plan.examples.map((one) => (
              <Table.Tr key={one.communicationId} className={one.goes ? undefined : classes.out}>
                <Table.Td>
                  <span className={classes.unit}>{one.unitNumber}</span>
                  {narrow && <span className={classes.recipient}>{one.recipientName}</span>}
                </Table.Td>
                {!narrow && <Table.Td>{one.recipientName}</Table.Td>}
                <Table.Td>
                  <span className={classes.to}>
                    <span role="img" aria-label={t.channels[one.channel]}>
                      <ChannelIcon channel={one.channel} size={15} />
                    </span>
                    {one.to || "–"}
                  </span>
                </Table.Td>
                {remarked && (
                  <Table.Td className={classes.remark}>
                    <Remark one={one} />
                  </Table.Td>
                )}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
      {plan.total > plan.examples.length && (
        <Text size="sm" c="dimmed">
          {t.bulk.more(plan.total - plan.examples.length)}
        </Text>
      )}
    </>
  );
}

function Remark({ one }: { one: PlannedResend }) {
  const t = useText();
  const remarks = [
    ...(one.obstacle ? [t.bulk.obstacles[one.obstacle]] : []),
    ...(one.repeat ? [t.bulk.repeats[one.repeat]] : []),
    ...(one.correctedFrom !== null ? [t.bulk.correctedFrom(one.correctedFrom || "–")] : []),
  ];
  return remarks.join(" ") || "–";
}

/** Under way, or done: how many, and what was left alone. */
function Going({ now }: { now: BulkResendOut }) {
  const t = useText();
  const decided = now.resent + now.skipped;
  if (!now.finishedAt) {
    return (
      <div aria-live="polite">
        <Text size="sm" mb={6}>
          {t.bulk.sending(decided, now.total)}
        </Text>
        <Progress
          value={(100 * decided) / now.total}
          animated
          aria-label={t.bulk.sending(decided, now.total)}
        />
        <Text size="sm" c="dimmed" mt={6}>
          {t.bulk.whileSending}
        </Text>
      </div>
    );
  }
  const partly = now.skipped > 0;
  return (
    <Alert
      color={partly ? "yellow" : "teal"}
      icon={partly ? <IconAlertTriangle /> : <IconCircleCheck />}
      title={t.bulk.done(now.resent)}
      role="status"
      classNames={{
        root: partly ? classes.partly : classes.done,
        title: classes.ink,
        icon: classes.ink,
      }}
    >
      {partly && (
        <>
          <Text size="sm" c="inherit">
            {t.bulk.skipped(now.skipped)}
          </Text>
          <ul className={classes.refusals}>
            {now.skippedItems.map((one) => (
              <li key={one.communicationId}>
                {t.drawer.title(one.unitNumber)}, {one.recipientName}:{" "}
                {t.bulk.obstacles[one.reason]}
              </li>
            ))}
          </ul>
        </>
      )}
    </Alert>
  );
}

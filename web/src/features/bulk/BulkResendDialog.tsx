import {
  Alert,
  Button,
  Checkbox,
  Group,
  Modal,
  Progress,
  Select,
  Stack,
  Table,
  Text,
  Textarea,
} from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconAlertTriangle, IconCircleCheck, IconRefresh, IconRepeat } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useText } from "../../i18n/Language";
import { messagesOf } from "../batches/words";
import { ChannelIcon } from "../communications/ChannelIcon";
import { allChannels, type Channel } from "../communications/words";
import { ProblemNotice, problemText } from "../track-center/ProblemNotice";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { useOpened } from "../track-center/useOpened";
import classes from "./BulkResendDialog.module.css";
import type { Planned, Wanted } from "./plan";
import { plansOf, type Refusal, type Selection, useBulkResend, useDryRun } from "./queries";

/** Messages listed in the dialog; the figures above the list are of all. */
const listed = 100;

interface BulkResendDialogProps {
  selection: Selection;
  opened: boolean;
  onClose: () => void;
  /** All went: the selection has served its purpose. */
  onDone: () => void;
}

/** First a dry run: who, through what, what changed since, what would be a repeat. Then the number. */
export default function BulkResendDialog({
  selection,
  opened,
  onClose,
  onDone,
}: BulkResendDialogProps) {
  const t = useText();
  const { building, year, filters } = useTrackCenter();
  const phone = useMediaQuery("(max-width: 760px)") ?? false;
  const [wanted, setWanted] = useState<Wanted>(filters.status === null ? "failed" : "all");
  const [through, setThrough] = useState<Channel | null>(null);
  const [repeats, setRepeats] = useState(false);
  const [note, setNote] = useState("");
  const [progress, setProgress] = useState({ done: 0, total: 0 });
  /** Accepted before the last try: those that were refused are tried again on their own. */
  const [before, setBefore] = useState(0);
  const dryRun = useDryRun();
  const resend = useBulkResend();
  const watch = (done: number, total: number) => setProgress({ done, total });

  // Looked up again for every opening and every other choice of messages.
  const look = useRef(() => {});
  useEffect(() => {
    look.current = () => {
      if (!building || year === undefined) return;
      dryRun.mutate({
        selection,
        buildingId: building.id,
        year,
        filters: { channel: filters.channel, status: filters.status },
        wanted,
        onProgress: watch,
      });
    };
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: `wanted` asks for another look
  useEffect(() => {
    if (opened) look.current();
  }, [opened, wanted]);

  const plans = dryRun.data ? plansOf(dryRun.data, through, note.trim()) : [];
  const possible = plans.filter(({ obstacle }) => obstacle === null);
  const going = possible.filter(({ repeat }) => repeats || repeat === null);
  const working = resend.isPending;
  const finished = resend.data !== undefined || before > 0;
  const left = dryRun.data?.left ?? 0;
  // What waits in this tab only is lost with it, so it asks.
  useEffect(() => {
    if (!working) return;
    const holdBack = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", holdBack);
    return () => window.removeEventListener("beforeunload", holdBack);
  }, [working]);

  const start = (chosen: Planned[]) => {
    setProgress({ done: 0, total: chosen.length });
    resend.mutate({ plans: chosen, onProgress: watch });
  };
  const again = (refusals: Refusal[], sent: number) => {
    setBefore(before + sent);
    start(refusals.map(({ planned }) => planned));
  };
  /** Another look: what was resent is no longer among those that failed. */
  const rest = () => {
    resend.reset();
    setBefore(0);
    look.current();
  };
  const close = () => {
    if (working) return;
    resend.reset();
    dryRun.reset();
    setBefore(0);
    setNote("");
    setRepeats(false);
    if (finished) onDone();
    onClose();
  };

  return (
    <Modal
      opened={useOpened(opened)}
      onClose={close}
      size={900}
      fullScreen={phone}
      title={t.bulk.title}
      closeOnClickOutside={!working}
      closeButtonProps={{ "aria-label": t.common.close }}
    >
      <Stack>
        {resend.data ? (
          <Outcome sent={before + resend.data.sent} refusals={resend.data.refusals} />
        ) : (
          <>
            <Group grow align="flex-start" preventGrowOverflow={false}>
              <Select
                label={t.bulk.which}
                data={[
                  { value: "failed", label: t.bulk.onlyFailed },
                  {
                    value: "all",
                    label: filters.status
                      ? t.bulk.withStatus(t.statuses[filters.status])
                      : t.bulk.all,
                  },
                ]}
                value={wanted}
                allowDeselect={false}
                disabled={working}
                onChange={(value) => setWanted(value === "all" ? "all" : "failed")}
              />
              <Select
                label={t.bulk.through}
                data={[
                  { value: "own", label: t.bulk.ownChannel },
                  ...allChannels.map((value) => ({ value, label: t.channels[value] })),
                ]}
                value={through ?? "own"}
                allowDeselect={false}
                disabled={working}
                onChange={(value) =>
                  setThrough(allChannels.find((known) => known === value) ?? null)
                }
              />
            </Group>
            {dryRun.isPending && (
              <div aria-live="polite">
                <Text size="sm" mb={6}>
                  {t.bulk.looking(progress.done, progress.total)}
                </Text>
                <Progress
                  value={progress.total > 0 ? (100 * progress.done) / progress.total : 0}
                  aria-label={t.bulk.looking(progress.done, progress.total)}
                />
              </div>
            )}
            {dryRun.error && <ProblemNotice error={dryRun.error} onRetry={() => look.current()} />}
            {dryRun.data && (
              <>
                <Figures plans={plans} left={dryRun.data.left} />
                {possible.some(({ repeat }) => repeat !== null) && (
                  <Checkbox
                    label={t.bulk.withRepeats(
                      possible.filter(({ repeat }) => repeat !== null).length,
                    )}
                    checked={repeats}
                    disabled={working}
                    onChange={(event) => setRepeats(event.currentTarget.checked)}
                  />
                )}
                {plans.length > 0 && <PlanTable plans={plans} going={new Set(going)} />}
                <Textarea
                  label={t.resend.note}
                  description={`${t.resend.noteHint} (${t.common.optional})`}
                  autosize
                  minRows={1}
                  maxLength={4000}
                  value={note}
                  disabled={working}
                  onChange={(event) => setNote(event.currentTarget.value)}
                />
              </>
            )}
            {working ? (
              <div aria-live="polite">
                <Text size="sm" mb={6}>
                  {t.bulk.sending(progress.done, progress.total)}
                </Text>
                <Progress
                  value={(100 * progress.done) / Math.max(1, progress.total)}
                  animated
                  aria-label={t.bulk.sending(progress.done, progress.total)}
                />
                <Text size="sm" c="dimmed" mt={6}>
                  {t.bulk.whileSending}
                </Text>
              </div>
            ) : (
              going.length > 0 && (
                <Text size="sm" c="dimmed">
                  {t.bulk.eachAlone}
                </Text>
              )
            )}
          </>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close} disabled={working}>
            {resend.data ? t.common.close : t.common.cancel}
          </Button>
          {resend.data ? (
            <>
              {resend.data.refusals.length > 0 && (
                <Button
                  variant={left > 0 ? "default" : "filled"}
                  leftSection={<IconRefresh size={16} aria-hidden />}
                  onClick={() => resend.data && again(resend.data.refusals, resend.data.sent)}
                >
                  {t.bulk.again(resend.data.refusals.length)}
                </Button>
              )}
              {left > 0 && wanted === "failed" && (
                <Button onClick={rest}>{t.bulk.rest(left)}</Button>
              )}
            </>
          ) : (
            <Button
              leftSection={<IconRepeat size={16} aria-hidden />}
              disabled={going.length === 0 || dryRun.isPending}
              loading={working}
              onClick={() => start(going)}
            >
              {t.bulk.confirm(going.length)}
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}

function Figures({ plans, left }: { plans: Planned[]; left: number }) {
  const t = useText();
  const count = (test: (plan: Planned) => boolean) => plans.filter(test).length;
  const channels = allChannels.flatMap((channel) => {
    const number = count((plan) => plan.channel === channel && plan.obstacle === null);
    return number > 0 ? [messagesOf(channel, number, t)] : [];
  });
  const corrected = count(({ correctedFrom }) => correctedFrom !== null);
  const stuck = count(({ obstacle }) => obstacle !== null);
  return (
    <div aria-live="polite">
      <Text size="sm" fw={600}>
        {plans.length === 0 ? t.bulk.nothing : channels.join(" · ") || t.bulk.nothingPossible}
      </Text>
      {corrected > 0 && (
        <Text size="sm" c="dimmed">
          {t.bulk.corrected(corrected)}
        </Text>
      )}
      {stuck > 0 && (
        <Text size="sm" c="dimmed">
          {t.bulk.stuck(stuck)}
        </Text>
      )}
      {left > 0 && (
        <Text size="sm" c="var(--tc-amber-fg)">
          {t.bulk.tooMany(left)}
        </Text>
      )}
    </div>
  );
}

function PlanTable({ plans, going }: { plans: Planned[]; going: Set<Planned> }) {
  const t = useText();
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
      <section className={classes.list} tabIndex={0} aria-label={t.bulk.list}>
        <Table stickyHeader fz="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t.units.unit}</Table.Th>
              <Table.Th>{t.units.recipient}</Table.Th>
              <Table.Th>{t.bulk.to}</Table.Th>
              <Table.Th>{t.bulk.remark}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {plans.slice(0, listed).map((plan) => (
              <Table.Tr key={plan.id} className={going.has(plan) ? undefined : classes.out}>
                <Table.Td className={classes.unit}>{plan.unitNumber}</Table.Td>
                <Table.Td>{plan.recipientName}</Table.Td>
                <Table.Td>
                  <span className={classes.to}>
                    <span role="img" aria-label={t.channels[plan.channel]}>
                      <ChannelIcon channel={plan.channel} size={15} />
                    </span>
                    {plan.to || "–"}
                  </span>
                </Table.Td>
                <Table.Td>
                  {[
                    ...(plan.obstacle ? [t.bulk.obstacles[plan.obstacle]] : []),
                    ...(plan.repeat ? [t.bulk.repeats[plan.repeat]] : []),
                    ...(plan.correctedFrom !== null
                      ? [t.bulk.correctedFrom(plan.correctedFrom || "–")]
                      : []),
                  ].join(" ") || "–"}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
      {plans.length > listed && (
        <Text size="sm" c="dimmed">
          {t.bulk.more(plans.length - listed)}
        </Text>
      )}
    </>
  );
}

function Outcome({ sent, refusals }: { sent: number; refusals: Refusal[] }) {
  const t = useText();
  return (
    <Alert
      color={refusals.length > 0 ? "yellow" : "teal"}
      icon={refusals.length > 0 ? <IconAlertTriangle /> : <IconCircleCheck />}
      title={t.bulk.done(sent)}
      role="status"
      classNames={{
        root: refusals.length > 0 ? classes.partly : classes.done,
        title: classes.ink,
        icon: classes.ink,
      }}
    >
      {refusals.length > 0 && (
        <>
          <Text size="sm" c="inherit">
            {t.bulk.refused(refusals.length)}
          </Text>
          <ul className={classes.refusals}>
            {refusals.slice(0, listed).map(({ planned, reason }) => (
              <li key={planned.id}>
                {t.drawer.title(planned.unitNumber)}, {planned.recipientName}:{" "}
                {problemText(reason, t)}
              </li>
            ))}
          </ul>
        </>
      )}
    </Alert>
  );
}

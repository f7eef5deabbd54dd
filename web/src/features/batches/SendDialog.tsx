import { Alert, Button, Checkbox, Group, Modal, Skeleton, Stack, Tabs, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconSend } from "@tabler/icons-react";
import { useQueries, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { BuildingOut, SmsEstimate } from "../../client";
import { useLanguage, useText } from "../../i18n/Language";
import { problemText } from "../../problems";
import { ChannelIcon } from "../communications/ChannelIcon";
import { MessageView } from "../communications/MessageView";
import { isLetter } from "../communications/StatusBadge";
import type { Channel } from "../communications/words";
import { ProblemNotice } from "../track-center/ProblemNotice";
import { useOpened } from "../track-center/useOpened";
import { estimateQuery, previewQuery, sampleCount, samplesQuery, useSendBatch } from "./queries";
import classes from "./SendDialog.module.css";
import { messagesOf } from "./words";

interface SendDialogProps {
  opened: boolean;
  onClose: () => void;
  onStarted: (count: number) => void;
  batchId: string;
  year: number;
  building: BuildingOut;
  waiting: { channel: Channel; count: number }[];
}

/** What will leave through which channel, what it costs, how it looks; then, with the number, go. */
export default function SendDialog({
  opened,
  onClose,
  onStarted,
  batchId,
  year,
  building,
  waiting,
}: SendDialogProps) {
  const t = useText();
  const phone = useMediaQuery("(max-width: 760px)") ?? false;
  const send = useSendBatch(batchId);
  const estimate = useQuery({ ...estimateQuery(batchId), enabled: opened });
  const [left, setLeft] = useState<Channel[]>([]);
  const chosen = waiting.filter(({ channel }) => !left.includes(channel));
  const count = chosen.reduce((sum, item) => sum + item.count, 0);
  const close = () => {
    send.reset();
    setLeft([]);
    onClose();
  };
  return (
    <Modal
      opened={useOpened(opened)}
      onClose={close}
      size={760}
      fullScreen={phone}
      title={t.batch.confirmTitle(year)}
      closeButtonProps={{ "aria-label": t.common.close }}
    >
      <Stack>
        <Text size="sm">{t.batch.confirmText(building.name)}</Text>
        <ul className={classes.channels}>
          {waiting.map(({ channel, count: messages }) => (
            <li key={channel}>
              <Checkbox
                label={messagesOf(channel, messages, t)}
                checked={!left.includes(channel)}
                onChange={(event) =>
                  setLeft(
                    event.currentTarget.checked
                      ? left.filter((other) => other !== channel)
                      : [...left, channel],
                  )
                }
              />
              <Text size="sm" c="dimmed" className={classes.hint}>
                {isLetter(channel) ? (
                  t.batch.letterHint
                ) : channel === "SMS" ? (
                  <SmsHint sms={estimate.data?.channels.SMS?.sms ?? null} />
                ) : (
                  t.batch.emailHint
                )}
              </Text>
            </li>
          ))}
        </ul>
        <Samples
          key={chosen.map(({ channel }) => channel).join()}
          building={building}
          year={year}
          channels={chosen.map(({ channel }) => channel)}
          enabled={opened}
        />
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

/** Text messages are paid by segment, so that is what their number alone does not say. */
function SmsHint({ sms }: { sms: SmsEstimate | null }) {
  const { text: t, code } = useLanguage();
  if (!sms) return t.batch.smsHint;
  const cost = sms.costHint
    ? new Intl.NumberFormat(code, { style: "currency", currency: sms.costHint.currency }).format(
        Number(sms.costHint.amount),
      )
    : null;
  return [
    t.batch.segments(sms.segments, sms.exact),
    ...(cost ? [t.batch.cost(cost)] : []),
    ...(sms.ucs2 > 0 ? [t.batch.ucs2(sms.ucs2)] : []),
    ...(sms.failing > 0 ? [t.batch.willFail(sms.failing)] : []),
  ].join(" · ");
}

interface SamplesProps {
  building: BuildingOut;
  year: number;
  channels: Channel[];
  enabled: boolean;
}

/** Three of the very messages that will be sent, from as many channels as there are. */
function Samples({ building, year, channels, enabled }: SamplesProps) {
  const t = useText();
  const found = useQueries({
    queries: channels.map((channel) => ({
      ...samplesQuery(building.id, year, channel),
      enabled,
    })),
  });
  const lists = found.map(({ data }) => data ?? []);
  const samples = Array.from({ length: sampleCount }, (_, row) =>
    lists.flatMap((list) => list.slice(row, row + 1)),
  )
    .flat()
    .slice(0, sampleCount);
  if (channels.length === 0) return null;
  const first = samples[0];
  if (!first) return <Skeleton height={200} radius="md" />;
  return (
    <section aria-label={t.batch.samples}>
      <Text size="sm" fw={600} mb={6}>
        {t.batch.samples}
      </Text>
      <Tabs defaultValue={first.id} keepMounted={false} variant="pills" key={first.id}>
        <Tabs.List mb="sm">
          {samples.map(({ id, channel, unitNumber }) => (
            <Tabs.Tab key={id} value={id} leftSection={<ChannelIcon channel={channel} />}>
              {t.channelShort[channel]} · {t.drawer.title(unitNumber)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {samples.map(({ id }) => (
          <Tabs.Panel key={id} value={id}>
            <Sample id={id} />
          </Tabs.Panel>
        ))}
      </Tabs>
    </section>
  );
}

function Sample({ id }: { id: string }) {
  const t = useText();
  const preview = useQuery(previewQuery(id));
  if (preview.isPending) return <Skeleton height={260} radius="md" />;
  if (!preview.data)
    return <ProblemNotice error={preview.error} onRetry={() => void preview.refetch()} />;
  const { recipientName, recipient, subject, htmlUrl, text, sms, pdfUrl, channel } = preview.data;
  return (
    <div className={classes.sample}>
      <Text size="sm" mb="sm">
        {t.drawer.to}: {recipientName}, {recipient.replaceAll("\n", ", ")}
        {subject && (
          <>
            <br />
            {t.drawer.subject}: {subject}
          </>
        )}
      </Text>
      <MessageView
        htmlUrl={htmlUrl}
        text={text}
        sms={sms}
        pdfs={
          pdfUrl
            ? [
                {
                  label: t.drawer.attachmentKinds[isLetter(channel) ? "LETTER" : "STATEMENT"],
                  url: pdfUrl,
                },
              ]
            : []
        }
      />
    </div>
  );
}

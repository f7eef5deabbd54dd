import { Alert, SegmentedControl, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { useState } from "react";
import { ApiError } from "../../api";
import type { CommunicationOut, ResendIn } from "../../client";
import { useText } from "../../i18n/Language";
import { announceDone, announceRollback, FormDialog } from "./FormDialog";
import { useResend } from "./queries";
import { type Channel, type Sendable, sendable } from "./words";

interface ResendFormProps {
  communication: CommunicationOut;
  opened: boolean;
  onOpen: () => void;
  onClose: () => void;
}

/** Good enough to catch a slip; the server has the last word. */
const emailShape = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
/** International form: a correction names no country that could complete it. */
const phoneShape = /^\+[\d\s()/.-]{6,24}$/;

const asSendable = (channel: Channel): Sendable =>
  sendable.find((known) => known === channel) ?? "EMAIL";

/** Where this channel's last attempt went, else what the billing file says. */
function lastContact(communication: CommunicationOut, channel: Sendable): string {
  const used = communication.attempts.findLast((attempt) => attempt.channel === channel)?.recipient;
  const billed =
    channel === "EMAIL" ? communication.recipient.email : communication.recipient.phone;
  return used || billed || "";
}

/** A second try: through which channel, to which (corrected) contact, and why. */
export function ResendForm({ communication, opened, onOpen, onClose }: ResendFormProps) {
  const t = useText();
  const resend = useResend(communication.id);
  const { recipient } = communication;
  const [channel, setChannel] = useState<Sendable>(() => asSendable(communication.channel));
  const [typedEmail, setEmail] = useState<string>();
  const [typedPhone, setPhone] = useState<string>();
  const [note, setNote] = useState("");
  const [checked, setChecked] = useState(false);

  const email = typedEmail ?? lastContact(communication, "EMAIL");
  const phone = typedPhone ?? lastContact(communication, "SMS");
  // Only a correction is checked: the billing file's own contact passed the import.
  const emailProblem =
    emailShape.test(email.trim()) || (email !== "" && email === recipient.email)
      ? undefined
      : t.resend.emailInvalid;
  const phoneProblem =
    phoneShape.test(phone.trim()) || (phone !== "" && phone === recipient.phone)
      ? undefined
      : t.resend.phoneInvalid;
  const problem = channel === "EMAIL" ? emailProblem : phoneProblem;
  const refused = resend.error instanceof ApiError ? resend.error : null;

  const request = (): ResendIn => {
    const body: ResendIn = { channel };
    if (note.trim()) body.note = note.trim();
    // A correction holds for one attempt: whatever differs from the billing file must be said again.
    if (channel === "EMAIL" && email.trim() !== recipient.email) {
      body.contact = { email: email.trim() };
    } else if (channel === "SMS" && phone.trim() !== recipient.phone) {
      body.contact = { phone: phone.trim() };
    }
    return body;
  };

  const submit = () => {
    setChecked(true);
    if (problem) return;
    // The timeline shows it at once; if the server refuses, it goes again and the form comes back.
    onClose();
    resend.mutate(request(), {
      onSuccess: () => {
        announceDone(t.resend.done, t);
        setEmail(undefined);
        setPhone(undefined);
        setNote("");
        setChecked(false);
      },
      onError: (error) => {
        announceRollback(t.resend.failed, error, t);
        onOpen();
      },
    });
  };

  return (
    <FormDialog
      title={t.resend.title(t.drawer.title(communication.unit.number))}
      opened={opened}
      onClose={onClose}
      onSubmit={submit}
      submitLabel={t.resend.submit}
      error={resend.error}
      errorTitle={t.resend.failed}
    >
      <Warning communication={communication} />
      <Stack gap={4}>
        <Text size="sm" fw={500} id="resend-channel">
          {t.resend.channel}
        </Text>
        <SegmentedControl
          aria-labelledby="resend-channel"
          fullWidth
          value={channel}
          onChange={(value) => setChannel(sendable.find((known) => known === value) ?? channel)}
          data={sendable.map((value) => ({ value, label: t.channelShort[value] }))}
        />
      </Stack>
      {channel === "EMAIL" ? (
        <TextInput
          type="email"
          autoComplete="off"
          label={t.resend.email}
          description={t.resend.correctedHint}
          value={email}
          error={(checked ? emailProblem : undefined) ?? refused?.field("email")}
          onChange={(event) => setEmail(event.currentTarget.value)}
          data-autofocus
          required
        />
      ) : (
        <TextInput
          type="tel"
          autoComplete="off"
          label={t.resend.phone}
          description={`${t.resend.phoneHint}. ${t.resend.correctedHint}`}
          value={phone}
          error={(checked ? phoneProblem : undefined) ?? refused?.field("phone")}
          onChange={(event) => setPhone(event.currentTarget.value)}
          data-autofocus
          required
        />
      )}
      <Textarea
        label={t.resend.note}
        description={`${t.resend.noteHint} (${t.common.optional})`}
        autosize
        minRows={2}
        maxLength={4000}
        value={note}
        error={refused?.field("note")}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
    </FormDialog>
  );
}

function Warning({ communication }: { communication: CommunicationOut }) {
  const t = useText();
  const { deliveryStatus, outcomeUnknown } = communication;
  const arrived =
    deliveryStatus === "DELIVERED" || deliveryStatus === "OPENED" || deliveryStatus === "MANUAL";
  if (!arrived && !outcomeUnknown) return null;
  return (
    <Alert color="yellow" icon={<IconInfoCircle />}>
      {arrived ? t.resend.alreadyArrived : t.resend.unknown}
    </Alert>
  );
}

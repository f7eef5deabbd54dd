import { Alert, Group, SegmentedControl, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { useState } from "react";
import type { AddressIn, CommunicationOut, ResendIn } from "../../client";
import type { Dictionary } from "../../i18n/en";
import { useText } from "../../i18n/Language";
import { refusalOf } from "../../problems";
import { billedAddress, correctedAddress, likelyContact } from "./contact";
import { announceDone, announceRollback, FormDialog } from "./FormDialog";
import { useResend } from "./queries";
import { methodOf } from "./renderers";
import { isLetter } from "./StatusBadge";
import { allChannels, type Channel } from "./words";

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
const countryShape = /^[A-Z]{2}$/;

const addressParts = ["street", "street2", "postcode", "city", "country"] as const;
type AddressPart = (typeof addressParts)[number];

/** Where this channel's last attempt went, else what the billing file says. */
function lastContact(communication: CommunicationOut, channel: "EMAIL" | "SMS"): string {
  const used = communication.attempts.findLast((attempt) => attempt.channel === channel)?.recipient;
  return used || likelyContact(communication, channel);
}

/** A second try: through which channel, to which (corrected) contact, and why. */
export function ResendForm({ communication, opened, onOpen, onClose }: ResendFormProps) {
  const t = useText();
  const resend = useResend(communication.id);
  const { recipient } = communication;
  const [channel, setChannel] = useState<Channel>(communication.channel);
  const [typedEmail, setEmail] = useState<string>();
  const [typedPhone, setPhone] = useState<string>();
  const [typedAddress, setAddress] = useState<Partial<Record<AddressPart, string>>>({});
  const [note, setNote] = useState("");
  const [checked, setChecked] = useState(false);
  // What the person has seen: should another attempt begin while this form is open, it is refused.
  const [seen, setSeen] = useState<number>();
  const [wasOpened, setWasOpened] = useState(false);
  if (opened !== wasOpened) {
    setWasOpened(opened);
    if (opened) setSeen(communication.attempts.at(-1)?.number);
  }

  const email = typedEmail ?? lastContact(communication, "EMAIL");
  const phone = typedPhone ?? lastContact(communication, "SMS");
  const billed = billedAddress(recipient);
  const address = { ...billed, ...correctedAddress(communication), ...typedAddress };
  // Only a correction is checked: the billing file's own contact passed the import.
  const emailProblem =
    emailShape.test(email.trim()) || (email !== "" && email === recipient.email)
      ? undefined
      : t.resend.emailInvalid;
  const phoneProblem =
    phoneShape.test(phone.trim()) || (phone !== "" && phone === recipient.phone)
      ? undefined
      : t.resend.phoneInvalid;
  const addressProblem = (part: AddressPart): string | undefined => {
    if (part === "country" && !countryShape.test(address.country ?? ""))
      return t.resend.countryInvalid;
    return part === "street2" || address[part]?.trim() ? undefined : t.resend.required;
  };
  const problem =
    channel === "EMAIL"
      ? emailProblem
      : channel === "SMS"
        ? phoneProblem
        : addressParts.map(addressProblem).find((one) => one !== undefined);
  const refused = refusalOf(resend.error, t);

  const request = (): ResendIn => {
    const body: ResendIn = { channel, ...(seen === undefined ? {} : { afterAttempt: seen }) };
    if (note.trim()) body.note = note.trim();
    // A correction holds for one attempt: whatever differs from the billing file must be said again.
    if (channel === "EMAIL" && email.trim() !== recipient.email) {
      body.contact = { email: email.trim() };
    } else if (channel === "SMS" && phone.trim() !== recipient.phone) {
      body.contact = { phone: phone.trim() };
    } else if (isLetter(channel) && addressParts.some((part) => address[part] !== billed[part])) {
      body.contact = { address: wireAddress(address) };
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
        setAddress({});
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
      <Warnings communication={communication} />
      <Stack gap={4}>
        <Text size="sm" fw={600} id="resend-channel">
          {t.resend.channel}
        </Text>
        <SegmentedControl
          aria-labelledby="resend-channel"
          fullWidth
          value={channel}
          onChange={(value) => setChannel(allChannels.find((known) => known === value) ?? channel)}
          data={allChannels.map((value) => ({ value, label: t.channelShort[value] }))}
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
      ) : channel === "SMS" ? (
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
      ) : (
        <AddressFields
          address={address}
          problemOf={(part) => (checked ? addressProblem(part) : undefined) ?? refused?.field(part)}
          onChange={(part, value) => setAddress({ ...typedAddress, [part]: value })}
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

/** As the API wants it: trimmed, and without an empty second line. */
function wireAddress(address: Partial<Record<AddressPart, string | null>>): AddressIn {
  const part = (name: AddressPart) => (address[name] ?? "").trim();
  return {
    street: part("street"),
    ...(part("street2") ? { street2: part("street2") } : {}),
    postcode: part("postcode"),
    city: part("city"),
    country: part("country"),
  };
}

interface AddressFieldsProps {
  address: Partial<Record<AddressPart, string | null>>;
  problemOf: (part: AddressPart) => string | undefined;
  onChange: (part: AddressPart, value: string) => void;
}

/** A letter needs a whole address; it is written over the billing file's for this attempt. */
function AddressFields({ address, problemOf, onChange }: AddressFieldsProps) {
  const t = useText();
  const fieldOf = (part: AddressPart, required = true) => ({
    label: t.resend.address[part],
    autoComplete: "off",
    value: address[part] ?? "",
    required,
    error: problemOf(part),
    onChange: (event: React.ChangeEvent<HTMLInputElement>) =>
      onChange(part, event.currentTarget.value),
  });
  return (
    <Stack gap="xs">
      <Text size="xs" c="dimmed">
        {t.resend.correctedHint}
      </Text>
      <TextInput {...fieldOf("street")} data-autofocus />
      <TextInput {...fieldOf("street2", false)} />
      <Group grow wrap="nowrap" align="flex-start" preventGrowOverflow={false}>
        <TextInput {...fieldOf("postcode")} maw={120} />
        <TextInput {...fieldOf("city")} />
        <TextInput
          {...fieldOf("country")}
          maw={90}
          maxLength={2}
          onChange={(event) => onChange("country", event.currentTarget.value.toUpperCase())}
        />
      </Group>
    </Stack>
  );
}

/** Why the recipient may get it twice. */
function warningsOf(communication: CommunicationOut, t: Dictionary): string[] {
  const { deliveryStatus, outcomeUnknown, inUnpostedRun, events } = communication;
  const warnings = [];
  if (deliveryStatus === "DELIVERED" || deliveryStatus === "OPENED") {
    warnings.push(t.resend.alreadyArrived);
  } else if (deliveryStatus === "MANUAL") {
    // A person's word says how it went out, not always that it arrived.
    const marked = events.findLast(({ type }) => type === "MANUAL_MARKED");
    warnings.push(t.resend.markedByHand(marked ? methodOf(marked, t) : undefined));
  } else if (outcomeUnknown) {
    warnings.push(t.resend.unknown);
  }
  if (inUnpostedRun) warnings.push(t.resend.inUnpostedRun);
  return warnings;
}

function Warnings({ communication }: { communication: CommunicationOut }) {
  const t = useText();
  return warningsOf(communication, t).map((text) => (
    <Alert key={text} color="yellow" icon={<IconInfoCircle />}>
      {text}
    </Alert>
  ));
}

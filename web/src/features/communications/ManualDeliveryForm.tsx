import { Select, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { ApiError } from "../../api";
import { useText } from "../../i18n/Language";
import { wallClockToIso } from "../../time/format";
import { FileDrop } from "../files/FileDrop";
import { largestProof, proofKinds } from "../files/proofs";
import { announceDone, announceRollback, FormDialog } from "./FormDialog";
import { type ManualEvent, useManualEvent } from "./queries";

const types = [
  "POSTAL_DELIVERY",
  "HAND_DELIVERY",
  "RECEIPT_CONFIRMED",
  "OTHER",
  "RETURNED",
] as const satisfies ManualEvent["type"][];

interface ManualDeliveryFormProps {
  id: string;
  timeZone: string;
  opened: boolean;
  onOpen: () => void;
  onClose: () => void;
}

/** A person vouches for a delivery (or reports mail that came back), with a note saying why. */
export function ManualDeliveryForm({
  id,
  timeZone,
  opened,
  onOpen,
  onClose,
}: ManualDeliveryFormProps) {
  const t = useText();
  const mark = useManualEvent(id);
  const [type, setType] = useState<ManualEvent["type"]>("POSTAL_DELIVERY");
  const [when, setWhen] = useState("");
  const [note, setNote] = useState("");
  const [proof, setProof] = useState<File | null>(null);
  const [proofProblem, setProofProblem] = useState<string>();
  const [checked, setChecked] = useState(false);
  const refused = mark.error instanceof ApiError ? mark.error : null;

  const submit = () => {
    setChecked(true);
    if (!note.trim()) return;
    onClose();
    mark.mutate(
      {
        type,
        note: note.trim(),
        ...(proof ? { proof } : {}),
        ...(when ? { occurredAt: wallClockToIso(when, timeZone) } : {}),
      },
      {
        onSuccess: () => {
          announceDone(t.manual.done, t);
          setNote("");
          setWhen("");
          setProof(null);
          setChecked(false);
        },
        onError: (error) => {
          announceRollback(t.manual.failed, error, t);
          onOpen();
        },
      },
    );
  };

  return (
    <FormDialog
      title={t.manual.title}
      opened={opened}
      onClose={onClose}
      onSubmit={submit}
      submitLabel={t.manual.submit}
      error={mark.error}
      errorTitle={t.manual.failed}
    >
      <Select
        label={t.manual.type}
        data={types.map((value) => ({ value, label: t.manual.types[value] }))}
        value={type}
        allowDeselect={false}
        onChange={(value) => setType(types.find((known) => known === value) ?? type)}
        error={refused?.field("type")}
      />
      <TextInput
        type="datetime-local"
        label={t.manual.when}
        description={t.manual.whenHint(timeZone)}
        value={when}
        error={refused?.field("occurredAt")}
        onChange={(event) => setWhen(event.currentTarget.value)}
      />
      <Textarea
        label={t.manual.note}
        description={t.manual.noteHint}
        required
        autosize
        minRows={3}
        maxLength={2000}
        value={note}
        error={(checked && !note.trim() ? t.resend.required : undefined) ?? refused?.field("note")}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <FileDrop
        label={`${t.manual.proof} (${t.common.optional})`}
        hint={t.manual.proofHint}
        accept={proofKinds}
        maxSize={largestProof}
        camera
        file={proof}
        error={proofProblem ?? refused?.field("proofFile")}
        onFile={(file) => {
          setProofProblem(undefined);
          setProof(file);
        }}
        onRefused={setProofProblem}
      />
    </FormDialog>
  );
}

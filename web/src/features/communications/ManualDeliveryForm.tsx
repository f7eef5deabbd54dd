import { Select, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { useText } from "../../i18n/Language";
import { refusalOf } from "../../problems";
import { wallClockToIso } from "../../time/format";
import { MomentInput } from "../../time/MomentInput";
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
  communication: { id: string };
  /** What most likely happened. */
  suggested: ManualEvent["type"];
  timeZone: string;
  opened: boolean;
  onOpen: () => void;
  onClose: () => void;
}

/** A person vouches for a delivery (or reports mail that came back), with a note saying why. */
export function ManualDeliveryForm({
  communication,
  suggested,
  timeZone,
  opened,
  onOpen,
  onClose,
}: ManualDeliveryFormProps) {
  const t = useText();
  const mark = useManualEvent(communication.id);
  const [type, setType] = useState<ManualEvent["type"]>(suggested);
  const [when, setWhen] = useState("");
  const [dispatched, setDispatched] = useState("");
  const [witness, setWitness] = useState("");
  const [note, setNote] = useState("");
  const [proof, setProof] = useState<File | null>(null);
  const [proofProblem, setProofProblem] = useState<string>();
  const [checked, setChecked] = useState(false);
  // Mail that came back was neither handed over nor witnessed.
  const delivery = type !== "RETURNED";
  // What was posted left at that moment; nobody says that it arrived.
  const posted = type === "POSTAL_DELIVERY";
  const leaving = posted ? when : dispatched;
  const refused = refusalOf(mark.error, t);

  const submit = () => {
    setChecked(true);
    if (!note.trim()) return;
    onClose();
    mark.mutate(
      {
        type,
        note: note.trim(),
        ...(proof ? { proof } : {}),
        ...(delivery && leaving ? { dispatchedAt: wallClockToIso(leaving, timeZone) } : {}),
        ...(delivery && witness.trim() ? { witness: witness.trim() } : {}),
        ...(when ? { occurredAt: wallClockToIso(when, timeZone) } : {}),
      },
      {
        onSuccess: () => {
          announceDone(t.manual.done, t);
          setNote("");
          setWhen("");
          setDispatched("");
          setWitness("");
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
      {delivery && !posted && (
        <MomentInput
          timeZone={timeZone}
          label={`${t.manual.dispatched} (${t.common.optional})`}
          value={dispatched}
          error={refused?.field("dispatchedAt")}
          onChange={(event) => setDispatched(event.currentTarget.value)}
        />
      )}
      <MomentInput
        timeZone={timeZone}
        label={t.manual.when[posted ? "posted" : delivery ? "delivered" : "returned"]}
        description={t.manual.whenHint(timeZone)}
        value={when}
        error={
          refused?.field("occurredAt") ??
          refused?.field("deliveredAt") ??
          (posted ? refused?.field("dispatchedAt") : undefined)
        }
        onChange={(event) => setWhen(event.currentTarget.value)}
      />
      {delivery && (
        <TextInput
          label={`${t.manual.witness} (${t.common.optional})`}
          description={t.manual.witnessHint}
          maxLength={200}
          value={witness}
          error={refused?.field("witness")}
          onChange={(event) => setWitness(event.currentTarget.value)}
        />
      )}
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

import { Select, Text, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { ApiError } from "../../api";
import type { UnitOut } from "../../client";
import { useText } from "../../i18n/Language";
import { wallClockToIso } from "../../time/format";
import { announceDone, announceRollback, FormDialog } from "../communications/FormDialog";
import { FileDrop } from "../files/FileDrop";
import { largestProof, proofKinds } from "../files/proofs";
import { useRecordDelivery } from "./queries";
import { methodName, methods } from "./words";

interface DeliveryRecordFormProps {
  unit: UnitOut;
  year: number;
  timeZone: string;
  opened: boolean;
  onOpen: () => void;
  onClose: () => void;
}

/** How, when and before whom a bill was handed over. What is left empty stays as it is on record. */
export function DeliveryRecordForm({
  unit,
  year,
  timeZone,
  opened,
  onOpen,
  onClose,
}: DeliveryRecordFormProps) {
  const t = useText();
  const save = useRecordDelivery(unit.id);
  const own = unit.deliveryRecords
    .filter((record) => record.year === year)
    .map(({ method }) => method);
  const offered: string[] = [...new Set([...methods, ...own])];
  const [method, setMethod] = useState<string>("HAND_DELIVERY");
  const [dispatched, setDispatched] = useState("");
  const [delivered, setDelivered] = useState("");
  const [witness, setWitness] = useState("");
  const [note, setNote] = useState("");
  const [file, setFile] = useState<File | null>(null);
  const [fileProblem, setFileProblem] = useState<string>();
  const refused = save.error instanceof ApiError ? save.error : null;

  const submit = () => {
    onClose();
    save.mutate(
      {
        year,
        method,
        ...(dispatched ? { dispatchedAt: wallClockToIso(dispatched, timeZone) } : {}),
        ...(delivered ? { deliveredAt: wallClockToIso(delivered, timeZone) } : {}),
        ...(witness.trim() ? { witness: witness.trim() } : {}),
        ...(note.trim() ? { note: note.trim() } : {}),
        ...(file ? { file } : {}),
      },
      {
        onSuccess: () => {
          announceDone(t.deliveryRecords.done, t);
          for (const clear of [setDispatched, setDelivered, setWitness, setNote]) clear("");
          setFile(null);
        },
        onError: (error) => {
          announceRollback(t.deliveryRecords.failed, error, t);
          onOpen();
        },
      },
    );
  };

  return (
    <FormDialog
      title={t.deliveryRecords.formTitle(unit.number, year)}
      opened={opened}
      onClose={onClose}
      onSubmit={submit}
      submitLabel={t.deliveryRecords.submit}
      error={save.error}
      errorTitle={t.deliveryRecords.failed}
    >
      <Select
        label={t.deliveryRecords.method}
        data={offered.map((value) => ({ value, label: methodName(value, t) }))}
        value={method}
        allowDeselect={false}
        onChange={(value) => setMethod(value ?? method)}
        error={refused?.field("method")}
      />
      {own.includes(method) && (
        <Text size="sm" c="dimmed">
          {t.deliveryRecords.changes}
        </Text>
      )}
      <TextInput
        type="datetime-local"
        label={t.deliveryRecords.dispatched}
        description={t.deliveryRecords.zone(timeZone)}
        value={dispatched}
        error={refused?.field("dispatchedAt")}
        onChange={(event) => setDispatched(event.currentTarget.value)}
      />
      <TextInput
        type="datetime-local"
        label={t.deliveryRecords.delivered}
        description={t.deliveryRecords.deliveredHint}
        value={delivered}
        error={refused?.field("deliveredAt")}
        onChange={(event) => setDelivered(event.currentTarget.value)}
      />
      <TextInput
        label={t.deliveryRecords.witness}
        maxLength={200}
        value={witness}
        error={refused?.field("witness")}
        onChange={(event) => setWitness(event.currentTarget.value)}
      />
      <Textarea
        label={t.manual.note}
        autosize
        minRows={2}
        maxLength={2000}
        value={note}
        error={refused?.field("note")}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <FileDrop
        label={`${t.manual.proof} (${t.common.optional})`}
        hint={t.manual.proofHint}
        accept={proofKinds}
        maxSize={largestProof}
        camera
        file={file}
        error={fileProblem ?? refused?.field("files")}
        onFile={(chosen) => {
          setFileProblem(undefined);
          setFile(chosen);
        }}
        onRefused={setFileProblem}
      />
    </FormDialog>
  );
}

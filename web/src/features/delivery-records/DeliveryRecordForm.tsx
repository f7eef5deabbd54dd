import { Select, Textarea, TextInput } from "@mantine/core";
import { type ChangeEvent, useState } from "react";
import type { DeliveryRecordOut, UnitOut } from "../../client";
import { useText } from "../../i18n/Language";
import { refusalOf } from "../../problems";
import { isoToWallClock, wallClockToIso } from "../../time/format";
import { MomentInput } from "../../time/MomentInput";
import { announceDone, announceRollback, FormDialog } from "../communications/FormDialog";
import { FileDrop } from "../files/FileDrop";
import { largestProof, proofKinds } from "../files/proofs";
import { type RecordFields, useRecordDelivery } from "./queries";
import { methodName, methods } from "./words";

interface DeliveryRecordFormProps {
  unit: UnitOut;
  year: number;
  timeZone: string;
  /** The record to change; null makes a new one. */
  record: DeliveryRecordOut | null;
  opened: boolean;
  onOpen: () => void;
  onClose: () => void;
}

/** The form's fields as they are typed: moments as the wall clock shows them. */
type Typed = Record<keyof RecordFields, string>;

function typed(record: DeliveryRecordOut | null, timeZone: string): Typed {
  return {
    dispatchedAt: record?.dispatchedAt ? isoToWallClock(record.dispatchedAt, timeZone) : "",
    deliveredAt: record?.deliveredAt ? isoToWallClock(record.deliveredAt, timeZone) : "",
    witness: record?.witness ?? "",
    note: record?.note ?? "",
  };
}

/** What differs from the record, as the API wants it; an emptied field is taken back. */
function changesOf(now: Typed, before: Typed, timeZone: string): RecordFields {
  const changes: RecordFields = {};
  for (const name of ["dispatchedAt", "deliveredAt"] as const) {
    if (now[name] !== before[name])
      changes[name] = now[name] ? wallClockToIso(now[name], timeZone) : null;
  }
  for (const name of ["witness", "note"] as const) {
    if (now[name].trim() !== before[name]) changes[name] = now[name].trim() || null;
  }
  return changes;
}

/** How, when and before whom a bill was handed over. Mount it anew for another record. */
export function DeliveryRecordForm({
  unit,
  year,
  timeZone,
  record,
  opened,
  onOpen,
  onClose,
}: DeliveryRecordFormProps) {
  const t = useText();
  const save = useRecordDelivery(unit.id);
  const taken = unit.deliveryRecords.filter((one) => one.year === year).map((one) => one.method);
  const free = methods.filter((method) => !taken.includes(method));
  const [method, setMethod] = useState<string>(record?.method ?? free[0] ?? methods[0]);
  const [before] = useState(() => typed(record, timeZone));
  const [now, setNow] = useState(before);
  const [files, setFiles] = useState<File[]>([]);
  const [fileProblem, setFileProblem] = useState<string>();
  const [checked, setChecked] = useState(false);
  const refused = refusalOf(save.error, t);
  const empty =
    Object.values(now).every((value) => !value.trim()) &&
    files.length === 0 &&
    !record?.files.length;

  const submit = () => {
    setChecked(true);
    if (empty) return;
    onClose();
    save.mutate(
      { year, method, changes: changesOf(now, before, timeZone), files },
      {
        onSuccess: () => announceDone(t.deliveryRecords.done, t),
        onError: (error) => {
          announceRollback(t.deliveryRecords.failed, error, t);
          onOpen();
        },
      },
    );
  };
  const fieldOf = (name: keyof RecordFields) => ({
    value: now[name],
    error: refused?.field(name),
    onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => {
      const { value } = event.currentTarget;
      setNow((old) => ({ ...old, [name]: value }));
    },
  });

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
        description={record ? t.deliveryRecords.methodStays : t.deliveryRecords.oncePerMethod}
        data={(record ? [record.method] : free).map((value) => ({
          value,
          label: methodName(value, t),
        }))}
        value={method}
        allowDeselect={false}
        readOnly={record !== null}
        onChange={(value) => setMethod(value ?? method)}
        error={refused?.field("method")}
      />
      <MomentInput
        timeZone={timeZone}
        label={t.deliveryRecords.dispatched}
        description={t.deliveryRecords.zone(timeZone)}
        {...fieldOf("dispatchedAt")}
      />
      <MomentInput
        timeZone={timeZone}
        label={t.deliveryRecords.delivered}
        description={t.deliveryRecords.deliveredHint}
        {...fieldOf("deliveredAt")}
      />
      <TextInput label={t.deliveryRecords.witness} maxLength={200} {...fieldOf("witness")} />
      <Textarea
        label={t.manual.note}
        autosize
        minRows={2}
        maxLength={2000}
        {...fieldOf("note")}
        error={(checked && empty ? t.deliveryRecords.empty : undefined) ?? refused?.field("note")}
      />
      {[...files, null].map((file, index) => (
        <FileDrop
          // biome-ignore lint/suspicious/noArrayIndexKey: a file has no identity, its place has
          key={index}
          label={`${file ? t.manual.proof : t.deliveryRecords.addProof} (${t.common.optional})`}
          hint={t.manual.proofHint}
          accept={proofKinds}
          maxSize={largestProof}
          camera
          file={file}
          error={file ? undefined : (fileProblem ?? refused?.field("files"))}
          onFile={(chosen) => {
            setFileProblem(undefined);
            setFiles((old) => (chosen ? [...old, chosen] : old.filter((_, at) => at !== index)));
          }}
          onRefused={setFileProblem}
        />
      ))}
    </FormDialog>
  );
}

import { Textarea } from "@mantine/core";
import { useState } from "react";
import { useText } from "../../i18n/Language";
import { announceDone, announceRollback, FormDialog } from "./FormDialog";
import { useAddNote } from "./queries";

interface AddNoteFormProps {
  id: string;
  opened: boolean;
  onOpen: () => void;
  onClose: () => void;
}

/** A remark for the audit trail; it changes no status and can never be edited. */
export function AddNoteForm({ id, opened, onOpen, onClose }: AddNoteFormProps) {
  const t = useText();
  const add = useAddNote(id);
  const [note, setNote] = useState("");
  const [checked, setChecked] = useState(false);

  const submit = () => {
    setChecked(true);
    if (!note.trim()) return;
    onClose();
    add.mutate(note.trim(), {
      onSuccess: () => {
        announceDone(t.note.done, t);
        setNote("");
        setChecked(false);
      },
      onError: (error) => {
        announceRollback(t.note.failed, error, t);
        onOpen();
      },
    });
  };

  return (
    <FormDialog
      title={t.note.title}
      opened={opened}
      onClose={onClose}
      onSubmit={submit}
      submitLabel={t.note.submit}
      error={add.error}
      errorTitle={t.note.failed}
    >
      <Textarea
        label={t.note.label}
        required
        autosize
        minRows={3}
        maxLength={2000}
        value={note}
        error={checked && !note.trim() ? t.resend.required : undefined}
        onChange={(event) => setNote(event.currentTarget.value)}
        data-autofocus
      />
    </FormDialog>
  );
}

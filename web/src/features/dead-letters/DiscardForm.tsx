import { Text, Textarea } from "@mantine/core";
import { useState } from "react";
import type { DeadLetterOut } from "../../client";
import { useText } from "../../i18n/Language";
import { FormDialog } from "../communications/FormDialog";

interface DiscardFormProps {
  letter: DeadLetterOut;
  opened: boolean;
  error: Error | null;
  onClose: () => void;
  onDiscard: (note: string) => void;
}

/** Gives a dead letter up for good: the reason stays on record, under the person's name. */
export function DiscardForm({ letter, opened, error, onClose, onDiscard }: DiscardFormProps) {
  const t = useText();
  const [note, setNote] = useState("");
  const [checked, setChecked] = useState(false);
  return (
    <FormDialog
      title={t.deadLetters.discardTitle}
      opened={opened}
      onClose={onClose}
      onSubmit={() => {
        setChecked(true);
        if (note.trim()) onDiscard(note.trim());
      }}
      submitLabel={t.deadLetters.discardSubmit}
      error={error}
      errorTitle={t.deadLetters.failed}
    >
      <Text size="sm">
        {letter.deliveryStatus === "ENQUEUED"
          ? t.deadLetters.discardWithMessage
          : t.deadLetters.discardHint}
      </Text>
      <Textarea
        label={t.deadLetters.why}
        required
        autosize
        minRows={3}
        maxLength={4000}
        value={note}
        error={checked && !note.trim() ? t.resend.required : undefined}
        onChange={(event) => setNote(event.currentTarget.value)}
        data-autofocus
      />
    </FormDialog>
  );
}

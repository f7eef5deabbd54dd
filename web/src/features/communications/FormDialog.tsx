import { Alert, Button, Group, Modal, Stack } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Dictionary } from "../../i18n/en";
import { useText } from "../../i18n/Language";
import { problemText } from "../../problems";

interface FormDialogProps {
  title: string;
  opened: boolean;
  onClose: () => void;
  onSubmit: () => void;
  submitLabel: string;
  /** Why the last try was refused. */
  error: Error | null;
  errorTitle: string;
  children: ReactNode;
}

/** A form in a dialog: what is written stays until it was accepted. */
export function FormDialog({
  title,
  opened,
  onClose,
  onSubmit,
  submitLabel,
  error,
  errorTitle,
  children,
}: FormDialogProps) {
  const t = useText();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      closeButtonProps={{ "aria-label": t.common.close }}
    >
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit();
        }}
      >
        <Stack>
          {error && (
            <Alert color="red" icon={<IconAlertTriangle />} title={errorTitle} role="alert">
              {problemText(error, t)}
            </Alert>
          )}
          {children}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t.common.cancel}
            </Button>
            <Button type="submit">{submitLabel}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** There is at most one such message; a success after it takes it away. */
const rollback = "rollback";

/** Says aloud that a change was taken back. */
export function announceRollback(title: string, error: Error, t: Dictionary): void {
  // One that is still there would keep its words.
  notifications.hide(rollback);
  notifications.show({
    id: rollback,
    color: "red",
    title,
    message: problemText(error, t),
    autoClose: 10_000,
    closeButtonProps: { "aria-label": t.common.close },
  });
}

export function announceDone(message: string, t: Dictionary): void {
  notifications.hide(rollback);
  notifications.show({
    color: "teal",
    message,
    closeButtonProps: { "aria-label": t.common.close },
  });
}

import { Alert, Button, Group, Text, Textarea } from "@mantine/core";
import { IconHelpCircle } from "@tabler/icons-react";
import { useState } from "react";
import type { ResolveIn } from "../../client";
import { useText } from "../../i18n/Language";
import { problemText } from "../../problems";
import classes from "./CommunicationDetail.module.css";
import { announceDone } from "./FormDialog";
import { useResolve } from "./queries";

/** Nobody knows whether it left: a person decides. */
export function UnknownOutcome({ id }: { id: string }) {
  const t = useText();
  return (
    <Alert
      color="yellow"
      icon={<IconHelpCircle />}
      title={t.unknown.title}
      classNames={{ root: classes.warning, title: classes.ink, icon: classes.ink }}
    >
      <Text size="sm" c="inherit" mb="sm">
        {t.unknown.text}
      </Text>
      <UnknownDecision id={id} />
    </Alert>
  );
}

/** The three ways there are, as buttons. */
export function UnknownDecision({ id }: { id: string }) {
  const t = useText();
  const resolve = useResolve(id, (action) => announceDone(t.unknown.done[action], t));
  const [note, setNote] = useState("");
  const [vouching, setVouching] = useState(false);
  const decide = (action: ResolveIn["action"]) =>
    resolve.mutate({ action, ...(note.trim() ? { note: note.trim() } : {}) });
  return (
    <>
      {vouching && (
        <Textarea
          mb="sm"
          label={t.unknown.how}
          classNames={{ label: classes.ink }}
          required
          autosize
          minRows={2}
          maxLength={4000}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
          autoFocus
        />
      )}
      <Group gap="xs">
        <Button
          size="xs"
          variant="default"
          loading={resolve.isPending}
          onClick={() => decide("LOOK_AGAIN")}
        >
          {t.unknown.lookAgain}
        </Button>
        <Button
          size="xs"
          variant="default"
          disabled={resolve.isPending || (vouching && !note.trim())}
          onClick={() => (vouching ? decide("COUNT_AS_SENT") : setVouching(true))}
        >
          {t.unknown.countAsSent}
        </Button>
        <Button
          size="xs"
          variant="default"
          disabled={resolve.isPending}
          onClick={() => decide("SEND_AGAIN")}
        >
          {t.unknown.sendAgain}
        </Button>
      </Group>
      {resolve.error && (
        <Text size="sm" c="inherit" mt="xs" role="alert">
          {problemText(resolve.error, t)}
        </Text>
      )}
    </>
  );
}

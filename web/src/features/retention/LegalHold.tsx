import { Alert, Button, Group, Text, Textarea, Tooltip } from "@mantine/core";
import { IconGavel, IconLockOpen } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { liftLegalHold, placeLegalHold, type UnitOut } from "../../client";
import { useText } from "../../i18n/Language";
import { refusalOf } from "../../problems";
import { renew } from "../../queries";
import { TimeStamp } from "../../time/TimeStamp";
import { announceDone, FormDialog } from "../communications/FormDialog";
import badge from "../communications/StatusBadge.module.css";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { unitQuery } from "../units/queries";
import classes from "./LegalHold.module.css";

/** Places a hold for a reason; null lifts the one that stands. */
function useHold(unitId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (reason: string | null) => {
      const path = { unit_id: unitId };
      const { data } =
        reason === null
          ? await liftLegalHold({ path, throwOnError: true })
          : await placeLegalHold({ path, body: { reason }, throwOnError: true });
      return data;
    },
    onSuccess: (unit) => client.setQueryData(unitQuery(unitId).queryKey, unit),
    onSettled: () => renew(client, ["unit", "retention"]),
  });
}

type Step = "place" | "lift";

/** Stands beside the recipient's name while a hold stands. */
export function HoldBadge({ reason }: { reason: string }) {
  const t = useText();
  return (
    <Tooltip label={reason}>
      <span className={badge.badge} data-tone="violet">
        <IconGavel size={14} stroke={2} aria-hidden />
        {t.hold.title}
      </span>
    </Tooltip>
  );
}

/** Whether anything of a unit may be purged, why not, and the way to change it. */
export function LegalHold({ unit }: { unit: UnitOut }) {
  const t = useText();
  const { canWrite, timeZone } = useTrackCenter();
  const hold = useHold(unit.id);
  // What is asked stays while the dialog slides out.
  const [step, setStep] = useState<Step>("place");
  const [opened, setOpened] = useState(false);
  const [reason, setReason] = useState("");
  const [checked, setChecked] = useState(false);
  const standing = unit.legalHold;
  const refused = refusalOf(hold.error, t);
  if (!standing && !canWrite) return null;

  const open = (next: Step) => {
    hold.reset();
    setReason("");
    setChecked(false);
    setStep(next);
    setOpened(true);
  };
  const submit = () => {
    setChecked(true);
    if (step === "place" && !reason.trim()) return;
    hold.mutate(step === "place" ? reason.trim() : null, {
      onSuccess: () => {
        announceDone(step === "place" ? t.hold.placed : t.hold.lifted, t);
        setOpened(false);
      },
    });
  };

  return (
    <section aria-labelledby="legal-hold">
      <h3 id="legal-hold" className={classes.section}>
        {t.hold.title}
      </h3>
      {standing ? (
        <Alert
          color="gray"
          icon={<IconGavel />}
          title={t.hold.standing}
          classNames={{ root: classes.hold, title: classes.ink, icon: classes.ink }}
        >
          <Text size="sm" c="inherit" className={classes.reason}>
            {standing.reason}
          </Text>
          <Group justify="space-between" mt={4} gap="xs">
            <Text size="xs" c="inherit">
              {standing.placedBy.username}
              <span aria-hidden> · </span>
              <TimeStamp value={standing.placedAt} timeZone={timeZone} style="short" focusable />
            </Text>
            {canWrite && (
              <Button
                size="xs"
                variant="default"
                leftSection={<IconLockOpen size={14} aria-hidden />}
                onClick={() => open("lift")}
              >
                {t.hold.lift}
              </Button>
            )}
          </Group>
        </Alert>
      ) : (
        <div className={classes.none}>
          <Text size="sm" c="dimmed">
            {t.hold.none}
          </Text>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconGavel size={14} aria-hidden />}
            onClick={() => open("place")}
          >
            {t.hold.place}
          </Button>
        </div>
      )}
      {canWrite && (
        <FormDialog
          title={step === "lift" ? t.hold.liftTitle : t.hold.placeTitle(unit.number)}
          opened={opened}
          onClose={() => setOpened(false)}
          onSubmit={submit}
          submitLabel={step === "lift" ? t.hold.liftSubmit : t.hold.placeSubmit}
          error={hold.error}
          errorTitle={t.hold.failed}
        >
          {step === "lift" ? (
            <Text size="sm">{t.hold.liftText}</Text>
          ) : (
            <Textarea
              label={t.hold.reason}
              description={t.hold.reasonHint}
              required
              autosize
              minRows={3}
              maxLength={1000}
              value={reason}
              error={
                (checked && !reason.trim() ? t.resend.required : undefined) ??
                refused?.field("reason")
              }
              onChange={(event) => setReason(event.currentTarget.value)}
              data-autofocus
            />
          )}
        </FormDialog>
      )}
    </section>
  );
}

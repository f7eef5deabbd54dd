import {
  type Icon,
  IconAlertCircle,
  IconArrowsSplit2,
  IconBan,
  IconCheck,
  IconClock,
  IconHandStop,
  IconHelpCircle,
  IconHourglass,
  IconMailbox,
  IconMailOpened,
  IconPrinter,
  IconSend,
} from "@tabler/icons-react";
import type { CommunicationBrief } from "../../client";
import { Hint } from "../../hint/Hint";
import { useText } from "../../i18n/Language";
import classes from "./StatusBadge.module.css";
import type { Channel, DeliveryStatus } from "./words";

/**
 * What the screen says: 'sent' splits for letters, since people read it as 'in the post', and a
 * message of which nobody knows whether it left has not 'failed'.
 */
export type ShownStatus = DeliveryStatus | "READY_TO_PRINT" | "POSTED" | "UNKNOWN";
export type Tone = "gray" | "blue" | "violet" | "green" | "teal" | "red" | "brown" | "amber";

export const statusLook: Record<ShownStatus, { icon: Icon; tone: Tone }> = {
  PENDING: { icon: IconClock, tone: "gray" },
  ENQUEUED: { icon: IconHourglass, tone: "blue" },
  SENT: { icon: IconSend, tone: "violet" },
  DELIVERED: { icon: IconCheck, tone: "green" },
  OPENED: { icon: IconMailOpened, tone: "teal" },
  FAILED: { icon: IconAlertCircle, tone: "red" },
  MANUAL: { icon: IconHandStop, tone: "brown" },
  CANCELLED: { icon: IconBan, tone: "gray" },
  READY_TO_PRINT: { icon: IconPrinter, tone: "amber" },
  POSTED: { icon: IconMailbox, tone: "violet" },
  UNKNOWN: { icon: IconHelpCircle, tone: "amber" },
};

export const isLetter = (channel: Channel): boolean =>
  channel === "LETTER" || channel === "LETTER_WITH_RECEIPT";

/** The little of a communication that decides what to call its status. */
type Standing = Pick<
  CommunicationBrief,
  "channel" | "deliveryStatus" | "readyToPrint" | "outcomeUnknown"
>;

/** The word to show for a communication: a letter that is 'sent' is either printed or posted. */
export function shownStatus({
  channel,
  deliveryStatus,
  readyToPrint,
  outcomeUnknown,
}: Standing): ShownStatus {
  if (outcomeUnknown) return "UNKNOWN";
  if (deliveryStatus !== "SENT" || !isLetter(channel)) return deliveryStatus;
  return readyToPrint ? "READY_TO_PRINT" : "POSTED";
}

interface StatusBadgeProps {
  status: ShownStatus;
  /** The provider's reason, shown on hover and focus. */
  reason?: string | null;
}

/** A status as colour, icon and word. */
export function StatusBadge({ status, reason }: StatusBadgeProps) {
  const t = useText();
  const { icon: Picture, tone } = statusLook[status];
  return (
    <Hint label={reason || t.statusHelp[status]}>
      <span className={classes.badge} data-tone={tone} data-status={status}>
        <Picture size={14} stroke={2} aria-hidden className={classes.icon} />
        {t.statuses[status]}
        {reason && <span className={classes.hidden}>: {reason}</span>}
      </span>
    </Hint>
  );
}

/** Two sources disagree about the delivery; stands beside the status. */
export function ContradictoryBadge() {
  const t = useText();
  return (
    <Hint label={t.drawer.contradictoryHint}>
      <span className={classes.badge} data-tone="amber">
        <IconArrowsSplit2 size={14} stroke={2} aria-hidden className={classes.icon} />
        {t.units.contradictory}
      </span>
    </Hint>
  );
}

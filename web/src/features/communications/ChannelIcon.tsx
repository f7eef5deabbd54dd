import {
  type Icon,
  IconCertificate,
  IconMail,
  IconMailForward,
  IconMessage,
} from "@tabler/icons-react";
import type { Channel } from "./words";

const icons: Record<Channel, Icon> = {
  EMAIL: IconMail,
  SMS: IconMessage,
  LETTER: IconMailForward,
  LETTER_WITH_RECEIPT: IconCertificate,
};

/** Picture of a channel; its name stands beside it, so it is hidden from screen readers. */
export function ChannelIcon({ channel, size = 16 }: { channel: Channel; size?: number }) {
  const Picture = icons[channel];
  return <Picture size={size} stroke={1.7} aria-hidden />;
}

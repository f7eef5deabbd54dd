import type { Dictionary } from "../../i18n/en";
import type { Channel } from "../communications/words";

/** '3 e-mails', '1 letter' … */
export function messagesOf(channel: Channel, count: number, t: Dictionary): string {
  return t.batch.messages[channel](count);
}

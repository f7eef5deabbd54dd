import { Checkbox } from "@mantine/core";
import { memo } from "react";
import type { CommunicationBrief, UnitRow as UnitRowData } from "../../client";
import { Hint } from "../../hint/Hint";
import { useText } from "../../i18n/Language";
import { TimeStamp } from "../../time/TimeStamp";
import { ChannelIcon } from "../communications/ChannelIcon";
import { failureReason } from "../communications/failure";
import { ContradictoryBadge, StatusBadge, shownStatus } from "../communications/StatusBadge";
import type { Channel } from "../communications/words";
import type { Filters } from "../track-center/filters";
import { StateLink } from "../track-center/StateLink";
import type { UnitSelection } from "./selection";
import classes from "./TrackUnitTable.module.css";

/** A column of the table that shows messages: both kinds of letter share one. */
export interface ChannelColumn {
  key: "EMAIL" | "SMS" | "LETTER";
  holds: (channel: Channel) => boolean;
}

/** The id of a unit's link, so that focus finds its way back when the panel closes. */
export const unitLinkId = (unitId: string) => `unit-${unitId}`;

interface UnitRowProps {
  row: UnitRowData;
  buildingId: string | null;
  year: number | null;
  columns: ChannelColumn[];
  hidden: ReadonlySet<string>;
  narrow: boolean;
  open: boolean;
  timeZone: string;
  ticked: boolean;
  /** Null for somebody who may only look. */
  onTick: UnitSelection["set"] | null;
}

/** Drawn again only when something of it changed: there are fifty of them. */
export const UnitRow = memo(function UnitRow({
  row,
  buildingId,
  year,
  columns: shown,
  hidden,
  narrow,
  open,
  timeZone,
  ticked,
  onTick,
}: UnitRowProps) {
  const t = useText();
  const place = { buildingId, year, unit: row.unitId };
  const link = (
    <StateLink
      id={unitLinkId(row.unitId)}
      changes={{ ...place, communication: null }}
      className={classes.unit}
      data-unit
      aria-label={`${t.drawer.title(row.unitNumber)}, ${row.recipientName}`}
    >
      {row.unitNumber}
    </StateLink>
  );
  const tick = onTick && (
    <td className={classes.tick}>
      <Checkbox
        size="xs"
        aria-label={t.selection.unit(row.unitNumber)}
        checked={ticked}
        onChange={(event) => onTick([row], event.currentTarget.checked)}
      />
    </td>
  );
  const state = {
    "data-unit-id": row.unitId,
    "data-open": open || undefined,
    "data-ticked": ticked || undefined,
  };
  if (narrow) {
    return (
      <tr {...state}>
        {tick}
        <td>
          {link}
          <span className={classes.recipient}>{row.recipientName}</span>
        </td>
        <td>
          <span className={classes.stack}>
            {row.communications.map((communication) => (
              <MessageLink
                key={communication.id}
                place={place}
                communication={communication}
                withChannel
              />
            ))}
          </span>
        </td>
      </tr>
    );
  }
  return (
    <tr {...state}>
      {tick}
      <td>{link}</td>
      {!hidden.has("recipient") && <td>{row.recipientName}</td>}
      {shown.map((column) => {
        const messages = row.communications.filter(({ channel }) => column.holds(channel));
        return (
          <td key={column.key}>
            {messages.length === 0 ? (
              <span className={classes.none}>
                <span aria-hidden>–</span>
                <span className={classes.hidden}>{t.units.noMessage}</span>
              </span>
            ) : (
              <span className={classes.stack}>
                {messages.map((communication) => (
                  <MessageLink
                    key={communication.id}
                    place={place}
                    communication={communication}
                    withChannel={communication.channel === "LETTER_WITH_RECEIPT"}
                  />
                ))}
              </span>
            )}
          </td>
        );
      })}
      {!hidden.has("lastEvent") && (
        <td className={classes.time}>
          {row.lastEvent && <TimeStamp value={row.lastEvent.at} timeZone={timeZone} />}
        </td>
      )}
    </tr>
  );
});

interface MessageLinkProps {
  place: Pick<Filters, "buildingId" | "year" | "unit">;
  communication: CommunicationBrief;
  withChannel: boolean;
}

/** A status badge that leads to its message. */
function MessageLink({ place, communication, withChannel }: MessageLinkProps) {
  const t = useText();
  const { channel } = communication;
  return (
    <StateLink changes={{ ...place, communication: communication.id }} className={classes.message}>
      {withChannel ? (
        <Hint label={t.channels[channel]}>
          <span className={classes.channel} role="img" aria-label={t.channels[channel]}>
            <ChannelIcon channel={channel} size={15} />
          </span>
        </Hint>
      ) : (
        <span className={classes.hidden}>{t.channels[channel]}: </span>
      )}
      <StatusBadge status={shownStatus(communication)} reason={failureReason(communication, t)} />
      {communication.contradictory && <ContradictoryBadge />}
    </StateLink>
  );
}

import { Button, Text } from "@mantine/core";
import { IconPencil, IconTruckDelivery } from "@tabler/icons-react";
import { useState } from "react";
import type { DeliveryRecordOut, UnitOut } from "../../client";
import { useLanguage, useText } from "../../i18n/Language";
import { TimeRows } from "../../time/TimeRows";
import { TimeStamp } from "../../time/TimeStamp";
import { FileList } from "../files/FileList";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { DeliveryRecordForm } from "./DeliveryRecordForm";
import classes from "./DeliveryRecords.module.css";
import { fieldName, methodName, valueText } from "./words";

interface DeliveryRecordsProps {
  unit: UnitOut;
  year: number;
}

/** One opening of the form: what is typed belongs to it, and survives a refusal. */
interface Editing {
  record: DeliveryRecordOut | null;
  opened: boolean;
  session: number;
}

/** What people recorded about how a unit's bill of one year was handed over. */
export function DeliveryRecords({ unit, year }: DeliveryRecordsProps) {
  const t = useText();
  const { canWrite, timeZone } = useTrackCenter();
  const [editing, setEditing] = useState<Editing>({ record: null, opened: false, session: 0 });
  const edit = (record: DeliveryRecordOut | null) =>
    setEditing(({ session }) => ({ record, opened: true, session: session + 1 }));
  const show = (opened: boolean) => setEditing((old) => ({ ...old, opened }));
  const records = unit.deliveryRecords.filter((record) => record.year === year);
  return (
    <>
      <section aria-labelledby="delivery-records">
        <div className={classes.heading}>
          <h3 id="delivery-records" className={classes.title}>
            {t.deliveryRecords.title(year)}
          </h3>
          {canWrite && unit.communications.length > 0 && (
            <Button
              size="xs"
              variant="default"
              leftSection={<IconTruckDelivery size={14} aria-hidden />}
              onClick={() => edit(null)}
            >
              {t.deliveryRecords.record}
            </Button>
          )}
        </div>
        {records.length === 0 ? (
          <Text size="sm" c="dimmed">
            {t.deliveryRecords.none}
          </Text>
        ) : (
          <ul className={classes.records}>
            {records.map((record) => (
              <li key={record.id}>
                <Record
                  record={record}
                  timeZone={timeZone}
                  onChange={canWrite ? () => edit(record) : null}
                />
              </li>
            ))}
          </ul>
        )}
      </section>
      {canWrite && (
        <DeliveryRecordForm
          key={editing.session}
          unit={unit}
          year={year}
          timeZone={timeZone}
          record={editing.record}
          opened={editing.opened}
          onOpen={() => show(true)}
          onClose={() => show(false)}
        />
      )}
    </>
  );
}

interface RecordProps {
  record: DeliveryRecordOut;
  timeZone: string;
  /** Null for somebody who may only look. */
  onChange: (() => void) | null;
}

function Record({ record, timeZone, onChange }: RecordProps) {
  const t = useText();
  const times = [
    [t.deliveryRecords.dispatched, record.dispatchedAt],
    [t.deliveryRecords.delivered, record.deliveredAt],
  ] as const;
  const name = methodName(record.method, t);
  return (
    <>
      <div className={classes.head}>
        <Text size="sm" fw={600}>
          {name}
        </Text>
        {onChange && (
          <Button
            size="compact-xs"
            variant="subtle"
            leftSection={<IconPencil size={13} aria-hidden />}
            aria-label={t.deliveryRecords.changeOf(name)}
            onClick={onChange}
          >
            {t.deliveryRecords.change}
          </Button>
        )}
      </div>
      <dl className={classes.facts}>
        <TimeRows times={times} timeZone={timeZone} />
        {record.witness && (
          <>
            <dt>{t.deliveryRecords.witness}</dt>
            <dd>{record.witness}</dd>
          </>
        )}
      </dl>
      {record.note && <p className={classes.note}>{record.note}</p>}
      {record.files.length > 0 && <FileList files={record.files} />}
      <History record={record} timeZone={timeZone} />
    </>
  );
}

/** Who recorded it, and behind a disclosure who changed what since. */
function History({ record, timeZone }: { record: DeliveryRecordOut; timeZone: string }) {
  const { text: t, code } = useLanguage();
  const reader = { t, code, timeZone };
  const later = record.history.slice(1);
  return (
    <>
      <Text size="xs" c="dimmed">
        {t.deliveryRecords.recordedBy(record.recordedBy.username)}
        <span aria-hidden> · </span>
        <TimeStamp value={record.createdAt} timeZone={timeZone} style="short" focusable />
      </Text>
      {later.length > 0 && (
        <details className={classes.history}>
          <summary>{t.deliveryRecords.changesSince(later.length)}</summary>
          <ol>
            {later.toReversed().map((change) => (
              <li key={change.eventId}>
                <Text size="xs" c="dimmed">
                  {change.user?.username ?? t.events.system}
                  <span aria-hidden> · </span>
                  <TimeStamp value={change.at} timeZone={timeZone} style="short" focusable />
                </Text>
                {Object.entries(change.changes).map(([field, { old, new: value }]) => (
                  <Text key={field} size="sm" className={classes.note}>
                    {fieldName(field, t)}: <del>{valueText(field, old, reader)}</del>{" "}
                    <span aria-hidden>→ </span>
                    <ins>{valueText(field, value, reader)}</ins>
                  </Text>
                ))}
                {change.proofs > 0 && (
                  <Text size="sm">{t.deliveryRecords.filesAdded(change.proofs)}</Text>
                )}
              </li>
            ))}
          </ol>
        </details>
      )}
    </>
  );
}

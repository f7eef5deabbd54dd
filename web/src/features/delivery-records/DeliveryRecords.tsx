import { Alert, Button, Text } from "@mantine/core";
import { IconGavel, IconTruckDelivery } from "@tabler/icons-react";
import { useState } from "react";
import type { DeliveryRecordOut, UnitOut } from "../../client";
import { useText } from "../../i18n/Language";
import { TimeStamp } from "../../time/TimeStamp";
import { FileList } from "../files/FileList";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { DeliveryRecordForm } from "./DeliveryRecordForm";
import classes from "./DeliveryRecords.module.css";
import { methodName } from "./words";

interface DeliveryRecordsProps {
  unit: UnitOut;
  year: number;
}

/** What people recorded about how a unit's bill of one year was handed over; and its legal hold. */
export function DeliveryRecords({ unit, year }: DeliveryRecordsProps) {
  const t = useText();
  const { canWrite, timeZone } = useTrackCenter();
  const [editing, setEditing] = useState(false);
  const records = unit.deliveryRecords.filter((record) => record.year === year);
  return (
    <>
      {unit.legalHold && (
        <Alert
          color="gray"
          icon={<IconGavel />}
          title={t.deliveryRecords.hold}
          classNames={{ root: classes.hold, title: classes.ink, icon: classes.ink }}
        >
          <Text size="sm" c="inherit">
            {unit.legalHold.reason}
          </Text>
          <Text size="xs" c="inherit" mt={4}>
            {unit.legalHold.placedBy.username}
            <span aria-hidden> · </span>
            <TimeStamp
              value={unit.legalHold.placedAt}
              timeZone={timeZone}
              style="short"
              focusable
            />
          </Text>
        </Alert>
      )}
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
              onClick={() => setEditing(true)}
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
                <Record record={record} timeZone={timeZone} />
              </li>
            ))}
          </ul>
        )}
      </section>
      {canWrite && (
        <DeliveryRecordForm
          unit={unit}
          year={year}
          timeZone={timeZone}
          opened={editing}
          onOpen={() => setEditing(true)}
          onClose={() => setEditing(false)}
        />
      )}
    </>
  );
}

function Record({ record, timeZone }: { record: DeliveryRecordOut; timeZone: string }) {
  const t = useText();
  const times = [
    [t.deliveryRecords.dispatched, record.dispatchedAt],
    [t.deliveryRecords.delivered, record.deliveredAt],
  ] as const;
  return (
    <>
      <Text size="sm" fw={600}>
        {methodName(record.method, t)}
      </Text>
      <dl className={classes.facts}>
        {times.map(
          ([label, value]) =>
            value && (
              <div key={label} className={classes.row}>
                <dt>{label}</dt>
                <dd>
                  <TimeStamp value={value} timeZone={timeZone} style="short" focusable />
                </dd>
              </div>
            ),
        )}
        {record.witness && (
          <>
            <dt>{t.deliveryRecords.witness}</dt>
            <dd>{record.witness}</dd>
          </>
        )}
      </dl>
      {record.note && <p className={classes.note}>{record.note}</p>}
      {record.files.length > 0 && <FileList files={record.files} />}
      <Text size="xs" c="dimmed">
        {record.recordedBy.username}
        <span aria-hidden> · </span>
        <TimeStamp value={record.updatedAt} timeZone={timeZone} style="short" focusable />
      </Text>
    </>
  );
}

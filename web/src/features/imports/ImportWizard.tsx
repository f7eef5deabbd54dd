import {
  Alert,
  Anchor,
  Button,
  Code,
  Group,
  Modal,
  Stack,
  Stepper,
  Table,
  Text,
} from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconAlertTriangle, IconCheck, IconCircleCheck, IconUpload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { ImportOut } from "../../client";
import { useLanguage, useText } from "../../i18n/Language";
import { problemText } from "../../problems";
import { batchQuery } from "../batches/queries";
import { FileDrop } from "../files/FileDrop";
import { firstPage } from "../track-center/filters";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { useOpened } from "../track-center/useOpened";
import classes from "./ImportWizard.module.css";
import { type RowProblem, rowProblems } from "./problems";
import { useImport } from "./queries";

const accept = {
  "text/csv": [".csv"],
  "application/json": [".json"],
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": [".xlsx"],
};
/** What the server takes, in bytes. */
const largest = 64 * 1024 * 1024;
/** Problems listed at once: a file that is wrong everywhere needs one look only. */
const listed = 200;

const required = ["building", "year", "unit", "recipient", "channels"];
const others = [
  "building_name",
  "building_address",
  "email",
  "phone",
  "street",
  "street2",
  "postcode",
  "city",
  "country",
  "language",
  "currency",
  "total",
  "prepaid",
  "balance",
  "due_date",
  "iban",
  "payee",
  "time_zone",
  "retention",
  "retention_attachments",
  "cost: …",
];

interface ImportWizardProps {
  opened: boolean;
  onClose: () => void;
}

/** File, rehearsal with every row's errors, confirmation, result: nothing is written before that. */
export default function ImportWizard({ opened, onClose }: ImportWizardProps) {
  const t = useText();
  const { buildings, set } = useTrackCenter();
  const phone = useMediaQuery("(max-width: 760px)") ?? false;
  const [file, setFile] = useState<File | null>(null);
  const [refused, setRefused] = useState<string>();
  const rehearsal = useImport();
  const real = useImport();
  const step = real.data ? 3 : rehearsal.data ? 2 : file ? 1 : 0;
  const problems = rowProblems(rehearsal.error, t);

  const choose = (chosen: File | null) => {
    rehearsal.reset();
    real.reset();
    setRefused(undefined);
    setFile(chosen);
    if (chosen) rehearsal.mutate({ file: chosen, dryRun: true });
  };
  const close = () => {
    choose(null);
    onClose();
  };
  // Of several batches, the first is as good as any to go on from.
  const batch = useQuery({
    ...batchQuery(real.data?.batchIds[0] ?? ""),
    enabled: Boolean(real.data?.batchIds[0]),
  });

  return (
    <Modal
      opened={useOpened(opened)}
      onClose={close}
      size={720}
      fullScreen={phone}
      title={t.imports.title}
      closeButtonProps={{ "aria-label": t.common.close }}
    >
      <Stack>
        {!phone && (
          <Stepper active={step} size="xs" iconSize={26} aria-hidden>
            <Stepper.Step label={t.imports.steps.file} />
            <Stepper.Step label={t.imports.steps.check} />
            <Stepper.Step label={t.imports.steps.confirm} />
          </Stepper>
        )}
        {!real.data && (
          <FileDrop
            label={t.imports.file}
            hint={t.imports.fileHint}
            accept={accept}
            maxSize={largest}
            file={file}
            error={refused}
            onFile={choose}
            onRefused={setRefused}
          />
        )}
        {!file && <Columns />}
        <div aria-live="polite">
          {rehearsal.isPending && <Text size="sm">{t.imports.checking}</Text>}
          {rehearsal.error && problems.length === 0 && (
            <Alert color="red" title={t.imports.failed} role="alert">
              {problemText(rehearsal.error, t)}
            </Alert>
          )}
          {problems.length > 0 && <Problems problems={problems} />}
          {rehearsal.data && !real.data && <Rehearsed result={rehearsal.data} />}
          {real.error && (
            <Alert color="red" title={t.imports.failed} role="alert" mt="md">
              {problemText(real.error, t)}
            </Alert>
          )}
          {real.data && (
            <Alert
              color="teal"
              icon={<IconCircleCheck />}
              title={t.imports.done}
              classNames={{ root: classes.done, title: classes.ink, icon: classes.ink }}
            >
              <Summary result={real.data} />
              <Text size="sm" mt="xs" c="inherit">
                {t.imports.doneHint}
              </Text>
            </Alert>
          )}
        </div>
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {real.data ? t.common.close : t.common.cancel}
          </Button>
          {batch.data && (
            <Button
              onClick={() => {
                const { buildingId, year } = batch.data;
                close();
                void set({ buildingId, year, tab: null, view: null, unit: null, ...firstPage });
              }}
            >
              {t.imports.show}
            </Button>
          )}
          {rehearsal.error && (
            <Button variant="default" onClick={() => choose(null)}>
              {t.imports.another}
            </Button>
          )}
          {file && rehearsal.data && !real.data && (
            <Button
              loading={real.isPending}
              disabled={rehearsal.data.created + rehearsal.data.updated === 0}
              leftSection={<IconUpload size={16} aria-hidden />}
              onClick={() => {
                real.mutate({ file, dryRun: false }, { onSuccess: () => void buildings.refetch() });
              }}
            >
              {rehearsal.data.created + rehearsal.data.updated === 0
                ? t.imports.nothing
                : t.imports.confirm(rehearsal.data.created + rehearsal.data.updated)}
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}

function Columns() {
  const t = useText();
  return (
    <details className={classes.columns}>
      <summary>{t.imports.columns}</summary>
      <Text size="sm" mt="xs">
        {t.imports.needed}{" "}
        {required.map((name) => (
          <Code key={name} mr={4}>
            {name}
          </Code>
        ))}
      </Text>
      <Text size="sm" mt="xs">
        {t.imports.possible}{" "}
        {others.map((name) => (
          <Code key={name} mr={4}>
            {name}
          </Code>
        ))}
      </Text>
      <Text size="sm" mt="xs">
        <Anchor href="/api/docs" target="_blank" rel="noreferrer" size="sm">
          {t.header.apiDocs}
        </Anchor>
      </Text>
    </details>
  );
}

function Problems({ problems }: { problems: RowProblem[] }) {
  const t = useText();
  const columnsWrong = problems.some(({ row }) => row === 1);
  return (
    <>
      <Alert
        color="red"
        icon={<IconAlertTriangle />}
        title={t.imports.problems(problems.length)}
        role="alert"
        mb="sm"
        classNames={{ root: classes.failure, title: classes.ink, icon: classes.ink }}
      >
        <Text size="sm" c="inherit">
          {columnsWrong ? t.imports.columnsWrong : t.imports.nothingWritten}
        </Text>
      </Alert>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
      <section className={classes.list} tabIndex={0} aria-label={t.imports.problemList}>
        <Table stickyHeader fz="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t.imports.row}</Table.Th>
              <Table.Th>{t.imports.column}</Table.Th>
              <Table.Th>{t.imports.problem}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {problems.slice(0, listed).map(({ row, column, message }) => (
              <Table.Tr key={`${row} ${column} ${message}`}>
                <Table.Td>{row ?? "–"}</Table.Td>
                <Table.Td>{column || "–"}</Table.Td>
                <Table.Td>{message}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
      {problems.length > listed && (
        <Text size="sm" c="dimmed" mt="xs">
          {t.imports.more(problems.length - listed)}
        </Text>
      )}
    </>
  );
}

function Rehearsed({ result }: { result: ImportOut }) {
  const t = useText();
  return (
    <div className={classes.summary}>
      <Text size="sm" className={classes.fine}>
        <IconCheck size={16} aria-hidden /> {t.imports.columnsFine}
      </Text>
      <Summary result={result} />
      <Text size="sm" c="dimmed" mt="xs">
        {t.imports.dryRun}
      </Text>
    </div>
  );
}

function Summary({ result }: { result: ImportOut }) {
  const { text: t, code } = useLanguage();
  return (
    <dl className={classes.figures}>
      {(["batches", "created", "updated", "unchanged"] as const).map((name) => (
        <div key={name}>
          <dt>{t.imports.figures[name]}</dt>
          <dd>{result[name].toLocaleString(code)}</dd>
        </div>
      ))}
    </dl>
  );
}

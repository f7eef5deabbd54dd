import { Alert, Button, SegmentedControl, Select, Skeleton, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ApiError } from "../../api";
import type { BuildingOut, PreviewOut } from "../../client";
import { useText } from "../../i18n/Language";
import { MessageView } from "../communications/MessageView";
import { isLetter } from "../communications/StatusBadge";
import { channels } from "../track-center/filters";
import { ProblemNotice } from "../track-center/ProblemNotice";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { type Draft, requestOf } from "./draft";
import { problemsOf } from "./problems";
import { exampleUnitsQuery, templatePreviewQuery } from "./queries";
import classes from "./TemplatesPage.module.css";

/** Registered letters differ from others by their number only. */
const previewed = channels.filter((channel) => channel !== "LETTER_WITH_RECEIPT");

interface TemplatePreviewProps {
  building: BuildingOut;
  draft: Draft;
  language: string;
  /** Something was written that the preview does not show yet. */
  behind: boolean;
  onUpdate: () => void;
  /** Why the preview was refused, or that it was not. */
  onError: (error: Error | null) => void;
}

/** One unit's bill with the texts as they are being written; nothing is sent. */
export function TemplatePreview({
  building,
  draft,
  language,
  behind,
  onUpdate,
  onError,
}: TemplatePreviewProps) {
  const t = useText();
  const { filters, set, year } = useTrackCenter();
  const example =
    filters.example && year !== undefined
      ? { unitId: filters.example, year }
      : { buildingId: building.id, ...(year === undefined ? {} : { year }) };
  const preview = useQuery(
    templatePreviewQuery({
      ...example,
      ...requestOf(draft),
      channel: filters.preview,
      language,
    }),
  );
  const { error } = preview;
  useEffect(() => onError(error), [error, onError]);
  const problems = problemsOf(error, t);
  return (
    <section className={classes.preview} aria-label={t.preview.title}>
      <h2 className={classes.heading}>{t.preview.title}</h2>
      <SegmentedControl
        fullWidth
        aria-label={t.units.channel}
        value={filters.preview}
        onChange={(value) =>
          void set(
            { preview: previewed.find((known) => known === value) ?? null },
            { history: "replace" },
          )
        }
        data={previewed.map((value) => ({ value, label: t.channelShort[value] }))}
      />
      {year !== undefined && <ExampleUnit building={building} year={year} shown={preview.data} />}
      <div role="status">
        {behind && (
          <Button
            size="compact-sm"
            variant="light"
            leftSection={<IconRefresh size={14} aria-hidden />}
            onClick={onUpdate}
          >
            {t.templates.update}
          </Button>
        )}
      </div>
      {error ? (
        error instanceof ApiError && error.status === 422 ? (
          <Alert color="red" title={t.templates.noPreview} role="status">
            {problems.get("") ?? t.templates.correct(problems.size)}
          </Alert>
        ) : (
          <ProblemNotice error={error} onRetry={() => void preview.refetch()} />
        )
      ) : !preview.data ? (
        <Skeleton height={360} radius="md" aria-busy />
      ) : (
        <Shown preview={preview.data} fading={preview.isPlaceholderData} />
      )}
    </section>
  );
}

function Shown({ preview, fading }: { preview: PreviewOut; fading: boolean }) {
  const t = useText();
  const { channel, recipientName, recipient, subject, htmlUrl, text, sms, pdfUrl } = preview;
  return (
    <div className={classes.shown} data-fading={fading || undefined} aria-busy={fading}>
      <Text size="sm" mb="sm" className={classes.words}>
        {t.drawer.to}: {recipientName}, {recipient.replaceAll("\n", ", ")}
        {subject && (
          <>
            <br />
            {t.drawer.subject}: <strong>{subject}</strong>
          </>
        )}
      </Text>
      <MessageView
        key={channel}
        htmlUrl={htmlUrl}
        text={text}
        sms={sms}
        pdfs={
          pdfUrl
            ? [
                {
                  label: t.drawer.attachmentKinds[isLetter(channel) ? "LETTER" : "STATEMENT"],
                  url: pdfUrl,
                },
              ]
            : []
        }
      />
    </div>
  );
}

interface ExampleUnitProps {
  building: BuildingOut;
  year: number;
  shown: PreviewOut | undefined;
}

/** Whose bill is the example: any unit of the year, else the first that has such a message. */
function ExampleUnit({ building, year, shown }: ExampleUnitProps) {
  const t = useText();
  const { filters, set } = useTrackCenter();
  const [search, setSearch] = useState("");
  const [asked] = useDebouncedValue(search, 250);
  const units = useQuery(exampleUnitsQuery(building.id, year, asked));
  const known = (units.data ?? []).map(({ unitId, unitNumber, recipientName }) => ({
    value: unitId,
    label: `${t.drawer.title(unitNumber)} · ${recipientName}`,
  }));
  const chosen = shown?.unitId
    ? {
        value: shown.unitId,
        label: `${t.drawer.title(shown.unitNumber)} · ${shown.recipientName}`,
      }
    : null;
  if (shown && !shown.unitId) {
    return (
      <Text size="sm" c="dimmed">
        {t.templates.sample}
      </Text>
    );
  }
  return (
    <Select
      label={t.templates.example}
      data={
        chosen && !known.some(({ value }) => value === chosen.value) ? [chosen, ...known] : known
      }
      value={filters.example ?? chosen?.value ?? null}
      searchable
      // The server has looked already, in more than what is shown.
      filter={({ options }) => options}
      nothingFoundMessage={t.units.noMatch}
      allowDeselect={false}
      comboboxProps={{ shadow: "md" }}
      onSearchChange={(words) =>
        setSearch(
          known.some(({ label }) => label === words) || words === chosen?.label ? "" : words,
        )
      }
      onChange={(value) => void set({ example: value }, { history: "replace" })}
    />
  );
}

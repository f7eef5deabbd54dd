import { Alert, Button, Group, Skeleton, Tabs, Text, Textarea, TextInput } from "@mantine/core";
import { IconAlertTriangle, IconArrowLeft, IconDeviceFloppy, IconLock } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { BuildingOut, LanguageOut, TemplatesOut } from "../../client";
import { useLanguage, useText } from "../../i18n/Language";
import { problemText } from "../../problems";
import { TimeStamp } from "../../time/TimeStamp";
import { announceDone } from "../communications/FormDialog";
import { EmptyState } from "../track-center/EmptyState";
import { leaveTemplates } from "../track-center/filters";
import { ProblemNotice } from "../track-center/ProblemNotice";
import { StateLink } from "../track-center/StateLink";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import {
  type Draft,
  draftOf,
  dropDraft,
  isSame,
  keepDraft,
  type SenderField,
  senderFields,
  type TextField,
  textFields,
  useDraft,
} from "./draft";
import { LogoSection } from "./LogoSection";
import { type Problems, problemsOf, senderPlace, textPlace } from "./problems";
import { templatesQuery, useSaveTemplates } from "./queries";
import { TemplatePreview } from "./TemplatePreview";
import classes from "./TemplatesPage.module.css";
import { Variables } from "./Variables";

/** A building's logo, sender and texts, with the message they make beside them. */
export default function TemplatesPage({ building }: { building: BuildingOut }) {
  const t = useText();
  const { canWrite } = useTrackCenter();
  const templates = useQuery({ ...templatesQuery(building.id), enabled: canWrite });
  useEffect(() => {
    document.title = `${t.templates.title} · ${building.name} · ${t.product}`;
  }, [building.name, t]);
  return (
    <article>
      <StateLink changes={leaveTemplates} className={classes.back}>
        <IconArrowLeft size={16} aria-hidden /> {t.templates.back}
      </StateLink>
      <h1 className={classes.title}>{t.templates.title}</h1>
      <Text size="sm" c="dimmed" mb="md">
        {building.name}
      </Text>
      {!canWrite ? (
        <div className={classes.card}>
          <EmptyState icon={IconLock} title={t.templates.onlyAdmins} />
        </div>
      ) : templates.isPending ? (
        <Skeleton height={480} radius="md" aria-busy />
      ) : !templates.data ? (
        <ProblemNotice error={templates.error} onRetry={() => void templates.refetch()} />
      ) : (
        <Editor building={building} saved={templates.data} />
      )}
    </article>
  );
}

/** Where a variable goes: the field last written in, and the place in it. */
interface Caret {
  field: TextField;
  element: HTMLInputElement | HTMLTextAreaElement;
}

function Editor({ building, saved }: { building: BuildingOut; saved: TemplatesOut }) {
  const { text: t, code } = useLanguage();
  const { filters, set, timeZone } = useTrackCenter();
  const unsaved = useDraft(building.id);
  const original = draftOf(saved);
  const draft = unsaved?.draft ?? original;
  const save = useSaveTemplates(building.id);
  const languages = Object.keys(saved.languages);
  const language = languages.find((known) => known === filters.language) ?? languages[0] ?? "en";
  const own = saved.languages[language];
  const form = useRef<HTMLFormElement>(null);
  const caret = useRef<Caret>(null);
  /** What the preview shows: it follows when a field is left, not with every letter. */
  const [shown, setShown] = useState(draft);
  const [previewError, setPreviewError] = useState<Error | null>(null);
  const [fault, setFault] = useState<Error | null>(null);
  // Whatever was asked last has the last word on what is wrong.
  const problems = problemsOf(save.error ?? previewError, t);
  const outrun = unsaved !== undefined && unsaved.since !== saved.updatedAt;

  const change = (next: Draft) => {
    save.reset();
    if (isSame(next, original)) dropDraft(building.id);
    else
      keepDraft({
        buildingId: building.id,
        buildingName: building.name,
        draft: next,
        since: unsaved ? unsaved.since : saved.updatedAt,
      });
  };
  const setSender = (field: SenderField, value: string) =>
    change({ ...draft, sender: { ...draft.sender, [field]: value } });
  const setText = (field: TextField, value: string) => {
    const texts = draft.texts[language];
    if (texts)
      change({ ...draft, texts: { ...draft.texts, [language]: { ...texts, [field]: value } } });
  };
  const insert = (words: string) => {
    const { field, element } = caret.current ?? {};
    if (!field || !element) return;
    const [from, to] = [element.selectionStart ?? 0, element.selectionEnd ?? 0];
    setText(field, element.value.slice(0, from) + words + element.value.slice(to));
    requestAnimationFrame(() => {
      element.focus();
      element.setSelectionRange(from + words.length, from + words.length);
    });
  };
  const chooseLanguage = (value: string | null) =>
    void set({ language: value }, { history: "replace" });

  /** The first field that was refused, in whichever language it stands: there the work goes on. */
  const goToFault = (error: Error) => {
    const places = [...problemsOf(error, t).keys()];
    const here = places.some((place) => place.startsWith(`${language}.`) || isSender(place));
    const elsewhere = places.find((place) => place.includes(".") && !isSender(place));
    if (!here && elsewhere) chooseLanguage(elsewhere.split(".")[0] ?? null);
    setFault(error);
  };
  useEffect(() => {
    if (fault) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [fault]);

  const submit = () => {
    setShown(draft);
    save.mutate(draft, {
      onError: goToFault,
      onSuccess: () => {
        dropDraft(building.id);
        setPreviewError(null);
        announceDone(t.templates.saved, t);
      },
    });
  };

  return (
    <div className={classes.columns}>
      <form
        ref={form}
        noValidate
        className={classes.form}
        onBlur={() => setShown(draft)}
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <LogoSection buildingId={building.id} logo={saved.logo} />
        <section className={classes.card} aria-labelledby="sender-heading">
          <h2 id="sender-heading" className={classes.heading}>
            {t.templates.sender}
          </h2>
          <Text size="sm" c="dimmed">
            {t.templates.senderHint}
          </Text>
          {senderFields.map((field) => (
            <SenderInput
              key={field}
              field={field}
              value={draft.sender[field]}
              instead={saved.installation[field]}
              error={problems.get(senderPlace(field))}
              onChange={(value) => setSender(field, value)}
            />
          ))}
        </section>
        <section className={classes.card} aria-labelledby="texts-heading">
          <h2 id="texts-heading" className={classes.heading}>
            {t.templates.texts}
          </h2>
          <Text size="sm" c="dimmed">
            {t.templates.textsHint}
          </Text>
          <Tabs value={language} onChange={chooseLanguage} keepMounted={false}>
            <Tabs.List mb="md" aria-label={t.templates.language}>
              {languages.map((one) => (
                <Tabs.Tab
                  key={one}
                  value={one}
                  rightSection={
                    hasProblem(problems, one) && (
                      <IconAlertTriangle
                        size={14}
                        className={classes.faulty}
                        role="img"
                        aria-label={t.templates.faulty}
                      />
                    )
                  }
                >
                  {new Intl.DisplayNames([code], { type: "language" }).of(one)}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            <Tabs.Panel value={language} className={classes.fields}>
              {own &&
                textFields.map((field) => (
                  <TextArea
                    key={field}
                    field={field}
                    value={draft.texts[language]?.[field] ?? ""}
                    builtIn={builtIn(own, field)}
                    limit={saved.limits[field]}
                    error={problems.get(textPlace(language, field))}
                    onChange={(value) => setText(field, value)}
                    onVisit={(element) => {
                      caret.current = { field, element };
                    }}
                  />
                ))}
              {own && <Variables variables={own.variables} onInsert={insert} />}
            </Tabs.Panel>
          </Tabs>
        </section>
        <div className={classes.bar}>
          {save.error && (
            <Alert color="red" title={t.templates.notSaved} role="alert" mb="sm">
              {problems.size > 0 && !problems.has("")
                ? t.templates.correct(problems.size)
                : problemText(save.error, t)}
            </Alert>
          )}
          {outrun && (
            <Text size="sm" mb="xs" c="var(--tc-amber-fg)" role="status">
              {t.templates.outrun(saved.updatedBy?.username ?? t.events.system)}
            </Text>
          )}
          <Group justify="space-between">
            <Text size="sm" c={unsaved ? undefined : "dimmed"} fw={unsaved ? 600 : undefined}>
              {unsaved ? (
                t.templates.unsaved
              ) : saved.updatedAt ? (
                <>
                  {t.templates.changed}{" "}
                  <TimeStamp value={saved.updatedAt} timeZone={timeZone} focusable />
                  {saved.updatedBy && ` · ${saved.updatedBy.username}`}
                </>
              ) : (
                t.templates.neverChanged
              )}
            </Text>
            <Group gap="sm">
              {unsaved && (
                <Button
                  variant="default"
                  onClick={() => {
                    save.reset();
                    setPreviewError(null);
                    setShown(original);
                    dropDraft(building.id);
                  }}
                >
                  {t.templates.discard}
                </Button>
              )}
              <Button
                type="submit"
                disabled={!unsaved}
                loading={save.isPending}
                leftSection={<IconDeviceFloppy size={16} aria-hidden />}
              >
                {t.templates.save}
              </Button>
            </Group>
          </Group>
        </div>
      </form>
      <TemplatePreview
        building={building}
        draft={shown}
        language={language}
        behind={!isSame(shown, draft)}
        onUpdate={() => setShown(draft)}
        onError={setPreviewError}
      />
    </div>
  );
}

const isSender = (place: string) => place.startsWith("sender.");

const hasProblem = (problems: Problems, language: string) =>
  [...problems.keys()].some((place) => place.startsWith(`${language}.`));

const builtIn = ({ builtIn: texts }: LanguageOut, field: TextField) =>
  field === "smsText" ? texts.smsText : texts.email[field];

interface SenderInputProps {
  field: SenderField;
  value: string;
  /** What applies while the field is empty. */
  instead: string | null;
  error: string | undefined;
  onChange: (value: string) => void;
}

function SenderInput({ field, value, instead, error, onChange }: SenderInputProps) {
  const t = useText();
  const common = {
    label: t.templates.senderFields[field],
    description: t.templates.senderHints[field],
    placeholder: instead ?? "",
    value,
    error,
  };
  return field === "address" ? (
    <Textarea
      {...common}
      autosize
      minRows={2}
      maxLength={500}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  ) : (
    <TextInput
      {...common}
      type={field === "replyTo" ? "email" : field === "phone" ? "tel" : "text"}
      maxLength={field === "replyTo" ? 320 : field === "name" ? 200 : field === "payee" ? 70 : 40}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

interface TextAreaProps {
  field: TextField;
  value: string;
  builtIn: string;
  limit: number | undefined;
  error: string | undefined;
  onChange: (value: string) => void;
  onVisit: (element: HTMLTextAreaElement) => void;
}

function TextArea({
  field,
  value,
  builtIn: instead,
  limit,
  error,
  onChange,
  onVisit,
}: TextAreaProps) {
  const t = useText();
  return (
    <div>
      <Textarea
        label={t.templates.textFields[field]}
        description={t.templates.textHints[field]}
        placeholder={instead}
        autosize
        minRows={field === "intro" || field === "smsText" ? 3 : 1}
        maxRows={14}
        {...(limit ? { maxLength: limit } : {})}
        value={value}
        error={error}
        classNames={{ input: classes.source }}
        onFocus={(event) => onVisit(event.currentTarget)}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      {value === "" && (
        <Button variant="subtle" size="compact-xs" mt={2} onClick={() => onChange(instead)}>
          {t.templates.takeBuiltIn}
        </Button>
      )}
    </div>
  );
}

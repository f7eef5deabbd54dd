import { Alert, Button, Group, Text } from "@mantine/core";
import { IconCheck, IconTrash } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import type { LogoOut } from "../../client";
import { useLanguage } from "../../i18n/Language";
import { fileSize } from "../../i18n/sizes";
import { problemText } from "../../problems";
import { announceDone } from "../communications/FormDialog";
import { FileDrop } from "../files/FileDrop";
import { useRemoveLogo, useSaveLogo } from "./queries";
import classes from "./TemplatesPage.module.css";

const accept = {
  "image/png": [".png"],
  "image/jpeg": [".jpg", ".jpeg"],
  "image/svg+xml": [".svg"],
};
/** What the server takes, in bytes. */
const largest = 512 * 1024;

/** The picture of a chosen file, as an address the page's policy lets an image have. */
function usePicture(file: File | null): string | null {
  const [picture, setPicture] = useState<string | null>(null);
  useEffect(() => {
    setPicture(null);
    if (!file) return;
    const reader = new FileReader();
    reader.onload = () => setPicture(String(reader.result));
    reader.readAsDataURL(file);
    return () => reader.abort();
  }, [file]);
  return picture;
}

/** The logo on letters and statements; a new one is looked at before it is used. */
export function LogoSection({ buildingId, logo }: { buildingId: string; logo: LogoOut | null }) {
  const { text: t, code } = useLanguage();
  const [file, setFile] = useState<File | null>(null);
  const [refused, setRefused] = useState<string>();
  const picture = usePicture(file);
  const save = useSaveLogo(buildingId);
  const remove = useRemoveLogo(buildingId);
  const choose = (chosen: File | null) => {
    save.reset();
    setRefused(undefined);
    setFile(chosen);
  };
  const error = save.error ?? remove.error;
  return (
    <section className={classes.card} aria-labelledby="logo-heading">
      <h2 id="logo-heading" className={classes.heading}>
        {t.templates.logo}
      </h2>
      <Text size="sm" c="dimmed">
        {t.templates.logoHint}
      </Text>
      {logo && !file && (
        <Group>
          <img src={logo.url} alt={t.templates.logoNow} className={classes.logo} />
          <div>
            <Text size="xs" c="dimmed" mb={4}>
              {fileSize(logo.size, code)}
            </Text>
            <Button
              size="compact-sm"
              variant="default"
              loading={remove.isPending}
              leftSection={<IconTrash size={14} aria-hidden />}
              onClick={() =>
                remove.mutate(undefined, {
                  onSuccess: () => announceDone(t.templates.logoRemoved, t),
                })
              }
            >
              {t.templates.removeLogo}
            </Button>
          </div>
        </Group>
      )}
      <FileDrop
        label={logo ? t.templates.otherLogo : t.templates.chooseLogo}
        hint={t.templates.logoKinds}
        accept={accept}
        maxSize={largest}
        file={file}
        error={refused}
        onFile={choose}
        onRefused={setRefused}
      />
      {file && picture && (
        <Group>
          <img src={picture} alt={t.templates.logoNew} className={classes.logo} />
          <Button
            size="sm"
            loading={save.isPending}
            leftSection={<IconCheck size={16} aria-hidden />}
            onClick={() =>
              save.mutate(file, {
                onSuccess: () => {
                  choose(null);
                  announceDone(t.templates.logoSaved, t);
                },
              })
            }
          >
            {t.templates.useLogo}
          </Button>
        </Group>
      )}
      {error && (
        <Alert color="red" title={t.templates.logoRefused} role="alert">
          {problemText(error, t)}
        </Alert>
      )}
    </section>
  );
}

import { Badge, Group, Skeleton, Tabs, Text } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useText } from "../../i18n/Language";
import classes from "./MessageView.module.css";

const PdfView = lazy(() => import("../documents/PdfView"));

export interface Pdf {
  label: string;
  url: string;
}

interface MessageViewProps {
  htmlUrl: string | null;
  text: string | null;
  sms: { text: string; segments: number | null; encoding?: string } | null;
  pdfs: Pdf[];
}

/** A message in all its forms, one tab each; a text message as the phone shows it. */
export function MessageView({ htmlUrl, text, sms, pdfs }: MessageViewProps) {
  const t = useText();
  if (sms && pdfs.length === 0) {
    return (
      <>
        <Group gap="xs" mb="sm">
          {sms.segments !== null && (
            <Badge variant="default">{t.preview.segments(sms.segments)}</Badge>
          )}
          {sms.encoding && <Badge variant="default">{sms.encoding}</Badge>}
          <Text size="xs" c="dimmed">
            {t.preview.characters(sms.text.length)}
          </Text>
        </Group>
        <p className={classes.bubble}>{sms.text}</p>
      </>
    );
  }
  const first = htmlUrl ? "html" : pdfs[0] ? "pdf-0" : "text";
  return (
    <Tabs defaultValue={first} keepMounted={false}>
      <Tabs.List mb="md">
        {htmlUrl && <Tabs.Tab value="html">{t.preview.html}</Tabs.Tab>}
        {text && <Tabs.Tab value="text">{t.preview.text}</Tabs.Tab>}
        {pdfs.map(({ label, url }, index) => (
          <Tabs.Tab key={url} value={`pdf-${index}`}>
            {label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {htmlUrl && (
        <Tabs.Panel value="html">
          <iframe sandbox="" src={htmlUrl} title={t.preview.frameTitle} className={classes.frame} />
        </Tabs.Panel>
      )}
      {text && (
        <Tabs.Panel value="text">
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
          <pre className={classes.text} tabIndex={0}>
            {text}
          </pre>
        </Tabs.Panel>
      )}
      {pdfs.map(({ label, url }, index) => (
        <Tabs.Panel key={url} value={`pdf-${index}`}>
          <Suspense fallback={<Skeleton height={480} radius="md" />}>
            <PdfView url={url} title={label} />
          </Suspense>
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}

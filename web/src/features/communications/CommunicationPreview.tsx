import { Anchor, Button, CopyButton, Group, Modal, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconDownload, IconLink, IconPrinter } from "@tabler/icons-react";
import type { AttachmentOut, CommunicationOut } from "../../client";
import { useLanguage } from "../../i18n/Language";
import { fileSize } from "../../i18n/sizes";
import { useAddress } from "../track-center/StateLink";
import { useOpened } from "../track-center/useOpened";
import classes from "./CommunicationPreview.module.css";
import { MessageView } from "./MessageView";

interface CommunicationPreviewProps {
  communication: CommunicationOut;
  opened: boolean;
  onClose: () => void;
}

/** The newest file of each kind and name: a resend makes a new one of the same. */
function newestFiles(attachments: AttachmentOut[]): AttachmentOut[] {
  const newest = new Map<string, AttachmentOut>();
  for (const file of attachments) {
    const key = `${file.kind} ${file.fileName}`;
    const known = newest.get(key);
    if (!known || known.createdAt < file.createdAt) newest.set(key, file);
  }
  return [...newest.values()];
}

/** What the print button opens: the letter or statement itself, else the mail's own page. */
function printable(communication: CommunicationOut, files: AttachmentOut[]): string | null {
  const pdf = files.find(({ kind }) => kind === "LETTER" || kind === "STATEMENT");
  return pdf?.url ?? communication.bodyHtmlUrl;
}

/** The message as it went out. HTML comes from its own response into a frame that may do nothing. */
export default function CommunicationPreview({
  communication,
  opened,
  onClose,
}: CommunicationPreviewProps) {
  const { text: t, code } = useLanguage();
  const phone = useMediaQuery("(max-width: 760px)") ?? false;
  const { bodyHtmlUrl, bodyText, subject, attempts } = communication;
  const newest = attempts.at(-1);
  const files = newestFiles(communication.attachments);
  const pdfs = files
    .filter(({ contentType, kind }) => contentType === "application/pdf" && kind !== "PROOF")
    .map(({ kind, url }) => ({ label: t.drawer.attachmentKinds[kind], url }));
  const isSms = bodyText !== null && !bodyHtmlUrl && (newest?.channel ?? "SMS") === "SMS";
  const link = useAddress({
    buildingId: communication.building.id,
    year: communication.year,
    unit: communication.unit.id,
    communication: communication.id,
  });
  const toPrint = printable(communication, files);
  return (
    <Modal
      opened={useOpened(opened)}
      onClose={onClose}
      size={860}
      fullScreen={phone}
      title={subject || t.preview.title}
      closeButtonProps={{ "aria-label": t.common.close }}
    >
      {!bodyHtmlUrl && !bodyText && pdfs.length === 0 ? (
        <Text c="dimmed">{t.preview.none}</Text>
      ) : (
        <MessageView
          htmlUrl={bodyHtmlUrl}
          text={isSms ? null : bodyText}
          sms={
            isSms
              ? {
                  text: bodyText,
                  segments:
                    attempts.findLast(({ smsSegments }) => smsSegments)?.smsSegments ?? null,
                }
              : null
          }
          pdfs={pdfs}
        />
      )}
      {files.length > 0 && (
        <ul className={classes.files} aria-label={t.drawer.attachments}>
          {files.map((file) => (
            <li key={file.id}>
              <Anchor
                href={file.url}
                download={file.fileName}
                size="sm"
                className={classes.file}
                aria-label={t.drawer.download(file.fileName)}
              >
                <IconDownload size={15} aria-hidden />
                {file.fileName}
              </Anchor>
              <Text span size="xs" c="dimmed">
                {t.drawer.attachmentKinds[file.kind]} · {fileSize(file.size, code)}
              </Text>
            </li>
          ))}
        </ul>
      )}
      <Group justify="flex-end" mt="md" gap="xs">
        <CopyButton value={link}>
          {({ copied, copy }) => (
            <Button
              variant="default"
              leftSection={<IconLink size={16} aria-hidden />}
              onClick={copy}
              aria-live="polite"
            >
              {copied ? t.common.copied : t.drawer.copyLink}
            </Button>
          )}
        </CopyButton>
        {toPrint && (
          <Button
            component="a"
            href={toPrint}
            target="_blank"
            rel="noreferrer"
            variant="default"
            leftSection={<IconPrinter size={16} aria-hidden />}
            aria-label={`${t.preview.print} (${t.common.newTab})`}
          >
            {t.preview.print}
          </Button>
        )}
      </Group>
    </Modal>
  );
}

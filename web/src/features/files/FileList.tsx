import { Anchor, Text } from "@mantine/core";
import { IconPaperclip } from "@tabler/icons-react";
import type { AttachmentOut } from "../../client";
import { useLanguage } from "../../i18n/Language";
import { fileSize } from "../../i18n/sizes";
import classes from "./FileList.module.css";

/** Stored files, each with its kind and size, and a small picture where there is one. */
export function FileList({ files }: { files: AttachmentOut[] }) {
  const { text: t, code } = useLanguage();
  return (
    <ul className={classes.files}>
      {files.map((file) => (
        <li key={file.id}>
          {file.thumbnailUrl ? (
            // The name beside it says the same.
            <img className={classes.thumbnail} src={file.thumbnailUrl} alt="" loading="lazy" />
          ) : (
            <IconPaperclip size={15} aria-hidden />
          )}
          <Anchor
            href={`/api/track/attachments/${file.id}`}
            size="sm"
            aria-label={t.drawer.download(file.fileName)}
          >
            {file.fileName}
          </Anchor>
          <Text span size="xs" c="dimmed">
            {t.drawer.attachmentKinds[file.kind]} · {fileSize(file.size, code)}
          </Text>
        </li>
      ))}
    </ul>
  );
}

import "@mantine/dropzone/styles.css";
import { Button, CloseButton, FileButton, Group, Text } from "@mantine/core";
import { Dropzone, type FileRejection } from "@mantine/dropzone";
import { useMediaQuery } from "@mantine/hooks";
import { IconCamera, IconFile, IconUpload } from "@tabler/icons-react";
import { useLanguage } from "../../i18n/Language";
import { fileSize } from "../../i18n/sizes";
import classes from "./FileDrop.module.css";

interface FileDropProps {
  label: string;
  hint: string;
  /** Content types, each with the endings that belong to it. */
  accept: Record<string, string[]>;
  /** Bytes. */
  maxSize: number;
  file: File | null;
  /** Why the chosen file cannot be used, or what the server said about it. */
  error?: string | undefined;
  /** Offers the camera of a phone. */
  camera?: boolean;
  onFile: (file: File | null) => void;
  onRefused: (reason: string) => void;
}

/** Takes one file, dropped, chosen or photographed; says at once when it is not a usable one. */
export function FileDrop({
  label,
  hint,
  accept,
  maxSize,
  file,
  error,
  camera = false,
  onFile,
  onRefused,
}: FileDropProps) {
  const { text: t, code } = useLanguage();
  const touch = useMediaQuery("(pointer: coarse)") ?? false;
  const refuse = (rejections: FileRejection[]) => {
    const reason = rejections[0]?.errors[0]?.code;
    onRefused(
      reason === "file-too-large" ? t.files.tooLarge(fileSize(maxSize, code)) : t.files.wrongKind,
    );
  };
  const take = (chosen: File) =>
    chosen.size === 0
      ? onRefused(t.files.empty)
      : chosen.size > maxSize
        ? onRefused(t.files.tooLarge(fileSize(maxSize, code)))
        : onFile(chosen);
  return (
    <div>
      <Text size="sm" fw={600} mb={4}>
        {label}
      </Text>
      {file ? (
        <div className={classes.chosen}>
          <IconFile size={18} aria-hidden />
          <span className={classes.name}>{file.name}</span>
          <Text span size="xs" c="dimmed">
            {fileSize(file.size, code)}
          </Text>
          <CloseButton
            size="sm"
            aria-label={t.files.remove(file.name)}
            onClick={() => onFile(null)}
          />
        </div>
      ) : (
        <Dropzone
          accept={accept}
          maxSize={maxSize}
          multiple={false}
          onDrop={([chosen]) => chosen && take(chosen)}
          onReject={refuse}
          className={classes.zone}
          data-invalid={error ? true : undefined}
          inputProps={{ "aria-label": label }}
          tabIndex={0}
          aria-label={label}
        >
          <Group gap="sm" wrap="nowrap" className={classes.inner}>
            <IconUpload size={22} stroke={1.6} aria-hidden />
            <div>
              <Text size="sm">{t.files.drop}</Text>
              <Text size="xs" c="dimmed">
                {hint}
              </Text>
            </div>
          </Group>
        </Dropzone>
      )}
      {camera && touch && !file && (
        <FileButton
          accept="image/*"
          capture="environment"
          onChange={(photo) => photo && take(photo)}
        >
          {(button) => (
            <Button
              {...button}
              mt="xs"
              variant="default"
              leftSection={<IconCamera size={16} aria-hidden />}
            >
              {t.files.photograph}
            </Button>
          )}
        </FileButton>
      )}
      {error && (
        <Text size="sm" c="var(--mantine-color-error)" mt={4} role="alert">
          {error}
        </Text>
      )}
    </div>
  );
}

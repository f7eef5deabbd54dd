import { Badge, Modal, Tabs, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import type { CommunicationOut } from "../../client";
import { useText } from "../../i18n/Language";
import { useOpened } from "../track-center/useOpened";
import classes from "./CommunicationPreview.module.css";

interface CommunicationPreviewProps {
  communication: CommunicationOut;
  opened: boolean;
  onClose: () => void;
}

/** The message as it went out. HTML comes from its own response into a frame that may do nothing. */
export default function CommunicationPreview({
  communication,
  opened,
  onClose,
}: CommunicationPreviewProps) {
  const t = useText();
  const phone = useMediaQuery("(max-width: 760px)") ?? false;
  const { bodyHtmlUrl, bodyText, subject } = communication;
  const smsSegments = communication.attempts.findLast(
    ({ smsSegments }) => smsSegments,
  )?.smsSegments;
  return (
    <Modal
      opened={useOpened(opened)}
      onClose={onClose}
      size={820}
      fullScreen={phone}
      title={subject || t.preview.title}
      closeButtonProps={{ "aria-label": t.common.close }}
    >
      {!bodyHtmlUrl && !bodyText ? (
        <Text c="dimmed">{t.preview.none}</Text>
      ) : bodyHtmlUrl ? (
        <Tabs defaultValue="html" keepMounted={false}>
          <Tabs.List mb="md">
            <Tabs.Tab value="html">{t.preview.html}</Tabs.Tab>
            {bodyText && <Tabs.Tab value="text">{t.preview.text}</Tabs.Tab>}
          </Tabs.List>
          <Tabs.Panel value="html">
            <iframe
              sandbox=""
              src={bodyHtmlUrl}
              title={t.preview.frameTitle}
              className={classes.frame}
            />
          </Tabs.Panel>
          <Tabs.Panel value="text">
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
            <pre className={classes.text} tabIndex={0}>
              {bodyText}
            </pre>
          </Tabs.Panel>
        </Tabs>
      ) : (
        <>
          {smsSegments && (
            <Badge variant="default" mb="sm">
              {t.preview.segments(smsSegments)}
            </Badge>
          )}
          <p className={classes.bubble}>{bodyText}</p>
        </>
      )}
    </Modal>
  );
}

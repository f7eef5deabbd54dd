import "react-pdf/dist/Page/TextLayer.css";
import { ActionIcon, Group, Skeleton, Text, Tooltip } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import {
  IconChevronLeft,
  IconChevronRight,
  IconExternalLink,
  IconZoomIn,
  IconZoomOut,
} from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { Document, Page, pdfjs } from "react-pdf";
import { useText } from "../../i18n/Language";
import classes from "./PdfView.module.css";

pdfjs.GlobalWorkerOptions.workerSrc = new URL(
  "pdfjs-dist/build/pdf.worker.min.mjs",
  import.meta.url,
).toString();

const zooms = [1, 1.25, 1.5, 2, 3] as const;

/**
 * The text as HTML. A renderer of our own also leaves out the PDF's structure tree, which pdf.js
 * turns into tables that ARIA does not allow; the text itself stays readable and selectable.
 */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A PDF page by page, in our own page: it needs no viewer of the browser's. */
export default function PdfView({ url, title }: { url: string; title: string }) {
  const t = useText();
  const { ref, width } = useElementSize();
  const [pages, setPages] = useState(0);
  const [page, setPage] = useState(1);
  const [zoom, setZoom] = useState(0);
  const failed = (
    <Text size="sm" p="md" role="alert">
      {t.pdf.failed}{" "}
      <a href={url} target="_blank" rel="noreferrer">
        {t.pdf.open}
      </a>
    </Text>
  );
  return (
    <section aria-label={title}>
      <Group justify="space-between" mb="xs" wrap="nowrap">
        <Group gap={6} wrap="nowrap">
          <Tool label={t.pdf.previous} disabled={page <= 1} onClick={() => setPage(page - 1)}>
            <IconChevronLeft size={18} aria-hidden />
          </Tool>
          <Text size="sm" aria-live="polite" className={classes.count}>
            {pages > 0 ? t.pdf.page(page, pages) : t.common.loading}
          </Text>
          <Tool label={t.pdf.next} disabled={page >= pages} onClick={() => setPage(page + 1)}>
            <IconChevronRight size={18} aria-hidden />
          </Tool>
        </Group>
        <Group gap={6} wrap="nowrap">
          <Tool label={t.pdf.smaller} disabled={zoom === 0} onClick={() => setZoom(zoom - 1)}>
            <IconZoomOut size={18} aria-hidden />
          </Tool>
          <Tool
            label={t.pdf.larger}
            disabled={zoom === zooms.length - 1}
            onClick={() => setZoom(zoom + 1)}
          >
            <IconZoomIn size={18} aria-hidden />
          </Tool>
          <Tooltip label={t.pdf.open}>
            <ActionIcon
              component="a"
              href={url}
              target="_blank"
              rel="noreferrer"
              variant="default"
              size="lg"
              aria-label={t.pdf.open}
            >
              <IconExternalLink size={18} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </Group>
      </Group>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
      <section ref={ref} className={classes.sheet} tabIndex={0} aria-label={title}>
        <Document
          file={url}
          onLoadSuccess={({ numPages }) => setPages(numPages)}
          loading={<Skeleton height={420} radius={0} />}
          error={failed}
          noData={failed}
        >
          {width > 0 && (
            <Page
              pageNumber={page}
              width={width * (zooms[zoom] ?? 1)}
              renderAnnotationLayer={false}
              customTextRenderer={({ str }) => escaped(str)}
              loading={<Skeleton height={420} radius={0} />}
            />
          )}
        </Document>
      </section>
    </section>
  );
}

interface ToolProps {
  label: string;
  disabled: boolean;
  onClick: () => void;
  children: ReactNode;
}

function Tool({ label, disabled, onClick, children }: ToolProps) {
  return (
    <ActionIcon
      variant="default"
      size="lg"
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onClick}
    >
      {children}
    </ActionIcon>
  );
}

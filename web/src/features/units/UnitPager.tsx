import { ActionIcon, Group, Text } from "@mantine/core";
import { IconChevronLeft, IconChevronRight, IconChevronsLeft } from "@tabler/icons-react";
import type { UnitPage } from "../../client";
import { useText } from "../../i18n/Language";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { pageSize } from "./queries";

interface UnitPagerProps {
  page: UnitPage;
  next: string | null;
  onNext: () => void;
  /** The person is about to ask for the next page. */
  onNextLikely: () => void;
}

/** Which part of the list this is, and the way to the others. */
export function UnitPager({ page, next, onNext, onNextLikely }: UnitPagerProps) {
  const t = useText();
  const { filters, set, previousPage } = useTrackCenter();
  const from = (filters.page - 1) * pageSize + 1;
  const single = filters.page === 1 && next === null;
  return (
    <Group justify="space-between" mt="sm">
      <Text size="sm" c="dimmed" aria-live="polite">
        {single
          ? t.units.total(page.total)
          : t.units.range(from, from + page.items.length - 1, page.total)}
      </Text>
      {!single && (
        <Group gap={6}>
          <PageButton
            label={t.units.first}
            disabled={filters.page === 1}
            onClick={() => void set({ after: null, page: null })}
          >
            <IconChevronsLeft size={18} aria-hidden />
          </PageButton>
          <PageButton
            label={t.units.previous}
            disabled={filters.page === 1}
            onClick={() => void previousPage()}
          >
            <IconChevronLeft size={18} aria-hidden />
          </PageButton>
          <PageButton
            label={t.units.next}
            disabled={next === null}
            onClick={onNext}
            onLikely={onNextLikely}
          >
            <IconChevronRight size={18} aria-hidden />
          </PageButton>
        </Group>
      )}
    </Group>
  );
}

interface PageButtonProps {
  label: string;
  disabled: boolean;
  onClick: () => void;
  onLikely?: () => void;
  children: React.ReactNode;
}

function PageButton({ label, disabled, onClick, onLikely, children }: PageButtonProps) {
  return (
    <ActionIcon
      variant="default"
      size="lg"
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onClick}
      onPointerEnter={onLikely}
      onFocus={onLikely}
    >
      {children}
    </ActionIcon>
  );
}

import { Stack, Text, Title } from "@mantine/core";
import type { Icon } from "@tabler/icons-react";
import type { ReactNode } from "react";
import classes from "./EmptyState.module.css";

interface EmptyStateProps {
  icon: Icon;
  title: string;
  hint?: string;
  children?: ReactNode;
}

/** Says why there is nothing to see, and what would change that. */
export function EmptyState({ icon: Picture, title, hint, children }: EmptyStateProps) {
  return (
    <Stack align="center" gap="xs" py={48} px="md">
      <span className={classes.picture}>
        <Picture size={28} stroke={1.5} aria-hidden />
      </span>
      <Title order={2} size="h4" ta="center">
        {title}
      </Title>
      {hint && (
        <Text c="dimmed" size="sm" ta="center" maw={420}>
          {hint}
        </Text>
      )}
      {children}
    </Stack>
  );
}

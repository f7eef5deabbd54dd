import { Alert, Button, Text } from "@mantine/core";
import { IconAlertTriangle, IconRefresh } from "@tabler/icons-react";
import { ApiError } from "../../api";
import type { Dictionary } from "../../i18n/en";
import { useText } from "../../i18n/Language";

/** What went wrong, in words an administrator can act on. */
export function problemText(error: Error, t: Dictionary): string {
  if (error instanceof ApiError) {
    if (error.status === 0) return t.common.noAnswer;
    if (error.status === 403) return t.common.forbidden;
    if (error.status === 404) return t.common.gone;
    const fields = error.fields.map((problem) => problem.msg).join(" ");
    return fields || error.message;
  }
  return error.message;
}

/** Stands where the data would be when it could not be loaded. */
export function ProblemNotice({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const t = useText();
  return (
    <Alert color="red" icon={<IconAlertTriangle />} title={t.common.loadFailed} role="alert">
      <Text size="sm" mb="sm">
        {problemText(error, t)}
      </Text>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconRefresh size={14} aria-hidden />}
        onClick={onRetry}
      >
        {t.common.retry}
      </Button>
    </Alert>
  );
}

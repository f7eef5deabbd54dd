import { Alert, Button, Text } from "@mantine/core";
import { IconAlertTriangle, IconRefresh } from "@tabler/icons-react";
import { useText } from "../../i18n/Language";
import { problemText } from "../../problems";

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

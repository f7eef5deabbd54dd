import { Skeleton, Text } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";
import { useLanguage } from "../../i18n/Language";
import { ProblemNotice } from "../track-center/ProblemNotice";
import { StateLink } from "../track-center/StateLink";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import classes from "./TrackYearTimeline.module.css";

/** The building's billing years, newest first, with the failures of each. */
export function TrackYearTimeline() {
  const { text: t, code } = useLanguage();
  const { building, years, year, filters } = useTrackCenter();
  if (!building) return null;
  const items = [...(years.data?.items ?? [])].sort((a, b) => b.year - a.year);
  return (
    <nav aria-labelledby="years-label">
      <Text id="years-label" size="sm" fw={600} mb={6}>
        {t.years.label}
      </Text>
      {years.error && !years.data ? (
        <ProblemNotice error={years.error} onRetry={years.refetch} />
      ) : years.isPending ? (
        <div className={classes.chips}>
          {[1, 2, 3].map((key) => (
            <Skeleton key={key} height={34} width={76} radius="xl" />
          ))}
        </div>
      ) : items.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t.years.none}
        </Text>
      ) : (
        <ul className={classes.chips}>
          {items.map((item) => {
            const failed = Object.values(item.channels).reduce(
              (sum, stats) => sum + stats.failed,
              0,
            );
            const chosen = item.year === year;
            return (
              <li key={item.year}>
                <StateLink
                  changes={{
                    year: item.year,
                    after: null,
                    page: null,
                    communication: null,
                    view: filters.view === "work" ? null : filters.view,
                  }}
                  className={classes.chip}
                  data-chosen={chosen || undefined}
                  aria-current={chosen ? "true" : undefined}
                >
                  {item.year}
                  {failed > 0 && (
                    <span className={classes.failed}>
                      <IconAlertCircle size={13} aria-hidden />
                      <span aria-hidden>{failed.toLocaleString(code)}</span>
                      <span className={classes.hidden}>{t.years.failedCount(failed)}</span>
                    </span>
                  )}
                </StateLink>
              </li>
            );
          })}
        </ul>
      )}
    </nav>
  );
}

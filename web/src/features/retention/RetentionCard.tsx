import { Skeleton, Text } from "@mantine/core";
import { queryOptions, useQuery } from "@tanstack/react-query";
import { getRetentionReport } from "../../client";
import { useLanguage } from "../../i18n/Language";
import { shortTime } from "../../time/format";
import exportsClasses from "../exports/ExportPanel.module.css";
import { useTrackCenter } from "../track-center/TrackCenterProvider";

const retentionQuery = () =>
  queryOptions({
    queryKey: ["retention"],
    queryFn: async ({ signal }) => {
      const { data } = await getRetentionReport({
        query: { limit: 5 },
        signal,
        throwOnError: true,
      });
      return data;
    },
  });

/** What is to be archived or purged soonest; nothing is, without a person. */
export function RetentionCard() {
  const { text: t, code } = useLanguage();
  const { timeZone } = useTrackCenter();
  const report = useQuery(retentionQuery());
  if (report.isPending) return <Skeleton height={120} radius="md" />;
  if (!report.data) return null;
  const { counts, items } = report.data;
  return (
    <section className={exportsClasses.info} aria-labelledby="retention-heading">
      <h2 id="retention-heading" className={exportsClasses.heading}>
        {t.retention.title}
      </h2>
      <Text size="sm" mt={6}>
        {counts.archive + counts.purge > 0
          ? t.retention.counts(counts.archive, counts.purge)
          : t.retention.none}{" "}
        {t.retention.kept(counts.keep)}
      </Text>
      {items.map((item) => (
        <Text key={`${item.batchId} ${item.content} ${item.unit?.id}`} size="xs" c="dimmed" mt={6}>
          {item.building.name} {item.year} · {t.retention.contents[item.content]} ·{" "}
          {t.retention.decisions[item.decision]}
          {item.dueAt && ` · ${shortTime(item.dueAt, timeZone, code)}`}
        </Text>
      ))}
    </section>
  );
}

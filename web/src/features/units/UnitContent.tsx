import { Alert, Button, CopyButton, Skeleton, Stack, Text } from "@mantine/core";
import { IconLink } from "@tabler/icons-react";
import type { UseQueryResult } from "@tanstack/react-query";
import { useEffect } from "react";
import type { UnitOut } from "../../client";
import type { Dictionary } from "../../i18n/en";
import { useText } from "../../i18n/Language";
import { ChannelIcon } from "../communications/ChannelIcon";
import { CommunicationDetail } from "../communications/CommunicationDetail";
import { failureReason } from "../communications/failure";
import { ContradictoryBadge, StatusBadge, shownStatus } from "../communications/StatusBadge";
import { DeliveryRecords } from "../delivery-records/DeliveryRecords";
import { HoldBadge, LegalHold } from "../retention/LegalHold";
import { ProblemNotice } from "../track-center/ProblemNotice";
import { StateLink, useAddress } from "../track-center/StateLink";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import classes from "./TrackUnitDrawer.module.css";

/** What stands above a unit, also while it is on its way and when it did not come. */
export function unitTitle({ data, error }: UseQueryResult<UnitOut, Error>, t: Dictionary): string {
  if (data) return t.drawer.title(data.number);
  return error ? t.units.unit : t.common.loading;
}

/** Everything about one unit, in the panel or on a page of its own. */
export function UnitContent({ unit }: { unit: UseQueryResult<UnitOut, Error> }) {
  const { year } = useTrackCenter();
  useNamedPlace(unit.data);
  if (unit.data && year !== undefined) {
    return (
      <Stack gap="lg">
        <UnitMessages unit={unit.data} year={year} />
        <DeliveryRecords unit={unit.data} year={year} />
        <LegalHold unit={unit.data} />
        <OtherYears unit={unit.data} year={year} />
      </Stack>
    );
  }
  if (unit.error) return <ProblemNotice error={unit.error} onRetry={() => void unit.refetch()} />;
  return <UnitSkeleton />;
}

/**
 * Which building and year are shown without being asked for depends on the reader and on the day:
 * beside an open unit both stand in the URL, so that a link means the same tomorrow. This fills in
 * what an older link left out, the building first: its years say which is shown.
 */
function useNamedPlace(unit: UnitOut | undefined): void {
  const { filters, set, year } = useTrackCenter();
  const { buildingId } = filters;
  const home = unit && unit.id === filters.unit ? unit.building.id : undefined;
  const shownYear = filters.year === null ? year : undefined;
  useEffect(() => {
    if (home === undefined) return;
    if (buildingId === null) void set({ buildingId: home }, { history: "replace" });
    else if (shownYear !== undefined) void set({ year: shownYear }, { history: "replace" });
  }, [home, buildingId, shownYear, set]);
}

interface UnitProps {
  unit: UnitOut;
  year: number;
}

function UnitSkeleton() {
  return (
    <Stack aria-busy>
      <Skeleton height={22} width={220} />
      <div className={classes.messages}>
        <Skeleton height={64} radius="md" />
        <Skeleton height={64} radius="md" />
      </div>
      <Skeleton height={120} radius="md" />
      {[1, 2, 3].map((key) => (
        <Skeleton key={key} height={40} radius="md" />
      ))}
    </Stack>
  );
}

function UnitMessages({ unit, year }: UnitProps) {
  const t = useText();
  const { filters } = useTrackCenter();
  const messages = unit.communications.filter((message) => message.year === year);
  const chosen = messages.find(({ id }) => id === filters.communication) ?? messages[0];
  const link = useAddress({
    buildingId: unit.building.id,
    year,
    unit: unit.id,
    communication: chosen?.id ?? null,
  });
  if (!chosen) {
    return (
      <Alert color="gray" title={t.drawer.noMessages}>
        {t.drawer.noMessagesHint}
      </Alert>
    );
  }
  return (
    <>
      <div className={classes.who}>
        <span className={classes.name}>
          <Text fw={600} size="lg" span>
            {chosen.recipientName}
          </Text>
          {unit.legalHold && <HoldBadge reason={unit.legalHold.reason} />}
        </span>
        <CopyButton value={link}>
          {({ copied, copy }) => (
            <Button
              variant="subtle"
              size="xs"
              leftSection={<IconLink size={14} aria-hidden />}
              onClick={copy}
              aria-live="polite"
            >
              {copied ? t.common.copied : t.drawer.copyLink}
            </Button>
          )}
        </CopyButton>
      </div>
      <nav aria-label={t.drawer.messages}>
        <ul className={classes.messages}>
          {messages.map((item) => (
            <li key={item.id}>
              <StateLink
                changes={{ communication: item.id }}
                className={classes.message}
                data-chosen={item.id === chosen.id || undefined}
                aria-current={item.id === chosen.id ? "true" : undefined}
              >
                <span className={classes.channel}>
                  <ChannelIcon channel={item.channel} />
                  {t.channels[item.channel]}
                </span>
                <StatusBadge status={shownStatus(item)} />
                {item.contradictory && <ContradictoryBadge />}
              </StateLink>
            </li>
          ))}
        </ul>
      </nav>
      <CommunicationDetail key={chosen.id} id={chosen.id} />
    </>
  );
}

function OtherYears({ unit, year }: UnitProps) {
  const t = useText();
  const others = Map.groupBy(
    unit.communications.filter((message) => message.year !== year),
    (message) => message.year,
  );
  return (
    <section aria-labelledby="other-years">
      <h3 id="other-years" className={classes.section}>
        {t.drawer.otherYears}
      </h3>
      {others.size === 0 ? (
        <Text size="sm" c="dimmed">
          {t.drawer.noOtherYears}
        </Text>
      ) : (
        <ul className={classes.years}>
          {[...others].map(([other, messages]) => (
            <li key={other} className={classes.year}>
              <StateLink
                changes={{ year: other, communication: null, after: null, page: null }}
                className={classes.yearLink}
              >
                {other}
              </StateLink>
              <span className={classes.yearName}>{messages[0]?.recipientName}</span>
              <span className={classes.yearBadges}>
                {messages.map((item) => (
                  <span key={item.id} className={classes.channel}>
                    <span role="img" aria-label={t.channels[item.channel]}>
                      <ChannelIcon channel={item.channel} size={15} />
                    </span>
                    <StatusBadge status={shownStatus(item)} reason={failureReason(item, t)} />
                  </span>
                ))}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

import { Alert, Button, CopyButton, Drawer, Skeleton, Stack, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconLink } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useState } from "react";
import type { UnitOut } from "../../client";
import { useText } from "../../i18n/Language";
import { ChannelIcon } from "../communications/ChannelIcon";
import { CommunicationDetail } from "../communications/CommunicationDetail";
import { failureReason } from "../communications/failure";
import { StatusBadge, shownStatus } from "../communications/StatusBadge";
import { ProblemNotice } from "../track-center/ProblemNotice";
import { StateLink } from "../track-center/StateLink";
import { useTrackCenter } from "../track-center/TrackCenterProvider";
import { useOpened } from "../track-center/useOpened";
import { unitQuery } from "./queries";
import classes from "./TrackUnitDrawer.module.css";
import { unitLinkId } from "./TrackUnitTable";

/** Slide-over with everything about one unit; as wide as the screen on a phone. */
export default function TrackUnitDrawer() {
  const t = useText();
  const { year, filters, set, interval } = useTrackCenter();
  const phone = useMediaQuery("(max-width: 760px)") ?? false;
  // The last unit stays while the panel slides out.
  const [shown, setShown] = useState(filters.unit);
  if (filters.unit && filters.unit !== shown) setShown(filters.unit);
  const unit = useQuery({
    ...unitQuery(shown ?? ""),
    enabled: shown !== null,
    refetchInterval: filters.unit === null ? false : interval,
  });

  const close = () => void set({ unit: null, communication: null });
  /** Only from inside the panel: in a dialog above it, Escape closes the dialog alone. */
  const closeOnEscape = (event: KeyboardEvent<HTMLElement>) => {
    const inside = event.target instanceof Node && event.currentTarget.contains(event.target);
    if (event.key === "Escape" && inside) close();
  };
  /** After a reload there was no link to come from: go to the row all the same. */
  const returnFocus = () => {
    if (document.activeElement === document.body && shown) {
      document.getElementById(unitLinkId(shown))?.focus();
    }
  };

  return (
    <Drawer
      opened={useOpened(filters.unit !== null)}
      onClose={close}
      closeOnEscape={false}
      onKeyDown={closeOnEscape}
      onExitTransitionEnd={returnFocus}
      position="right"
      size={phone ? "100%" : 680}
      padding="lg"
      title={
        <span className={classes.title}>
          {unit.data ? t.drawer.title(unit.data.number) : t.common.loading}
          {unit.data && (
            <Text span size="sm" c="dimmed" fw={400}>
              {unit.data.building.name} · {year}
            </Text>
          )}
        </span>
      }
      closeButtonProps={{ "aria-label": t.drawer.close }}
      classNames={{ content: classes.content, header: classes.header }}
    >
      {unit.data && year !== undefined ? (
        <Stack gap="lg">
          <UnitMessages unit={unit.data} year={year} />
          <OtherYears unit={unit.data} year={year} />
        </Stack>
      ) : unit.error ? (
        <ProblemNotice error={unit.error} onRetry={() => void unit.refetch()} />
      ) : (
        <UnitSkeleton />
      )}
    </Drawer>
  );
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
        <Text fw={600} size="lg">
          {chosen.recipientName}
        </Text>
        <CopyButton value={window.location.href}>
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
                <StatusBadge
                  status={shownStatus(item.channel, item.deliveryStatus, item.readyToPrint)}
                />
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
  const { years } = useTrackCenter();
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
                changes={{
                  year: other === years.data?.defaultYear ? null : other,
                  communication: null,
                  after: null,
                  page: null,
                }}
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
                    <StatusBadge
                      status={shownStatus(item.channel, item.deliveryStatus, item.readyToPrint)}
                      reason={failureReason(item, t)}
                    />
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

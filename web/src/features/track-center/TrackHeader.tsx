import {
  ActionIcon,
  Button,
  Divider,
  Group,
  Popover,
  SegmentedControl,
  Text,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import {
  IconChevronDown,
  IconCode,
  IconKeyboard,
  IconLogout,
  IconMoon,
  IconSun,
  IconUpload,
  IconUser,
  IconUserCog,
  IconUsers,
} from "@tabler/icons-react";
import { csrfToken } from "../../api";
import { bootstrap } from "../../bootstrap";
import { type LanguageCode, useLanguage } from "../../i18n/Language";
import { WorkButton } from "../worklists/WorkButton";
import classes from "./TrackHeader.module.css";

interface TrackHeaderProps {
  onHelp: () => void;
  onImport: () => void;
}

/** Product name, language, colours, help, and the way out. */
export function TrackHeader({ onHelp, onImport }: TrackHeaderProps) {
  const { text: t, code, choose } = useLanguage();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const other = scheme === "dark" ? "light" : "dark";
  const schemeLabel = other === "dark" ? t.header.toDark : t.header.toLight;
  return (
    <header className={classes.header}>
      <a href="/track" className={classes.brand}>
        <Logo />
        <span className={classes.name}>{t.product}</span>
      </a>
      <Group gap={6} wrap="nowrap">
        <WorkButton />
        {bootstrap.user.role === "admin" && (
          <Button
            variant="default"
            size="sm"
            px="xs"
            aria-label={t.imports.open}
            onClick={onImport}
          >
            <IconUpload size={16} aria-hidden />
            <span className={`${classes.wide} ${classes.beside}`}>{t.imports.open}</span>
          </Button>
        )}
        <SegmentedControl
          size="xs"
          aria-label={t.header.language}
          value={code}
          onChange={(value) => choose(value as LanguageCode)}
          data={[
            { value: "en", label: "EN" },
            { value: "de", label: "DE" },
          ]}
        />
        <Tooltip label={schemeLabel}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={schemeLabel}
            onClick={() => setColorScheme(other)}
            className={classes.icon}
          >
            {other === "dark" ? (
              <IconMoon size={18} aria-hidden />
            ) : (
              <IconSun size={18} aria-hidden />
            )}
          </ActionIcon>
        </Tooltip>
        <Tooltip label={`${t.header.help} (?)`}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={t.header.help}
            onClick={onHelp}
            className={`${classes.icon} ${classes.wide}`}
          >
            <IconKeyboard size={18} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Popover position="bottom-end" withArrow width={230} shadow="md" trapFocus returnFocus>
          <Popover.Target>
            <Button
              variant="subtle"
              color="gray"
              size="sm"
              px="xs"
              className={classes.icon}
              aria-label={`${t.header.userMenu}: ${bootstrap.user.username}`}
              leftSection={<IconUser size={18} aria-hidden />}
              rightSection={<IconChevronDown size={14} aria-hidden />}
            >
              <span className={classes.wide}>{bootstrap.user.username}</span>
            </Button>
          </Popover.Target>
          <Popover.Dropdown p="xs" aria-label={t.header.userMenu}>
            <div className={classes.who}>
              <Text size="xs" c="dimmed">
                {t.header.signedInAs}
              </Text>
              <Text size="sm" fw={600}>
                {bootstrap.user.username}
              </Text>
              <Text size="xs" c="dimmed">
                {t.header.roles[bootstrap.user.role]}
              </Text>
            </div>
            <Divider my={6} />
            <a className={classes.choice} href="/api/docs" target="_blank" rel="noreferrer">
              <IconCode size={16} aria-hidden /> {t.header.apiDocs}
              <span className={classes.hidden}> ({t.common.newTab})</span>
            </a>
            <a className={classes.choice} href="/account/">
              <IconUserCog size={16} aria-hidden /> {t.header.account}
            </a>
            {bootstrap.user.role === "admin" && (
              <a className={classes.choice} href="/users/">
                <IconUsers size={16} aria-hidden /> {t.header.users}
              </a>
            )}
            <form method="post" action={bootstrap.logoutUrl}>
              <input type="hidden" name="csrfmiddlewaretoken" value={csrfToken()} />
              <button type="submit" className={classes.choice}>
                <IconLogout size={16} aria-hidden /> {t.header.signOut}
              </button>
            </form>
          </Popover.Dropdown>
        </Popover>
      </Group>
    </header>
  );
}

function Logo() {
  return (
    <svg width="26" height="26" viewBox="0 0 26 26" aria-hidden="true">
      <rect width="26" height="26" rx="7" className={classes.tile} />
      <path
        d="M6 9.5h14v8.5a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 6 18zM6.3 9.3 13 14.4l6.7-5.1"
        fill="none"
        stroke="#fff"
        strokeWidth="1.7"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

import {
  type CSSVariablesResolver,
  createTheme,
  type MantineColorsTuple,
  Modal,
  Tooltip,
} from "@mantine/core";

const petrol: MantineColorsTuple = [
  "#e8f5f7",
  "#d5e8ec",
  "#aad1d9",
  "#7bb8c5",
  "#54a3b3",
  "#3b96a9",
  "#2c8fa4",
  "#1b7b8f",
  "#0b6577",
  "#00515f",
];

/** Slightly blue, as the surfaces around it in app.css are. */
const dark: MantineColorsTuple = [
  "#e4e8ec",
  "#c3cad1",
  "#a9b1ba",
  "#8b949e",
  "#414b55",
  "#343d45",
  "#252c32",
  "#1c2126",
  "#171b1f",
  "#14181c",
];

export const theme = createTheme({
  primaryColor: "petrol",
  primaryShade: { light: 8, dark: 7 },
  colors: { petrol, dark },
  fontFamily:
    'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif',
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Tooltip: Tooltip.extend({
      defaultProps: {
        withArrow: true,
        multiline: true,
        maw: 360,
        openDelay: 200,
        events: { hover: true, focus: true, touch: true },
      },
    }),
    Modal: Modal.extend({
      defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.5 } },
    }),
  },
});

/** Mantine's own greys miss 4.5:1 on our backgrounds. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-text": "#1b242c",
    "--mantine-color-dimmed": "#55606b",
    "--mantine-color-placeholder": "#656f7a",
    "--mantine-color-error": "#b01717",
  },
  dark: {
    "--mantine-color-dimmed": "#a9b1ba",
    "--mantine-color-placeholder": "#9aa3ad",
    "--mantine-color-error": "#ff9c9c",
    "--mantine-color-anchor": "#7cc5d3",
  },
});

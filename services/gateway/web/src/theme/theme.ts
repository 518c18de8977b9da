import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

/** 16 px in every field, so that a phone does not zoom into one. */
const READABLE = { defaultProps: { size: "md" } };

/** The brand's colours as Mantine wants them: ten steps each, the brand's own value among them. */
const forest: MantineColorsTuple = [
  "#eef4f1",
  "#dbe7e1",
  "#b7cec3",
  "#90b3a3",
  "#6d9a87",
  "#4f836f",
  "#3a6b5a",
  "#2a5c4b",
  "#1b4d3e",
  "#123529",
];
const burgundy: MantineColorsTuple = [
  "#f8efef",
  "#efdcdc",
  "#dcb5b5",
  "#c88c8c",
  "#b66868",
  "#a54d4d",
  "#9a4343",
  "#933e3e",
  "#8b3a3a",
  "#6b2b2b",
];
const gray: MantineColorsTuple = [
  "#fafaf8",
  "#f5f2ed",
  "#e8ded1",
  "#ded7cc",
  "#d4cfc7",
  "#b5afa6",
  "#8f8a82",
  "#6b6761",
  "#5a5a5a",
  "#2d2d2d",
];

const HEADING_FONT = "var(--heading-font)";

export const theme = createTheme({
  colors: { forest, burgundy, gray, red: burgundy },
  primaryColor: "forest",
  primaryShade: 8,
  black: "#2d2d2d",
  fontFamily: "var(--body-font)",
  headings: {
    fontFamily: HEADING_FONT,
    sizes: {
      h1: { fontSize: "1.875rem", lineHeight: "1.3" },
      h2: { fontSize: "1.25rem", lineHeight: "1.4" },
      h3: { fontSize: "1rem", lineHeight: "1.5" },
    },
  },
  defaultRadius: "sm",
  radius: { sm: "6px" },
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    Anchor: { defaultProps: { underline: "always" } },
    Button: {
      ...READABLE,
      // Words that do not fit a narrow screen take a second line; the button grows with them.
      styles: {
        root: { height: "auto", minHeight: "var(--button-height)", paddingBlock: "2px" },
        label: { whiteSpace: "normal", lineHeight: "1.3" },
      },
    },
    Checkbox: { defaultProps: { size: "sm" }, styles: { label: { fontSize: "1rem" } } },
    CheckboxGroup: READABLE,
    FileInput: READABLE,
    NativeSelect: READABLE,
    Radio: { defaultProps: { size: "sm" }, styles: { label: { fontSize: "1rem" } } },
    RadioGroup: READABLE,
    TextInput: READABLE,
    Textarea: READABLE,
  },
});

/** Secondary text and field borders in steps that keep the contrast people need. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: { "--mantine-color-dimmed": "var(--ink-secondary)" },
  light: {
    "--mantine-color-body": "var(--page)",
    "--mantine-color-default-border": "var(--line-strong)",
    "--mantine-color-error": "var(--burgundy)",
    "--mantine-color-placeholder": "var(--ink-secondary)",
  },
  dark: {},
});

import { Text, Tooltip } from "@mantine/core";
import type { VariableOut } from "../../client";
import { useText } from "../../i18n/Language";
import classes from "./Variables.module.css";

/** What is written into a text to show a fact: bare, or only where the bill has it. */
export function wordsOf({ name, always, isList }: VariableOut): string {
  if (isList) return `{{ ${name} | join(', ') }}`;
  return always ? `{{ ${name} }}` : `{% if ${name} %}{{ ${name} }}{% endif %}`;
}

interface VariablesProps {
  variables: VariableOut[];
  onInsert: (words: string) => void;
}

/** Everything a text may show; a press writes it where the cursor was. */
export function Variables({ variables, onInsert }: VariablesProps) {
  const t = useText();
  const groups = [
    [t.templates.onEvery, variables.filter(({ always, isList }) => always && !isList)],
    [t.templates.onSome, variables.filter(({ always, isList }) => !always && !isList)],
  ] as const;
  return (
    <section className={classes.box} aria-label={t.templates.variables}>
      <Text size="sm" fw={600}>
        {t.templates.variables}
      </Text>
      <Text size="xs" c="dimmed">
        {t.templates.variablesHint}
      </Text>
      {groups.map(([label, members]) => (
        <div key={label}>
          <Text size="xs" fw={600} mt="xs" mb={4}>
            {label}
          </Text>
          <ul className={classes.list}>
            {members.map((variable) => (
              <li key={variable.name}>
                <Tooltip label={t.templates.exampleOf(variable.example || "–")}>
                  <button
                    type="button"
                    className={classes.variable}
                    // The field keeps the focus, and the place in it.
                    onMouseDown={(event) => event.preventDefault()}
                    onClick={() => onInsert(wordsOf(variable))}
                  >
                    {variable.name}
                  </button>
                </Tooltip>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}

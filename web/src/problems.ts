import { ApiError, type FieldProblem } from "./api";
import type { Dictionary } from "./i18n/en";
import type { Values } from "./i18n/problems.en";

/** A text of the dictionary by a code that may be newer than this page. */
function textOf(code: string | undefined, t: Dictionary) {
  const texts: Record<string, (values: Values) => string> = t.problems;
  return code !== undefined && Object.hasOwn(texts, code) ? texts[code] : undefined;
}

/** What the server says is wrong, in the reader's language; where that has no words, in its own. */
export function sentenceOf(
  { msg, code, values }: Omit<FieldProblem, "loc">,
  t: Dictionary,
): string {
  return textOf(code, t)?.(values ?? {}) ?? msg;
}

/** What went wrong, in words an administrator can act on. */
export function problemText(error: Error, t: Dictionary): string {
  if (!(error instanceof ApiError)) return error.message;
  if (error.status === 0) return t.common.noAnswer;
  if (error.status === 403) return t.common.forbidden;
  if (error.status === 404) return t.common.gone;
  const fields = error.fields.map((problem) => sentenceOf(problem, t)).join(" ");
  return fields || sentenceOf({ msg: error.message, ...error.said }, t);
}

interface Refusal {
  /** What was said about one field, if anything. */
  field: (name: string) => string | undefined;
}

/** What a refused request says of its fields; null where the server refused nothing. */
export function refusalOf(error: Error | null, t: Dictionary): Refusal | null {
  if (!(error instanceof ApiError)) return null;
  return {
    field: (name) => {
      const problem = error.fields.find(({ loc }) => loc.includes(name));
      return problem && sentenceOf(problem, t);
    },
  };
}

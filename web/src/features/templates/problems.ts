import { ApiError, type FieldProblem } from "../../api";
import type { Dictionary } from "../../i18n/en";
import { sentenceOf } from "../../problems";

/** What is wrong, by place: `sender.phone`, `en.subject`; `""` for the message as a whole. */
export type Problems = ReadonlyMap<string, string>;

export const senderPlace = (field: string) => `sender.${field}`;
export const textPlace = (language: string, field: string) => `${language}.${field}`;

function placeOf({ loc }: FieldProblem): string {
  const words = loc.map(String);
  const sender = words.lastIndexOf("sender");
  if (sender >= 0) return senderPlace(words[sender + 1] ?? "");
  const [language, field] = words.slice(words.lastIndexOf("templates") + 1);
  return words.includes("templates") && language && field ? textPlace(language, field) : "";
}

type Say = (t: Dictionary["templates"]["problems"], found: RegExpExecArray) => string;

/** The server's sentences of which the screen has its own in every language. */
const sentences: [RegExp, Say][] = [
  [
    /^there is no \{\{ (\w+) \}\}; did you mean (\w+)\?/,
    (t, [, name, near]) => t.unknownNear(name ?? "", near ?? ""),
  ],
  [/^there is no \{\{ (\w+) \}\}/, (t, [, name]) => t.unknown(name ?? "")],
  [/^not every bill has \{\{ (\w+) \}\}/, (t, [, name]) => t.notAlways(name ?? "")],
  [/^write \{\{ (\w+) \}\} with two braces/, (t, [, name]) => t.twoBraces(name ?? "")],
  [/^(\w+) is a list: use/, (t, [, name]) => t.isList(name ?? "")],
  [/^would be empty on some bills/, (t) => t.empty],
  [
    /^(?:would have|has) (\d+) characters; (\d+) is the most/,
    (t, [, n, most]) => t.tooLong(Number(n), Number(most)),
  ],
  [
    /^would take (\d+) text messages .*; (\d+) is the most/,
    (t, [, n, most]) => t.tooManySegments(Number(n), Number(most)),
  ],
  [/^is no telephone number/, (t) => t.noPhoneNumber],
  [/email address|@-sign|domain name/i, (t) => t.noEmailAddress],
  [/^at most (\d+) lines/, (t, [, most]) => t.tooManyLines(Number(most))],
  [/^there is no phone number/, (t) => t.billWithoutPhone],
  [/^there is no e-mail address/, (t) => t.billWithoutEmail],
];

/** A sentence of the server in the reader's language, where the screen knows it. */
function wordsOf(problem: FieldProblem, t: Dictionary): string {
  for (const [pattern, say] of sentences) {
    const found = pattern.exec(problem.msg);
    if (found) return say(t.templates.problems, found);
  }
  return sentenceOf(problem, t);
}

/** Everything a refused save or preview says, each sentence at its field. */
export function problemsOf(error: Error | null, t: Dictionary): Problems {
  const problems = new Map<string, string>();
  if (!(error instanceof ApiError) || error.status !== 422) return problems;
  for (const problem of error.fields) {
    const place = placeOf(problem);
    const sentence = wordsOf(problem, t);
    const known = problems.get(place);
    problems.set(place, known ? `${known} ${sentence}` : sentence);
  }
  return problems;
}

import { ApiError, type FieldProblem } from "../../api";
import type { Dictionary } from "../../i18n/en";
import { sentenceOf } from "../../problems";

export interface RowProblem {
  /** As the person sees it in the file; the heading is row 1. Null: about the file as a whole. */
  row: number | null;
  column: string;
  message: string;
}

function rowProblem(problem: FieldProblem, t: Dictionary): RowProblem {
  const { loc } = problem;
  const at = loc.indexOf("row");
  const row = at < 0 ? undefined : loc[at + 1];
  return {
    row: typeof row === "number" ? row : null,
    column: at < 0 ? "" : loc.slice(at + 2).join(" "),
    message: sentenceOf(problem, t),
  };
}

/** Every problem of a refused file by row, in the reader's language; none if it was refused for another reason. */
export function rowProblems(error: Error | null, t: Dictionary): RowProblem[] {
  if (!(error instanceof ApiError) || error.status !== 422) return [];
  const problems = error.fields.map((problem) => rowProblem(problem, t));
  return problems.sort((a, b) => (a.row ?? 0) - (b.row ?? 0));
}

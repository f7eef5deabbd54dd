import { ApiError, type FieldProblem } from "../../api";

export interface RowProblem {
  /** As the person sees it in the file; the heading is row 1. Null: about the file as a whole. */
  row: number | null;
  column: string;
  message: string;
}

function rowProblem({ loc, msg }: FieldProblem): RowProblem {
  const at = loc.indexOf("row");
  const row = at < 0 ? undefined : loc[at + 1];
  return {
    row: typeof row === "number" ? row : null,
    column: at < 0 ? "" : loc.slice(at + 2).join(" "),
    message: msg,
  };
}

/** Every problem of a refused file by row; none if it was refused for another reason. */
export function rowProblems(error: Error | null): RowProblem[] {
  if (!(error instanceof ApiError) || error.status !== 422) return [];
  return error.fields.map(rowProblem).sort((a, b) => (a.row ?? 0) - (b.row ?? 0));
}

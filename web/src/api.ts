import { bootstrap } from "./bootstrap";
import { formDataBodySerializer } from "./client/client";
import { client } from "./client/client.gen";

/** Which rule refused, and what its words quote: what other languages make theirs of. */
interface Said {
  code?: string;
  values?: Record<string, string | number>;
}

/** One refused field of a request, as RFC 9457 problems list them. */
export interface FieldProblem extends Said {
  loc: (string | number)[];
  msg: string;
}

/** A request that did not succeed. `status` 0 means that no answer came at all. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    message: string,
    readonly fields: FieldProblem[] = [],
    readonly said: Said = {},
  ) {
    super(message);
  }
}

interface ProblemDocument extends Said {
  title?: string;
  detail?: string;
  errors?: FieldProblem[];
}

function toApiError(error: unknown, response: Response | undefined): ApiError {
  if (error instanceof ApiError) return error;
  if (!response) return new ApiError(0, error instanceof Error ? error.message : String(error));
  const problem = (typeof error === "object" && error !== null ? error : {}) as ProblemDocument;
  return new ApiError(
    response.status,
    problem.detail || problem.title || response.statusText || `HTTP ${response.status}`,
    Array.isArray(problem.errors) ? problem.errors : [],
    { code: problem.code, values: problem.values },
  );
}

/** What makes a call of the client send these fields and files as a form. */
export function asForm(fields: Record<string, unknown>) {
  return {
    bodySerializer: () => formDataBodySerializer.bodySerializer(fields),
    // The browser names the boundary.
    headers: { "Content-Type": null },
  };
}

/** The token Django expects back with every change. */
export function csrfToken(): string {
  // Django rotates the cookie at sign-in, so it is newer than what the page was made with.
  const cookie = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="));
  return cookie ? decodeURIComponent(cookie.slice("csrftoken=".length)) : bootstrap.csrfToken;
}

/** Sends somebody whose session ended to the sign-in page, and back here afterwards. */
function toSignIn(): void {
  const here = window.location.pathname + window.location.search;
  window.location.assign(`/accounts/login/?next=${encodeURIComponent(here)}`);
}

/** Call once before the first request. */
export function configureApi(): void {
  client.setConfig({ baseUrl: "", credentials: "same-origin", throwOnError: true });
  client.interceptors.request.use((request) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      request.headers.set("X-CSRFToken", csrfToken());
    }
    return request;
  });
  client.interceptors.response.use((response) => {
    if (response.status === 401) toSignIn();
    return response;
  });
  client.interceptors.error.use((error, response) => toApiError(error, response));
}

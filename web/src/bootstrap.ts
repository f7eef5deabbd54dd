/** What the server puts into the page before any request is made. */
export interface Bootstrap {
  user: { username: string; role: "admin" | "viewer" };
  csrfToken: string;
  /** IANA name; used where a building has no time zone of its own. */
  timeZone: string;
  logoutUrl: string;
}

const fallback: Bootstrap = {
  user: { username: "", role: "viewer" },
  csrfToken: "",
  timeZone: "UTC",
  logoutUrl: "/accounts/logout/",
};

/** Reads `<script type="application/json" id="bootstrap">`; a page without it can only look. */
export function readBootstrap(root: Document = document): Bootstrap {
  const text = root.getElementById("bootstrap")?.textContent;
  return text ? { ...fallback, ...(JSON.parse(text) as Partial<Bootstrap>) } : fallback;
}

/** The nonce of this response's Content-Security-Policy, for the style elements Mantine adds. */
export function readNonce(root: Document = document): string {
  const carrier =
    root.querySelector<HTMLElement>('meta[property="csp-nonce"]') ??
    root.querySelector<HTMLElement>("script[nonce]");
  return carrier?.nonce || carrier?.getAttribute("nonce") || "";
}

export const bootstrap = readBootstrap();

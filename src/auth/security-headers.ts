/**
 * What every answer of the Worker says to browsers, whoever made it: pages, the API, the OAuth library. Files under `/assets` have theirs in
 * `public/_headers`.
 */

/** The one name under which a page may make script addresses of strings: the import page of `apps/dashboard` starts its Web Worker so. */
const TRUSTED_TYPES_POLICY = "cofio";

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "form-action 'self'",
  "require-trusted-types-for 'script'",
  `trusted-types ${TRUSTED_TYPES_POLICY}`,
].join("; ");

/** What the pages use, and off whatever else a browser may give a page, asked or not. */
const PERMISSIONS_POLICY = [
  "publickey-credentials-create=(self)",
  "publickey-credentials-get=(self)",
  "clipboard-write=(self)",
  ...[
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "clipboard-read",
    "display-capture",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "serial",
    "usb",
    "xr-spatial-tracking",
  ].map((feature) => `${feature}=()`),
].join(", ");

/** `same-origin` and not `no-referrer`, under which a browser posts a form with `Origin: null`. */
const HEADERS = {
  "Content-Security-Policy": CONTENT_SECURITY_POLICY,
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "same-origin",
  "Permissions-Policy": PERMISSIONS_POLICY,
  "Cross-Origin-Resource-Policy": "same-origin",
} as const;

/**
 * Pages on the way of a client that asks for consent. Some open it in a window of their own and hear from its last page, which is theirs
 * again: a policy of ours would cut the two apart for good.
 */
const OPENED_BY_CLIENTS = /^\/(?:authorize|sign-in|sign-up|recover)(?:$|\/)/;

/** A year, as browsers' lists of such hosts want at least. Not for hosts beside or below this one, which may be anybody's. */
const TRANSPORT_SECURITY = "max-age=31536000";

/** Set last: the OAuth library's consent headers bring a shorter policy. */
export function withSecurityHeaders(
  response: Response,
  { path, isLoopback }: { readonly path: string; readonly isLoopback: boolean },
): Response {
  // An accepted WebSocket is no page, and cannot be copied.
  if (response.webSocket != null) return response;
  const answer = new Response(response.body, response);
  for (const [name, value] of Object.entries(HEADERS)) answer.headers.set(name, value);
  // On loopback there is no https to insist on.
  if (!isLoopback) answer.headers.set("Strict-Transport-Security", TRANSPORT_SECURITY);
  if (!OPENED_BY_CLIENTS.test(path))
    answer.headers.set("Cross-Origin-Opener-Policy", "same-origin");
  if (!answer.headers.has("Cache-Control")) answer.headers.set("Cache-Control", "no-store");
  return answer;
}

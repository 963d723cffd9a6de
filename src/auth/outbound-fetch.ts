/**
 * The guard of outbound requests. The OAuth library fetches metadata documents from addresses that clients choose, and key
 * sets from addresses that those documents choose; it has no hook to refuse one, and local workerd does not enforce
 * `global_fetch_strictly_public`. What else fetches (`fetchFromIssuer`) asks addresses of the deployer's choice.
 */

/** Names that never lead to a public server (RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal`, and common private ones). */
const PRIVATE_SUFFIXES = [
  "localhost",
  "local",
  "internal",
  "intranet",
  "lan",
  "home",
  "corp",
  "private",
  "home.arpa",
  "test",
  "invalid",
  "onion",
];

/**
 * Https on its own port, by a name of at least two labels. A name that resolves to a private address passes here: the
 * platform's flag refuses it, and a Worker cannot ask before.
 */
export function isPublicAddress(address: string): boolean {
  const url = URL.parse(address);
  if (url === null || url.protocol !== "https:" || url.port !== "") return false;
  if (url.username !== "" || url.password !== "") return false;
  // URL has already rewritten every spelling of an IPv4 address to four numbers, and put IPv6 in brackets.
  const host = url.hostname.replace(/\.$/, "");
  if (host.startsWith("[") || !host.includes(".") || /^[\d.]+$/.test(host)) return false;
  return !PRIVATE_SUFFIXES.some((suffix) => host.endsWith(`.${suffix}`));
}

let unguarded = globalThis.fetch;

/** From now on the isolate fetches from public addresses only, and follows no redirect: it could lead elsewhere. */
export function guardOutboundFetch(): void {
  const direct = globalThis.fetch;
  unguarded = direct;
  globalThis.fetch = (input: RequestInfo | URL, init?: RequestInit) => {
    const address = input instanceof Request ? input.url : String(input);
    if (!isPublicAddress(address)) {
      return Promise.reject(new TypeError("Refused: not a public https address"));
    }
    return direct(input, { ...init, redirect: "manual" });
  };
}

/** From an identity provider: its own origin may be a private one, because who runs this server named it. */
export function fetchFromIssuer(
  issuer: string,
  address: string,
  init: RequestInit,
): Promise<Response> {
  const isOwn = !isPublicAddress(address) && URL.parse(address)?.origin === new URL(issuer).origin;
  return (isOwn ? unguarded : fetch)(address, { ...init, redirect: "manual" });
}

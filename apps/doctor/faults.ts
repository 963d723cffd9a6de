/** Everything that the examination can find wrong: what it is, and which switch to turn. One literal each. */

export interface Fault {
  readonly code: FaultCode;
  readonly what: string;
  readonly repair: string;
}

type Words = { readonly what: string; readonly repair: string };

const ADDRESS = "Check the address, and that the server runs.";
const PROXY =
  "Something between the client and Cofio answers in its place: look at the proxy's or zone's rules for this path, or use the workers.dev address.";
const ORIGIN =
  "Deploy with the address that people use: npm run deploy -- --origin https://… (PUBLIC_ORIGIN), and give clients exactly that.";
const VERSION = "Update Cofio there: npm run deploy.";
const LOGS = "See what the Worker says: npm exec wrangler tail";

const CATALOGUE = {
  // Reaching it
  unknown_name: (detail: string) => ({
    what: `The server's name is not known (${detail}).`,
    repair:
      "Check the spelling. A new workers.dev name or DNS record takes some minutes; a domain of your own needs a route or custom domain on the Worker.",
  }),
  bad_certificate: (detail: string) => ({
    what: `The server's certificate is not accepted (${detail}).`,
    repair:
      "Clients refuse it as well. In Cloudflare: SSL/TLS → Edge Certificates, wait until the certificate is active; a subdomain of two levels needs Advanced Certificate Manager.",
  }),
  no_answer: (where: string, detail: string) => ({
    what: `${where} gets no answer (${detail}).`,
    repair: ADDRESS,
  }),
  too_slow: (where: string) => ({
    what: `${where} gets no complete answer in time.`,
    repair: `Clients give up as well. ${LOGS}`,
  }),
  server_error: (where: string, status: number) => ({
    what: `${where} fails with status ${status}.`,
    repair: `A missing secret or migration, or a mistake in a variable, stops everything. ${LOGS}. Then: npm run deploy`,
  }),
  not_cofio: (status: number) => ({
    what: `/healthz answers with status ${status}, and not as a Cofio does.`,
    repair: `Is this the address of a Cofio? ${PROXY}`,
  }),
  redirected: (where: string, to: string) => ({
    what: `${where} is redirected to ${to}. Clients do not follow that with a body or a token.`,
    repair:
      "Give clients the address where it ends. In Cloudflare turn off what redirects this one: Rules → Redirect Rules, Page Rules, Always Use HTTPS for an http address.",
  }),
  odd_port: (port: string) => ({
    what: `The server is on port ${port}; Claude and other hosted clients reach port 443 only.`,
    repair: "Serve it on https without a port in the address.",
  }),
  clock_differs: (seconds: number) => ({
    what: `The server's clock is ${Math.abs(seconds)} seconds ${seconds > 0 ? "ahead of" : "behind"} this machine's.`,
    repair:
      "Set this machine's clock by the network. If it is right, the server's is wrong: tokens would end too early or too late.",
  }),
  everything_refused: (where: string, status: number) => ({
    what: `${where} is refused with status ${status} before Cofio sees it, whoever asks.`,
    repair:
      "In Cloudflare's dashboard, for this domain: Security → Settings (Under Attack mode, Bot Fight Mode), WAF custom rules, and Access applications that cover it. Exclude /mcp, /.well-known/*, /authorize and /oauth/*. Or use the workers.dev address.",
  }),

  // User agents
  agent_blocked: (agent: string, paths: string, status: number) => ({
    what: `${agent} is refused with status ${status} at ${paths}, before Cofio sees it; others pass.`,
    repair: agentRepair(agent),
  }),
  agent_challenged: (agent: string, paths: string) => ({
    what: `${agent} gets a challenge page at ${paths}, which no program can solve; others pass.`,
    repair: agentRepair(agent),
  }),

  // The MCP address
  mcp_missing: (status: number) => ({
    what: `/mcp answers with status ${status}: there is no MCP server at this address.`,
    repair: `A rule for /mcp/* does not cover /mcp itself. ${PROXY}`,
  }),
  open_to_all: () => ({
    what: "/mcp answers without a token.",
    repair: `Whatever answers there is open to everybody. ${PROXY}`,
  }),
  challenge_missing: (how: string) => ({
    what: `${how} /mcp without a token is answered without the challenge (401 with WWW-Authenticate and resource_metadata), so that clients do not know where to sign in.`,
    repair: `A proxy that drops WWW-Authenticate, or signs in itself, has to let it through. ${PROXY}`,
  }),
  challenge_wrong: (named: string, expected: string) => ({
    what: `The challenge names ${named} in place of ${expected}.`,
    repair: ORIGIN,
  }),
  slash_fails: (path: string, found: string) => ({
    what: `POST ${path} ${found}, where /mcp works. Some clients add the slash, or are given the bare address.`,
    repair: `Let ${path} through to Cofio as it is, without a redirect: it knows what is meant. ${PROXY}`,
  }),

  // Documents
  document_is_page: (path: string) => ({
    what: `${path} is a web page and not the document that clients read.`,
    repair: `Usually an app's fallback page, or an asset rule that answers before the Worker: run_worker_first has to hold /.well-known/*. ${PROXY}`,
  }),
  document_missing: (path: string, status: number) => ({
    what: `${path} answers with status ${status}. Some clients read only this form.`,
    repair: `${PROXY} Otherwise: ${VERSION}`,
  }),
  document_broken: (path: string) => ({
    what: `${path} is no JSON, or arrives cut.`,
    repair: PROXY,
  }),
  documents_differ: (paths: string) => ({
    what: `${paths} should be one document and differ.`,
    repair: `A cache may keep an old one: purge it (Caching → Purge). ${PROXY}`,
  }),
  resource_mismatch: (named: string, expected: string) => ({
    what: `The protected resource is ${named}, and not ${expected}. Clients refuse that, or get invalid_target.`,
    repair: ORIGIN,
  }),
  issuer_mismatch: (named: string, expected: string) => ({
    what: `The authorization server is said to be ${named}, and not ${expected}. Clients compare the two.`,
    repair: ORIGIN,
  }),
  endpoint_elsewhere: (name: string, address: string) => ({
    what: `${name} is ${address}, on another server. It was not asked.`,
    repair: ORIGIN,
  }),
  s256_missing: () => ({
    what: "PKCE with S256 is not offered (code_challenge_methods_supported); every client insists on it.",
    repair: VERSION,
  }),
  public_clients_refused: () => ({
    what: 'Clients without a secret are not offered ("none" in token_endpoint_auth_methods_supported).',
    repair: VERSION,
  }),
  cimd_not_offered: () => ({
    what: "Client metadata documents (CIMD) are not offered, by which ChatGPT and Claude Code prefer to be known.",
    repair: VERSION,
  }),

  // Signing in
  registration_refused: (clients: string, found: string) => ({
    what: `Registering as ${clients} ${found}.`,
    repair: `POST /oauth/register has to be open to programs. ${PROXY}`,
  }),
  cimd_unreachable: () => ({
    what: "The server could not read the document by which Claude Code is known (claude.ai).",
    repair:
      "wrangler.jsonc needs the flag global_fetch_strictly_public, and claude.ai has to answer: try again later. Clients that register themselves are not concerned.",
  }),
  authorize_fails: (found: string) => ({
    what: `The page that asks for consent ${found}.`,
    repair: `${LOGS}. An Access application or a challenge in front of /authorize breaks sign-in as well.`,
  }),
  redirect_unchecked: () => ({
    what: "A sign-in to an address that the client never registered is not refused.",
    repair: `Nobody should sign in there. ${VERSION}`,
  }),
  pkce_not_required: () => ({
    what: "A sign-in without PKCE is not refused.",
    repair: VERSION,
  }),
  page_can_be_framed: () => ({
    what: "The page that asks for consent may be shown inside other pages, which could have it clicked.",
    repair: "Let X-Frame-Options and Content-Security-Policy through as Cofio sets them.",
  }),
  page_is_cached: () => ({
    what: "The page that asks for consent may be kept by caches.",
    repair: "Exclude /authorize and /sign-in from caching (Caching → Cache Rules).",
  }),
  token_endpoint_fails: (found: string) => ({
    what: `The token endpoint ${found}, where a wrong code should be refused in JSON.`,
    repair: `POST /oauth/token has to be open to programs. ${PROXY}`,
  }),
  cors_missing: (where: string) => ({
    what: `${where} does not let a page in a browser read the answer (CORS), so that the Inspector's own page cannot connect.`,
    repair:
      "Let the Access-Control headers through as Cofio sets them, and OPTIONS too; or choose the Inspector's connection “Via Proxy”.",
  }),

  // With a token
  refresh_fails: (found: string) => ({
    what: `The kept access cannot be renewed: the token endpoint ${found}.`,
    repair:
      "It was revoked, has ended or belongs to an earlier deployment. Sign in anew: cofio doctor URL --sign-in",
  }),
  token_refused: (found: string) => ({
    what: `The token is refused${found}.`,
    repair:
      "Make one on Cofio's page, Connected apps, and put it whole into COFIO_TOKEN; or use --sign-in. If every token is refused, something in front strips the Authorization header.",
  }),
  accept_refused: (accepts: string) => ({
    what: `initialize is refused (406) with Accept: ${accepts}. Claude's first request and others send just that.`,
    repair: `${PROXY} Otherwise: ${VERSION}`,
  }),
  initialize_fails: (found: string) => ({
    what: `initialize ${found}. Claude Code, Cursor, Codex and most others open with it.`,
    repair: LOGS,
  }),
  discover_fails: (found: string) => ({
    what: `server/discover ${found}. Claude's connectors and clients of the 2026-07-28 protocol open with it.`,
    repair: `Let POST /mcp through with its Mcp-Method and MCP-Protocol-Version headers. ${PROXY} Otherwise: ${VERSION}`,
  }),
  tools_incomplete: (era: string, found: string) => ({
    what: `tools/list (${era}) ${found}.`,
    repair: `A limit on the size of answers, or a gateway that filters tools? ${PROXY} Otherwise: ${VERSION} Clients keep the list: reconnect them afterwards, Claude by adding ?v=2 to the address.`,
  }),
} as const satisfies Record<string, (...details: never[]) => Words>;

export type FaultCode = keyof typeof CATALOGUE;

/** @param details as the literal of this code takes them */
export function fault<Code extends FaultCode>(
  code: Code,
  ...details: Parameters<(typeof CATALOGUE)[Code]>
): Fault {
  // True because `details` are the parameters of this very code, which TypeScript does not follow through the index.
  const say = CATALOGUE[code] as (...given: readonly unknown[]) => Words;
  return { code, ...say(...details) };
}

function agentRepair(agent: string): string {
  const switches = /claude|openai/i.test(agent)
    ? "Security → Settings → Block AI bots: off; and AI Crawl Control: allow this crawler. A WAF skip rule does not lift the first."
    : "Security → Settings → Bot Fight Mode and Browser Integrity Check: off, or a WAF rule that skips them for /mcp, /.well-known/* and /oauth/*.";
  return `In Cloudflare's dashboard, for this domain: ${switches} Or use the workers.dev address, which these switches do not touch.`;
}

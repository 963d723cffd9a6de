/** Whether the server answers at all, to everyone, and sends a stranger the right way. */
import {
  type Answer,
  type Answered,
  isFromCofio,
  isRedirect,
  jsonOf,
  refusedAtEdge,
} from "./ask.ts";
import { fault, type Fault } from "./faults.ts";
import { message, HANDSHAKE } from "./messages.ts";
import { EVERYONE, type Examined, type Outcome, shown, type Step } from "./step.ts";

/** As they name themselves; the first two are those that zones refuse most. */
const AGENTS = {
  "Claude-User": "Claude-User",
  "python-httpx (Claude's sign-in)": "python-httpx/0.28.1",
  "openai-mcp (ChatGPT)": "openai-mcp/1.0.0",
  "a browser":
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
} as const;

/** A header's time has whole seconds, and answers take a while. Arbitrary. */
const CLOCK_TOLERANCE_SECONDS = 60;

export const METADATA_PATH = "/.well-known/oauth-protected-resource/mcp";

/** What is wrong before an answer can be judged as Cofio's. Null: nothing. */
export function transportFault(where: string, answer: Answer): Fault | null {
  if (answer.kind === "silent") {
    switch (answer.reason) {
      case "name":
        return fault("unknown_name", shown(answer.detail));
      case "certificate":
        return fault("bad_certificate", shown(answer.detail));
      case "late":
        return fault("too_slow", where);
      case "refused":
        return fault("no_answer", where, shown(answer.detail));
    }
  }
  if (isRedirect(answer)) return fault("redirected", where, targetOf(answer));
  if (refusedAtEdge(answer) !== null) return fault("everything_refused", where, answer.status);
  if (answer.status >= 500) return fault("server_error", where, answer.status);
  return null;
}

/** Without its query, which may hold what is nobody else's. */
export function targetOf({ headers }: Answered): string {
  const location = headers.get("location") ?? "";
  return location === "" ? "nowhere" : shown(location.split(/[?#]/)[0]);
}

export async function reach(
  { origin, ask }: Examined,
  now: () => number,
): Promise<Outcome<Answered>> {
  const answer = await ask({ method: "GET", path: "/healthz" });
  const { port, hostname } = new URL(origin);
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
  const failed = transportFault(origin, answer);
  if (answer.kind === "silent" || failed !== null) {
    const faults = failed === null ? [] : [failed];
    return { step: { name: "reach", clients: EVERYONE, found: origin, faults }, value: null };
  }
  const skew = clockSkew(answer, now());
  const faults = [
    ...(answer.status === 200 && isHealth(jsonOf(answer))
      ? []
      : [fault("not_cofio", answer.status)]),
    ...(port !== "" && !isLocal ? [fault("odd_port", port)] : []),
    ...(skew === null ? [] : [fault("clock_differs", skew)]),
  ];
  const found = isLocal
    ? `${origin} answers; it is on this machine, where Claude and ChatGPT, which call from their own servers, do not reach it`
    : `${origin} answers`;
  return { step: { name: "reach", clients: EVERYONE, found, faults }, value: answer };
}

function isHealth(value: unknown): boolean {
  return typeof value === "object" && value !== null && "ok" in value && value.ok === true;
}

function clockSkew({ headers }: Answered, now: number): number | null {
  const told = Date.parse(headers.get("date") ?? "");
  const seconds = Math.round((told - now) / 1_000);
  return Math.abs(seconds) > CLOCK_TOLERANCE_SECONDS ? seconds : null;
}

/** The first request of every client. @returns whether a stranger is sent the right way; null: there is no MCP server to go on with */
export async function challenge({
  origin,
  ask,
}: Examined): Promise<Outcome<{ readonly isRight: boolean }>> {
  const expected = `${origin}${METADATA_PATH}`;
  const post = await ask(message(HANDSHAKE));
  const missing = mcpFault(post);
  const wrong =
    missing === null && post.kind === "answered" ? challengeFault("POST", post, expected) : null;
  const first = missing ?? wrong;
  const faults = first === null ? await othersAreChallenged(ask, expected) : [first];
  const found = `a stranger is sent to ${METADATA_PATH}`;
  return {
    step: { name: "challenge", clients: EVERYONE, found, faults },
    value: missing === null ? { isRight: wrong === null } : null,
  };
}

async function othersAreChallenged(
  ask: Examined["ask"],
  expected: string,
): Promise<readonly Fault[]> {
  for (const method of ["GET", "HEAD"] as const) {
    const answer = await ask({ method, path: "/mcp", headers: { accept: "text/event-stream" } });
    const found =
      transportFault(`${method} /mcp`, answer) ??
      (answer.kind === "answered" ? challengeFault(method, answer, expected) : null);
    if (found !== null) return [found];
  }
  return [];
}

function mcpFault(answer: Answer): Fault | null {
  const failed = transportFault("POST /mcp", answer);
  if (failed !== null || answer.kind === "silent") return failed;
  if ([404, 405, 410].includes(answer.status)) return fault("mcp_missing", answer.status);
  if (answer.status < 300) return fault("open_to_all");
  return null;
}

function challengeFault(method: string, answer: Answered, expected: string): Fault | null {
  const named = resourceMetadataOf(answer);
  if (answer.status !== 401 || named === null) return fault("challenge_missing", method);
  return named === expected ? null : fault("challenge_wrong", shown(named), expected);
}

function resourceMetadataOf({ headers }: Answered): string | null {
  const given = /resource_metadata=(?:"([^"]*)"|([^\s,]*))/i.exec(
    headers.get("www-authenticate") ?? "",
  );
  return given?.[1] ?? given?.[2] ?? null;
}

/** The same requests under the names that zones refuse. @param token the first call that carries it is the one that is refused most */
export async function userAgents({ ask }: Examined, token: string | null): Promise<Step> {
  const faults: Fault[] = [];
  const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
  for (const [name, agent] of Object.entries(AGENTS)) {
    const headers = { "user-agent": agent };
    const asks = [
      message(HANDSHAKE, { ...headers, ...authorization }),
      ...(token === null
        ? [METADATA_PATH, "/.well-known/oauth-authorization-server"].map(
            (path) => ({ method: "GET", path, headers }) as const,
          )
        : []),
    ];
    const refused: { path: string; status: number; isChallenge: boolean }[] = [];
    for (const one of asks) {
      const answer = await ask(one);
      const how = answer.kind === "silent" ? null : refusedAtEdge(answer);
      if (answer.kind === "answered" && how !== null) {
        refused.push({ path: one.path, status: answer.status, isChallenge: how === "challenge" });
      }
    }
    const [first] = refused;
    if (first === undefined) continue;
    const paths = refused.map(({ path }) => path).join(", ");
    faults.push(
      first.isChallenge
        ? fault("agent_challenged", name, paths)
        : fault("agent_blocked", name, paths, first.status),
    );
  }
  return {
    name: token === null ? "user agents" : "first call",
    clients: "Claude, ChatGPT, browsers",
    found: `${Object.keys(AGENTS).join(", ")} pass${token === null ? "" : " with the token"}`,
    faults,
  };
}

/** What clients add to the address, or leave out of it. */
export async function nearbyPaths({ ask }: Examined): Promise<Step> {
  const faults: Fault[] = [];
  for (const path of ["/mcp/", "/"]) {
    const answer = await ask({ ...message(HANDSHAKE), path });
    if (answer.kind === "silent") faults.push(fault("slash_fails", path, "gets no answer"));
    else if (isRedirect(answer)) {
      faults.push(fault("slash_fails", path, `is redirected to ${targetOf(answer)}`));
    } else if (answer.status !== 401) {
      faults.push(fault("slash_fails", path, `answers with status ${answer.status}`));
    }
  }
  const found = "/mcp/ and / lead to /mcp";
  return { name: "addresses", clients: "clients that add a slash", found, faults };
}

/** Where the Inspector's page is served by default. */
const INSPECTOR_ORIGIN = "http://localhost:6274";

/** A page of another origin, such as the Inspector's, that talks to the server itself. */
export async function inspectorPage({ ask }: Examined): Promise<Step> {
  const name = "browser pages";
  const clients = "MCP Inspector";
  const origin = { origin: INSPECTOR_ORIGIN };
  const document = await ask({ method: "GET", path: METADATA_PATH, headers: origin });
  if (document.kind === "answered" && document.status === 403 && isFromCofio(document)) {
    const found =
      "other sites' pages are refused, on purpose: in the Inspector choose “Via Proxy” and give a token, or use its command line";
    return { name, clients, found, faults: [] };
  }
  const preflight = await ask({
    method: "OPTIONS",
    path: "/mcp",
    headers: {
      ...origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type,mcp-protocol-version",
    },
  });
  const stranger = await ask(message(HANDSHAKE, origin));
  const wrong = [
    ...(allows(document) ? [] : [METADATA_PATH]),
    ...(allows(preflight) && preflight.status < 300 ? [] : ["OPTIONS /mcp"]),
    ...(allows(stranger) && exposesChallenge(stranger) ? [] : ["POST /mcp"]),
  ];
  const faults = wrong.length === 0 ? [] : [fault("cors_missing", wrong.join(", "))];
  return { name, clients, found: "the Inspector's own page may connect", faults };
}

function allows(answer: Answer): answer is Answered {
  return (
    answer.kind === "answered" &&
    ["*", INSPECTOR_ORIGIN].includes(answer.headers.get("access-control-allow-origin") ?? "")
  );
}

function exposesChallenge({ headers }: Answered): boolean {
  return /www-authenticate|\*/i.test(headers.get("access-control-expose-headers") ?? "");
}

/** The way to a token, as far as it goes without a person: registration, the page that asks for consent, the token endpoint. */
import * as z from "zod";
import { type Answer, type Answered, type Ask, isPage, isRedirect, jsonOf } from "./ask.ts";
import type { Endpoints } from "./documents.ts";
import { fault, type Fault } from "./faults.ts";
import { targetOf, transportFault } from "./reach.ts";
import { answersWith, EVERYONE, type Examined, type Outcome, pathOn, type Step } from "./step.ts";

/** Redirects as real clients register them. The last one's client is used for the steps that follow. */
const CLIENTS: readonly { readonly name: string; readonly redirects: readonly string[] }[] = [
  { name: "Claude", redirects: ["https://claude.ai/api/mcp/auth_callback"] },
  {
    name: "Cursor",
    redirects: [
      "https://www.cursor.com/agents/mcp/oauth/callback",
      "cursor://anysphere.cursor-mcp/oauth/callback",
    ],
  },
  {
    name: "Claude Code",
    redirects: ["http://localhost/callback", "http://127.0.0.1/callback"],
  },
];
/** On any port (RFC 8252 §7.3): clients take one that is free. */
const REDIRECT = "http://localhost:33418/callback";
const FOREIGN_REDIRECT = "https://elsewhere.example/callback";
/** By it Claude Code is known where the server reads such documents. */
const CLIENT_DOCUMENT = "https://claude.ai/oauth/claude-code-client-metadata";
/** RFC 7636, appendix B. Nobody will come for the code. */
const PKCE = {
  code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  code_challenge_method: "S256",
};

/** @returns the id of a client to go on with. It asks for nothing and is swept like every unused one. */
export async function registration(
  { ask }: Examined,
  { register }: Endpoints,
): Promise<Outcome<string>> {
  const refused = new Map<string, string[]>();
  const faults: Fault[] = [];
  let clientId: string | null = null;
  for (const { name, redirects } of register === null ? [] : CLIENTS) {
    const answer = await ask({
      method: "POST",
      path: register ?? "",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({
        client_name: "cofio doctor",
        redirect_uris: redirects,
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        token_endpoint_auth_method: "none",
      }),
    });
    const id = answer.kind === "answered" ? registered(answer) : null;
    if (id !== null) clientId = id;
    else {
      const why = answer.kind === "silent" ? "gets no answer" : answersWith(answer);
      refused.set(why, [...(refused.get(why) ?? []), name]);
    }
  }
  for (const [why, names] of refused) {
    faults.push(fault("registration_refused", names.join(", "), why));
  }
  const found = `${CLIENTS.map(({ name }) => name).join(", ")} may register`;
  return {
    step: {
      name: "registration",
      clients: CLIENTS.map(({ name }) => name).join(", "),
      found,
      faults,
    },
    value: clientId,
  };
}

const registeredSchema = z.object({ client_id: z.string().min(1).max(1_000) });

function registered(answer: Answered): string | null {
  if (answer.status !== 201 && answer.status !== 200) return null;
  return registeredSchema.safeParse(jsonOf(answer)).data?.client_id ?? null;
}

export async function consent(
  examined: Examined,
  { authorize }: Endpoints,
  clientId: string,
): Promise<Step> {
  const { origin, ask } = examined;
  const open = (changes: Readonly<Record<string, string | undefined>>): Promise<Answer> =>
    ask(authorizeAsk(authorize, { ...request(origin, clientId), ...PKCE, ...changes }));

  const faults = await pageFaults(examined, await open({}));
  if (faults.length === 0) {
    const wrong = await open({ redirect_uri: FOREIGN_REDIRECT });
    if (leads(origin, wrong) || leadsTo(FOREIGN_REDIRECT, wrong)) {
      faults.push(fault("redirect_unchecked"));
    }
    const bare = await open({ code_challenge: undefined, code_challenge_method: undefined });
    if (leads(origin, bare)) faults.push(fault("pkce_not_required"));
  }
  const found = "the page answers; a foreign redirect and a sign-in without PKCE are refused";
  return { name: "consent page", clients: EVERYONE, found, faults };
}

/** Where the page that asks for consent sends who is not signed in: it has the same headers. */
export async function signInPage(examined: Examined): Promise<Step> {
  const page = await examined.ask({
    method: "GET",
    path: "/sign-in",
    headers: { accept: "text/html" },
  });
  const faults = await pageFaults(examined, page);
  const found = "the page answers; caches do not keep it, and other pages cannot show it inside";
  return { name: "sign-in page", clients: EVERYONE, found, faults };
}

/** A client that is known by its document has registered nothing. */
export async function clientDocument(
  { origin, ask }: Examined,
  { authorize }: Endpoints,
): Promise<Step> {
  const answer = await ask(
    authorizeAsk(authorize, { ...request(origin, CLIENT_DOCUMENT), ...PKCE }),
  );
  const faults = leads(origin, answer) ? [] : [fault("cimd_unreachable")];
  const found = "the server reads the document by which Claude Code is known";
  return { name: "client document", clients: "ChatGPT, Claude Code", found, faults };
}

/** A code that never was: the endpoint is there, and refuses it as clients understand. */
export async function tokenEndpoint(
  { origin, ask }: Examined,
  { token }: Endpoints,
  clientId: string,
): Promise<Step> {
  const answer = await ask(
    formAsk(token, {
      grant_type: "authorization_code",
      code: "none:none:none",
      client_id: clientId,
      redirect_uri: REDIRECT,
      code_verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
      resource: `${origin}/mcp`,
    }),
  );
  const isRefusal =
    answer.kind === "answered" &&
    [400, 401].includes(answer.status) &&
    refusalSchema.safeParse(jsonOf(answer)).success;
  const why = answer.kind === "silent" ? "gives no answer" : answersWith(answer);
  const faults = isRefusal ? [] : [fault("token_endpoint_fails", why)];
  const found = "a code that never was is refused in JSON";
  return { name: "token endpoint", clients: EVERYONE, found, faults };
}

const refusalSchema = z.object({ error: z.string() });

export interface Refresh {
  readonly clientId: string;
  readonly refreshToken: string;
}

export interface RenewedTokens {
  readonly access_token: string;
  readonly token_type: string;
  readonly refresh_token?: string | undefined;
  readonly expires_in?: number | undefined;
  readonly scope?: string | undefined;
}

const tokensSchema: z.ZodType<RenewedTokens> = z.looseObject({
  access_token: z.string().min(1),
  token_type: z.string(),
  refresh_token: z.string().optional(),
  expires_in: z.number().optional(),
  scope: z.string().optional(),
});

/** What every client does when its access token ends. */
export async function refresh(
  { origin, ask }: Examined,
  { token }: Endpoints,
  { clientId, refreshToken }: Refresh,
): Promise<Outcome<RenewedTokens>> {
  const answer = await ask(
    formAsk(token, {
      grant_type: "refresh_token",
      refresh_token: refreshToken,
      client_id: clientId,
      resource: `${origin}/mcp`,
    }),
  );
  const renewed = answer.kind === "answered" ? tokensSchema.safeParse(jsonOf(answer)).data : null;
  const value = answer.kind === "answered" && answer.status === 200 ? (renewed ?? null) : null;
  const why = answer.kind === "silent" ? "gives no answer" : answersWith(answer);
  const faults = value === null ? [fault("refresh_fails", why)] : [];
  return {
    step: { name: "refresh", clients: EVERYONE, found: "the kept access was renewed", faults },
    value,
  };
}

function request(origin: string, clientId: string) {
  return {
    response_type: "code",
    client_id: clientId,
    redirect_uri: REDIRECT,
    state: "doctor",
    resource: `${origin}/mcp`,
  };
}

function authorizeAsk(path: string, parts: Readonly<Record<string, string | undefined>>): Ask {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parts))
    if (value !== undefined) query.set(name, value);
  return {
    method: "GET",
    path: `${path}${path.includes("?") ? "&" : "?"}${query}`,
    headers: { accept: "text/html" },
  };
}

function formAsk(path: string, form: Readonly<Record<string, string>>): Ask {
  return {
    method: "POST",
    path,
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body: new URLSearchParams(form).toString(),
  };
}

/** Who is not signed in is sent to the server's own page for that, once. */
async function pageFaults({ origin, ask }: Examined, first: Answer): Promise<Fault[]> {
  const own = first.kind === "answered" && isRedirect(first) ? ownTarget(origin, first) : null;
  const page =
    own === null
      ? first
      : await ask({ method: "GET", path: own, headers: { accept: "text/html" } });
  if (page.kind === "answered" && isRedirect(page)) {
    return [fault("authorize_fails", `is redirected to ${targetOf(page)}`)];
  }
  const failed = transportFault("The page that asks for consent", page);
  if (page.kind === "silent" || failed !== null) return failed === null ? [] : [failed];
  if (page.status !== 200 || !isPage(page)) return [fault("authorize_fails", answersWith(page))];
  const faults: Fault[] = [];
  const policy = page.headers.get("content-security-policy") ?? "";
  if (!/frame-ancestors 'none'/.test(policy) && page.headers.get("x-frame-options") === null) {
    faults.push(fault("page_can_be_framed"));
  }
  if (!/no-store|private/.test(page.headers.get("cache-control") ?? "")) {
    faults.push(fault("page_is_cached"));
  }
  return faults;
}

/** Whether this goes on to sign-in or consent. */
function leads(origin: string, answer: Answer): boolean {
  if (answer.kind === "silent") return false;
  return isRedirect(answer) ? ownTarget(origin, answer) !== null : answer.status === 200;
}

function leadsTo(address: string, answer: Answer): boolean {
  return answer.kind === "answered" && (answer.headers.get("location") ?? "").startsWith(address);
}

function ownTarget(origin: string, { headers }: Answered): string | null {
  const location = headers.get("location");
  return location === null ? null : pathOn(origin, URL.parse(location, origin)?.href);
}

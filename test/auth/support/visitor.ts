/** Somebody at a browser, as far as the Worker can tell: cookies are kept, and forms say where they come from. */
import { SCOPES } from "../../../src/scopes.ts";
import { fetchWorker } from "../../support/people.ts";
import { newPasskey, type Passkey } from "./authenticator.ts";

export const ORIGIN = "http://localhost:26346";
const REDIRECT_URI = "https://client.example/callback";
/** RFC 7636 appendix B. */
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

export interface Visitor {
  readonly cookies: Map<string, string>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** A form, from a page of `origin`. Null: without an Origin header. */
  post(
    path: string,
    form: Record<string, string | string[]>,
    origin?: string | null,
  ): Promise<Response>;
  postJson(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** What a script of this server's pages sends, and the JSON that it gets. */
  call(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly data: Record<string, any> }>;
}

export function newVisitor(): Visitor {
  const cookies = new Map<string, string>();
  const send = async (
    path: string,
    init: RequestInit,
    headers: Record<string, string>,
  ): Promise<Response> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetchWorker(path, {
      ...init,
      redirect: "manual",
      headers: { ...headers, ...(cookie === "" ? {} : { cookie }) },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "" || /max-age=0/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  };
  return {
    cookies,
    get: (path, headers = {}) => send(path, {}, headers),
    post: (path, form, origin = ORIGIN) => {
      const body = new URLSearchParams();
      for (const [name, values] of Object.entries(form)) {
        for (const value of [values].flat()) body.append(name, value);
      }
      return send(path, { method: "POST", body }, origin === null ? {} : { origin });
    },
    postJson: (path, body, headers = {}) =>
      send(
        path,
        { method: "POST", body: JSON.stringify(body) },
        { "content-type": "application/json", origin: ORIGIN, ...headers },
      ),
    async call(method, path, body) {
      const response = await send(
        path,
        { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) },
        { "content-type": "application/json", origin: ORIGIN },
      );
      return { status: response.status, data: await response.json() };
    },
  };
}

export interface SignUpAnswer {
  readonly visitor: Visitor;
  readonly passkey: Passkey;
  readonly response: Response;
}

/** The whole ceremony, as the script of the pages performs it. */
export async function signUp(
  name: string,
  {
    visitor = newVisitor(),
    isVerified = true,
    meanwhile = async () => {},
  }: {
    visitor?: Visitor;
    isVerified?: boolean;
    /** Done between the two steps of the ceremony. */
    meanwhile?: () => Promise<unknown>;
  } = {},
): Promise<SignUpAnswer> {
  const passkey = await newPasskey(ORIGIN, { isVerified });
  const options = await visitor.get(
    `/api/auth/passkey/generate-register-options?name=${encodeURIComponent(name)}`,
  );
  if (!options.ok) return { visitor, passkey, response: options };
  const response = await passkey.register(await options.json());
  await meanwhile();
  return {
    visitor,
    passkey,
    response: await visitor.postJson(
      "/api/auth/passkey/verify-registration",
      { response, createSession: true },
      { "x-time-zone": "Europe/Berlin" },
    ),
  };
}

export async function signIn(visitor: Visitor, passkey: Passkey): Promise<Response> {
  const options = await visitor.get("/api/auth/passkey/generate-authenticate-options");
  const response = await passkey.authenticate(await options.json());
  return visitor.postJson("/api/auth/passkey/verify-authentication", { response });
}

/** Somebody who has signed up and is signed in. Needs `SIGN_UP=open` from the second one of a file on. */
export async function signedUp(name: string): Promise<{ visitor: Visitor; passkey: Passkey }> {
  const { visitor, passkey, response } = await signUp(name);
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return { visitor, passkey };
}

export function register(metadata: Record<string, unknown>): Promise<Response> {
  return fetchWorker("/oauth/register", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "A client",
      redirect_uris: [REDIRECT_URI],
      token_endpoint_auth_method: "none",
      ...metadata,
    }),
  });
}

export async function newClient(metadata: Record<string, unknown> = {}): Promise<string> {
  const response = await register(metadata);
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json<{ client_id: string }>()).client_id;
}

/** Parameters given as undefined are left out. */
export function authorizePath(parameters: Record<string, string | undefined>): string {
  const all = {
    response_type: "code",
    redirect_uri: REDIRECT_URI,
    state: "the-state",
    code_challenge: CHALLENGE,
    code_challenge_method: "S256",
    ...parameters,
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(all)) if (value !== undefined) query.set(name, value);
  return `/authorize?${query.toString()}`;
}

/** The handle in a consent page. */
export function handleIn(html: string): string {
  const handle = /name="handle" value="([^"]+)"/.exec(html)?.[1];
  if (handle === undefined) throw new Error(`No consent page:\n${html}`);
  return handle;
}

/** Where the page that leaves for the client leads. */
export function destinationIn(html: string): URL {
  const to = /http-equiv="refresh" content="0;url=([^"]+)"/.exec(html)?.[1];
  if (to === undefined) throw new Error(`No page that leaves:\n${html}`);
  return new URL(to.replaceAll("&amp;", "&"));
}

export interface Tokens {
  readonly clientId: string;
  readonly access_token: string;
  readonly refresh_token: string;
  readonly scope: string;
}

/** Consent by the visitor and the exchange of the code by the client. */
export async function connect(
  visitor: Visitor,
  { scopes = SCOPES, clientId }: { scopes?: readonly string[]; clientId?: string } = {},
): Promise<Tokens> {
  const client_id = clientId ?? (await newClient());
  const page = await visitor.get(authorizePath({ client_id }));
  const answer = await visitor.post("/authorize", {
    handle: handleIn(await page.text()),
    decision: "approve",
    scope: [...scopes],
  });
  const code = destinationIn(await answer.text()).searchParams.get("code") ?? "";
  const tokens = await exchange({ grant_type: "authorization_code", code, client_id });
  if (!tokens.ok) throw new Error(`${tokens.status} ${await tokens.text()}`);
  return { clientId: client_id, ...((await tokens.json()) as Omit<Tokens, "clientId">) }; // RFC 6749 §5.1
}

export function exchange(parameters: Record<string, string>): Promise<Response> {
  return fetchWorker("/oauth/token", {
    method: "POST",
    body: new URLSearchParams({
      redirect_uri: REDIRECT_URI,
      code_verifier: VERIFIER,
      ...parameters,
    }),
  });
}

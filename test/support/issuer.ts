/** An OpenID Connect issuer, as strict as a real one, whose people are whom the test says: for workerd, and behind a server for browsers. */
import { exportJWK, generateKeyPair, SignJWT } from "jose";

export interface IssuedPerson {
  readonly sub: string;
  readonly name?: string;
  readonly email?: string;
}

/** What is wrong with the next answers. */
export interface IssuerFaults {
  /** In place of the right ones. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** In the address of the callback. */
  readonly answer?: Readonly<Record<string, string>>;
  /** In place of the token endpoint's answer. */
  readonly tokens?: { readonly status: number; readonly body: Readonly<Record<string, unknown>> };
  /** Signed by a key that is not in the key set. */
  readonly isForged?: boolean;
}

export interface Issuer {
  readonly settings: {
    readonly OIDC_ISSUER: string;
    readonly OIDC_CLIENT_ID: string;
    readonly OIDC_CLIENT_SECRET: string;
    readonly OIDC_NAME: string;
  };
  /** Who sits at the browser. */
  person: IssuedPerson;
  faults: IssuerFaults;
  /** The authorization requests so far, the latest last. */
  readonly asked: URLSearchParams[];
  answer(request: Request): Promise<Response>;
}

interface Code {
  readonly person: IssuedPerson;
  readonly asked: URLSearchParams;
}

/** @param issuer its address @param callbacks what is registered there */
export async function createIssuer(issuer: string, callbacks: readonly string[]): Promise<Issuer> {
  const keys = await generateKeyPair("RS256");
  const others = await generateKeyPair("RS256");
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: "one", alg: "RS256", use: "sig" };
  const codes = new Map<string, Code>();
  const [client, secret] = ["cofio/client", "a secret: with + signs"];

  async function idToken({ person, asked }: Code): Promise<string> {
    const { isForged = false, claims } = double.faults;
    const exp = Math.floor(Date.now() / 1000) + 300;
    const right = { ...person, iss: issuer, aud: client, exp, nonce: asked.get("nonce") };
    return new SignJWT({ ...right, ...claims })
      .setProtectedHeader({ alg: "RS256", kid: "one" })
      .setIssuedAt()
      .sign((isForged ? others : keys).privateKey);
  }

  function authorize(asked: URLSearchParams): Response {
    double.asked.push(asked);
    const callback = asked.get("redirect_uri") ?? "";
    const isInOrder =
      callbacks.includes(callback) &&
      asked.get("client_id") === client &&
      asked.get("response_type") === "code" &&
      asked.get("code_challenge_method") === "S256" &&
      asked.get("scope") === "openid profile";
    if (!isInOrder) return new Response("Bad authorization request", { status: 400 });
    const code = crypto.randomUUID();
    codes.set(code, { person: double.person, asked });
    const to = new URL(callback);
    const answer = { code, state: asked.get("state") ?? "", iss: issuer, ...double.faults.answer };
    for (const [name, value] of Object.entries(answer)) to.searchParams.set(name, value);
    return new Response(null, { status: 302, headers: { location: to.href } });
  }

  async function redeem(request: Request): Promise<Response> {
    const { tokens } = double.faults;
    if (tokens !== undefined) return Response.json(tokens.body, { status: tokens.status });
    const form = await request.formData();
    const field = (name: string) => form.getAll(name).find((value) => typeof value === "string");
    const pair = [client, secret].map((part) => encodeURIComponent(part)).join(":");
    if (request.headers.get("authorization") !== `Basic ${btoa(pair)}`) {
      return Response.json({ error: "invalid_client" }, { status: 401 });
    }
    const found = codes.get(field("code") ?? "");
    codes.delete(field("code") ?? "");
    const isRight =
      found !== undefined &&
      field("grant_type") === "authorization_code" &&
      field("redirect_uri") === found.asked.get("redirect_uri") &&
      (await challengeOf(field("code_verifier") ?? "")) === found.asked.get("code_challenge");
    if (!isRight) return Response.json({ error: "invalid_grant" }, { status: 400 });
    return Response.json({
      access_token: "an-access-token-that-nobody-keeps",
      token_type: "Bearer",
      id_token: await idToken(found),
    });
  }

  const double: Issuer = {
    settings: {
      OIDC_ISSUER: issuer,
      OIDC_CLIENT_ID: client,
      OIDC_CLIENT_SECRET: secret,
      OIDC_NAME: "Example ID",
    },
    person: { sub: "1" },
    faults: {},
    asked: [],
    async answer(request) {
      const url = new URL(request.url);
      switch (url.href.slice(issuer.length).split("?")[0]) {
        case "/.well-known/openid-configuration":
          return Response.json({
            issuer,
            authorization_endpoint: `${issuer}/authorize`,
            token_endpoint: `${issuer}/token`,
            jwks_uri: `${issuer}/keys`,
            authorization_response_iss_parameter_supported: true,
          });
        case "/keys":
          return Response.json({ keys: [jwk] });
        case "/authorize":
          return authorize(url.searchParams);
        case "/token":
          return redeem(request);
        default:
          return new Response(null, { status: 404 });
      }
    },
  };
  return double;
}

async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** workerd with the product on counted bindings, an empty database, and a user who calls by a token or through OAuth. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  createTestHarness,
  unstable_readConfig,
  type TestHarness,
  type Unstable_RawConfig,
} from "wrangler";
import * as z from "zod";
import { offlineEnv, root } from "../../scripts/wrangler.ts";
import { SCOPES } from "../../src/scopes.ts";
import { inTemporaryFolder } from "../support/temporary-folder.ts";
import { databaseProcessBelow } from "../support/workerd.ts";
import type { Counts } from "./counted-bindings.ts";

export interface CountedRuntime {
  /** By a personal access token. @throws Error when it is refused */
  request(path: string, body: unknown): Promise<unknown>;
  callTool(name: string, args: object, token?: string): Promise<Record<string, unknown>>;
  /** An access token of a client that the user let in. */
  tokenThroughOAuth(): Promise<string>;
  /** Since they were taken before. */
  takeCounts(): Promise<Counts>;
  /** Asks the database so often what it was asked since the counts were taken, but for what would change something. */
  replay(times: number): Promise<void>;
  /** Id of workerd's process. */
  readonly process: number;
}

export function withCountedRuntime(
  measure: (runtime: CountedRuntime) => Promise<void>,
): Promise<void> {
  Object.assign(process.env, offlineEnv);
  // The harness keeps its data where the system keeps temporary files.
  return inTemporaryFolder(async () => {
    const product = unstable_readConfig({ config: join(root, "wrangler.jsonc") });
    const harness = createTestHarness({
      root,
      workers: [
        {
          config: { ...takenOver(product), main: join(import.meta.dirname, "worker.ts") },
          vars: {
            ...product.vars,
            LOCAL_TOKENS: "1",
            // The limits of an import are no cost of a call.
            PLAN: "paid",
            MEMORY_RULES: '{"max_memories": 1000000}',
          },
          secrets: {
            VAULT_KEY: randomBytes(32).toString("base64"),
            AUTH_SECRET: randomBytes(32).toString("base64"),
            SETUP_CODE: randomBytes(16).toString("hex"),
          },
        },
      ],
    });
    try {
      await harness.listen();
      await harness.getWorker().applyD1Migrations("DB");
      await measure(await openRuntime(harness, String(product.vars["PUBLIC_ORIGIN"])));
    } finally {
      await harness.close();
    }
  });
}

/** All but what builds and serves the pages. */
function takenOver({
  name,
  compatibility_date,
  compatibility_flags,
  keep_names,
  alias,
  durable_objects,
  exports,
  d1_databases,
  workflows,
  r2_buckets,
  kv_namespaces,
}: ReturnType<typeof unstable_readConfig>): Unstable_RawConfig {
  return {
    ...(name === undefined ? {} : { name }),
    ...(compatibility_date === undefined ? {} : { compatibility_date }),
    ...(alias === undefined ? {} : { alias }),
    ...(keep_names === undefined ? {} : { keep_names }),
    compatibility_flags,
    durable_objects,
    exports,
    d1_databases,
    workflows,
    r2_buckets,
    kv_namespaces,
  };
}

async function openRuntime(harness: TestHarness, origin: string): Promise<CountedRuntime> {
  const send = (path: string, init?: RequestInit) =>
    harness.fetch(`${origin}${path}`, { redirect: "manual", ...init } as never);
  const json = { "content-type": "application/json" };
  const made = await send("/local/token", {
    method: "POST",
    headers: json,
    body: JSON.stringify({ user: "bench", trusted: true }),
  });
  const own = localTokenSchema.parse(await made.json());

  return {
    async request(path, body) {
      const response = await send(path, {
        method: "POST",
        headers: { ...json, authorization: `Bearer ${own.token}` },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${path}: ${text}`);
      return JSON.parse(text);
    },
    async callTool(name, args, token = own.token) {
      const response = await send("/mcp", {
        method: "POST",
        headers: {
          ...json,
          authorization: `Bearer ${token}`,
          accept: "application/json, text/event-stream",
          "mcp-protocol-version": "2025-06-18",
        },
        body: JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          method: "tools/call",
          params: { name, arguments: args },
        }),
      });
      const text = await response.text();
      const { result } = answerSchema.parse(JSON.parse(/^data: (.*)$/mu.exec(text)?.[1] ?? text));
      if (result.isError === true) throw new Error(`${name}: ${text}`);
      return result.structuredContent;
    },
    tokenThroughOAuth: () => connectThroughOAuth(send, { origin, person: own.user }),
    process: databaseProcessBelow(process.env.TMPDIR ?? ""),
    replay: async (times) => {
      await send(`/bench/replay?times=${times}`);
    },
    takeCounts: async () => (await (await send("/bench/counts")).json()) as Counts, // the worker's own answer
  };
}

type Send = (
  path: string,
  init?: RequestInit,
) => Promise<Awaited<ReturnType<TestHarness["fetch"]>>>;

const REDIRECT_URI = "https://client.example/callback";
/** RFC 7636 appendix B. */
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/** Registration, consent and the exchange of the code, as a client and its person's browser send them. */
async function connectThroughOAuth(
  send: Send,
  { origin, person }: { readonly origin: string; readonly person: string },
): Promise<string> {
  const registered = await send("/oauth/register", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "Bench",
      redirect_uris: [REDIRECT_URI],
      token_endpoint_auth_method: "none",
    }),
  });
  const { client_id } = z.object({ client_id: z.string() }).parse(await registered.json());
  const query = new URLSearchParams({
    client_id,
    response_type: "code",
    redirect_uri: REDIRECT_URI,
    state: "state",
    code_challenge: CHALLENGE,
    code_challenge_method: "S256",
  });
  const headers = { "bench-person": person, origin };
  const page = await send(`/authorize?${query.toString()}`, {
    headers: { "bench-person": person },
  });
  const handle = /name="handle" value="([^"]+)"/u.exec(await page.text())?.[1] ?? "";
  const cookie = page.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
  const form = new URLSearchParams({ handle, decision: "approve" });
  for (const scope of SCOPES) form.append("scope", scope);
  const answer = await send("/authorize", {
    method: "POST",
    headers: { ...headers, cookie },
    body: form,
  });
  const leave =
    /http-equiv="refresh" content="0;url=([^"]+)"/u.exec(await answer.text())?.[1] ?? "";
  const code = new URL(leave.replaceAll("&amp;", "&")).searchParams.get("code") ?? "";
  const exchanged = await send("/oauth/token", {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code,
      client_id,
      redirect_uri: REDIRECT_URI,
      code_verifier: VERIFIER,
    }),
  });
  return z.object({ access_token: z.string() }).parse(await exchanged.json()).access_token;
}

const localTokenSchema = z.object({ token: z.string(), user: z.string() });
const answerSchema = z.object({
  result: z.object({
    isError: z.boolean().optional(),
    structuredContent: z.record(z.string(), z.unknown()).default({}),
  }),
});

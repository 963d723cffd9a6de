/** A real local server with one user who may have a million memories, filled over HTTP as a person's own import is. */
import * as z from "zod";
import { connectV2, openBrowser } from "../../test/e2e/support/browser.ts";
import { startServer, type Server } from "../../test/e2e/support/server.ts";
import type { Access } from "./call-tool.ts";

export interface StoredMemory {
  readonly id: string;
  readonly content: string;
  /** Milliseconds UTC. */
  readonly createdAt: number;
}

/** The most that rules allow. */
const MAX_MEMORIES = 1_000_000;
/** Arbitrary: some seconds each. */
const MEMORIES_AT_ONCE = 5_000;

/** In Cofio's own format, a few thousand in each. */
export function memoryExports(memories: readonly StoredMemory[]): object[] {
  const starts = Array.from(
    { length: Math.ceil(memories.length / MEMORIES_AT_ONCE) },
    (_, part) => part * MEMORIES_AT_ONCE,
  );
  return starts.map((from) => ({
    format: "cofio",
    version: 1,
    exported_at: new Date().toISOString(),
    memories: memories.slice(from, from + MEMORIES_AT_ONCE).map(({ id, content, createdAt }) => ({
      id,
      content,
      category: "other",
      status: "active",
      source: "api",
      created_at: new Date(createdAt).toISOString(),
    })),
  }));
}

/** With data in `folder`, and without the log lines of each request. */
export function startQuietServer(folder: string): Promise<Server> {
  const secrets = `${folder}/.dev.vars`;
  return startServer({ state: folder, env: { COFIO_VERBOSE: "", COFIO_SECRETS: secrets } });
}

/** A user by a personal access token, which they trust with their rules. */
export async function openByToken(
  server: Server,
  memories: readonly StoredMemory[],
): Promise<Access> {
  const response = await fetch(`${server.origin}/local/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user: "bench", trusted: true }),
  });
  const { token } = tokenSchema.parse(await response.json());
  await fill(memories, async (method, path, data) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const init = { method, headers, body: JSON.stringify(data) };
    const answer = await fetch(`${server.origin}${path}`, init);
    return { ok: answer.ok, text: await answer.text() };
  });
  return { server, token };
}

/** The owner, who made their account in a browser, and a client's access token after a clicked consent. */
export async function openByOAuth(
  server: Server,
  memories: readonly StoredMemory[],
): Promise<Access> {
  const browser = await openBrowser();
  try {
    await browser.signUp(server);
    await fill(memories, async (method, path, data) => {
      const headers = { origin: server.origin };
      const answer = await browser.context.request.fetch(`${server.origin}${path}`, {
        method,
        headers,
        data,
        timeout: 0,
      });
      return { ok: answer.ok(), text: await answer.text() };
    });
    const { client, auth } = await connectV2(server, browser);
    await client.close();
    const tokens = await auth.tokens();
    if (tokens === undefined) throw new Error("The consent brought no token");
    return { server, token: tokens.access_token };
  } finally {
    await browser.close();
  }
}

type Send = (
  method: "PATCH" | "POST",
  path: string,
  data: object,
) => Promise<{ readonly ok: boolean; readonly text: string }>;

async function fill(memories: readonly StoredMemory[], send: Send): Promise<void> {
  const sent = async (...request: Parameters<Send>) => {
    const { ok, text } = await send(...request);
    if (!ok) throw new Error(`${request[1]}: ${text}`);
  };
  await sent("PATCH", "/api/rules", { max_memories: MAX_MEMORIES });
  for (const body of memoryExports(memories)) await sent("POST", "/api/imports", body);
}

const tokenSchema = z.object({ token: z.string() });

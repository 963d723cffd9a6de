/** Tool calls whose D1 queries are counted inside the user's own object, everything that it asks for a request included. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { SCOPES } from "../../src/scopes.ts";
import type { UserAgent } from "../../src/user-agent.ts";
import { watched } from "./watched-d1.ts";

export interface Counts {
  /** Waits for the database: a batch is one. */
  roundTrips: number;
  /** What the free plan counts, 50 an invocation: every statement, in a batch or not. */
  statements: number;
}

export interface CountedCall extends Counts {
  readonly structured: Record<string, unknown>;
}

/** Throws when the tool refuses. */
export async function callCounted(
  userId: string,
  name: string,
  args: Record<string, unknown> = {},
): Promise<CountedCall> {
  const secretHash = crypto.randomUUID();
  const agent = env.USERS.getByName(userId);
  await agent.allowToken({ id: secretHash, client: "Counted", secretHash, scopes: SCOPES });
  const counts: Counts = { roundTrips: 0, statements: 0 };
  const text = await runInDurableObject(agent, async (instance: UserAgent) => {
    const d1 = watched(env.DB, (statements, call) => {
      counts.roundTrips += 1;
      counts.statements += statements;
      return call();
    });
    const counted = new Proxy(env, {
      get: (target, key) => (key === "DB" ? d1 : Reflect.get(target, key)),
    });
    Object.defineProperty(instance, "env", { value: counted, configurable: true });
    // Made here, because a body belongs to the object that reads it.
    const request = new Request(`${env.PUBLIC_ORIGIN}/mcp`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
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
    return (await instance.serveMcp(request, { kind: "token", secretHash })).text();
  });
  // True as long as the protocol's own schema of an answer holds.
  const { result } = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) as {
    result?: { isError?: boolean; structuredContent: Record<string, unknown> };
  };
  if (result === undefined || result.isError === true) throw new Error(`${name}: ${text}`);
  return { ...counts, structured: result.structuredContent };
}

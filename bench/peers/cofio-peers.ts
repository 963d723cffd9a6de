/** Cofio as a remote server, with everything between a client and its database: HTTP, the sign-in, the user's object, encryption. */
import type { CallToolResult } from "@modelcontextprotocol/client";
import * as z from "zod";
import packageJson from "../../package.json" with { type: "json" };
import type { Server } from "../../test/e2e/support/server.ts";
import type { Access } from "../support/call-tool.ts";
import { openByOAuth, openByToken, startQuietServer, type StoredMemory } from "../support/cofio.ts";
import { connectHttp } from "../support/mcp-clients.ts";
import type { Fact } from "./facts.ts";
import { HITS, isError, type Operations, type Peer } from "./peer.ts";

const FIRST_DAY = Date.UTC(2025, 0, 1);
const MINUTE_MS = 60_000;

const operations: Operations = {
  save: ({ content }) => ({ name: "save_memory", arguments: { content } }),
  savedKey: (_, { structuredContent }) => savedSchema.parse(structuredContent).memory.id,
  search: (query) => ({ name: "search_memory", arguments: { query, limit: HITS } }),
  holds,
  isRefused: isError,
  list: () => ({ name: "list_memories", arguments: {} }),
  get: (id) => ({ name: "get_memory", arguments: { id } }),
  update: (id, _, content) => [{ name: "update_memory", arguments: { id, content } }],
  delete: (id) => ({ name: "delete_memory", arguments: { id } }),
};

type Open = (server: Server, memories: readonly StoredMemory[]) => Promise<Access>;

export const cofioByToken = cofio("Cofio, token", openByToken);
export const cofioByOAuth = cofio("Cofio, OAuth", openByOAuth);

function cofio(name: string, openAccess: Open): Peer {
  return {
    name,
    version: () => packageJson.version,
    transport: "HTTP",
    storage: "D1, encrypted",
    filledBy: "its import",
    operations,
    async open(folder, facts) {
      const server = await startQuietServer(folder);
      try {
        const { token } = await openAccess(server, facts.map(memoryOf));
        return {
          keys: facts.map(idOf),
          connect: () => connectHttp(server.mcpUrl, token),
          close: () => server.stop(),
        };
      } catch (error) {
        await server.stop();
        throw error;
      }
    },
  };
}

function memoryOf(fact: Fact): StoredMemory {
  const createdAt = FIRST_DAY + fact.number * MINUTE_MS;
  return { id: idOf(fact), content: fact.content, createdAt };
}

/** Cofio keeps ids of its own form: twelve characters of base32. */
function idOf({ number }: Fact): string {
  const digits = String(number).padStart(7, "0");
  return `mmmmm${Array.from(digits, (digit) => "abcdefghij"[Number(digit)]).join("")}`;
}

/** A suggestion that shares no word with the question does not count. */
function holds({ structuredContent }: CallToolResult, key: string): boolean {
  const { results } = foundSchema.parse(structuredContent);
  return results.some(({ id, matched }) => matched && id === key);
}

const savedSchema = z.object({ memory: z.object({ id: z.string() }) });
const foundSchema = z.object({
  results: z.array(z.object({ id: z.string(), matched: z.boolean() })),
});

/** The servers that one would install from npm instead, each as its own README says, with its data in a folder of its own. */
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { CallToolResult, Client } from "@modelcontextprotocol/client";
import * as z from "zod";
import { inParallel } from "../support/in-parallel.ts";
import { connectStdio, type StdioServer } from "../support/mcp-clients.ts";
import type { Fact } from "./facts.ts";
import { nodeWithSqlite, peersFolder } from "./install.ts";
import {
  HITS,
  isError,
  nameOf,
  textOf,
  type Operations,
  type Peer,
  type ToolCall,
} from "./peer.ts";

/** Entities of these two; the second limits its searches by itself. */
const graph = {
  save: (fact: Fact) => call("create_entities", { entities: [entityOf(fact)] }),
  savedKey: nameOf,
  search: (query: string) => call("search_nodes", { query }),
  holds: (answer, key) => textOf(answer).includes(`"${key}"`),
  isRefused: isError,
  list: () => call("read_graph"),
} satisfies Operations;

const serverMemory: Peer = {
  ...installed("@modelcontextprotocol/server-memory"),
  storage: "one JSON file",
  filledBy: "its file, written",
  operations: {
    ...graph,
    get: (name) => call("open_nodes", { names: [name] }),
    update: (name, before, after) => [
      call("delete_observations", { deletions: [{ entityName: name, observations: [before] }] }),
      call("add_observations", { observations: [{ entityName: name, contents: [after] }] }),
    ],
    delete: (name) => call("delete_entities", { entityNames: [name] }),
  },
  async open(folder, facts) {
    const file = join(folder, "memory.jsonl");
    const lines = facts.map((fact) => JSON.stringify({ type: "entity", ...entityOf(fact) }));
    writeFileSync(file, lines.join("\n"));
    const server = serverOf("@modelcontextprotocol/server-memory", folder, {
      MEMORY_FILE_PATH: file,
    });
    return { keys: facts.map(nameOf), ...clientsOf(server) };
  },
};

const libsql: Peer = {
  ...installed("mcp-memory-libsql"),
  storage: "SQLite, LIKE",
  filledBy: "its database, written",
  operations: {
    ...graph,
    search: (query) => call("search_nodes", { query, limit: HITS }),
    update: (name, _, after) => [
      call("create_entities", {
        entities: [{ name, entityType: ENTITY_TYPE, observations: [after] }],
      }),
    ],
    delete: (name) => call("delete_entity", { name }),
  },
  async open(folder, facts) {
    const file = join(folder, "memory.db");
    const server = serverOf("mcp-memory-libsql", folder, { LIBSQL_URL: `file:${file}` });
    const clients = clientsOf(server);
    // The first start makes the tables. Through its tool each entity is a transaction of its own: 100,000 would take most of an hour.
    await (await clients.connect()).close();
    const database = new DatabaseSync(file);
    database.exec("BEGIN");
    const entity = database.prepare("INSERT INTO entities (name, entity_type) VALUES (?, ?)");
    const observation = database.prepare(
      "INSERT INTO observations (entity_name, content) VALUES (?, ?)",
    );
    for (const fact of facts) {
      entity.run(nameOf(fact), ENTITY_TYPE);
      observation.run(nameOf(fact), fact.content);
    }
    database.exec("COMMIT");
    database.close();
    return { keys: facts.map(nameOf), ...clients };
  },
};

const keeper: Peer = {
  ...installed("mcp-memory-keeper"),
  storage: "SQLite, LIKE",
  filledBy: "its tool, one by one; beyond 10,000 its database, written",
  operations: {
    save: keep,
    savedKey: nameOf,
    search: (query) => call("context_search", { query, limit: HITS }),
    holds: (answer, key) => textOf(answer).includes(key),
    isRefused: isRefusedByKeeper,
    list: () => call("context_get", { limit: 20 }),
    get: (key) => call("context_get", { key }),
    update: (key, _, value) => [call("context_batch_update", { updates: [{ key, value }] })],
    delete: (key) => call("context_batch_delete", { keys: [key] }),
  },
  async open(folder, facts) {
    const clients = keeperIn(folder);
    await fill(await clients.connect(), facts.slice(0, KEPT_BY_TOOL), keeper.operations);
    writeToKeeper(folder, facts.slice(KEPT_BY_TOOL));
    return { keys: facts.map(nameOf), ...clients };
  },
};

/** With ever more it takes ever fewer in: 65 a second at 50,000, so that 100,000 would take an hour. */
const KEPT_BY_TOOL = 10_000;

/**
 * Rows as its tool has written one, but for the embeddings, which its search for a string does not read. They come with their numbers,
 * which a trigger would give by walking all rows for each.
 */
function writeToKeeper(folder: string, facts: readonly Fact[]): void {
  const database = new DatabaseSync(join(folder, "context.db"));
  database.exec("BEGIN");
  const insert = database.prepare(
    `INSERT INTO context_items (id, key, value, size, sequence_number, session_id, category, priority, metadata, is_private, channel, created_at, updated_at)
     SELECT ?, ?, ?, ?, ?, session_id, category, priority, metadata, is_private, channel, created_at, updated_at FROM context_items WHERE rowid = 1`,
  );
  for (const fact of facts) {
    const size = Buffer.byteLength(fact.content);
    insert.run(randomUUID(), nameOf(fact), fact.content, size, fact.number + 1);
  }
  database.exec("COMMIT");
  database.close();
}

function keeperIn(folder: string) {
  return clientsOf(serverOf("mcp-memory-keeper", folder, { DATA_DIR: folder }));
}

/** The same server and data, asked by the tool that its descriptions name for natural language. */
const keeperSemantic: Peer = {
  ...keeper,
  name: `${keeper.name}, semantic`,
  storage: "SQLite, hashed trigrams",
  filledBy: "its tool, one by one",
  operations: {
    save: keep,
    savedKey: nameOf,
    search: (query) => call("context_semantic_search", { query, topK: HITS }),
    lookUp: (word) => call("context_search", { query: word, limit: HITS }),
    holds: (answer, key) => textOf(answer).includes(key),
    isRefused: isRefusedByKeeper,
  },
  async open(folder, facts) {
    const clients = keeperIn(folder);
    // In one piece they would lack what this search reads.
    await fill(await clients.connect(), facts, keeperSemantic.operations);
    return { keys: facts.map(nameOf), ...clients };
  },
};

const aiDevkit: Peer = {
  ...installed("@ai-devkit/memory"),
  storage: "SQLite FTS5",
  filledBy: "its tool, one by one",
  operations: {
    save: storeKnowledge,
    savedKey: (_, answer) => idSchema.parse(JSON.parse(textOf(answer))).id,
    search: (query) => call("memory_searchKnowledge", { query, limit: HITS }),
    holds: (answer, key) => textOf(answer).includes(key),
    isRefused: isError,
    update: (id, _, content) => [call("memory_updateKnowledge", { id, content })],
  },
  async open(folder, facts) {
    // Its data lies below the home folder, wherever it is started.
    const clients = clientsOf(serverOf("@ai-devkit/memory", folder, { HOME: folder }));
    const answers = await fill(await clients.connect(), facts, aiDevkit.operations);
    return { keys: answers.map((text) => idSchema.parse(JSON.parse(text)).id), ...clients };
  },
};

export const stdioPeers: readonly Peer[] = [serverMemory, libsql, keeper, keeperSemantic, aiDevkit];

const ENTITY_TYPE = "fact";
const idSchema = z.object({ id: z.string() });
/** Enough that the server never waits for the client. */
const FILLING_CALLS = 16;

function call(name: string, args: Record<string, unknown> = {}): ToolCall {
  return { name, arguments: args };
}

function entityOf(fact: Fact) {
  return { name: nameOf(fact), entityType: ENTITY_TYPE, observations: [fact.content] };
}

function keep(fact: Fact): ToolCall {
  return call("context_save", { key: nameOf(fact), value: fact.content });
}

/** It answers failures as it answers all else: "Failed to save …", "Batch update failed: …", or a count of what was done. */
function isRefusedByKeeper(answer: CallToolResult): boolean {
  const text = textOf(answer);
  return (
    isError(answer) ||
    /^(?:Failed to |(?:Batch|Semantic) \w+ failed: |No matching context found)/u.test(text) ||
    /^ {2}"(?:succeeded|totalDeleted)": 0\b/mu.test(text)
  );
}

/** A title is required, and may not be there twice. */
function storeKnowledge(fact: Fact): ToolCall {
  return call("memory_storeKnowledge", { title: nameOf(fact), content: fact.content });
}

/** @returns the texts of the answers, in the order of the facts */
async function fill(
  client: Client,
  facts: readonly Fact[],
  { save, isRefused }: Operations,
): Promise<string[]> {
  const texts: string[] = [];
  try {
    await inParallel(FILLING_CALLS, facts.entries(), async ([at, fact]) => {
      const answer = await client.callTool(save(fact));
      if (isRefused(answer)) throw new Error(`${fact.content}: ${textOf(answer)}`);
      texts[at] = textOf(answer);
    });
  } finally {
    await client.close();
  }
  return texts;
}

function clientsOf(server: StdioServer) {
  const clients: Client[] = [];
  return {
    async connect(): Promise<Client> {
      const client = await connectStdio(server);
      clients.push(client);
      return client;
    },
    async close(): Promise<void> {
      for (const client of clients) await client.close();
    },
  };
}

function installed(name: string): Pick<Peer, "name" | "version" | "transport"> {
  return {
    name,
    version: () => manifestOf(name).version,
    transport: "stdio",
  };
}

function serverOf(name: string, cwd: string, env: Record<string, string>): StdioServer {
  const { bin, dependencies } = manifestOf(name);
  const program = typeof bin === "string" ? bin : (Object.values(bin)[0] ?? "");
  const folder = join(peersFolder, name);
  const command = "better-sqlite3" in dependencies ? nodeWithSqlite(folder) : process.execPath;
  return { command, args: [join(folder, program)], cwd, env };
}

const manifestSchema = z.object({
  version: z.string(),
  bin: z.union([z.string(), z.record(z.string(), z.string())]),
  dependencies: z.record(z.string(), z.string()),
});

function manifestOf(name: string): z.infer<typeof manifestSchema> {
  const file = join(peersFolder, name, "package.json");
  return manifestSchema.parse(JSON.parse(readFileSync(file, "utf8")));
}

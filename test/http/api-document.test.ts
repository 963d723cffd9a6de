/** The API's description is what the API does: routes, rights and answers. */
import { expect, test, vi } from "vitest";
import { createApi } from "../../src/http/api.ts";
import { makeApiDocument } from "../../src/http/openapi/document.ts";
import { routes, type ApiRoute } from "../../src/http/openapi/routes.ts";
import { SCOPES } from "../../src/scopes.ts";
import { WAIT } from "../support/backups.ts";
import { callTool, fetchWorker, newPerson, type Person } from "../support/people.ts";

const UNKNOWN_ID = "aaaaaaaaaaaa";

test("the document has every route of the API, and no other", () => {
  const api = createApi({ account: {} } as Parameters<typeof createApi>[0]);
  const served = api.routes
    // Memory stores speak the protocol of Anthropic's, which is described there.
    .filter(({ method, path }) => method !== "ALL" && path.startsWith("/api/"))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
  expect(routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`).sort()).toEqual(
    [...new Set(served)].sort(),
  );
});

test("every operation has a name of its own, and says in words and for programs what a token needs", () => {
  const { paths = {} } = makeApiDocument();
  const names = routes.map(({ operation }) => operation);
  expect(new Set(names).size).toBe(names.length);
  for (const { method, path, scopes } of routes) {
    const operation = paths[path]?.[method];
    expect([path, operation?.security]).toEqual([path, [{ token: scopes }, { session: [] }]]);
    for (const scope of scopes) expect(operation?.description).toContain(`\`${scope}\``);
  }
});

test("each route refuses a token that lacks one of its scopes, and names it", async () => {
  for (const route of routes) {
    for (const scope of route.scopes) {
      const others = SCOPES.filter((one) => one !== scope);
      const { status, data } = await send(await newPerson({ scopes: others }), route);
      expect([route.operation, status, data["error"].scope]).toEqual([route.operation, 403, scope]);
    }
  }
}, 60_000);

test("each route opens to a token that has the scopes it names and no other", async () => {
  for (const route of routes) {
    const person = await newPerson({ scopes: route.scopes, trusted: true });
    const { status } = await send(person, route);
    expect([route.operation, [401, 403, 500].includes(status)]).toEqual([route.operation, false]);
  }
}, 60_000);

test("no route opens without a session or token", async () => {
  for (const { method, path } of routes) {
    const response = await fetchWorker(path.replaceAll(/\{\w+\}/g, UNKNOWN_ID), {
      method: method.toUpperCase(),
      headers: { "content-type": "application/json" },
      ...(method === "get" || method === "delete" ? {} : { body: "{}" }),
    });
    // What writes needs the page's Origin before anything else.
    expect([path, response.status]).toEqual([path, method === "get" ? 401 : 403]);
  }
});

test("every answer, of a life through all of the routes, has the shape that the document says", async () => {
  const person = await newPerson({ trusted: true });
  const called = new Set<string>();
  const call: Call = async (operation, given = {}, whose = person) => {
    const route = routes.find((one) => one.operation === operation);
    if (route === undefined) throw new Error(`No operation ${operation}`);
    const { status, data } = await send(whose, route, given);
    const answer = route.answers[status];
    if (answer === undefined) throw new Error(`${operation}: ${status} ${JSON.stringify(data)}`);
    called.add(operation);
    if (typeof answer !== "string") answer.parse(data);
    return data;
  };

  const saved = await call("saveMemory", { body: { content: "Bakes rye bread.", tags: ["food"] } });
  await call("saveMemory", { body: { content: "Bakes rye bread.", tags: ["food"] } });
  await call("changeRules", { body: { auto_save: ["decisions"], expire_after: { events: 9 } } });
  await call("saveMemory", {
    body: {
      content: "Bakes rye bread on Mondays.",
      category: "events",
      supersedes: saved.memory.id,
    },
  });
  await call("getRules");
  await call("changeRules", { body: { auto_save: null, expire_after: null } });
  const { id } = saved.memory;
  await call("updateMemory", { id, body: { add_tags: ["home"], expires_at: "in two weeks" } });
  await call("updateMemory", { id, body: { importance: 3 } });
  const long = "A long one about rye. ".repeat(60);
  await call("saveMemory", { body: { content: long, project: "Bakery", user_asked: true } });
  await call("getMemory", { id, query: { include_history: "true" } });
  expect((await call("listMemories", { query: { limit: "1" } })).next_cursor).toBeDefined();
  await call("listMemories", { query: { status: "pending" } });
  const found = await call("searchMemories", { body: { query: "rye bread", limit: 1 } });
  expect(found).toMatchObject({ total: 2, next_cursor: expect.any(String) });
  await call("searchMemories", { body: { query: "" } });
  await call("searchMemories", { body: { query: "zeppelin" } });
  const deleted = await call("deleteMemory", { id });
  await call("undoOperation", { id: deleted.operation_id });

  const record = await importRecords(person, call);
  await call("searchConversations", { body: { query: "oven" } });
  const { conversations } = await call("listConversations", { query: { platform: "claude" } });
  const chat = conversations[0].id;
  const page = await call("getConversation", { id: chat, query: { limit: "1" } });
  expect(page.next_cursor).toBeDefined();
  await call("searchMemories", { body: { query: "oven" } });
  await call("deleteConversation", { id: chat });
  await call("restoreConversation", { id: chat });
  await call("deleteConversations", { body: { ids: [chat, UNKNOWN_ID] } });
  await call("checkRecords", { body: { records: [record], report: emptyReport() } });

  await call("runMemoryCommand", { body: { command: "view", path: "/memories" } });
  await call("runMemoryCommand", { body: { command: "view" } });

  const { operations } = await call("listOperations", { query: { limit: "3" } });
  await call("undoClient", {
    body: { grant_id: operations[0].grant_id, since: operations[0].created_at },
  });
  await call("getStats");

  await call("exportData", { body: { format: "json" } });
  const archive = await call("exportData", { body: { format: "cofio" } });
  await vi.waitFor(async () => {
    const job = await call("getExport", { id: archive.job.id });
    expect(job.download.url).toContain(`/api/downloads/${archive.job.id}`);
  }, WAIT);
  await call("downloadExport", { id: archive.job.id });

  const { backup } = await call("createBackup");
  const finished = async () => (await call("getBackup", { id: backup.id })).backup;
  await vi.waitFor(async () => expect((await finished()).state).toBe("finished"), WAIT);
  await call("rehearseBackup", { id: backup.id });
  await vi.waitFor(async () => expect((await finished()).rehearsal.state).toBe("passed"), WAIT);
  await call("listBackups");
  const { restore } = await call("restoreBackup", { id: backup.id, body: { mode: "merge" } });
  await vi.waitFor(async () => {
    expect((await call("getRestore", { id: restore.id })).restore.state).toBe("finished");
  }, WAIT);
  await call("deleteBackup", { id: backup.id });

  expect([...called].sort()).toEqual(routes.map(({ operation }) => operation).sort());
}, 60_000);

/** Imports of both ways, whole and in batches, and of an archive, which an account in use refuses. */
async function importRecords(person: Person, call: Call): Promise<unknown> {
  const chat = {
    title: "Ovens",
    platform: "claude",
    messages: ["Which oven?", "A deck oven.", "Why?"].map((content, at) => ({
      role: at % 2 === 0 ? "user" : "assistant",
      content,
    })),
  };
  await callTool(person, "import_data", { items: [chat] });
  const other = await newPerson();
  await callTool(other, "save_memory", { content: "Sells rye." });
  const { data: exported } = await callTool(other, "export_data", { format: "json" });
  const file = JSON.parse(exported["data"]) as unknown;
  await call("importFiles", { query: { dry_run: "1" }, body: file });
  const whole = await call("importFiles", { body: file });
  await call("getImport", { id: whole.job.id });

  const totals = { conversation: 0, message: 0, memory: 1 };
  const sentFile = {
    outcome: "read",
    name: "a.json",
    format: "Claude conversations",
    source: "cofio",
    truncated: false,
  };
  const upload = { files: [sentFile], totals, key: "one", bytesTotal: 10 };
  const record = {
    type: "memory",
    memory: {
      source: "cofio",
      provenance: { platform: "cofio", id: "m1" },
      content: "Sells wheat.",
      tags: [],
    },
  };
  const begun = await call("beginImport", { body: upload });
  const { id } = begun.job;
  await call("sendBatch", { id, body: { number: 1, records: [record], bytesRead: 10 } });
  await call("finishImport", { id });
  const second = await call("beginImport", { body: { ...upload, key: "other" } });
  await call("cancelImport", { id: second.job.id });
  const refused = await call("beginRestore", {
    body: { name: "a.zip", manifestText: "{}", totals },
  });
  expect(refused.job).toBeNull();

  const empty = await newPerson({ trusted: true });
  const restore = await call(
    "beginRestore",
    { body: { name: "a.zip", manifestText: "{}", totals } },
    empty,
  );
  const checked = await call(
    "beginRestore",
    { query: { dry_run: "1" }, body: { name: "a.zip", manifestText: "{}", totals } },
    await newPerson({ trusted: true }),
  );
  expect(checked.check.dry_run).toBe(true);
  await call("sendLines", { id: restore.job.id, body: { number: 1, lines: [] } }, empty);
  return record;
}

function emptyReport() {
  const none = { found: 0, new: 0, updated: 0, unchanged: 0, skipped: 0 };
  return {
    byKind: { conversation: none, message: none, memory: { ...none, found: 1 } },
    skippedReasons: [],
    files: [],
    ruleActions: {},
  };
}

// Answers are read key by key.
type Call = (operation: string, given?: Given, whose?: Person) => Promise<any>;

interface Given {
  readonly id?: string;
  readonly query?: Record<string, string>;
  readonly body?: unknown;
}

async function send(
  { token }: Person,
  { method, path }: ApiRoute,
  { id = UNKNOWN_ID, query = {}, body = {} }: Given = {},
): Promise<{ status: number; data: Record<string, any> }> {
  const address = `${path.replaceAll(/\{\w+\}/g, id)}?${new URLSearchParams(query).toString()}`;
  const response = await fetchWorker(address, {
    method: method.toUpperCase(),
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(method === "get" || method === "delete" ? {} : { body: JSON.stringify(body) }),
  });
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  if (isJson) return { status: response.status, data: await response.json() };
  await response.arrayBuffer();
  return { status: response.status, data: {} };
}

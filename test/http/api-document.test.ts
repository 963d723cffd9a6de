/** The API's description is what the API does: routes, rights and answers. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test, vi } from "vitest";
import { createApi } from "../../src/http/api.ts";
import { STATUS } from "../../src/http/error-status.ts";
import { problem } from "../../src/http/openapi/answers.ts";
import { makeApiDocument } from "../../src/http/openapi/document.ts";
import { routes, type ApiRoute } from "../../src/http/openapi/routes.ts";
import { SCOPES } from "../../src/scopes.ts";
import { WAIT } from "../support/backups.ts";
import { callTool, fetchWorker, newPerson, type Person } from "../support/people.ts";
import { countInvocations } from "../support/production.ts";

const UNKNOWN_ID = "aaaaaaaaaaaa";

// No request of any route may ask for more than the free plan lets it.
beforeAll(countInvocations);

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
  for (const { method, path, scopes, needs = "" } of routes) {
    const operation = paths[path]?.[method];
    expect(operation?.description).toContain(needs);
    expect(needs !== "" && operation?.description?.includes("Any token")).toBe(false);
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

test("every refusal has a status and the shape that the document says", async () => {
  const { paths = {} } = makeApiDocument();
  const person = await newPerson({ trusted: true });
  const { data } = await callTool(person, "save_memory", { content: "Bakes rye bread." });
  const { id } = data["memory"];
  const statuses: number[] = [];
  for (const [operation, given, whose = person] of [
    ["searchMemories", { body: { query: 1 } }],
    ["getMemory", { id: UNKNOWN_ID }],
    ["updateMemory", { id, body: { importance: 5, if_version: 9 } }],
    ["saveMemory", { body: { content: "x".repeat(70_000) } }],
    ["importFiles", { body: { nobodys: "format" } }],
    ["changeRules", { body: {} }, await newPerson()],
    ["getStats", {}, await revoked()],
    ["getStats", {}, { ...person, token: "cofio_none" }],
  ] as readonly (readonly [string, Given, Person?])[]) {
    const route = routes.find((one) => one.operation === operation);
    if (route === undefined) throw new Error(`No operation ${operation}`);
    const { status, data: answer } = await send(whose, route, given);
    problem.parse(answer);
    expect(Object.keys(paths[route.path]?.[route.method]?.responses ?? {})).toContain(`${status}`);
    statuses.push(status);
  }
  expect(statuses).toEqual([400, 404, 409, 413, 415, 403, 401, 401]);
  for (const status of Object.values(STATUS)) {
    expect(paths["/api/stats"]?.get?.responses).toHaveProperty(`${status}`);
  }
});

test("a revoked token is told so in the shape of the API that it asks, with the challenge to sign in", async () => {
  const { token } = await revoked();
  for (const [path, wanted] of [
    ["/api/stats", { error: { code: "unauthorized", hint: expect.any(String) } }],
    ["/v1/memory_stores", { type: "error", error: { type: "authentication_error" } }],
  ] as const) {
    const response = await fetchWorker(path, { headers: { authorization: `Bearer ${token}` } });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect(await response.json()).toMatchObject(wanted);
  }
});

test("null is no budget of a page: it is as long as the API's", async () => {
  const person = await newPerson();
  const content = "A long one about rye. ".repeat(250);
  for (const n of [1, 2, 3, 4]) {
    await callTool(person, "save_memory", { content: `${n} ${content}`, user_asked: true });
  }
  const list = routes.find(({ operation }) => operation === "searchMemories");
  if (list === undefined) throw new Error("No such route");
  const body = { query: "", max_tokens: null };
  expect((await send(person, list, { body })).data["results"]).toHaveLength(4);
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
  await call("previewRules", { body: { expire_after: { other: 1 }, blocked_tags: ["food"] } });
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
  await call("listMemoriesBy", { body: { tags: ["food"], client: "no such" } });
  await call("listMemoriesBy", { body: { limit: 1 } });
  await call("listLabels");
  await call("listVersions", { id });
  const tagged = await call("changeMemories", { body: { ids: [id, UNKNOWN_ID], add_tags: ["a"] } });
  await call("undoOperation", { id: tagged.operation_id });
  const deleted = await call("deleteMemory", { id });
  await call("undoOperation", { id: deleted.operation_id });

  const record = await importRecords(person, call);
  await call("searchConversations", { body: { query: "oven" } });
  const { conversations } = await call("listConversations", { query: { platform: "claude" } });
  const chat = conversations[0].id;
  const page = await call("getConversation", { id: chat, query: { limit: "1" } });
  expect(page.next_cursor).toBeDefined();
  await call("getMessages", { id: chat, query: { from: "1" } });
  await call("searchConversation", { id: chat, body: { query: "oven" } });
  await call("searchMemories", { body: { query: "oven" } });
  await call("deleteConversation", { id: chat });
  await call("restoreConversation", { id: chat });
  await call("deleteConversations", { body: { ids: [chat, UNKNOWN_ID] } });
  await call("listConversations", { query: { status: "trashed" } });
  await call("restoreConversations", { body: { ids: [chat, UNKNOWN_ID] } });
  await call("checkRecords", { body: { records: [record], report: emptyReport() } });

  await call("runMemoryCommand", { body: { command: "view", path: "/memories" } });
  await call("runMemoryCommand", { body: { command: "view" } });

  const { operations } = await call("listOperations", { query: { limit: "3" } });
  await call("listOperationClients");
  const since = { grant_id: operations[0].grant_id, since: operations[0].created_at };
  await call("previewUndo", { body: since });
  await call("undoClient", { body: since });
  await call("getStats");
  await syncItems(call);
  await call("getTimeline", { query: { days: "7" } });

  await call("getIntegrityCheck");
  let integrity;
  do integrity = await call("checkIntegrity");
  while (integrity.check.state !== "finished");
  expect(integrity.check).toMatchObject({ repaired: {}, left: {} });
  expect(await call("getIntegrityCheck")).toEqual(integrity);
  await call("getStats");

  await call("exportData", { body: { format: "json" } });
  const archive = await call("exportData", { body: { format: "cofio" } });
  await vi.waitFor(async () => {
    const job = await call("getExport", { id: archive.job.id });
    expect(job.download.url).toContain(`/api/downloads/${archive.job.id}`);
  }, WAIT);
  await call("listExports");
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

/** What one side has, read and written again as it is. */
async function syncItems(call: Call): Promise<void> {
  const { operation_id, account, limits } = await call("beginSync", { body: {} });
  expect([typeof account, limits.memories > 0]).toEqual(["string", true]);
  const { items } = await call("listMemoriesToSync");
  await call("listConversationsToSync", { query: { after: UNKNOWN_ID } });
  const { lines } = await call("readLines", { body: { memories: [items[0].id] } });
  const unit = { id: items[0].id, expected: items[0].version + 1, states: lines.slice(0, 1) };
  const { results } = await call("writeItems", { body: { operation_id, memories: [unit] } });
  expect(results).toEqual([{ kind: "memory", id: unit.id, outcome: "changed" }]);
}

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
  expect((await call("listImports")).imports[0].job.id).toBe(id);
  expect((await call("listImports", { query: { before: id } })).next_before).toBeNull();
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

async function revoked(): Promise<Person> {
  const person = await newPerson();
  const object = env.USERS.getByName(person.userId);
  for (const { id } of await object.listGrants()) await object.revokeGrant(id);
  return person;
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

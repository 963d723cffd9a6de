/** What a page of memories asks: lists by a person's words, versions with their writers, and changes of many at once. */
import { expect, test } from "vitest";
import { callApi, callTool, newPerson, type Person } from "../support/people.ts";

test("many memories are tagged, trashed and restored, each time as one operation with one undo", async () => {
  const person = await newPerson({ trusted: true });
  const ids = await save(person, ["Keeps bees.", "Keeps goats.", "Keeps a diary."]);
  const tagged = await change(person, { ids, add_tags: ["home"], remove_tags: ["none"] });
  expect(tagged.data).toMatchObject({ changed: expect.any(Array), left: [] });
  expect(new Set(tagged.data["changed"])).toEqual(new Set(ids));
  expect(await listed(person, { tags: ["home"] })).toBe(3);
  const again = await change(person, { ids, add_tags: ["home"] });
  expect(again.data).toEqual({
    changed: [],
    left: ids.map((id) => ({ id, reason: "unchanged" })),
  });

  const [first = "", second = ""] = ids;
  const trashed = await change(person, { ids: [first, second, "aaaaaaaaaaaa"], status: "trashed" });
  expect(trashed.data["left"]).toEqual([{ id: "aaaaaaaaaaaa", reason: "not_found" }]);
  expect(await counts(person)).toEqual({ active: 1, pending: 0, trashed: 2 });
  expect(await found(person, "bees")).toEqual([]);
  const restored = await change(person, { ids: [first], status: "active" });
  expect(restored.data["changed"]).toEqual([first]);
  expect(await found(person, "bees")).toEqual(["Keeps bees."]);
  await undo(person, restored.data["operation_id"]);
  const back = await undo(person, trashed.data["operation_id"]);
  expect(back.data["undone"]).toEqual({ memories: 2, conversations: 0 });
  expect(await counts(person)).toEqual({ active: 3, pending: 0, trashed: 0 });
  await undo(person, tagged.data["operation_id"]);
  expect(await listed(person, { tags: ["home"] })).toBe(0);

  const { data } = await callApi(person, "GET", "/api/operations");
  const kinds = data["operations"].map(({ kind, counts }: any) => `${kind} ${counts.memories}`);
  expect(kinds).toEqual([
    "undo 3",
    "undo 2",
    "undo 1",
    "restore 1",
    "delete 2",
    "update 3",
    "save 1",
    "save 1",
    "save 1",
  ]);
});

test("waiting memories are approved by who is trusted alone, and then replace what they were saved to replace", async () => {
  const person = await newPerson({ trusted: true });
  const [old = ""] = await save(person, ["Lives in Bonn."]);
  await callApi(person, "PATCH", "/api/rules", { auto_save: ["decisions"] });
  await callTool(person, "save_memory", { content: "Lives in Köln.", supersedes: old });
  await callTool(person, "save_memory", { content: "Likes rain." });
  const waiting = await callApi(person, "POST", "/api/memories/list", { status: "pending" });
  const ids = waiting.data["memories"].map(({ id }: { id: string }) => id);
  expect(ids).toHaveLength(2);
  expect(await counts(person)).toEqual({ active: 1, pending: 2, trashed: 0 });

  const approved = await change(person, { ids, status: "active" });
  expect(approved.data["changed"]).toHaveLength(2);
  expect(await counts(person)).toEqual({ active: 3, pending: 0, trashed: 0 });
  expect(await found(person, "lives")).toEqual(["Lives in Köln."]);
  const { data } = await callApi(person, "GET", `/api/memories/${old}`);
  expect(ids).toContain(data["memory"].superseded_by);
  await undo(person, approved.data["operation_id"]);
  expect(await counts(person)).toEqual({ active: 1, pending: 2, trashed: 0 });
  expect(await found(person, "lives")).toEqual(["Lives in Bonn."]);
});

test("what waits is not approved by a token that nobody trusted, nor on the way through the trash", async () => {
  const name = `person ${crypto.randomUUID()}`;
  const owner = await newPerson({ name, trusted: true });
  const person = await newPerson({ name });
  await callApi(owner, "PATCH", "/api/rules", { auto_save: ["decisions"] });
  const [id = ""] = await save(person, ["Keeps bees."]);
  expect((await change(person, { ids: [id], status: "active" })).status).toBe(403);
  const trashed = await change(person, { ids: [id], status: "trashed" });
  expect(trashed.data["changed"]).toEqual([id]);
  await change(person, { ids: [id], status: "active" });
  expect(await counts(person)).toEqual({ active: 0, pending: 1, trashed: 0 });
  const foreign = await change(await newPerson({ trusted: true }), { ids: [id], status: "active" });
  expect(foreign.data).toEqual({ changed: [], left: [{ id, reason: "not_found" }] });
  const reader = await newPerson({ scopes: ["memories:read", "memories:write"] });
  expect((await change(reader, { ids: [id], status: "trashed" })).status).toBe(403);
});

test("a text that is said again by now is not restored beside it", async () => {
  const person = await newPerson();
  const [id = ""] = await save(person, ["Speaks Danish."]);
  await change(person, { ids: [id], status: "trashed" });
  await save(person, ["Speaks Danish."]);
  const restored = await change(person, { ids: [id], status: "active" });
  expect(restored.data).toEqual({ changed: [], left: [{ id, reason: "duplicate" }] });
  expect(await counts(person)).toEqual({ active: 1, pending: 0, trashed: 1 });
});

test("a history names who wrote each version; lists know tags, projects and clients", async () => {
  const person = await newPerson();
  const { data: saved } = await callTool(person, "save_memory", {
    content: "Prefers rye.",
    tags: ["food"],
    project: "Bakery",
  });
  const { id } = saved["memory"];
  await callApi(person, "PATCH", `/api/memories/${id}`, { content: "Prefers spelt." });
  const { data } = await callApi(person, "GET", `/api/memories/${id}/versions`);
  expect(data["versions"]).toMatchObject([
    { version: 2, content: "Prefers spelt.", change: "update", changed_by: expect.any(String) },
    { version: 1, content: "Prefers rye.", change: "save", operation_id: saved["operation_id"] },
  ]);
  const older = await callApi(person, "GET", `/api/memories/${id}/versions?before=2`);
  expect(older.data["versions"]).toMatchObject([{ version: 1 }]);
  const foreign = await newPerson();
  expect((await callApi(foreign, "GET", `/api/memories/${id}/versions`)).status).toBe(404);

  const labels = await callApi(person, "GET", "/api/memories/labels");
  expect(labels.data).toEqual({
    tags: [{ name: "food", count: 1 }],
    projects: [{ name: "Bakery", count: 1 }],
  });
  const { client } = saved["memory"];
  expect(await listed(person, { client })).toBe(1);
  expect(await listed(person, { client: "no such client" })).toBe(0);
  expect(await listed(person, { project: "Bakery", tags: ["food"] })).toBe(1);
});

test("a client is its whole name: not another that begins so, and not a platform of that name", async () => {
  const name = `person ${crypto.randomUUID()}`;
  const claude = await newPerson({ name, client: "Claude" });
  const claudeCode = await newPerson({ name, client: "Claude Code" });
  const importer = await newPerson({ name, client: "Importer" });
  await save(claude, ["Rows on the lake.", "Sails on the lake."]);
  await save(claudeCode, ["Swims in the lake."]);
  const item = { content: "Fishes in the lake.", source: "claude" };
  await callTool(importer, "import_data", { items: [item] });
  expect(await listed(importer, { source: "claude" })).toBe(1);

  const asked = async (client: string, path: string, body: object): Promise<string[]> => {
    const { data } = await callApi(importer, "POST", `/api/memories/${path}`, { ...body, client });
    const rows: { content: string }[] = data["memories"] ?? data["results"];
    expect(data["total"]).toBe(rows.length);
    return rows.map(({ content }) => content).sort();
  };
  for (const [path, body] of [
    ["list", {}],
    ["search", { query: "lake" }],
    ["search", { query: '"the lake"' }],
    ["search", { query: "" }],
  ] as const) {
    expect(await asked("Claude", path, body)).toEqual(["Rows on the lake.", "Sails on the lake."]);
    expect(await asked("Claude Code", path, body)).toEqual(["Swims in the lake."]);
    expect(await asked("Importer", path, body)).toEqual(["Fishes in the lake."]);
    expect(await asked("claude", path, body)).toEqual([]);
  }
  const first = await callApi(importer, "POST", "/api/memories/search", {
    query: "lake",
    client: "Claude",
    limit: 1,
  });
  const { next_cursor: cursor } = first.data;
  const elsewhere = { query: "lake", client: "Claude Code", limit: 1, cursor };
  expect((await callApi(importer, "POST", "/api/memories/search", elsewhere)).status).toBe(400);
});

async function save(person: Person, contents: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const content of contents) {
    ids.push((await callTool(person, "save_memory", { content })).data["memory"].id);
  }
  return ids;
}

function change(person: Person, body: unknown) {
  return callApi(person, "POST", "/api/memories/change", body);
}

function undo(person: Person, operation: string) {
  return callApi(person, "POST", `/api/operations/${operation}/undo`);
}

async function listed(person: Person, filter: object): Promise<number> {
  return (await callApi(person, "POST", "/api/memories/list", filter)).data["total"];
}

async function found(person: Person, query: string): Promise<string[]> {
  const { data } = await callTool(person, "search_memory", { query });
  return data["results"].filter(({ matched }: any) => matched).map(({ content }: any) => content);
}

async function counts(person: Person): Promise<unknown> {
  const { data } = await callApi(person, "GET", "/api/stats");
  const { active, pending, trashed } = data["memories"];
  return { active, pending, trashed };
}

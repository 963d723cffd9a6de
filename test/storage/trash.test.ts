/** The trash empties itself: what is older than its days goes with everything that was kept of it, and nothing else does. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { readPlan } from "../../src/storage/plan.ts";
import { emptyTrash as emptyPart } from "../../src/storage/trash.ts";
import type { UserAgent } from "../../src/user-agent.ts";
import { downloadArchive } from "../support/archives.ts";
import { backupsEnded } from "../support/backups.ts";
import { beforeNextBatch } from "../support/batches.ts";
import { withFaults } from "../support/faults.ts";
import { callApi, callTool, newPerson, type Person } from "../support/people.ts";

const DAY = 86_400_000;
const START = Date.parse("2026-03-01T09:00:00Z");

afterEach(() => {
  vi.useRealTimers();
});

test("after 30 days nothing is left of a deleted memory, and what is younger, in use, expired or another user's stays", async () => {
  onDay(0);
  const person = await newPerson();
  const stranger = await newPerson();
  const doomed = await save(person, { content: "Likes rye bread", tags: ["food"], project: "old" });
  onDay(0, 1);
  await callTool(person, "update_memory", { id: doomed, content: "Likes rye rolls" });
  onDay(0, 2);
  const foreign = await save(stranger, { content: "Likes rye bread", tags: ["food"] });
  await save(person, { content: "Owns a cat", tags: ["home"] });
  await save(person, { content: "Has a guest", expires_at: "2026-03-02" });
  const younger = await save(person, { content: "Likes oat bread", tags: ["food"] });
  const { data: deleted } = await callTool(person, "delete_memory", { id: doomed });
  await callTool(stranger, "delete_memory", { id: foreign });
  onDay(20);
  await callTool(person, "delete_memory", { id: younger });

  onDay(29);
  const before = await storedRows(person);
  await emptyTrash(person);
  expect(await storedRows(person)).toEqual(before);

  onDay(31);
  const tokens = await tokensOf(person, doomed);
  await emptyTrash(person);
  const rows = await storedRows(person);
  expect(rows.memories).toEqual(before.memories.filter(({ id }) => id !== doomed));
  expect(rows.memories.map(({ status }) => status)).toEqual(["active", "active", "trashed"]);
  expect(rows.memory_versions.map(({ id }) => id)).toEqual([younger]);
  // "food" is the younger one's too, and "old" was nobody else's.
  expect(before.labels).toHaveLength(3);
  expect(rows.labels).toHaveLength(2);
  expect(rows.memory_labels).toHaveLength(2);
  expect(
    await holding(
      "memories_fts",
      tokens.filter((token) => !rows.memories.some((row) => String(row["tokens"]).includes(token))),
    ),
  ).toEqual([]);
  const { data } = await callTool(person, "get_stats");
  expect(data["memories"]).toMatchObject({ active: 2, trashed: 1 });
  expect(data["bytes"]).toBe(sumOf(rows.memories, "size_bytes"));
  expect((await callTool(stranger, "get_memory", { id: foreign })).isError).toBe(false);

  const undone = await callApi(person, "POST", `/api/operations/${deleted["operation_id"]}/undo`);
  expect(undone.data).toEqual({
    operation_id: null,
    undone: { memories: 0, conversations: 0 },
    left: [],
    purged: { memories: 1, conversations: 0 },
  });
  const { data: history } = await callApi(person, "GET", "/api/operations?limit=200");
  expect(
    history["operations"].filter(({ subject }: { subject?: string }) => subject === doomed),
  ).toMatchObject(
    ["delete", "update", "save"].map((kind) => ({ kind, counts: { purged_memories: 1 } })),
  );
  await emptyTrash(person);
  expect(await storedRows(person)).toEqual(rows);
});

test("of a deleted conversation go messages, earlier texts, what an undo had taken out, and every trace in the index", async () => {
  onDay(0);
  const person = await newPerson();
  await importChat(person, "Kept", ["Kept words stay", "And their neighbours"]);
  await importChat(person, "Soil", ["Azaleas like acid soil", "Beeches like chalk"]);
  const { data: newer } = await callTool(person, "import_data", {
    items: [chat("Soil", ["Azaleas like acid soil", "Beeches like lime", "Yews like shade"])],
  });
  await callApi(person, "POST", `/api/operations/${newer["operation_id"]}/undo`);
  const kept = await storedRows(person);
  const { conversations } = (await callTool(person, "list_conversations")).data;
  const { id } = conversations.find(({ title }: { title: string }) => title === "Soil");
  const { data: deleted } = await callApi(person, "DELETE", `/api/conversations/${id}`);
  const tokens = (await storedRows(person)).messages.flatMap((row) =>
    String(row["conversation"]).endsWith(id) ? [row["seq"]] : [],
  );
  expect(tokens).toHaveLength(3);

  onDay(31);
  await emptyTrash(person);
  const rows = await storedRows(person);
  const of = (row: Row) => String(row["conversation"] ?? row["id"]).endsWith(id);
  expect(rows.conversations).toEqual(kept.conversations.filter((row) => !of(row)));
  expect(rows.messages).toEqual(kept.messages.filter((row) => !of(row)));
  expect(rows.conversation_versions).toEqual([]);
  expect(rows.message_versions).toEqual([]);
  const indexed = await env.DB.prepare(
    "SELECT rowid FROM messages_fts WHERE rowid IN (SELECT value FROM json_each(?))",
  )
    .bind(JSON.stringify(tokens))
    .all();
  expect(indexed.results).toEqual([]);
  expect(rows.accounts).toMatchObject([
    { conversations: 1, conversations_trashed: 0, messages: 2 },
  ]);
  const { data: found } = await callTool(person, "search_conversations", { query: "neighbours" });
  expect(found["total"]).toBeGreaterThan(0);

  for (const [operation, purged] of [
    [deleted["operation_id"], 1],
    [newer["operation_id"], 1],
  ]) {
    const { data } = await callApi(person, "POST", `/api/operations/${operation}/undo`);
    expect(data).toMatchObject({ operation_id: null, purged: { conversations: purged } });
  }
  expect((await callApi(person, "POST", `/api/conversations/${id}/restore`)).status).toBe(404);
  // The file brings it again, as one that was never there.
  const { data: again } = await callTool(person, "import_data", {
    items: [chat("Soil", ["Azaleas like acid soil"])],
  });
  expect(again["items"].by_kind.conversation).toMatchObject({ new: 1 });
});

test("a large trash empties in parts, and nothing brings half of a conversation back in between", async () => {
  onDay(0);
  const person = await newPerson();
  const texts = Array.from({ length: 800 }, (_, at) => `Line ${at}`);
  await importChat(person, "Long", texts);
  const { conversations } = (await callTool(person, "list_conversations")).data;
  const [{ id }] = conversations;
  const { data: deleted } = await callApi(person, "DELETE", `/api/conversations/${id}`);
  const memories = await callTool(person, "import_data", {
    items: Array.from({ length: 200 }, (_, at) => ({ content: `Fact ${at}` })),
  });
  await callApi(person, "POST", `/api/operations/${memories.data["operation_id"]}/undo`);

  onDay(31);
  await emptyTrash(person);
  const half = await storedRows(person);
  expect(half.messages.length).toBeGreaterThan(0);
  expect(half.messages.length).toBeLessThan(800);
  expect(half.memories.length).toBeGreaterThan(0);
  expect(half.memories.length).toBeLessThan(200);
  expect(half.accounts).toMatchObject([
    { memories_trashed: half.memories.length, conversations_trashed: 0 },
  ]);
  expect((await callApi(person, "POST", `/api/conversations/${id}/restore`)).status).toBe(404);
  const undone = await callApi(person, "POST", `/api/operations/${deleted["operation_id"]}/undo`);
  expect(undone.data).toMatchObject({ operation_id: null, purged: { conversations: 1 } });
  const { data: again } = await callTool(person, "import_data", { items: [chat("Long", texts)] });
  expect(again["items"].by_kind.conversation).toMatchObject({ skipped: 1 });

  await emptyTrash(person);
  const rows = await storedRows(person);
  expect(rows.messages).toEqual([]);
  expect(rows.conversations).toEqual([]);
  expect(rows.memories).toEqual([]);
  expect(rows.accounts).toMatchObject([{ memories_trashed: 0, bytes: 0 }]);
  await emptyTrash(person);
  expect(await storedRows(person)).toEqual(rows);
});

test("what was restored stays, whenever it had been deleted, and its time in the trash begins anew", async () => {
  onDay(0);
  const person = await newPerson();
  const id = await save(person, { content: "Likes rye bread" });
  await importChat(person, "Soil", ["Azaleas like acid soil"]);
  const { conversations } = (await callTool(person, "list_conversations")).data;
  const path = `/api/conversations/${conversations[0].id}`;
  await callTool(person, "delete_memory", { id });
  await callApi(person, "DELETE", path);
  onDay(29);
  const { data: updated } = await callTool(person, "update_memory", { id, status: "active" });
  const { data: restored } = await callApi(person, "POST", `${path}/restore`);
  onDay(40);
  await emptyTrash(person);
  expect((await callTool(person, "search_memory", { query: "rye" })).data["total"]).toBe(1);
  expect((await callTool(person, "list_conversations")).data["total"]).toBe(1);

  // Into the trash again by undoing that they left it.
  for (const operation of [updated["operation_id"], restored["operation_id"]]) {
    await callApi(person, "POST", `/api/operations/${operation}/undo`);
  }
  await emptyTrash(person);
  const { accounts } = await storedRows(person);
  expect(accounts).toMatchObject([{ memories_trashed: 1, conversations_trashed: 1 }]);
  onDay(71);
  await emptyTrash(person);
  const rows = await storedRows(person);
  expect(rows.accounts).toMatchObject([{ memories_trashed: 0, conversations_trashed: 0 }]);
  expect([...rows.memories, ...rows.conversations]).toEqual([]);
});

test("what is restored between being found due and being purged stays", async () => {
  onDay(0);
  const person = await newPerson();
  const id = await save(person, { content: "Likes rye bread", tags: ["food"] });
  await callTool(person, "delete_memory", { id });
  onDay(31);
  await beforeNextBatch(person, () => callTool(person, "update_memory", { id, status: "active" }));
  await emptyTrash(person);
  const { data } = await callTool(person, "get_memory", { id, include_history: true });
  expect(data["memory"]).toMatchObject({ content: "Likes rye bread", tags: ["food"] });
  const { memory_versions, memory_labels, labels, accounts } = await storedRows(person);
  expect([memory_versions, memory_labels, labels].map(({ length }) => length)).toEqual([2, 1, 1]);
  expect(accounts).toMatchObject([{ memories_active: 1, memories_trashed: 0 }]);
});

test("of an import part of which is gone the rest is undone, and what is gone is counted", async () => {
  onDay(0);
  const person = await newPerson();
  const { data } = await callTool(person, "import_data", {
    items: [{ content: "Likes rye bread" }, { content: "Owns a cat" }, chat("Soil", ["Azaleas"])],
  });
  const { data: found } = await callTool(person, "search_memory", { query: "rye" });
  await callTool(person, "delete_memory", { id: found["results"][0].id });
  onDay(31);
  await emptyTrash(person);
  const { data: undone } = await callApi(
    person,
    "POST",
    `/api/operations/${data["operation_id"]}/undo`,
  );
  expect(undone).toMatchObject({
    undone: { memories: 1, conversations: 1 },
    left: [],
    purged: { memories: 1, conversations: 0 },
  });
});

test("a request plans it for the next day, and it comes again each day while something is in the trash", async () => {
  onDay(0);
  const person = await newPerson();
  const id = await save(person, { content: "Likes rye bread" });
  await callTool(person, "delete_memory", { id });
  const agent = env.USERS.getByName(person.userId);
  for (let day = 1; day <= 30; day++) {
    onDay(day, 2 * day);
    expect(await runDurableObjectAlarm(agent)).toBe(true);
    await backupsEnded(person);
    const { memories } = await storedRows(person);
    expect(memories).toHaveLength(day < 30 ? 1 : 0);
  }
  // What was purged is backed up, and seen to be in the night after it; the rows are checked, a part in each of these nights.
  for (let day = 31; day <= 35; day++) {
    onDay(day, 2 * day);
    await runDurableObjectAlarm(agent);
    await backupsEnded(person);
  }
  onDay(36, 100);
  // With an empty trash the object sleeps until somebody asks it something.
  expect(await runDurableObjectAlarm(agent)).toBe(false);
});

test("an emptying, and a backup, that failed come again without a request, and no message of the database is logged", async () => {
  onDay(0);
  const person = await newPerson();
  const id = await save(person, { content: "Likes rye bread" });
  await callTool(person, "delete_memory", { id });
  const agent = env.USERS.getByName(person.userId);
  const logged = vi.spyOn(console, "error").mockReturnValue();
  await onDatabase(person, { isBroken: true });
  for (let night = 1; night <= 6; night++) {
    onDay(1, 10 * night);
    await runDurableObjectAlarm(agent);
  }
  const lines = logged.mock.calls.flat().map(String);
  logged.mockRestore();
  expect(lines.some((line) => line.includes("scheduled emptyTrash"))).toBe(true);
  expect(lines.some((line) => line.includes("scheduled backUp"))).toBe(true);
  expect(lines.join("\n")).not.toMatch(/Injected|Failed query|error executing/u);
  await onDatabase(person, { isBroken: false });
  for (let day = 2; day <= 40; day++) {
    onDay(day, 2 * day);
    await runDurableObjectAlarm(agent);
    await backupsEnded(person);
  }
  expect((await storedRows(person)).memories).toEqual([]);
  const { data } = await callApi(person, "GET", "/api/backups");
  expect(data["backups"].length).toBeGreaterThan(0);
});

test("an archive that can be downloaded no longer is removed, although nobody asks for another one", async () => {
  onDay(0);
  const person = await newPerson();
  await save(person, { content: "Likes rye bread" });
  await downloadArchive(person);
  const prefix = `archives/${person.userId}/`;
  const agent = env.USERS.getByName(person.userId);
  for (let day = 1; day <= 9; day++) {
    onDay(day, 2 * day);
    await runDurableObjectAlarm(agent);
    await backupsEnded(person);
    const { objects } = await env.ARCHIVES.list({ prefix });
    expect(objects.length > 0).toBe(day < 7);
  }
});

test("a paid plan empties at once what the free one takes in parts", async () => {
  onDay(0);
  const person = await newPerson();
  const { data } = await callTool(person, "import_data", {
    items: [
      ...Array.from({ length: 200 }, (_, at) => ({ content: `Fact ${at}` })),
      chat(
        "Long",
        Array.from({ length: 800 }, (_, at) => `Line ${at}`),
      ),
    ],
  });
  await callApi(person, "POST", `/api/operations/${data["operation_id"]}/undo`);
  const now = Date.now() + 31 * DAY;
  const empty = (plan: string) =>
    emptyPart(env.DB, person.userId, { before: now, now, part: readPlan(plan).trashPart });
  expect(await empty("free")).toEqual({ isPurged: true, isDue: true, isWaiting: true });
  expect(await empty("paid")).toEqual({ isPurged: true, isDue: false, isWaiting: false });
  const { memories, messages } = await storedRows(person);
  expect([memories, messages]).toEqual([[], []]);
});

type Row = Record<string, unknown>;

/** What the person's object finds when it asks the database. */
async function onDatabase(
  { userId }: Person,
  { isBroken }: { readonly isBroken: boolean },
): Promise<void> {
  const failing = () => (isBroken ? "before" : null);
  const faults = withFaults({ calls: 0, asked: 0, failing });
  await runInDurableObject(env.USERS.getByName(userId), (agent: UserAgent) => {
    Object.defineProperty(agent, "env", { value: { ...env, ...faults }, configurable: true });
  });
}

/** Only the date is not the machine's. */
function onDay(day: number, minutes = 0): void {
  vi.useFakeTimers({ toFake: ["Date"], now: START + day * DAY + minutes * 60_000 });
}

/** As the schedule calls it. */
function emptyTrash({ userId }: Person): Promise<void> {
  return env.USERS.getByName(userId).emptyTrash();
}

async function save(person: Person, memory: Row): Promise<string> {
  return (await callTool(person, "save_memory", memory)).data["memory"].id;
}

function chat(title: string, texts: readonly string[]) {
  const messages = texts.map((content, at) => ({ id: `${at}`, role: "user", content }));
  return { platform: "claude", id: title, title, messages };
}

async function importChat(person: Person, title: string, texts: readonly string[]): Promise<void> {
  await callTool(person, "import_data", { items: [chat(title, texts)] });
}

const TABLES = [
  "accounts",
  "memories",
  "memory_versions",
  "labels",
  "memory_labels",
  "conversations",
  "conversation_versions",
  "messages",
  "message_versions",
] as const;

async function storedRows({ userId }: Person): Promise<Record<(typeof TABLES)[number], Row[]>> {
  const results = await env.DB.batch<Row>(
    TABLES.map((table) =>
      env.DB.prepare(`SELECT * FROM ${table} WHERE user_id = ? ORDER BY 1, 2, 3`).bind(userId),
    ),
  );
  // True because each table has its result, in order.
  return Object.fromEntries(
    TABLES.map((table, at) => [table, results[at]?.results ?? []]),
  ) as Record<(typeof TABLES)[number], Row[]>;
}

async function tokensOf(person: Person, id: string): Promise<string[]> {
  const { memories, memory_versions } = await storedRows(person);
  const states = [...memories, ...memory_versions].filter((row) => row["id"] === id);
  return states.flatMap(({ tokens }) => String(tokens).split(" "));
}

/** Row ids that the index has for any of the tokens. */
async function holding(index: "memories_fts", tokens: readonly string[]): Promise<unknown[]> {
  expect(tokens.length).toBeGreaterThan(0);
  const match = tokens.map((token) => `"${token}"`).join(" OR ");
  const { results } = await env.DB.prepare(`SELECT rowid FROM ${index} WHERE ${index} MATCH ?`)
    .bind(match)
    .all();
  return results;
}

function sumOf(rows: readonly Row[], column: string): number {
  return rows.reduce((sum, row) => sum + Number(row[column]), 0);
}

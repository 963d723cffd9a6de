/** What rules are about, told before they are saved. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { newOperationId } from "../../src/vault/ids.ts";
import { callApi, callTool, newPerson, type Person } from "../support/people.ts";

const DAY = 86_400_000;

test("without a draft they are those of the rules as they are", async () => {
  const person = await newPerson();
  await saved(person, { content: "One" });
  expect(await effects(person)).toEqual({
    auto_save: { waiting: 0, would_wait: 0 },
    imports: { waiting: 0 },
    max_memories: { used: 1, room: 9_999 },
    expire_after: { expired: 0, would_hide: 0 },
    blocked_tags: { memories: 0 },
    partial: [],
  });
});

test("a draft tells what would wait, what would be hidden and what has a blocked tag, and changes nothing", async () => {
  const person = await newPerson({ trusted: true });
  const oldEvent = await saved(person, { content: "Was at the fair", category: "events" });
  await saved(person, { content: "Goes to the fair", category: "events", tags: ["Fair", "fun"] });
  await saved(person, { content: "Wants a boat", category: "goals", tags: ["fun"] });
  await saved(person, { content: "Asked for it", category: "goals", user_asked: true });
  const binned = await saved(person, { content: "Gone", category: "events", tags: ["fun"] });
  await callTool(person, "delete_memory", { id: binned });
  await moveTo(person, oldEvent, Date.now() - 10 * DAY);
  const before = await callApi(person, "GET", "/api/rules");
  const draft = {
    auto_save: ["goals"],
    max_memories: 3,
    expire_after: { events: 9, goals: 1 },
    blocked_tags: ["FAIR", "fun", "nobody's"],
  };
  expect(await effects(person, draft)).toMatchObject({
    // Both events; what was asked for never waits, and goals may be saved.
    auto_save: { waiting: 0, would_wait: 2 },
    max_memories: { used: 4, room: 0 },
    expire_after: { expired: 0, would_hide: 1 },
    blocked_tags: { memories: 2 },
  });
  expect(await effects(person, { ...draft, auto_save: [], expire_after: { events: 11 } }))
    // Without the one that the person asked for.
    .toMatchObject({ auto_save: { would_wait: 3 }, expire_after: { would_hide: 0 } });
  expect(await callApi(person, "GET", "/api/rules")).toEqual(before);
});

test("what lies long back tells nothing of what would wait, and what is past its date is hidden already", async () => {
  const person = await newPerson();
  const id = await saved(person, { content: "Long ago", category: "events" });
  await moveTo(person, id, Date.now() - 31 * DAY);
  const draft = { auto_save: [], expire_after: { events: 30 } };
  expect(await effects(person, draft)).toMatchObject({
    auto_save: { would_wait: 0 },
    expire_after: { expired: 0, would_hide: 1 },
  });
  await env.DB.prepare("UPDATE memories SET expires_at = ?2 WHERE user_id = ?1")
    .bind(person.userId, Date.now() - 1)
    .run();
  expect(await effects(person, draft)).toMatchObject({
    expire_after: { expired: 1, would_hide: 0 },
  });
});

test("what waits is told apart: saved by assistants, or imported", async () => {
  const person = await newPerson({ trusted: true });
  await callApi(person, "PATCH", "/api/rules", { auto_save: [], imports: "pending" });
  await saved(person, { content: "By itself" });
  await callTool(person, "import_data", { items: [{ content: "One" }, { content: "Two" }] });
  expect(await effects(person)).toMatchObject({
    auto_save: { waiting: 1 },
    imports: { waiting: 2 },
    max_memories: { used: 3 },
  });
});

test("what was imported is counted from its import, and files stay", async () => {
  const person = await newPerson();
  const created_at = new Date(Date.now() - 100 * DAY).toISOString();
  await callTool(person, "import_data", {
    items: [{ content: "Old, and imported today", category: "events", created_at }],
  });
  const command = { command: "create", path: "/memories/a.md", file_text: "A file." };
  await callApi(person, "POST", "/api/memory-tool", command);
  const { data } = await callTool(person, "list_memories");
  const file = data["memories"].find(({ path }: { path?: string }) => path !== undefined);
  await moveTo(person, file.id, Date.now() - 2 * DAY);
  const draft = { expire_after: { events: 1, other: 1 } };
  expect(await effects(person, draft)).toMatchObject({ expire_after: { would_hide: 0 } });
});

test("null stands for the default of the server, and what is no rule is refused", async () => {
  const person = await newPerson({ trusted: true });
  await callApi(person, "PATCH", "/api/rules", { max_memories: 5 });
  expect(await effects(person)).toMatchObject({ max_memories: { room: 5 } });
  expect(await effects(person, { max_memories: null })).toMatchObject({
    max_memories: { room: 10_000 },
  });
  for (const wrong of [{ max_memories: 0 }, { nobodys: 1 }, []]) {
    const { status, data } = await callApi(person, "POST", "/api/rules/effects", wrong);
    expect([status, data["error"].code]).toEqual([400, "invalid_input"]);
  }
});

test("no more than 10,000 rows are read for a count, and it is said when there are more", async () => {
  const person = await newPerson();
  const id = await saved(person, { content: "One", category: "events" });
  await moveTo(person, id, Date.now() - 2 * DAY);
  const draft = { expire_after: { events: 1 } };
  await copyTo(person, 10_000);
  expect(await effects(person, draft)).toMatchObject({
    expire_after: { would_hide: 10_000 },
    partial: [],
  });
  await copyTo(person, 10_002);
  expect(await effects(person, draft)).toMatchObject({
    expire_after: { would_hide: 10_001 },
    partial: ["would_hide"],
  });
  // Saved lately they are as many again; where nothing waits none of them is read.
  await env.DB.prepare("UPDATE memories SET created_at = ?2 WHERE user_id = ?1")
    .bind(person.userId, Date.now())
    .run();
  expect(await effects(person)).toMatchObject({ auto_save: { would_wait: 0 }, partial: [] });
  expect(await effects(person, { auto_save: ["goals"] })).toMatchObject({
    partial: ["would_wait"],
  });
});

test("nobody else's memories are counted", async () => {
  const person = await newPerson();
  const id = await saved(person, { content: "Mine", category: "events", tags: ["fun"] });
  await moveTo(person, id, Date.now() - 2 * DAY);
  const draft = { auto_save: [], expire_after: { events: 1 }, blocked_tags: ["fun"] };
  expect(await effects(await newPerson(), draft)).toMatchObject({
    auto_save: { waiting: 0, would_wait: 0 },
    max_memories: { used: 0 },
    expire_after: { expired: 0, would_hide: 0 },
    blocked_tags: { memories: 0 },
  });
});

async function effects(person: Person, draft: unknown = {}): Promise<Record<string, any>> {
  const { status, data } = await callApi(person, "POST", "/api/rules/effects", draft);
  expect(status).toBe(200);
  return data;
}

async function saved(person: Person, memory: Record<string, unknown>): Promise<string> {
  return (await callTool(person, "save_memory", memory)).data["memory"].id;
}

/** As if it had been saved then. */
async function moveTo({ userId }: Person, id: string, time: number): Promise<void> {
  await env.DB.prepare(
    "UPDATE memories SET created_at = ?3, created_op = ?4 WHERE user_id = ?1 AND id = ?2",
  )
    .bind(userId, id, time, newOperationId(time))
    .run();
}

/** As many rows like the person's first one, as there are to be. */
async function copyTo({ userId }: Person, count: number): Promise<void> {
  const { results } = await env.DB.prepare("PRAGMA table_info(memories)").run<{ name: string }>();
  const names = results.map(({ name }) => name).filter((name) => name !== "seq");
  const own = new Map([
    ["id", "'copy' || n"],
    ["fingerprint", "'copy' || n"],
  ]);
  await env.DB.prepare(
    `WITH RECURSIVE counter(n) AS (SELECT (SELECT count(*) FROM memories WHERE user_id = ?1) UNION ALL SELECT n + 1 FROM counter WHERE n + 1 < ?2)
     INSERT INTO memories (${names.join(", ")}) SELECT ${names.map((name) => own.get(name) ?? `m.${name}`).join(", ")}
     FROM counter CROSS JOIN (SELECT * FROM memories WHERE user_id = ?1 LIMIT 1) m`,
  )
    .bind(userId, count)
    .run();
}

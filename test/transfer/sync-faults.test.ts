/** What happens to a side between two syncs and must cost neither side its texts: undone imports, restores, redactions, imports that stopped. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { send, survey } from "../../src/transfer/send.ts";
import { sync } from "../../src/transfer/sync.ts";
import { backUp, restored } from "../support/backups.ts";
import { callApi, callTool, type Person } from "../support/people.ts";
import { BrokenOff, syncSides, twoSides, type TwoSides } from "../support/sync.ts";
import {
  allTexts,
  chatOf,
  chatsOf,
  contentsOf,
  edit,
  file,
  history,
  importChat,
  purge,
  save,
  storesApi,
  textsOf,
} from "./fixtures/sync-life.ts";

test("messages that both sides imported, one undid and imported again can be read on both", async () => {
  const sides = await twoSides();
  await importChat(sides.here, chatOf(2));
  await syncSides(sides);
  const { data: grown } = await importChat(sides.here, chatOf(4, { at: 100 }));
  await importChat(sides.there, chatOf(4, { at: 100 }));
  await syncSides(sides);
  await undo(sides.here, grown["operation_id"]);
  await syncSides(sides);
  const id = await onlyChat(sides.there);
  expect(await textsOf(sides.there, id)).toHaveLength(2);
  await importChat(sides.here, chatOf(4, { at: 100 }));
  await syncSides(sides);
  for (const side of [sides.here, sides.there]) {
    expect(await textsOf(side, id)).toEqual(["Line 0", "Line 1", "Line 2", "Line 3"]);
  }
  await syncSides({ ...sides, base: null });
});

test("a sync amid an import takes no conversation for whole: the rest comes later, and a change elsewhere takes none of it away", async () => {
  const sides = await twoSides();
  await importInPart(sides.there, chatOf(130), 1);
  await syncSides(sides);
  const id = await onlyChat(sides.here);
  expect(await messagesOf(sides.here, id)).toBe(40);
  await importInPart(sides.there, chatOf(130), 1);
  await importChat(sides.here, { ...chatOf(3, { at: 500 }), name: "Renamed" });
  await syncSides(sides);
  expect(await messagesOf(sides.here, id)).toBe(80);
  await importInPart(sides.there, chatOf(130), Number.POSITIVE_INFINITY);
  await syncSides(sides);
  for (const side of [sides.here, sides.there]) expect(await messagesOf(side, id)).toBe(130);
  await syncSides(sides);
  expect(sides.requests).not.toContain("/write");
});

test("an equal text that a side without deduplication saved twice is there twice on both", async () => {
  const sides = await twoSides();
  for (const side of [sides.here, sides.there]) {
    await callApi(side, "PATCH", "/api/rules", { deduplication: "off" });
  }
  await save(sides.here, "Plays the harp");
  await syncSides(sides);
  await save(sides.here, "Plays the harp");
  expect(await syncSides(sides)).toMatchObject({ memory: { there: { copied: 1 } }, left: [] });
  expect(await contentsOf(sides.there)).toEqual(["Plays the harp", "Plays the harp"]);
  await syncSides({ ...sides, base: null });
  expect(sides.requests).not.toContain("/write");
});

test("what a sync joined under two ids is known again without its file, also in the trash or superseded", async () => {
  const sides = await twoSides();
  const saveOnBoth = async (content: string) => ({
    here: await save(sides.here, content),
    there: await save(sides.there, content),
  });
  const trashed = await saveOnBoth("Keeps two bees");
  const superseded = await saveOnBoth("Lives in Bangor");
  const trashedOnBoth = await saveOnBoth("Owns a canoe");
  await syncSides(sides);
  await callTool(sides.here, "delete_memory", { id: trashed.here });
  await save(sides.here, "Lives in Conwy", { supersedes: superseded.here });
  await callTool(sides.here, "delete_memory", { id: trashedOnBoth.here });
  await callTool(sides.there, "delete_memory", { id: trashedOnBoth.there });
  await syncSides(sides);
  sides.base = null;
  expect(await syncSides(sides)).toMatchObject({ memory: { unchanged: 4 }, conflicts: [] });
  expect(sides.requests).not.toContain("/write");
});

test("a file that a sync joined, and of which more states lost their text on one side, is known again too", async () => {
  const sides = await twoSides();
  const store = await storesApi(sides.here, "POST", "", { name: "Notes" });
  const path = `/${store["id"]}/memories`;
  await syncSides(sides);
  const first = await storesApi(sides.here, "POST", path, { path: "/a.md", content: "secret one" });
  await storesApi(sides.here, "POST", `${path}/${first["id"]}`, { content: "harmless" });
  const other = await storesApi(sides.there, "POST", path, { path: "/a.md", content: "newest" });
  await syncSides(sides);
  expect(await allTexts(sides.here)).toContain("secret one");
  const { data: versions } = await storesApi(
    sides.here,
    "GET",
    `/${store["id"]}/memory_versions?memory_id=${first["id"]}&view=full`,
  );
  for (const { id, content } of versions) {
    if (content !== "secret one") continue;
    await storesApi(sides.here, "POST", `/${store["id"]}/memory_versions/${id}/redact`, {});
  }
  await storesApi(sides.there, "DELETE", `${path}/${other["id"]}`);
  await syncSides(sides);
  const redacted = sides.base?.memory.find(([here]) => `mem_${here}` === first["id"]);
  expect(redacted?.[2]).not.toBe(redacted?.[3]);
  await expectWithout(sides, "secret one");
});

test("what a restored backup took away on one side comes back from the other", async () => {
  const sides = await twoSides();
  const kept = await save(sides.there, "Lives in Bonn");
  await importChat(sides.there, chatOf(2));
  await syncSides(sides);
  const backup = await backUp(sides.there);
  await save(sides.there, "Plays the harp");
  await edit(sides.there, kept, { content: "Lives in Köln" });
  await importChat(sides.there, chatOf(4, { at: 100 }));
  await importChat(sides.there, { ...chatOf(1), uuid: "chat-2", name: "Later" });
  await syncSides(sides);
  expect(await restored(sides.there, backup.id, "whole")).toMatchObject({ state: "finished" });
  expect(await contentsOf(sides.there)).toEqual(["Lives in Bonn"]);

  expect(await syncSides(sides)).toMatchObject({
    memory: { here: { trashed: 0 }, there: { copied: 1, changed: 1 } },
    conversation: { here: { trashed: 0 }, there: { copied: 1, changed: 1 } },
    conflicts: [],
  });
  await expectAlike(sides, ["Lives in Köln", "Plays the harp"]);
  // From then on what is gone counts again.
  await callTool(sides.there, "delete_memory", { id: kept });
  await purge(sides.there);
  expect(await syncSides(sides)).toMatchObject({ memory: { here: { trashed: 1 } } });
});

test("what D1's Time Travel took away on one side comes back from the other", async () => {
  const sides = await twoSides();
  await save(sides.there, "Lives in Bonn");
  await syncSides(sides);
  const id = await save(sides.there, "Plays the harp");
  const { data } = await callApi(sides.there, "GET", "/api/operations?limit=1");
  await syncSides(sides);
  await callTool(sides.there, "delete_memory", { id });
  await purge(sides.there);
  await env.DB.prepare("DELETE FROM operations WHERE user_id = ?1 AND id >= ?2")
    .bind(sides.there.userId, data["operations"][0].id)
    .run();
  await save(sides.there, "Came since");
  expect(await syncSides(sides)).toMatchObject({
    memory: { here: { copied: 1, trashed: 0 }, there: { copied: 1 } },
  });
});

test("a text taken out for good is taken out of the states that only the other side made of it", async () => {
  const sides = await twoSides();
  const file = await newFile(sides, "secret one");
  await storesApi(sides.there, "DELETE", file.path);
  await storesApi(sides.here, "DELETE", file.path);
  await redactFirst(sides.here, file);
  await syncSides(sides);
  await expectWithout(sides, "secret one");
});

test("a text that one side took out while the other put it in the trash is gone, and the newer text stays", async () => {
  const sides = await twoSides();
  const file = await newFile(sides, "secret one");
  await storesApi(sides.here, "POST", file.path, { content: "harmless" });
  await redactFirst(sides.here, file);
  await storesApi(sides.there, "DELETE", file.path);
  await syncSides(sides);
  await expectWithout(sides, "secret one");
  for (const side of [sides.here, sides.there]) {
    expect((await history(side, file.id)).memory).toMatchObject({ content: "harmless" });
  }
});

test("a text that one side took out while the other brought it back into use is gone, in its place the newer one", async () => {
  const sides = await twoSides();
  const file = await newFile(sides, "secret one");
  await storesApi(sides.here, "POST", file.path, { content: "harmless" });
  const { operations } = await syncSides(sides);
  await undo(sides.there, operations.there ?? "");
  expect((await history(sides.there, file.id)).memory).toMatchObject({ content: "secret one" });
  await redactFirst(sides.here, file);
  await syncSides(sides);
  await expectWithout(sides, "secret one");
  for (const side of [sides.here, sides.there]) {
    expect((await history(side, file.id)).memory).toMatchObject({ content: "harmless" });
  }
});

test("what a sync puts in the trash stays there for its whole time, whenever the other side trashed it", async () => {
  const sides = await twoSides();
  const id = await save(sides.here, "Owns a canoe");
  await importChat(sides.here, chatOf(1));
  await syncSides(sides);
  await callTool(sides.here, "delete_memory", { id });
  await callApi(sides.here, "DELETE", `/api/conversations/${await onlyChat(sides.here)}`);
  const longAgo = Date.now() - 40 * 86_400_000;
  await env.DB.batch(
    ["memories", "conversations"].map((table) =>
      env.DB.prepare(`UPDATE ${table} SET trashed_at = ?2 WHERE user_id = ?1`).bind(
        sides.here.userId,
        longAgo,
      ),
    ),
  );
  await syncSides(sides);
  const { results } = await env.DB.prepare(
    "SELECT trashed_at FROM memories WHERE user_id = ?1 UNION ALL SELECT trashed_at FROM conversations WHERE user_id = ?1",
  )
    .bind(sides.there.userId)
    .all<{ trashed_at: number }>();
  expect(results).toHaveLength(2);
  for (const { trashed_at } of results) expect(trashed_at).toBeGreaterThan(longAgo + 1);
});

test("undoing a sync puts a new memory that came in parts in the trash", async () => {
  const sides = await twoSides();
  sides.limits = { chars: 250_000, conversations: 20, messages: 40, memories: 2 };
  const id = await save(sides.here, "Version 1");
  for (const version of [2, 3]) await edit(sides.here, id, { content: `Version ${version}` });
  const { operations } = await syncSides(sides);
  await undo(sides.there, operations.there ?? "");
  expect((await history(sides.there, id)).memory).toMatchObject({ status: "trashed" });
});

test("a conversation that an import brought while the sync was reading is left to the next one", async () => {
  const sides = await twoSides();
  await importChat(sides.here, chatOf(2));
  const report = await syncSides(sides, {
    beforeWrite: () => importChat(sides.there, chatOf(2)),
  });
  expect(report.left).toMatchObject([{ kind: "conversation", side: "there", reason: "changed" }]);
  expect(await syncSides(sides)).toMatchObject({ conversation: { unchanged: 1 }, left: [] });
});

test("a long conversation is read in pages that the plan bounds", async () => {
  const sides = await twoSides();
  await importChat(sides.here, chatOf(90));
  await syncSides(sides);
  expect(sides.requests.filter((path) => path === "/lines")).toHaveLength(3);
  expect(await messagesOf(sides.there, await onlyChat(sides.there))).toBe(90);
});

test("a message that an undo took out and a file brought back is not carried over for its number", async () => {
  const sides = await twoSides();
  await importChat(sides.here, chatOf(2));
  await importChat(sides.there, chatOf(1));
  const { data } = await importChat(sides.there, chatOf(2, { at: 100 }));
  await undo(sides.there, data["operation_id"]);
  await syncSides(sides);
  for (const side of [sides.here, sides.there]) {
    expect(await textsOf(side, await onlyChat(side))).toEqual(["Line 0", "Line 1"]);
  }
  await syncSides({ ...sides, base: null });
  expect(sides.requests).not.toContain("/write");
});

test("a conversation that got another title on both sides is found by the one that stays, and the file of it changes nothing", async () => {
  const sides = await twoSides();
  await importChat(sides.here, chatOf(2));
  await syncSides(sides);
  const [early, late] = [
    { ...chatOf(2, { at: 100 }), name: "Zeppelins" },
    { ...chatOf(2, { at: 200 }), name: "Submarines" },
  ];
  await importChat(sides.here, early);
  await importChat(sides.there, late);
  await syncSides(sides);
  for (const side of [sides.here, sides.there]) {
    const found = async (query: string) =>
      (await callTool(side, "search_conversations", { query })).data["total"];
    expect([await found("submarines"), await found("zeppelins")]).toEqual([1, 0]);
    const { data } = await importChat(side, late);
    expect(data["items"].by_kind).toMatchObject({
      conversation: { unchanged: 1, updated: 0 },
      message: { unchanged: 2, updated: 0 },
    });
  }
  await syncSides(sides);
  expect(sides.requests).not.toContain("/write");
});

test("a deletion of today stays, whatever the platform says of when the other side's text was changed", async () => {
  const sides = await twoSides();
  await importChat(sides.here, chatOf(2));
  await syncSides(sides);
  await importChat(sides.here, { ...chatOf(2, { at: 500 }), name: "Renamed" });
  await callApi(sides.there, "DELETE", `/api/conversations/${await onlyChat(sides.there)}`);
  await syncSides(sides);
  for (const side of [sides.here, sides.there]) expect(await chatsOf(side)).toEqual([]);
});

test("a file that finds no place goes to the trash with the texts of both sides, and the report names both", async () => {
  const sides = await twoSides();
  await file(sides.here, { command: "create", path: "/memories/a.md", file_text: "A" });
  await file(sides.here, { command: "create", path: "/memories/b.md", file_text: "B" });
  await syncSides(sides);
  const replace = (text: string) => ({
    command: "str_replace",
    path: "/memories/b.md",
    old_str: "B",
    new_str: text,
  });
  const rename = (from: string) => ({
    command: "rename",
    old_path: `/memories/${from}.md`,
    new_path: "/memories/c.md",
  });
  await file(sides.here, replace("Bees of here"));
  await file(sides.there, replace("Bees of there"));
  await file(sides.there, rename("b"));
  await file(sides.here, rename("a"));
  const { conflicts, left } = await syncSides(sides);
  expect(left).toEqual([]);
  expect(conflicts.map(({ kept }) => kept).toSorted()).toEqual(["path", "there"]);
  const states = await Promise.all(
    [sides.here, sides.there].map(async (side) => {
      expect(await file(side, { command: "view", path: "/memories/c.md" })).toContain("A");
      expect(await allTexts(side)).toEqual(
        expect.arrayContaining(["B", "Bees of here", "Bees of there"]),
      );
      return (await history(side, conflicts[0]?.id ?? "")).memory;
    }),
  );
  expect(states[0]).toMatchObject({ status: "trashed", content: "Bees of there" });
  expect(states[1]).toMatchObject({ status: "trashed", content: "Bees of there" });
  await syncSides({ ...sides, base: null });
  expect(sides.requests).not.toContain("/write");
});

test("a file that goes in parts may have stood where another one stands now", async () => {
  const sides = await twoSides();
  sides.limits = { chars: 250_000, conversations: 20, messages: 40, memories: 2 };
  const at = { path: "/memories/a.md" };
  for (const text of ["One", "Two", "Three"]) {
    await file(sides.here, { command: "create", ...at, file_text: text });
    await file(sides.here, { command: "str_replace", ...at, old_str: text, new_str: `${text}!` });
    await file(sides.here, { command: "delete", ...at });
  }
  await file(sides.here, { command: "create", ...at, file_text: "Four" });
  expect(await syncSides(sides)).toMatchObject({ memory: { there: { copied: 4 } }, left: [] });
  expect(await file(sides.there, { command: "view", ...at })).toContain("Four");
  const texts = ["One", "One!", "Two", "Two!", "Three", "Three!", "Four"];
  expect(await allTexts(sides.there)).toEqual(expect.arrayContaining(texts));
  await syncSides({ ...sides, base: null });
  expect(sides.requests).not.toContain("/write");
});

test("a file that one side edited while the other deleted its store comes back with the store", async () => {
  const sides = await twoSides();
  const { store, path } = await newFile(sides, "First text");
  await storesApi(sides.here, "DELETE", `/${store}`);
  await storesApi(sides.there, "POST", path, { content: "Edited" });
  expect(await syncSides(sides)).toMatchObject({ left: [] });
  for (const side of [sides.here, sides.there]) {
    expect(await storesApi(side, "GET", path)).toMatchObject({ content: "Edited" });
  }
  await syncSides(sides);
  expect(sides.requests).not.toContain("/write");
});

test("a store comes back with its file wherever the sync broke off that was to bring it back", async () => {
  for (let at = 1, isOver = false; !isOver; at++) {
    const sides = await twoSides();
    const { store, path } = await newFile(sides, "First text");
    await storesApi(sides.here, "DELETE", `/${store}`);
    await storesApi(sides.there, "POST", path, { content: "Edited" });
    try {
      // Before it has written anything, nothing can be half done.
      await syncSides(sides, { breaks: { at: BEFORE_WRITES + at, when: "after" } });
      isOver = true;
    } catch (error) {
      if (!(error instanceof BrokenOff)) throw error;
    }
    await syncSides(sides);
    for (const side of [sides.here, sides.there]) {
      expect(await storesApi(side, "GET", path)).toMatchObject({ content: "Edited" });
    }
  }
}, 120_000);

test("a store that the sync before put in the trash comes back with the file that was edited there since", async () => {
  const sides = await twoSides();
  const { id, store, path } = await newFile(sides, "First text");
  await storesApi(sides.here, "DELETE", `/${store}`);
  await syncSides(sides);
  await callTool(sides.there, "update_memory", { id, status: "active" });
  await syncSides(sides);
  for (const side of [sides.here, sides.there]) {
    expect(await storesApi(side, "GET", path)).toMatchObject({ content: "First text" });
  }
});

test("what is gone from much of one side is left in use on the other until that is said to be meant", async () => {
  const sides = await twoSides();
  const ids = [];
  for (let number = 1; number <= 24; number++) ids.push(await save(sides.here, `Fact ${number}`));
  await syncSides(sides);
  for (const id of ids) await callTool(sides.there, "delete_memory", { id });
  await purge(sides.there);
  const report = await syncSides(sides);
  expect(report).toMatchObject({
    memory: { here: { trashed: 0 } },
    withheld: [{ kind: "memory", side: "here", items: 24, of: 24 }],
  });
  expect(await contentsOf(sides.here)).toHaveLength(24);
  expect(await syncSides(sides, { trashMore: true })).toMatchObject({
    memory: { here: { trashed: 24 } },
    withheld: [],
  });
});

test("a memory in the trash names the sync that put it there, and was used when it was used last on either side", async () => {
  const sides = await twoSides();
  const id = await save(sides.here, "Owns a canoe");
  await syncSides(sides);
  const usedAt = Date.now() + 5_000;
  await env.DB.prepare("UPDATE memories SET last_used_at = ?2 WHERE user_id = ?1")
    .bind(sides.there.userId, usedAt)
    .run();
  await callTool(sides.here, "delete_memory", { id });
  const { operations } = await syncSides(sides);
  const row = await env.DB.prepare(
    "SELECT trashed_op, last_used_at FROM memories WHERE user_id = ?1 AND id = ?2",
  )
    .bind(sides.there.userId, id)
    .first();
  expect(row).toEqual({ trashed_op: operations.there, last_used_at: usedAt });
});

test("a sync waits for the next day where a side cannot even be read any more", async () => {
  const waited = new Error("It waits");
  const stop = new AbortController();
  const problem = { code: "limit_reached", message: "Used up.", hint: "Tomorrow." };
  const spent = { error: { ...problem, retry_after_seconds: 43_200 } };
  const syncing = sync({
    call: async () => ({ status: 429, body: spent }),
    base: null,
    keepBase: () => {},
    dryRun: false,
    trashMore: false,
    onProgress: ({ phase, resumeAt }) => {
      expect([phase, resumeAt]).toEqual(["waiting_quota", Date.UTC(2026, 10, 24)]);
      stop.abort(waited);
    },
    onDelay: () => {},
    signal: stop.signal,
    now: () => Date.UTC(2026, 10, 23, 12),
  });
  await expect(syncing).rejects.toThrow(waited.message);
});

test("a sync ends where a side is full, and what trashes or shortens still comes to it", async () => {
  const sides = await twoSides();
  const id = await save(sides.here, "Plays the harp");
  await syncSides(sides);
  await callTool(sides.here, "delete_memory", { id });
  const { LIMITS } = env;
  try {
    Object.assign(env, { LIMITS: '{"max_bytes": 1}' });
    await syncSides(sides, { trashMore: true });
    expect((await callTool(sides.there, "get_memory", { id })).data["memory"].status).toBe(
      "trashed",
    );
    Object.assign(env, { LIMITS });
    await save(sides.here, "Keeps bees");
    await save(sides.there, "Bakes bread");
    Object.assign(env, { LIMITS: '{"max_bytes": 1}' });
    await expect(syncSides(sides)).rejects.toThrow("this server keeps");
  } finally {
    Object.assign(env, { LIMITS });
  }
});

test("a write that holds more than the plan's batch is refused", async () => {
  const sides = await twoSides();
  const id = await save(sides.here, "Plays the harp");
  const { data: page } = await callApi(sides.here, "POST", "/api/sync/lines", { memories: [id] });
  const states = Array.from({ length: 41 }, (_, at) => ({ ...page["lines"][0], version: at + 1 }));
  const { status, data } = await callApi(sides.there, "POST", "/api/sync/write", {
    operation_id: "a".repeat(16),
    memories: [{ id, expected: null, states }],
  });
  expect([status, data["error"].code]).toEqual([413, "too_large"]);
});

async function undo(person: Person, operation: string): Promise<void> {
  const { status } = await callApi(person, "POST", `/api/operations/${operation}/undo`, {});
  expect(status).toBe(200);
}

async function onlyChat(person: Person): Promise<string> {
  const chats = await chatsOf(person);
  expect(chats).toHaveLength(1);
  return chats[0]?.id ?? "";
}

async function messagesOf(person: Person, conversation: string): Promise<number> {
  const row = await env.DB.prepare(
    "SELECT count(*) AS messages FROM messages WHERE user_id = ?1 AND conversation = ?2",
  )
    .bind(person.userId, conversation)
    .first<{ messages: number }>();
  return row?.messages ?? 0;
}

/** As a tab does that is closed after some batches. */
async function importInPart(person: Person, chat: object, batches: number): Promise<void> {
  const stop = new AbortController();
  const closed = new Error("The tab was closed");
  let sent = 0;
  const upload = await survey([new File([JSON.stringify([chat])], "conversations.json")]);
  const sending = send(upload, {
    call: async (path, body) => {
      if (path.endsWith("/cancel")) throw new TypeError("gone");
      const { status, data } = await callApi(person, "POST", `/api/imports${path}`, body);
      // One that is answered with what is wanted took nothing.
      if (path.endsWith("/batches") && data["wanted"] === undefined) sent += 1;
      if (sent === batches) stop.abort(closed);
      return { status, body: data };
    },
    dryRun: false,
    account: null,
    onProgress: () => {},
    onDelay: () => {},
    signal: stop.signal,
  });
  await (Number.isFinite(batches) ? expect(sending).rejects.toThrow(closed.message) : sending);
}

interface StoredFile {
  readonly id: string;
  readonly store: string;
  readonly path: string;
}

/** A memory of a store, with one text, on both sides. */
/** Two that begin, two lists, lines of two sides. */
const BEFORE_WRITES = 6;

async function newFile(sides: TwoSides, content: string): Promise<StoredFile> {
  const store = await storesApi(sides.here, "POST", "", { name: "Notes" });
  const memories = `/${store["id"]}/memories`;
  const made = await storesApi(sides.here, "POST", memories, { path: "/a.md", content });
  await syncSides(sides);
  const id = String(made["id"]).replace("mem_", "");
  return { id, store: store["id"], path: `${memories}/${made["id"]}` };
}

/** Takes out for good what the file said first. */
async function redactFirst(person: Person, { id, store }: StoredFile): Promise<void> {
  await storesApi(person, "POST", `/${store}/memory_versions/memver_${id}_1/redact`, {});
}

async function expectWithout(sides: TwoSides, text: string): Promise<void> {
  for (const side of [sides.here, sides.there]) expect(await allTexts(side)).not.toContain(text);
  await syncSides(sides);
  expect(sides.requests).not.toContain("/write");
  await syncSides({ ...sides, base: null });
  expect(sides.requests).not.toContain("/write");
}

async function expectAlike(sides: TwoSides, contents: readonly string[]): Promise<void> {
  for (const side of [sides.here, sides.there]) {
    expect((await contentsOf(side)).toSorted()).toEqual(contents);
    const chats = await chatsOf(side);
    const texts = await Promise.all(chats.map(({ id }) => textsOf(side, id)));
    expect(texts.map(({ length }) => length).toSorted((a, b) => a - b)).toEqual([1, 4]);
  }
  await syncSides(sides);
  expect(sides.requests).not.toContain("/write");
}

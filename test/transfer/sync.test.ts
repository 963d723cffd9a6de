/** `cofio sync`, rule by rule: what becomes of an item that is new, changed, trashed or gone on one side, or on both. */
import { expect, test } from "vitest";
import { pairsOf } from "../../src/transfer/sync-pairs.ts";
import { callApi, callTool, newPerson, type Person } from "../support/people.ts";
import { syncSides, twoSides, type TwoSides } from "../support/sync.ts";
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

test("what is on one side comes to the other, with ids, versions and tags; doing it again writes nothing", async () => {
  const sides = await twoSides();
  const id = await save(sides.here, "Plays the harp", { tags: ["music"], project: "Home" });
  await edit(sides.here, id, { content: "Plays the Celtic harp" });
  await save(sides.there, "Bakes rye bread");

  expect(await syncSides(sides)).toMatchObject({
    memory: {
      here: { copied: 1, changed: 0, trashed: 0 },
      there: { copied: 1, changed: 0, trashed: 0 },
      unchanged: 0,
    },
    conflicts: [],
    left: [],
  });
  expect(await history(sides.there, id)).toEqual(await history(sides.here, id));
  const { data: tagged } = await callTool(sides.there, "list_memories", { tags: ["music"] });
  expect(tagged["memories"]).toMatchObject([{ id, content: "Plays the Celtic harp", version: 2 }]);
  const { data: found } = await callTool(sides.here, "search_memory", { query: "rye" });
  expect(found["results"]).toMatchObject([{ content: "Bakes rye bread" }]);

  expect(await syncSides(sides)).toMatchObject({ memory: { unchanged: 2 } });
  expect(sides.requests).not.toContain("/write");
});

test("a dry run says what a sync would do, and writes nothing", async () => {
  const sides = await twoSides();
  await save(sides.here, "Plays the harp");
  const report = await syncSides(sides, { dryRun: true });
  expect(report).toMatchObject({
    dry_run: true,
    memory: { there: { copied: 1 } },
    operations: { here: null, there: null },
  });
  expect(sides.requests).not.toContain("/write");
  expect(sides.base).toBeNull();
});

test("changed on both sides, the later text stays, the other one is a version on both, and the report names it", async () => {
  const sides = await twoSides();
  const id = await save(sides.here, "Lives in Bonn");
  await syncSides(sides);
  await edit(sides.here, id, { content: "Lives in Köln" });
  await edit(sides.there, id, { content: "Lives in Kiel" });
  const report = await syncSides(sides);
  expect(report.conflicts).toEqual([{ kind: "memory", id, name: "Lives in Köln", kept: "there" }]);
  for (const side of [sides.here, sides.there]) {
    const { memory, versions } = await history(side, id);
    expect(memory).toMatchObject({ content: "Lives in Kiel", version: 4 });
    expect(versions.map(({ content }: { content: string }) => content)).toContain("Lives in Köln");
  }
  await syncSides(sides);
  expect(sides.requests).not.toContain("/write");
});

test("an export that was imported on both sides is not copied, and keeps the ids that each side gave it", async () => {
  const sides = await twoSides();
  const chat = chatOf(2);
  for (const side of [sides.here, sides.there]) await importChat(side, chat);
  const [here] = await chatsOf(sides.here);
  const [there] = await chatsOf(sides.there);
  expect(await syncSides(sides)).toMatchObject({
    conversation: { here: { copied: 0 }, there: { copied: 0 }, unchanged: 1 },
  });
  // A change on one side reaches the other's own.
  await callApi(sides.here, "DELETE", `/api/conversations/${here?.id}`);
  expect(await syncSides(sides)).toMatchObject({ conversation: { there: { trashed: 1 } } });
  expect(await chatsOf(sides.there)).toEqual([]);
  await callApi(sides.there, "POST", `/api/conversations/${there?.id}/restore`, {});
  expect(await syncSides(sides)).toMatchObject({ conversation: { here: { changed: 1 } } });
  expect(await textsOf(sides.here, here?.id ?? "")).toEqual(["Line 0", "Line 1"]);
});

test("the same text saved on both sides is one memory to a sync, also when it is edited or trashed later", async () => {
  const sides = await twoSides();
  const here = await save(sides.here, "Keeps two bees");
  const there = await save(sides.there, "Keeps two bees.");
  await edit(sides.there, there, { content: "Keeps two bees" });
  await syncSides(sides);
  expect([await contentsOf(sides.here), await contentsOf(sides.there)]).toEqual([
    ["Keeps two bees"],
    ["Keeps two bees"],
  ]);
  await edit(sides.here, here, { content: "Keeps three bees" });
  await syncSides(sides);
  expect((await history(sides.there, there)).memory).toMatchObject({ content: "Keeps three bees" });
  await callTool(sides.there, "delete_memory", { id: there });
  expect(await syncSides(sides)).toMatchObject({ memory: { here: { trashed: 1 } } });
  expect(await contentsOf(sides.here)).toEqual([]);
});

test("memories alike in the trash of both sides are joined one by one where what was known is lost, and none is doubled", async () => {
  const sides = await twoSides();
  for (const side of [sides.here, sides.there]) {
    for (const _ of [1, 2, 3]) {
      const id = await save(side, "Keeps two bees");
      await callTool(side, "delete_memory", { id });
    }
  }
  expect(await syncSides(sides)).toMatchObject({
    memory: { here: { copied: 0 }, there: { copied: 0 } },
  });
  for (const side of [sides.here, sides.there]) {
    const { data } = await callApi(side, "GET", "/api/sync/memories");
    expect(data["items"]).toHaveLength(3);
  }
});

test("unrelated memories whose texts were taken out for good are not taken for each other", () => {
  const item = { version: 2, status: "trashed", digest: "d", updated_at: "t" } as const;
  const pairs = (more: object) =>
    pairsOf(
      "memory",
      { here: [{ ...item, id: "a", ...more }], there: [{ ...item, id: "b", ...more }] },
      [],
    );
  expect(pairs({})).toMatchObject([{ here: { id: "a" }, there: { id: "b" } }]);
  expect(pairs({ is_redacted: true })).toMatchObject([{ there: null }, { here: null }]);
});

test("files of either side whose texts were taken out for good stay two, each with its own history", async () => {
  const sides = await twoSides();
  for (const side of [sides.here, sides.there]) {
    const store = await storesApi(side, "POST", "", { name: "Notes" });
    const path = `/${store["id"]}`;
    const content = `secret of ${side.userId}`;
    const made = await storesApi(side, "POST", `${path}/memories`, { path: "/a.md", content });
    await storesApi(side, "DELETE", `${path}/memories/${made["id"]}`);
    const { data: versions } = await storesApi(side, "GET", `${path}/memory_versions`);
    for (const { id } of versions) {
      await storesApi(side, "POST", `${path}/memory_versions/${id}/redact`, {});
    }
  }
  const redacted = async (side: Person) => {
    const { data } = await callApi(side, "GET", "/api/sync/memories");
    return data["items"].filter((item: any) => item.is_redacted === true).map(({ id }: any) => id);
  };
  const [here, there] = [await redacted(sides.here), await redacted(sides.there)];
  expect([here.length, there.length]).toEqual([1, 1]);
  await syncSides(sides);
  for (const side of [sides.here, sides.there]) {
    expect(new Set(await redacted(side))).toEqual(new Set([...here, ...there]));
  }
  sides.base = null;
  await syncSides(sides);
  expect(sides.requests).not.toContain("/write");
});

test("a conversation that has grown on one side grows on the other; grown on both, no message is lost and all are in order", async () => {
  const sides = await twoSides();
  await importChat(sides.here, chatOf(2));
  await syncSides(sides);
  const [chat] = await chatsOf(sides.there);
  const id = chat?.id ?? "";
  await importChat(sides.here, chatOf(4, { at: 100 }));
  expect(await syncSides(sides)).toMatchObject({ conversation: { there: { changed: 1 } } });
  expect(await textsOf(sides.there, id)).toEqual(["Line 0", "Line 1", "Line 2", "Line 3"]);
  // The platform's own file finds what came by a sync.
  const { data: imported } = await importChat(sides.there, chatOf(4, { at: 100 }));
  expect(imported["items"].by_kind).toMatchObject({
    conversation: { unchanged: 1, updated: 0 },
    message: { unchanged: 4, new: 0, updated: 0 },
  });

  await importChat(sides.here, chatOf(5, { at: 200 }));
  await importChat(sides.there, chatOf(4, { at: 300, edited: 1 }));
  await syncSides(sides);
  const texts = ["Line 0", "Line 1, corrected", "Line 2", "Line 3", "Line 4"];
  for (const side of [sides.here, sides.there]) {
    expect(await textsOf(side, id)).toEqual(texts);
    const { data } = await callTool(side, "search_conversations", { query: "corrected" });
    expect(data["total"]).toBe(1);
  }
  await syncSides(sides);
  expect(sides.requests).not.toContain("/write");
});

test("what an undo took out of a conversation is out of it on the other side too", async () => {
  const sides = await twoSides();
  await importChat(sides.here, chatOf(2));
  const { data: grown } = await importChat(sides.here, chatOf(4, { at: 100 }));
  await syncSides(sides);
  await callApi(sides.here, "POST", `/api/operations/${grown["operation_id"]}/undo`, {});
  await syncSides(sides);
  const [chat] = await chatsOf(sides.there);
  expect(await textsOf(sides.there, chat?.id ?? "")).toEqual(["Line 0", "Line 1"]);
  // The file brings them back, and a sync carries them over once more.
  await importChat(sides.here, chatOf(4, { at: 100 }));
  await syncSides(sides);
  expect(await textsOf(sides.there, chat?.id ?? "")).toHaveLength(4);
});

test("gone for good on one side: what is unchanged on the other goes to its trash, what was changed comes back", async () => {
  const sides = await twoSides();
  const gone = await save(sides.here, "Owns a canoe");
  const kept = await save(sides.here, "Owns a kayak");
  await importChat(sides.here, chatOf(1));
  await syncSides(sides);
  for (const id of [gone, kept]) await callTool(sides.here, "delete_memory", { id });
  const [chat] = await chatsOf(sides.here);
  await callApi(sides.here, "DELETE", `/api/conversations/${chat?.id}`);
  await purge(sides.here);
  await edit(sides.there, kept, { importance: 5 });
  expect(await syncSides(sides)).toMatchObject({
    memory: { here: { copied: 1 }, there: { trashed: 1 } },
    conversation: { there: { trashed: 1 } },
  });
  expect([await contentsOf(sides.here), await contentsOf(sides.there)]).toEqual([
    ["Owns a kayak"],
    ["Owns a kayak"],
  ]);
  expect((await history(sides.there, gone)).memory).toMatchObject({ status: "trashed" });
  // It stays in that trash for its time, and does not come back from there.
  await syncSides(sides);
  expect(sides.requests).not.toContain("/write");
});

test("what is known of one account is not taken for another's", async () => {
  const sides = await twoSides();
  await save(sides.here, "Plays the harp");
  await syncSides(sides);
  const { base } = sides;
  const other: TwoSides = { ...(await twoSides()), here: sides.here, base };
  expect(await syncSides(other)).toMatchObject({
    memory: { here: { trashed: 0 }, there: { copied: 1 } },
  });
});

test("a text that was taken out for good is taken out on the other side, and never carried back", async () => {
  const sides = await twoSides();
  const api = (side: Person, method: string, path: string, body?: object) =>
    storesApi(side, method, path, body);
  const store = await api(sides.here, "POST", "", { name: "Notes" });
  const path = `/${store["id"]}/memories`;
  const made = await api(sides.here, "POST", path, { path: "/a.md", content: "secret one" });
  await api(sides.here, "POST", `${path}/${made["id"]}`, { content: "secret two" });
  await syncSides(sides);
  const { data: versions } = await api(sides.here, "GET", `/${store["id"]}/memory_versions`);
  const first = (versions as { id: string; operation: string }[]).find(
    ({ operation }) => operation === "created",
  );
  await api(sides.here, "POST", `/${store["id"]}/memory_versions/${first?.id}/redact`, {});
  expect(await syncSides(sides)).toMatchObject({ memory: { there: { changed: 1 } } });
  expect(await allTexts(sides.there)).not.toContain("secret one");
  await syncSides(sides);
  expect(sides.requests).not.toContain("/write");

  await api(sides.here, "POST", `${path}/${made["id"]}`, { content: "three" });
  // Changed on both sides, so that all states are brought together.
  await api(sides.there, "POST", `${path}/${made["id"]}`, { content: "four" });
  await syncSides(sides);
  for (const side of [sides.here, sides.there]) {
    const texts = await allTexts(side);
    expect(texts).not.toContain("secret one");
    expect(texts).toEqual(expect.arrayContaining(["secret two", "three", "four"]));
  }
});

test("where there is no room, the memory is left and the report says why; with room it comes", async () => {
  const sides = await twoSides();
  await callApi(sides.there, "PATCH", "/api/rules", { max_memories: 1 });
  await save(sides.there, "Bakes rye bread");
  const id = await save(sides.here, "Plays the harp");
  const report = await syncSides(sides);
  expect(report.left).toEqual([{ kind: "memory", id, side: "there", reason: "limit_reached" }]);
  await callApi(sides.there, "PATCH", "/api/rules", { max_memories: null });
  expect(await syncSides(sides)).toMatchObject({ memory: { there: { copied: 1 } }, left: [] });
});

test("a sync is undone as one operation: what it brought goes to the trash, what it changed returns", async () => {
  const sides = await twoSides();
  const id = await save(sides.here, "Lives in Bonn");
  await syncSides(sides);
  await edit(sides.here, id, { content: "Lives in Köln" });
  await save(sides.here, "Plays the harp");
  await importChat(sides.here, chatOf(2));
  const { operations } = await syncSides(sides);
  expect(operations.here).toBeNull();
  const { data: listed } = await callApi(sides.there, "GET", "/api/operations?limit=1");
  expect(listed["operations"]).toMatchObject([
    { id: operations.there, kind: "sync", counts: { memories: 2, conversations: 1, messages: 2 } },
  ]);
  const { data: undone } = await callApi(
    sides.there,
    "POST",
    `/api/operations/${operations.there}/undo`,
    {},
  );
  expect(undone).toMatchObject({ undone: { memories: 2, conversations: 1 }, left: [] });
  expect(await contentsOf(sides.there)).toEqual(["Lives in Bonn"]);
  expect(await chatsOf(sides.there)).toEqual([]);
});

test("two files that want one place do not hide each other: the later change has it, the other is in the trash", async () => {
  const sides = await twoSides();
  await file(sides.here, { command: "create", path: "/memories/a.md", file_text: "A" });
  await file(sides.here, { command: "create", path: "/memories/b.md", file_text: "B" });
  await syncSides(sides);
  const rename = (from: string) => ({
    command: "rename",
    old_path: `/memories/${from}.md`,
    new_path: "/memories/c.md",
  });
  await file(sides.here, rename("a"));
  await file(sides.there, rename("b"));
  const report = await syncSides(sides);
  expect(report).toMatchObject({ conflicts: [{ name: "/c.md", kept: "path" }], left: [] });
  for (const side of [sides.here, sides.there]) {
    expect(await file(side, { command: "view", path: "/memories/c.md" })).toContain("B");
    expect(await allTexts(side)).toEqual(expect.arrayContaining(["A", "B"]));
  }
});

test("files that took each other's places do so on the other side", async () => {
  const sides = await twoSides();
  await file(sides.here, { command: "create", path: "/memories/a.md", file_text: "A" });
  await file(sides.here, { command: "create", path: "/memories/b.md", file_text: "B" });
  await syncSides(sides);
  for (const [from, to] of ["ac", "ba", "cb"].map((pair) => [...pair])) {
    await file(sides.here, {
      command: "rename",
      old_path: `/memories/${from}.md`,
      new_path: `/memories/${to}.md`,
    });
  }
  expect(await syncSides(sides)).toMatchObject({ conflicts: [], left: [] });
  expect(await file(sides.there, { command: "view", path: "/memories/a.md" })).toContain("B");
  expect(await file(sides.there, { command: "view", path: "/memories/b.md" })).toContain("A");
});

test("long items go in parts, and are the same at the end", async () => {
  const sides = await twoSides();
  sides.limits = { chars: 2_000, conversations: 1, messages: 3, memories: 2 };
  const id = await save(sides.here, "Version 1");
  for (let version = 2; version <= 7; version++) {
    await edit(sides.here, id, { content: `Version ${version}` });
  }
  await importChat(sides.here, chatOf(11));
  await syncSides(sides);
  expect(await history(sides.there, id)).toEqual(await history(sides.here, id));
  const [chat] = await chatsOf(sides.there);
  expect(await textsOf(sides.there, chat?.id ?? "")).toHaveLength(11);
  const report = await syncSides({ ...sides, base: null });
  expect(report).toMatchObject({ memory: { unchanged: 1 }, conversation: { unchanged: 1 } });
});

test("a token that is not trusted reads a side and writes nothing to it", async () => {
  const person = await newPerson();
  const begun = await callApi(person, "POST", "/api/sync/begin", {});
  expect([begun.status, begun.data["error"].code]).toEqual([403, "forbidden"]);
  const body = { operation_id: "a".repeat(16), memories: [] };
  expect((await callApi(person, "POST", "/api/sync/write", body)).status).toBe(403);
  expect((await callApi(person, "GET", "/api/sync/memories")).status).toBe(200);
});

test("units hang on their own operation and on the account's own items", async () => {
  const sides = await twoSides();
  const id = await save(sides.here, "Plays the harp");
  const { data: saved } = await callApi(sides.here, "GET", "/api/operations?limit=1");
  const { data: page } = await callApi(sides.here, "POST", "/api/sync/lines", { memories: [id] });
  const unit = { id, expected: null, states: page["lines"] };
  const foreign = { operation_id: saved["operations"][0].id, memories: [unit] };
  expect((await callApi(sides.here, "POST", "/api/sync/write", foreign)).status).toBe(400);
  // Ids of one account mean nothing in another.
  const { data: none } = await callApi(sides.there, "POST", "/api/sync/lines", { memories: [id] });
  expect(none["lines"]).toEqual([]);
  const broken = { operation_id: "a".repeat(16), memories: [{ ...unit, states: [{ type: "?" }] }] };
  expect((await callApi(sides.there, "POST", "/api/sync/write", broken)).data["results"]).toEqual([
    { kind: "memory", id, outcome: "unreadable" },
  ]);
});

/** Undo, through the front door: any operation, by id or by client and time, and undoing that again. */
import fc from "fast-check";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { undoOperation } from "../../src/memory/undo.ts";
import { SCOPES } from "../../src/scopes.ts";
import { openUser } from "../../src/user.ts";
import { backUp, restored } from "../support/backups.ts";
import { loseAnswers } from "../support/batches.ts";
import { countersOf, sumsOf } from "../support/counters.ts";
import { injectFaults, withFaults, type Faults } from "../support/faults.ts";
import { callApi, callTool, fetchWorker, newPerson, type Person } from "../support/people.ts";
import { runs } from "../support/runs.ts";

const MORNING = Date.UTC(2026, 10, 20, 9);

afterEach(() => {
  vi.useRealTimers();
});

test("what a save made goes to the trash, and undoing the undo brings it back", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "save_memory", {
    content: "Likes rye bread",
    tags: ["food"],
  });
  const undone = await undo(person, data["operation_id"]);
  expect(undone).toMatchObject({ undone: { memories: 1, conversations: 0 }, left: [] });
  expect(await found(person, "rye bread")).toEqual([]);
  expect(await memoryOf(person, data["memory"].id)).toMatchObject({ status: "trashed" });

  expect(await undo(person, undone.operation_id)).toMatchObject({
    undone: { memories: 1 },
    left: [],
  });
  expect(await found(person, "rye bread")).toEqual(["Likes rye bread"]);
  const { data: tagged } = await callTool(person, "list_memories", { tags: ["food"] });
  expect(tagged["memories"]).toHaveLength(1);
});

test("an update's earlier text, tags and project come back, in search and in listings by tag", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "save_memory", {
    content: "Deploys on Vercel",
    tags: ["hosting"],
    project: "shop",
    importance: 4,
  });
  const { id } = data["memory"];
  const { data: updated } = await callTool(person, "update_memory", {
    id,
    content: "Deploys on Railway",
    tags: ["infra"],
    project: "blog",
    importance: 2,
  });
  await undo(person, updated["operation_id"]);
  expect(await memoryOf(person, id)).toMatchObject({
    content: "Deploys on Vercel",
    tags: ["hosting"],
    project: "shop",
    importance: 4,
    version: 3,
  });
  expect(await found(person, "Vercel")).toEqual(["Deploys on Vercel"]);
  expect((await callTool(person, "search_memory", { query: "Railway" })).data["total"]).toBe(0);
  for (const [tag, count] of [
    ["hosting", 1],
    ["infra", 0],
  ] as const) {
    const { data: listed } = await callTool(person, "list_memories", { tags: [tag] });
    expect(listed["memories"]).toHaveLength(count);
  }
});

test("undoing a save that superseded another brings that one back into use", async () => {
  const person = await newPerson();
  const { data: old } = await callTool(person, "save_memory", { content: "Lives in Bonn" });
  const { data: moved } = await callTool(person, "save_memory", {
    content: "Lives in Köln",
    supersedes: old["memory"].id,
  });
  expect(await found(person, "lives")).toEqual(["Lives in Köln"]);
  expect(await undo(person, moved["operation_id"])).toMatchObject({
    undone: { memories: 2 },
    left: [],
  });
  expect(await found(person, "lives")).toEqual(["Lives in Bonn"]);
});

test("undoing a save that made room by when_full brings back what went to the trash for it, and undoing that takes it away again", async () => {
  const person = await newPerson({ trusted: true });
  await callTool(person, "save_memory", {
    content: "Wore a hat",
    tags: ["clothes"],
    importance: 1,
  });
  const { data: home } = await callTool(person, "save_memory", { content: "Lives in Bonn" });
  await callApi(person, "PATCH", "/api/rules", FULL_AT_TWO);
  const before = await stateOf(person);
  const lost = await loseAnswers(person);
  const { data: saved } = await callTool(person, "save_memory", {
    content: "Lives in Köln",
    supersedes: home["memory"].id,
  });
  expect(lost()).toBeGreaterThan(0);
  expect(saved["rules"]).toMatchObject([{ memory: { content: "Wore a hat" } }]);
  const after = await stateOf(person);
  expect(after).toMatchObject({ active: 2, trashed: [{ content: "Wore a hat" }] });
  const { data: listed } = await callApi(person, "GET", "/api/operations");
  expect(listed["operations"][0]).toMatchObject({ kind: "save", counts: { memories: 3 } });

  const undone = await undo(person, saved["operation_id"]);
  expect(undone).toMatchObject({ undone: { memories: 3 }, left: [] });
  expectState(await stateOf(person), before);
  expect(await found(person, "hat")).toEqual(["Wore a hat"]);
  expect(await countersOf(person)).toEqual(await sumsOf(person));
  await undo(person, undone.operation_id);
  expectState(await stateOf(person), after);
  expect(await countersOf(person)).toEqual(await sumsOf(person));
});

test("what was changed since is left as it is, and named", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "save_memory", { content: "Owns a cat" });
  const { id } = data["memory"];
  await callTool(person, "update_memory", { id, content: "Owns two cats" });
  expect(await undo(person, data["operation_id"])).toEqual({
    operation_id: null,
    undone: { memories: 0, conversations: 0 },
    left: [{ kind: "memory", id, reason: "changed_since" }],
    purged: { memories: 0, conversations: 0 },
  });
  expect(await found(person, "cats")).toEqual(["Owns two cats"]);
});

test("a text that another memory says by now does not come back a second time", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "save_memory", { content: "Speaks Danish" });
  const { id } = data["memory"];
  const { data: deleted } = await callTool(person, "delete_memory", { id });
  await callTool(person, "save_memory", { content: "Speaks Danish" });
  expect(await undo(person, deleted["operation_id"])).toMatchObject({
    operation_id: null,
    left: [{ kind: "memory", id, reason: "duplicate" }],
  });
  expect(await found(person, "Danish")).toEqual(["Speaks Danish"]);
});

test("undoing an import takes its memories and conversations out of use, and undoing that brings them back", async () => {
  const person = await newPerson();
  await callTool(person, "save_memory", { content: "Was here before" });
  const before = await stateOf(person);
  const { data } = await callTool(person, "import_data", {
    items: [
      { content: "The garden has roses" },
      { content: "The garden has a plum tree", tags: ["home"] },
      {
        platform: "claude",
        id: "chat",
        title: "Soil",
        messages: [
          { role: "user", content: "Which soil for azaleas?" },
          { role: "assistant", content: "Acid soil." },
        ],
      },
    ],
  });
  const imported = await stateOf(person);
  const undone = await undo(person, data["operation_id"]);
  expect(undone).toMatchObject({ undone: { memories: 2, conversations: 1 }, left: [] });
  expectState(await stateOf(person), before);
  const { data: none } = await callTool(person, "search_conversations", { query: "azaleas" });
  expect(none["total"]).toBe(0);

  await undo(person, undone.operation_id);
  expect(await stateOf(person)).toEqual(imported);
  const { data: again } = await callTool(person, "search_conversations", { query: "azaleas" });
  expect(again["total"]).toBeGreaterThan(0);
});

test("what an undo trashed comes back with the same file, and what a person trashed does not", async () => {
  const person = await newPerson();
  const items = [
    { platform: "mem0", id: "one", content: "Plays the cello" },
    { platform: "mem0", id: "two", content: "Plays chess" },
    { platform: "claude", id: "chat", messages: [{ role: "user", content: "Which strings?" }] },
  ];
  const { data } = await callTool(person, "import_data", { items });
  const imported = await stateOf(person);
  await undo(person, data["operation_id"]);
  const { data: again } = await callTool(person, "import_data", { items });
  expect(again["items"].by_kind).toMatchObject({
    memory: { found: 2, updated: 2 },
    conversation: { found: 1, updated: 1 },
    message: { found: 1, unchanged: 1 },
  });
  expect(await stateOf(person)).toEqual(imported);

  const id = imported.memories[0]?.id;
  await callTool(person, "delete_memory", { id });
  const { data: third } = await callTool(person, "import_data", { items });
  expect(third["items"].by_kind.memory).toMatchObject({ unchanged: 1, skipped: 1 });
  expect(await undo(person, again["operation_id"])).toMatchObject({
    undone: { memories: 1, conversations: 1 },
    left: [{ kind: "memory", id, reason: "changed_since" }],
  });
  expect(await stateOf(person)).toMatchObject({ memories: [], active: 0 });
});

test("texts that two files brought and two undos trashed come back once", async () => {
  const person = await newPerson();
  const item = (id: string) => ({ platform: "mem0", id, content: "Plays the cello" });
  for (const id of ["a", "b"]) {
    const { data } = await callTool(person, "import_data", { items: [item(id)] });
    await undo(person, data["operation_id"]);
  }
  const { data } = await callTool(person, "import_data", { items: [item("a"), item("b")] });
  expect(data["items"]).toMatchObject({ found: 2, updated: 1 });
  expect(await found(person, "cello")).toEqual(["Plays the cello"]);
  expect((await stateOf(person)).active).toBe(1);
});

test("a memory of a Cofio export that an undo trashed is counted once when it comes back", async () => {
  const source = await newPerson();
  await callTool(source, "save_memory", { content: "Plays the cello" });
  const { data: exported } = await callTool(source, "export_data", {});
  const person = await newPerson();
  const { data } = await callTool(person, "import_data", { data: exported["data"] });
  await undo(person, data["operation_id"]);
  await callTool(person, "import_data", { data: exported["data"] });
  const { data: stats } = await callTool(person, "get_stats");
  expect(stats["memories"]).toMatchObject({ active: 1, trashed: 0 });
});

test("undoing an undo's undo leaves a conversation that has grown since", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "import_data", chat("Which soil?"));
  const undone = await undo(person, data["operation_id"]);
  const redone = await undo(person, undone.operation_id);
  await callTool(person, "import_data", chat("Which soil?", "And for roses?"));
  expect(await undo(person, redone.operation_id)).toMatchObject({
    operation_id: null,
    left: [{ kind: "conversation", reason: "changed_since" }],
  });
});

test("a conversation to which a later import added is left by undoing the earlier one, until the later one is undone", async () => {
  const person = await newPerson();
  const { data: first } = await callTool(person, "import_data", chat("Which soil?"));
  const before = await stateOf(person);
  const longer = chat("Which soil?", "And for roses?");
  const { data: second } = await callTool(person, "import_data", longer);
  expect(await undo(person, first["operation_id"])).toMatchObject({
    operation_id: null,
    left: [{ kind: "conversation", reason: "changed_since" }],
  });
  expect(await undo(person, second["operation_id"])).toMatchObject({
    undone: { conversations: 1 },
    left: [],
  });
  expect(await stateOf(person)).toEqual(before);
  expect(await undo(person, first["operation_id"])).toMatchObject({ undone: { conversations: 1 } });
  expect((await stateOf(person)).chats).toEqual([]);
});

test("what an import added to a conversation, changed and moved in it is undone, in search too, and comes back by undoing that or with the same file", async () => {
  const person = await newPerson();
  const message = (id: string, content: string, day = 1) => ({
    id,
    role: "user",
    content,
    created_at: `2026-03-0${day}T10:00:00Z`,
  });
  const old = chatOf("Soil", [
    message("a", "Azaleas like acid soil"),
    message("b", "Beeches like chalk"),
    message("c", "Carrots like sand"),
    message("d", "Daisies like anything"),
    message("e", "Elms like loam"),
    message("f", "Figs like walls"),
  ]);
  await callTool(person, "import_data", old);
  const before = await stateOf(person);
  const newer = chatOf("Soils and plants", [
    message("a", "Azaleas like acid soil"),
    message("x", "Xerophytes like drought", 2),
    message("z", "Zinnias like heat", 2),
    message("b", "Beeches like chalk and lime"),
    message("c", "Carrots like sand"),
    message("d", "Daisies like anything"),
    message("e", "Elms like loam"),
    message("f", "Figs like walls"),
    message("y", "Yews like shade", 3),
  ]);
  const { data } = await callTool(person, "import_data", newer);
  const after = await stateOf(person);
  expect(after.chats[0]).toMatchObject({ title: "Soils and plants" });
  expect(textsOf(after)).toEqual([
    "Azaleas like acid soil",
    "Xerophytes like drought",
    "Zinnias like heat",
    "Beeches like chalk and lime",
    "Carrots like sand",
    "Daisies like anything",
    "Elms like loam",
    "Figs like walls",
    "Yews like shade",
  ]);

  const undone = await undo(person, data["operation_id"]);
  expect(undone).toMatchObject({ undone: { conversations: 1 }, left: [] });
  expect(await stateOf(person)).toEqual(before);
  expect(await indexOf(person)).toEqual(await indexOf(await withChats(old)));
  for (const word of ["xerophytes", "lime", "yews", "plants"]) {
    const { data: hits } = await callTool(person, "search_conversations", { query: word });
    expect(hits["total"]).toBe(0);
  }

  const redone = await undo(person, undone.operation_id);
  expect(redone).toMatchObject({ undone: { conversations: 1 }, left: [] });
  expect(await stateOf(person)).toEqual(after);
  expect(await indexOf(person)).toEqual(await indexOf(await withChats(old, newer)));

  await undo(person, redone.operation_id);
  const { data: again } = await callTool(person, "import_data", newer);
  expect(again["items"].by_kind.message).toMatchObject({ unchanged: 4, updated: 5 });
  // With their ids, by which assistants may have cited them.
  expect(await stateOf(person)).toEqual(after);
  expect(await indexOf(person)).toEqual(await indexOf(await withChats(old, newer)));
  await undo(person, again["operation_id"]);
  expect(await stateOf(person)).toEqual(before);
});

test("where every write's first answer gets lost, nothing is undone, deleted or counted twice", async () => {
  const person = await newPerson();
  const old = chatOf("Soil", [{ id: "a", role: "user", content: "Azaleas like acid soil" }]);
  await callTool(person, "import_data", old);
  const lost = await loseAnswers(person);
  const before = await stateOf(person);
  const { data } = await callTool(person, "import_data", {
    items: [
      ...chatOf("Plants", [
        { id: "x", role: "user", content: "Xerophytes like drought" },
        { id: "a", role: "user", content: "Azaleas like peat" },
      ]).items,
      { content: "Grows azaleas" },
    ],
  });
  const after = await stateOf(person);
  const undone = await undo(person, data["operation_id"]);
  expect(undone).toMatchObject({ undone: { memories: 1, conversations: 1 }, left: [] });
  expectState(await stateOf(person), before);
  expect(await countersOf(person)).toEqual(await sumsOf(person));
  await undo(person, undone.operation_id);
  expect(await stateOf(person)).toEqual(after);
  const path = `/api/conversations/${after.chats[0]?.id}`;
  const { data: deleted } = await callApi(person, "DELETE", path);
  expect(deleted["deleted"]).toHaveLength(1);
  expect(await countersOf(person)).toEqual(await sumsOf(person));
  await undo(person, deleted["operation_id"]);
  expect(await stateOf(person)).toEqual(after);
  expect(await countersOf(person)).toEqual(await sumsOf(person));
  expect(lost()).toBeGreaterThan(4);
});

test("everything that one client did from a time on is undone at once, and what others did stays", async () => {
  const atMinute = (minute: number) =>
    vi.useFakeTimers({ toFake: ["Date"], now: MORNING + minute * 60_000 });
  atMinute(0);
  const name = crypto.randomUUID();
  const [app, another] = [await newPerson({ name }), await newPerson({ name })];
  await callTool(app, "save_memory", { content: "Before that" });
  atMinute(1);
  const { data: own } = await callTool(app, "save_memory", { content: "Mine" });
  const { data: theirs } = await callTool(another, "save_memory", { content: "Another's" });
  atMinute(2);
  await callTool(app, "import_data", chat("Which soil?"));
  atMinute(3);
  await callTool(app, "update_memory", { id: own["memory"].id, content: "Mine, changed" });
  await callTool(another, "update_memory", { id: theirs["memory"].id, content: "Another's still" });
  const { data: listed } = await callApi(app, "GET", "/api/operations");
  const { grant_id } = listed["operations"].find(({ id }: any) => id === own["operation_id"]);
  const wish = { grant_id, since: new Date(MORNING + 60_000).toISOString() };
  expect((await callApi(await newPerson(), "POST", "/api/undo", wish)).data).toEqual({
    results: [],
    next_before: null,
  });

  const results = [];
  let before: string | undefined;
  do {
    const { data } = await callApi(another, "POST", "/api/undo", { ...wish, before });
    results.push(...data["results"].map(({ undone }: any) => undone));
    before = data["next_before"] ?? undefined;
  } while (before !== undefined);
  expect(results).toEqual([
    { memories: 1, conversations: 0 },
    { memories: 0, conversations: 1 },
    { memories: 1, conversations: 0 },
  ]);
  const { memories, chats } = await stateOf(app);
  expect(memories.map(({ content }: any) => String(content)).toSorted()).toEqual([
    "Another's still",
    "Before that",
  ]);
  expect(chats).toEqual([]);
});

test("undoing goes on past a restored backup, names it, and says where to go on after what one request may do", async () => {
  const person = await newPerson();
  for (const content of ["First", "Second"]) await callTool(person, "save_memory", { content });
  const backup = await backUp(person);
  const { backup_before } = await restored(person, backup.id, "merge");
  await callTool(person, "save_memory", { content: "Third" });
  const { data: listed } = await callApi(person, "GET", "/api/operations");
  const [latest] = listed["operations"];
  const results = [];
  let before: string | undefined;
  do {
    const { status, data } = await callApi(person, "POST", "/api/undo", {
      grant_id: latest.grant_id,
      since: "2000-01-01T00:00:00Z",
      before,
    });
    expect(status).toBe(200);
    results.push(...data["results"]);
    before = data["next_before"] ?? undefined;
  } while (before !== undefined);
  const outcomes = results.map(({ not_undone, undone }) => not_undone ?? undone.memories);
  expect(outcomes).toEqual([1, "restored_backup", 1, 1]);
  expect(results[1]).toMatchObject({ backup_before });
  expect(await stateOf(person)).toMatchObject({ memories: [], active: 0 });
});

test("undoing goes on past many restored backups, and each request fits what the free plan allows", async () => {
  const person = await newPerson();
  await callTool(person, "save_memory", { content: "First" });
  const backup = await backUp(person);
  await restored(person, backup.id, "merge");
  const copies = Array.from({ length: 60 }, (_, at) => `${at}`.padStart(2, "a"));
  await env.DB.prepare(
    `INSERT INTO operations (user_id, id, kind, grant_id, client, created_at, counts, undoes_op, subject)
      SELECT user_id, substr(o.id, 1, 14) || j.value, kind, grant_id, client, created_at, counts, undoes_op, subject
      FROM operations o CROSS JOIN json_each(?2) j WHERE user_id = ?1 AND kind = 'restore'`,
  )
    .bind(person.userId, JSON.stringify(copies))
    .run();
  const { data: listed } = await callApi(person, "GET", "/api/operations");
  const { grant_id } = listed["operations"].find(({ kind }: any) => kind === "restore");
  const faults = await injectFaults(person);
  const results = [];
  let before: string | undefined;
  do {
    faults.asked = 0;
    const { status, data } = await callApi(person, "POST", "/api/undo", {
      grant_id,
      since: "2000-01-01T00:00:00Z",
      before,
    });
    expect(status).toBe(200);
    expect(faults.asked).toBeLessThanOrEqual(50);
    results.push(...data["results"]);
    before = data["next_before"] ?? undefined;
  } while (before !== undefined);
  expect(results.filter(({ not_undone }) => not_undone === "restored_backup")).toHaveLength(61);
  expect(await stateOf(person)).toMatchObject({ memories: [], active: 0 });
});

test("undoing an import of 1,500 memories, and undoing that, each fit what the free plan allows a request", async () => {
  const person = await newPerson();
  const list = Array.from({ length: 1_500 }, (_, at) => `- Fact number ${at}`).join("\n");
  const response = await fetchWorker("/api/imports?as=list", {
    method: "POST",
    headers: { authorization: `Bearer ${person.token}` },
    body: list,
  });
  const { operation_id } = (await response.json()) as { operation_id: string };
  let id: string | null = operation_id;
  for (const active of [0, 1_500]) {
    const faults: Faults = { calls: 0, asked: 0, failing: () => null };
    const account = await openUser({ ...env, ...withFaults(faults) }, person.userId);
    if (account === null || id === null) throw new Error("There is nothing to undo");
    const now = Date.now();
    const caller = { grantId: "g", client: "Test", source: "api", trusted: false, now } as const;
    id = (await undoOperation(account, id, caller)).operationId;
    expect(faults.asked).toBeLessThanOrEqual(50);
    expect((await callTool(person, "get_stats")).data["memories"].active).toBe(active);
    expect(await countersOf(person)).toEqual(await sumsOf(person));
  }
});

test("undoing an import that runs ends it: what was on its way is refused", async () => {
  const person = await newPerson();
  const { data: begun } = await callApi(person, "POST", "/api/imports/begin", {
    files: [
      {
        outcome: "read",
        name: "a",
        format: "Claude conversations",
        source: "claude",
        truncated: false,
      },
    ],
    totals: { conversation: 0, message: 0, memory: 2 },
    key: "k",
    bytesTotal: 1,
  });
  const send = (number: number, content: string) =>
    callApi(person, "POST", `/api/imports/${begun["job"].id}/batches`, {
      number,
      records: [
        {
          type: "memory",
          memory: {
            source: "claude",
            provenance: { platform: "claude", id: content },
            content,
            tags: [],
          },
        },
      ],
      bytesRead: 1,
    });
  const { data } = await send(1, "Likes rye");
  await undo(person, data["operation_id"]);
  expect(await send(2, "Likes oats")).toMatchObject({ status: 400 });
  const { data: asked } = await callApi(person, "GET", `/api/imports/${begun["job"].id}`);
  expect(asked["job"].state).toBe("cancelled");
  expect(await stateOf(person)).toMatchObject({ memories: [], active: 0 });
});

test("an unknown operation, another user's and a token that may not write are refused", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "save_memory", { content: "Mine alone" });
  const other = await newPerson();
  const operation = data["operation_id"];
  expect(await undo(other, operation)).toMatchObject({ error: { code: "not_found" } });
  expect(await undo(person, "nothing")).toMatchObject({ error: { code: "not_found" } });
  for (const scope of ["memories:write", "memories:delete", "data:import"] as const) {
    const scopes = SCOPES.filter((one) => one !== scope);
    expect(await undo(await newPerson({ scopes }), operation)).toMatchObject({
      error: { code: "forbidden" },
    });
  }
  const wrong = await callApi(person, "POST", "/api/undo", { grant_id: "g", since: "yesterday" });
  expect(wrong.data).toMatchObject({ error: { code: "invalid_input" } });
});

test("undoing every operation of any sequence, the latest first, gives each earlier state again; undoing those undos gives the end again", async () => {
  const word = fc.constantFrom("rye", "oats", "plum", "cat", "Bonn", "Köln", "blue", "red");
  const content = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(" "));
  const tags = fc.uniqueArray(fc.constantFrom("home", "food", "work"), { maxLength: 2 });
  const project = fc.constantFrom("", "shop", "blog");
  const place = fc.nat(7);
  const places = fc.array(place, { minLength: 1, maxLength: 3 });
  // "events" wait for approval by the rules of this test.
  const category = fc.constantFrom("other", "events", "goals");
  const importance = fc.integer({ min: 1, max: 5 });
  const chatName = fc.constantFrom("claude", "chatgpt");
  const chatNames = fc.uniqueArray(chatName, { minLength: 1 });
  const title = fc.constantFrom("Plans", "Notes");
  // Of six messages in order some, each in one of two wordings: exports of a conversation that grows and is edited.
  const said = fc.array(fc.constantFrom("", "rye", "plum"), { minLength: 6, maxLength: 6 });
  const path = fc.constantFrom("/memories/plan", "/memories/home/list", "/memories/home/notes");
  const directory = fc.constant("/memories/home");
  const fileCommand = fc.oneof(
    fc.record({ command: fc.constant("create" as const), path, file_text: content }),
    fc.record({
      command: fc.constant("str_replace" as const),
      path,
      old_str: word,
      new_str: content,
    }),
    fc.record({
      command: fc.constant("insert" as const),
      path,
      insert_line: fc.nat(1),
      insert_text: content,
    }),
    fc.record({ command: fc.constant("delete" as const), path: fc.oneof(path, directory) }),
    fc.record({ command: fc.constant("rename" as const), old_path: path, new_path: path }),
    fc.record({
      command: fc.constant("rename" as const),
      old_path: directory,
      new_path: fc.constant("/memories/house"),
    }),
  );
  const command = fc.oneof(
    fc.record({ do: fc.constant("save" as const), content, tags, category, importance }),
    fc.record({ do: fc.constant("save" as const), content, tags, category, importance }),
    fc.record({ do: fc.constant("supersede" as const), content, place, category }),
    fc.record({ do: fc.constant("update" as const), content, tags, project, place }),
    fc.record({ do: fc.constant("rate" as const), category, importance, place }),
    fc.record({ do: fc.constant("delete" as const), place }),
    fc.record({
      do: fc.constantFrom("restore" as const, "approve" as const, "undo" as const),
      place,
    }),
    fc.record({
      do: fc.constant("change many" as const),
      places,
      change: fc.oneof(
        fc.record({ status: fc.constantFrom("active" as const, "trashed" as const) }),
        fc.record({ add_tags: tags, remove_tags: tags }),
      ),
    }),
    fc.record({ do: fc.constant("file" as const), fileCommand }),
    fc.record({ do: fc.constant("file" as const), fileCommand }),
    fc.record({
      do: fc.constant("import" as const),
      contents: fc.array(content, { maxLength: 3 }),
    }),
    fc.record({ do: fc.constant("chat" as const), platform: chatName, title, said }),
    fc.record({ do: fc.constant("chat" as const), platform: chatName, title, said }),
    fc.record({
      do: fc.constantFrom("delete chats" as const, "restore chats" as const),
      platforms: chatNames,
    }),
  );
  const limit = fc.constantFrom(2, 10_000);
  await fc.assert(
    fc.asyncProperty(
      limit,
      fc.array(command, { minLength: 1, maxLength: 9 }),
      async (most, all) => {
        const person = await newPerson({ trusted: true });
        await callApi(person, "PATCH", "/api/rules", {
          auto_save: ["other", "goals"],
          max_memories: most,
          when_full: "trash_least_useful",
        });
        await callTool(person, "save_memory", { content: "There from the start", tags: ["home"] });
        const states = [await stateOf(person)];
        const done: string[] = [];
        const known = { ids: [], chats: new Map<string, string>(), done };
        for (const one of all) {
          const operation = await run(person, one, known);
          if (operation === null) continue;
          done.push(operation);
          states.push(await stateOf(person));
        }
        const end = states.at(-1);
        const undos: string[] = [];
        for (const operation of done.toReversed()) {
          const { operation_id, left } = await undo(person, operation);
          expect(left).toEqual([]);
          undos.push(operation_id);
          states.pop();
          expectState(await stateOf(person), states.at(-1));
          expect(await countersOf(person)).toEqual(await sumsOf(person));
        }
        for (const operation of undos.toReversed()) await undo(person, operation);
        expectState(await stateOf(person), end);
        expect(await countersOf(person)).toEqual(await sumsOf(person));
      },
    ),
    { numRuns: runs(8, 100) },
  );
}, 900_000);

/** An import of one conversation. */
function chat(...contents: string[]) {
  const messages = contents.map((content) => ({ role: "user", content }));
  return { items: [{ platform: "claude", id: "chat", title: "Soil", messages }] };
}

function chatOf(title: string, messages: readonly object[]) {
  return { items: [{ platform: "claude", id: "chat", title, messages }] };
}

async function withChats(...imports: ReturnType<typeof chatOf>[]): Promise<Person> {
  const person = await newPerson();
  for (const data of imports) await callTool(person, "import_data", data);
  return person;
}

function textsOf({ chats }: { chats: any[] }): string[] {
  return chats.flatMap(({ messages }) => messages.map(({ text }: any) => text));
}

/**
 * How many messages each word finds, and how many have it around them: what the index holds, which differs from person to person
 * only by the key of their words.
 */
async function indexOf({ userId }: Person) {
  const { results: rows } = await env.DB.prepare(
    "SELECT seq, conversation, position, tokens FROM messages WHERE user_id = ?",
  )
    .bind(userId)
    .all<{ seq: number; conversation: string; position: number; tokens: string }>();
  // Those that an undo took out are to be found by no word of theirs.
  const placeOf = ({ conversation, position }: (typeof rows)[number]) =>
    conversation.startsWith("~") ? "removed" : `${position}`;
  const places = new Map(rows.map((row) => [row.seq, placeOf(row)]));
  const holding = async (column: string, token: string) => {
    const { results } = await env.DB.prepare(
      "SELECT rowid FROM messages_fts WHERE messages_fts MATCH ?",
    )
      .bind(`${column}:${token}`)
      .all<{ rowid: number }>();
    return results.map(({ rowid }) => places.get(rowid) ?? "unknown").sort();
  };
  const tokens = [...new Set(rows.flatMap((row) => row.tokens.split(" ")))];
  const found = await Promise.all(
    tokens.map(async (token) => [await holding("text", token), await holding("ctx", token)]),
  );
  return found
    .filter((columns) => columns.flat().length > 0)
    .map((columns) => JSON.stringify(columns))
    .sort();
}

const FULL_AT_TWO = { max_memories: 2, when_full: "trash_least_useful" };

type Command =
  | { do: "save"; content: string; tags: string[]; category: string; importance: number }
  | { do: "supersede"; content: string; place: number; category: string }
  | { do: "update"; content: string; tags: string[]; project: string; place: number }
  | { do: "rate"; category: string; importance: number; place: number }
  | { do: "delete" | "restore" | "approve" | "undo"; place: number }
  | { do: "change many"; places: number[]; change: Record<string, unknown> }
  | { do: "file"; fileCommand: Record<string, unknown> }
  | { do: "import"; contents: string[] }
  | { do: "chat"; platform: string; title: string; said: string[] }
  | { do: "delete chats" | "restore chats"; platforms: string[] };

/** The id of the operation; null where nothing was changed or the change was refused. */
async function run(
  person: Person,
  command: Command,
  { ids, chats, done }: { ids: string[]; chats: Map<string, string>; done: readonly string[] },
): Promise<string | null> {
  if (command.do === "undo") {
    const operation = done[command.place % Math.max(1, done.length)];
    return operation === undefined ? null : (await undo(person, operation)).operation_id;
  }
  const id = "place" in command ? ids[command.place % Math.max(1, ids.length)] : undefined;
  if ("place" in command && id === undefined) return null;
  switch (command.do) {
    case "save":
    case "supersede": {
      const { do: _, place: _place, ...sent } = { place: null, ...command };
      const { data } = await callTool(person, "save_memory", {
        ...sent,
        ...(command.do === "supersede" ? { supersedes: id } : {}),
      });
      if (["created", "pending"].includes(data["outcome"])) ids.push(data["memory"].id);
      return data["operation_id"] ?? null;
    }
    case "rate": {
      const { category, importance } = command;
      const { data } = await callTool(person, "update_memory", { id, category, importance });
      return data["operation_id"] ?? null;
    }
    case "update": {
      const { content, tags, project } = command;
      const { data } = await callTool(person, "update_memory", { id, content, tags, project });
      return data["operation_id"] ?? null;
    }
    case "delete":
      return (await callTool(person, "delete_memory", { id })).data["operation_id"] ?? null;
    case "restore": {
      const { data } = await callTool(person, "update_memory", { id, status: "active" });
      return data["operation_id"] ?? null;
    }
    case "approve": {
      const { data: waiting } = await callTool(person, "list_memories", { status: "pending" });
      const memory = waiting["memories"][command.place % Math.max(1, waiting["total"])];
      if (memory === undefined) return null;
      const path = `/api/memories/${memory.id}`;
      const { data } = await callApi(person, "PATCH", path, { status: "active" });
      return data["operation_id"] ?? null;
    }
    case "change many": {
      const chosen = command.places.flatMap((at) => ids[at % Math.max(1, ids.length)] ?? []);
      if (chosen.length === 0) return null;
      const body = { ids: chosen, ...command.change };
      const { data } = await callApi(person, "POST", "/api/memories/change", body);
      return data["operation_id"] ?? null;
    }
    case "file": {
      // The answer is a text for the model, and names no operation.
      const before = await latestOperation(person);
      await callApi(person, "POST", "/api/memory-tool", command.fileCommand);
      const after = await latestOperation(person);
      return after === before ? null : after;
    }
    case "import": {
      const items = command.contents.map((content) => ({ content }));
      if (items.length === 0) return null;
      const { data } = await callTool(person, "import_data", { items });
      return data["operation_id"] ?? null;
    }
    case "chat": {
      const messages = command.said.flatMap((word, at) =>
        word === "" ? [] : [{ id: `${at}`, role: "user", content: `${word} and number${at}` }],
      );
      if (messages.length === 0) return null;
      const { platform, title } = command;
      const items = [{ platform, id: "chat", title, messages }];
      const { data } = await callTool(person, "import_data", { items });
      const { data: listed } = await callTool(person, "list_conversations", { platform });
      const [imported] = listed["conversations"];
      if (imported !== undefined) chats.set(platform, imported.id);
      return data["operation_id"] ?? null;
    }
    case "delete chats":
    case "restore chats": {
      const chosen = command.platforms.flatMap((platform) => chats.get(platform) ?? []);
      if (chosen.length === 0) return null;
      const path = `/api/conversations/${command.do === "delete chats" ? "delete" : "restore"}`;
      const { data } = await callApi(person, "POST", path, { ids: chosen });
      return data["operation_id"] ?? null;
    }
  }
}

async function latestOperation(person: Person): Promise<string> {
  const { data } = await callApi(person, "GET", "/api/operations?limit=1");
  return data["operations"][0].id;
}

/** All that a person sees of their memories and conversations, the trash too, the counts, and what searches find. */
async function stateOf(person: Person) {
  const [memories, pending, trashed] = await Promise.all(
    (["active", "pending", "trashed"] as const).map((status) => memoriesIn(person, status)),
  );
  const { data: stats } = await callTool(person, "get_stats");
  const { data: hits } = await callTool(person, "search_memory", {
    query: "rye oats plum cat Bonn Köln blue red",
    limit: 50,
  });
  const { data: listedChats } = await callTool(person, "list_conversations");
  const chats = await Promise.all(
    listedChats["conversations"].map(async (conversation: { id: string }) => {
      const { data: read } = await callTool(person, "get_conversation", {
        id: conversation.id,
        limit: 100,
      });
      return { ...conversation, messages: read["messages"] };
    }),
  );
  const { data: deleted } = await callApi(person, "GET", "/api/conversations?status=trashed");
  const { data: said } = await callTool(person, "search_conversations", {
    query: "rye plum azaleas chalk drought shade plans",
    limit: 50,
    max_tokens: 10_000,
  });
  return {
    memories: memories ?? [],
    pending,
    trashed: trashed ?? [],
    chats: chats.sort(byId),
    trashedChats: deleted["conversations"]
      // Whatever brings it there, the trash keeps it for its whole time.
      .map(({ restorable_until: _r, ...visible }: Visible) => visible)
      .sort(byId) as Visible[],
    said: said["results"]
      .map(({ message, before, after }: any) => JSON.stringify([message, before, after]))
      .sort(),
    active: stats["memories"].active,
    waiting: stats["memories"].pending,
    conversations: stats["conversations"],
    found: hits["results"]
      .filter((hit: any) => hit.matched)
      .map((hit: any) => hit.id)
      .sort(),
  };
}

type Visible = Record<string, any> & { readonly id: string };

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);

async function memoriesIn(person: Person, status: string): Promise<Visible[]> {
  const { data } = await callTool(person, "list_memories", { status, limit: 100 });
  return data["memories"]
    .map(({ version: _v, updated_at: _u, ...visible }: Visible) => visible)
    .sort(byId);
}

/** As it was. What was made since, and undone, stays in the trash by design: an undo destroys nothing. */
function expectState(
  { trashed, trashedChats, ...now }: Awaited<ReturnType<typeof stateOf>>,
  wanted: Awaited<ReturnType<typeof stateOf>> | undefined,
): void {
  const there = [wanted?.memories, wanted?.pending, wanted?.trashed];
  const chats = [wanted?.chats, wanted?.trashedChats];
  const ids = new Set([...there, ...chats].flatMap((items = []) => items.map(({ id }) => id)));
  const wasThere = ({ id }: Visible) => ids.has(id);
  expect({
    ...now,
    trashed: trashed.filter(wasThere),
    trashedChats: trashedChats.filter(wasThere),
  }).toEqual(wanted);
}

async function memoryOf(person: Person, id: string) {
  return (await callTool(person, "get_memory", { id })).data["memory"];
}

async function found(person: Person, query: string): Promise<string[]> {
  const { data } = await callTool(person, "search_memory", { query });
  return data["results"].filter((hit: any) => hit.matched).map((hit: any) => hit.content);
}

async function undo(person: Person, operation: string): Promise<any> {
  return (await callApi(person, "POST", `/api/operations/${operation}/undo`)).data;
}

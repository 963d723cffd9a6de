/** Undo, through the front door: any operation, by id or by client and time, and undoing that again. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { SCOPES } from "../../src/scopes.ts";
import { callTool, fetchWorker, newPerson, type Person } from "../support/people.ts";

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

test("what was changed since is left as it is, and named", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "save_memory", { content: "Owns a cat" });
  const { id } = data["memory"];
  await callTool(person, "update_memory", { id, content: "Owns two cats" });
  expect(await undo(person, data["operation_id"])).toEqual({
    operation_id: null,
    undone: { memories: 0, conversations: 0 },
    left: [{ kind: "memory", id, reason: "changed_since" }],
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
  expect(await stateOf(person)).toEqual(before);
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

  const [{ id }] = imported.memories;
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
    left: [{ kind: "conversation", reason: "extended" }],
  });
});

test("a conversation to which a later import added is left, and named", async () => {
  const person = await newPerson();
  const { data: first } = await callTool(person, "import_data", chat("Which soil?"));
  const { data: second } = await callTool(
    person,
    "import_data",
    chat("Which soil?", "And for roses?"),
  );
  for (const { operation_id } of [first, second]) {
    expect(await undo(person, operation_id)).toMatchObject({
      operation_id: null,
      left: [{ kind: "conversation", reason: "extended" }],
    });
  }
});

test("everything that one client did from a time on is undone at once, and what others did stays", async () => {
  const person = await newPerson();
  const { data: own } = await callTool(person, "save_memory", { content: "Mine" });
  const { operations } = await read(person, "/api/operations");
  const [{ grant_id: grant }] = operations;
  const other = await newPerson();
  expect(
    await post(other, "/api/undo", { grant_id: grant, since: "2000-01-01T00:00:00Z" }),
  ).toEqual({
    results: [],
    next_before: null,
  });
  await callTool(person, "update_memory", { id: own["memory"].id, content: "Mine, changed" });
  const { results } = await post(person, "/api/undo", {
    grant_id: grant,
    since: "2000-01-01T00:00:00Z",
  });
  expect(results.map(({ undone }: any) => undone.memories)).toEqual([1, 1]);
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
  expect(await post(person, "/api/undo", { grant_id: "g", since: "yesterday" })).toMatchObject({
    error: { code: "invalid_input" },
  });
});

test("undoing every operation of any sequence, the latest first, gives each earlier state again; undoing those undos gives the end again", async () => {
  const word = fc.constantFrom("rye", "oats", "plum", "cat", "Bonn", "Köln", "blue", "red");
  const content = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(" "));
  const tags = fc.uniqueArray(fc.constantFrom("home", "food", "work"), { maxLength: 2 });
  const project = fc.constantFrom("", "shop", "blog");
  const place = fc.nat(7);
  const command = fc.oneof(
    fc.record({ do: fc.constant("save" as const), content, tags }),
    fc.record({ do: fc.constant("supersede" as const), content, place }),
    fc.record({ do: fc.constant("update" as const), content, tags, project, place }),
    fc.record({ do: fc.constant("delete" as const), place }),
    fc.record({ do: fc.constant("restore" as const), place }),
    fc.record({
      do: fc.constant("import" as const),
      contents: fc.array(content, { maxLength: 3 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 9 }), async (commands) => {
      const person = await newPerson();
      await callTool(person, "save_memory", { content: "There from the start", tags: ["home"] });
      const states = [await stateOf(person)];
      const done: string[] = [];
      const ids: string[] = [];
      for (const one of commands) {
        const operation = await run(person, one, ids);
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
        expect(await stateOf(person)).toEqual(states.at(-1));
      }
      for (const operation of undos.toReversed()) await undo(person, operation);
      expect(await stateOf(person)).toEqual(end);
    }),
    { numRuns: 25 },
  );
}, 240_000);

/** An import of one conversation. */
function chat(...contents: string[]) {
  const messages = contents.map((content) => ({ role: "user", content }));
  return { items: [{ platform: "claude", id: "chat", title: "Soil", messages }] };
}

type Command =
  | { do: "save"; content: string; tags: string[] }
  | { do: "supersede"; content: string; place: number }
  | { do: "update"; content: string; tags: string[]; project: string; place: number }
  | { do: "delete" | "restore"; place: number }
  | { do: "import"; contents: string[] };

/** The id of the operation; null where nothing was changed or the change was refused. */
async function run(person: Person, command: Command, ids: string[]): Promise<string | null> {
  const id = "place" in command ? ids[command.place % Math.max(1, ids.length)] : undefined;
  if ("place" in command && id === undefined) return null;
  switch (command.do) {
    case "save":
    case "supersede": {
      const { content } = command;
      const more = command.do === "save" ? { tags: command.tags } : { supersedes: id };
      const { data } = await callTool(person, "save_memory", { content, ...more });
      if (data["outcome"] === "created") ids.push(data["memory"].id);
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
    case "import": {
      const items = command.contents.map((content) => ({ content }));
      if (items.length === 0) return null;
      const { data } = await callTool(person, "import_data", { items });
      return data["operation_id"] ?? null;
    }
  }
}

/** All that a person sees of their living memories, the counts, and what search finds. */
async function stateOf(person: Person) {
  const { data: listed } = await callTool(person, "list_memories", { limit: 100 });
  const memories = listed["memories"]
    .map(({ version: _v, updated_at: _u, ...visible }: Record<string, unknown>) => visible)
    .sort((a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1));
  const { data: stats } = await callTool(person, "get_stats");
  const { data: hits } = await callTool(person, "search_memory", {
    query: "rye oats plum cat Bonn Köln blue red",
    limit: 50,
  });
  return {
    memories,
    active: stats["memories"].active,
    conversations: stats["conversations"],
    found: hits["results"]
      .filter((hit: any) => hit.matched)
      .map((hit: any) => hit.id)
      .sort(),
  };
}

async function memoryOf(person: Person, id: string) {
  return (await callTool(person, "get_memory", { id })).data["memory"];
}

async function found(person: Person, query: string): Promise<string[]> {
  const { data } = await callTool(person, "search_memory", { query });
  return data["results"].filter((hit: any) => hit.matched).map((hit: any) => hit.content);
}

function undo(person: Person, operation: string): Promise<any> {
  return post(person, `/api/operations/${operation}/undo`, {});
}

async function post(person: Person, path: string, body: unknown): Promise<any> {
  const response = await fetchWorker(path, {
    method: "POST",
    headers: { authorization: `Bearer ${person.token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return response.json();
}

async function read(person: Person, path: string): Promise<any> {
  const headers = { authorization: `Bearer ${person.token}` };
  return (await fetchWorker(path, { headers })).json();
}

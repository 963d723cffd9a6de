import { expect, onTestFinished, test, vi } from "vitest";
import { callTool, newPerson } from "../support/people.ts";

test("What's my tech stack? is answered although no word is shared", async () => {
  const person = await newPerson();
  await callTool(person, "save_memory", {
    content: "My project uses Next.js 16 with TypeScript and deploys to Vercel.",
  });
  const { data } = await callTool(person, "search_memory", { query: "What's my tech stack?" });
  expect(data["results"]).toEqual([
    expect.objectContaining({
      content: expect.stringContaining("Next.js 16"),
      matched: false,
      relevance: 0,
    }),
  ]);
  expect(data["total"]).toBe(0);
});

test("asked_as closes the gap between question and fact, and is never shown", async () => {
  const person = await newPerson();
  const { data: saved } = await callTool(person, "save_memory", {
    content: "My project uses Next.js 16 and deploys to Vercel.",
    asked_as: ["What is my tech stack?"],
  });
  expect(JSON.stringify(saved)).not.toContain("tech stack");
  const { data, text } = await callTool(person, "search_memory", { query: "tech stack" });
  expect(data["results"][0]).toMatchObject({ matched: true, why: ["a question that it answers"] });
  expect(text).not.toContain("What is my tech stack");
});

test("a hit says which words matched, as they were written, and where", async () => {
  const person = await newPerson();
  await callTool(person, "save_memory", {
    content: "Deployments go to Vercel on Fridays.",
    tags: ["Hosting"],
    project: "Atlas",
    category: "project_context",
  });
  const { data } = await callTool(person, "search_memory", {
    query: "atlas hosting: where do we deploy?",
  });
  expect(data["results"][0]).toMatchObject({
    matched: true,
    relevance: 1,
    why: ["content: Deployments", "tags: Hosting", "project: Atlas"],
    project: "Atlas",
    tags: ["Hosting"],
    category: "project_context",
  });
});

test("Vercel, then Railway superseding it, then Vercel again are three memories, and the last one is found", async () => {
  const person = await newPerson();
  const first = await callTool(person, "save_memory", { content: "We host on Vercel." });
  const second = await callTool(person, "save_memory", {
    content: "We host on Railway.",
    supersedes: first.data["memory"].id,
  });
  const third = await callTool(person, "save_memory", {
    content: "We host on Vercel.",
    supersedes: second.data["memory"].id,
  });
  expect([first, second, third].map(({ data }) => data["outcome"])).toEqual([
    "created",
    "created",
    "created",
  ]);
  const { data } = await callTool(person, "search_memory", { query: "where do we host" });
  expect(data["results"].map(({ id }: { id: string }) => id)).toEqual([third.data["memory"].id]);
  const listed = await callTool(person, "list_memories", { order: "oldest" });
  expect(listed.data["total"]).toBe(3);
  const old = await callTool(person, "get_memory", {
    id: first.data["memory"].id,
    include_history: true,
  });
  expect(old.data["memory"]).toMatchObject({ version: 2, superseded_by: second.data["memory"].id });
  expect(old.data["versions"]).toEqual([expect.objectContaining({ version: 1 })]);
});

test("superseding B with what living A says already marks B and creates nothing", async () => {
  const person = await newPerson();
  const a = await callTool(person, "save_memory", { content: "Uses tabs." });
  const b = await callTool(person, "save_memory", { content: "Uses spaces." });
  const again = await callTool(person, "save_memory", {
    content: "Uses tabs.",
    supersedes: b.data["memory"].id,
  });
  expect(again.data).toMatchObject({ outcome: "duplicate", memory: { id: a.data["memory"].id } });
  const old = await callTool(person, "get_memory", { id: b.data["memory"].id });
  expect(old.data["memory"]["superseded_by"]).toBe(a.data["memory"].id);
});

test("equal canonical text is a duplicate, a near one is saved and reported with the words that differ", async () => {
  const person = await newPerson();
  const first = await callTool(person, "save_memory", { content: "Prefers tea in the morning." });
  const same = await callTool(person, "save_memory", { content: " prefers  tea in the morning" });
  expect(same.data).toMatchObject({
    outcome: "duplicate",
    memory: { id: first.data["memory"].id },
  });
  const near = await callTool(person, "save_memory", { content: "Prefers coffee in the morning." });
  expect(near.data["outcome"]).toBe("created");
  expect(near.data["similar"]).toEqual([
    expect.objectContaining({
      id: first.data["memory"].id,
      only_here: ["coffee"],
      only_there: ["tea"],
    }),
  ]);
});

test.each([
  ["Alice manages Bob.", "Bob manages Alice."],
  ["Version 1.2 is live.", "Version 12 is live."],
  ["Knows C.", "Knows C++."],
  ["Budget is €20.", "Budget is $20."],
  ["I owe you.", "You owe me."],
  ["Does not eat meat.", "Does eat meat."],
  ["10² points.", "102 points."],
  ["住在东京", "住在京都"],
])("a changed fact is never swallowed: %s / %s", async (one, other) => {
  const person = await newPerson();
  await callTool(person, "save_memory", { content: one });
  const { data } = await callTool(person, "save_memory", { content: other });
  expect(data["outcome"]).toBe("created");
});

test("100 parallel different saves make 100 memories, 100 identical ones make one", async () => {
  const person = await newPerson();
  const different = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      callTool(person, "save_memory", { content: `Fact number ${index} about parallel saving` }),
    ),
  );
  expect(new Set(different.map(({ data }) => data["memory"].id)).size).toBe(100);
  const identical = await Promise.all(
    Array.from({ length: 100 }, () =>
      callTool(person, "save_memory", { content: "The same fact said a hundred times" }),
    ),
  );
  const outcomes = identical.map(({ data }) => data["outcome"]);
  expect(outcomes.filter((outcome) => outcome === "created")).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === "duplicate")).toHaveLength(99);
  const { data } = await callTool(person, "get_stats");
  expect(data["memories"]["active"]).toBe(101);
  // What was counted is there, row by row.
  const listed: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await callTool(person, "list_memories", { limit: 100, cursor });
    listed.push(...page.data["memories"].map(({ content }: { content: string }) => content));
    cursor = page.data["next_cursor"];
  } while (cursor !== undefined);
  const saved = Array.from(
    { length: 100 },
    (_, index) => `Fact number ${index} about parallel saving`,
  );
  expect(listed.toSorted()).toEqual([...saved, "The same fact said a hundred times"].toSorted());
});

test("a repeated idempotency key replays its result, and refuses other arguments", async () => {
  const person = await newPerson();
  const args = { content: "Saved once only", idempotency_key: "key-1" };
  const results = await Promise.all(
    Array.from({ length: 10 }, () => callTool(person, "save_memory", args)),
  );
  expect(new Set(results.map(({ data }) => data["memory"].id)).size).toBe(1);
  expect(new Set(results.map(({ data }) => data["operation_id"])).size).toBe(1);
  expect(results.every(({ data }) => data["outcome"] === "created")).toBe(true);
  const other = await callTool(person, "save_memory", { ...args, content: "Something else" });
  expect(other).toMatchObject({ isError: true, data: { error: { code: "idempotency_conflict" } } });
});

test("an expired memory is not found, and its text can be saved again", async () => {
  const person = await newPerson();
  const soon = new Date(Date.now() + 1_000).toISOString();
  const first = await callTool(person, "save_memory", {
    content: "The build is red.",
    expires_at: soon,
  });
  expect(first.data["memory"]["expires_at"]).toBeDefined();
  const later = await callTool(person, "update_memory", {
    id: first.data["memory"].id,
    expires_at: "2020-01-01",
  });
  expect(later.data["memory"]["expires_at"]).toMatch(/^2020-01-01/);
  const none = await callTool(person, "search_memory", { query: "build" });
  expect(none.data["total"]).toBe(0);
  const again = await callTool(person, "save_memory", { content: "The build is red." });
  expect(again.data["outcome"]).toBe("created");
});

test("update keeps the earlier version, tags can be added and removed, and a stale if_version gets the current copy", async () => {
  const person = await newPerson();
  const { data: saved } = await callTool(person, "save_memory", {
    content: "Lives in Berlin.",
    tags: ["home", "city"],
  });
  const { id } = saved["memory"];
  const { data: updated } = await callTool(person, "update_memory", {
    id,
    content: "Lives in Lisbon.",
    add_tags: "sea, sun",
    remove_tags: ["CITY"],
    if_version: 1,
  });
  expect(updated["memory"]).toMatchObject({
    version: 2,
    content: "Lives in Lisbon.",
    tags: ["home", "sea", "sun"],
  });
  const stale = await callTool(person, "update_memory", {
    id,
    content: "Lives in Rome.",
    if_version: 1,
  });
  expect(stale).toMatchObject({
    isError: true,
    data: {
      error: { code: "version_conflict", current: { version: 2, content: "Lives in Lisbon." } },
    },
  });
  expect((await callTool(person, "search_memory", { query: "Lisbon" })).data["total"]).toBe(1);
  expect((await callTool(person, "search_memory", { query: "Berlin" })).data["total"]).toBe(0);
  expect((await callTool(person, "list_memories", { tags: ["city"] })).data["total"]).toBe(0);
  expect(
    (await callTool(person, "list_memories", { tags: '["sun","home"]', tag_match: "all" })).data[
      "total"
    ],
  ).toBe(1);
});

test("twenty writers with the same if_version: one wins, nineteen are told", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "save_memory", { content: "Contested." });
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      callTool(person, "update_memory", {
        id: data["memory"].id,
        content: `Contested by ${index}.`,
        if_version: 1,
      }),
    ),
  );
  expect(results.filter(({ isError }) => !isError)).toHaveLength(1);
  const { data: after } = await callTool(person, "get_memory", {
    id: data["memory"].id,
    include_history: true,
  });
  expect(after["memory"]["version"]).toBe(2);
  expect(after["versions"]).toHaveLength(1);
});

test("delete moves to the trash, out of search, and update restores it", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "save_memory", { content: "Has a cat called Miso." });
  const { id } = data["memory"];
  const deleted = await callTool(person, "delete_memory", { memory_id: id });
  expect(deleted.data).toMatchObject({
    memory: { status: "trashed" },
    restorable_until: expect.any(String),
  });
  expect((await callTool(person, "search_memory", { query: "cat" })).data["total"]).toBe(0);
  expect((await callTool(person, "list_memories", { status: "trashed" })).data["total"]).toBe(1);
  const restored = await callTool(person, "update_memory", { id, status: "active" });
  expect(restored.data["memory"]["status"]).toBe("active");
  expect((await callTool(person, "search_memory", { query: "cat" })).data["total"]).toBe(1);
  const { data: stats } = await callTool(person, "get_stats");
  expect(stats["memories"]).toMatchObject({ active: 1, pending: 0, trashed: 0 });
});

test("restoring onto a living twin names the twin", async () => {
  const person = await newPerson();
  const first = await callTool(person, "save_memory", { content: "Plays the cello." });
  await callTool(person, "delete_memory", { id: first.data["memory"].id });
  const second = await callTool(person, "save_memory", { content: "Plays the cello." });
  const restored = await callTool(person, "update_memory", {
    id: first.data["memory"].id,
    status: "active",
  });
  expect(restored).toMatchObject({
    isError: true,
    data: { error: { duplicate_of: second.data["memory"].id } },
  });
});

test("a listing pages through everything exactly once, in every order", async () => {
  const person = await newPerson();
  const ids = new Set<string>();
  for (let index = 0; index < 23; index++) {
    const { data } = await callTool(person, "save_memory", {
      content: `Item ${index}`,
      importance: (index % 5) + 1,
    });
    ids.add(data["memory"].id);
  }
  for (const order of ["newest", "oldest", "updated", "important"]) {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { data } = await callTool(person, "list_memories", {
        order,
        limit: 5,
        ...(cursor === undefined ? {} : { cursor }),
      });
      expect(data["total"]).toBe(23);
      seen.push(...data["memories"].map(({ id }: { id: string }) => id));
      cursor = data["next_cursor"];
    } while (cursor !== undefined);
    expect(new Set(seen)).toEqual(ids);
    expect(seen).toHaveLength(23);
  }
});

test("a search pages without repeating, and stays within its token budget", async () => {
  const person = await newPerson();
  for (let index = 0; index < 15; index++) {
    await callTool(person, "save_memory", {
      content: `Garden note ${index}: ${"roses and lavender ".repeat(10)}`,
    });
  }
  const first = await callTool(person, "search_memory", { query: "garden roses", max_tokens: 500 });
  expect(first.data["results"].length).toBeLessThan(10);
  expect(first.text.length).toBeLessThan(2_600);
  const second = await callTool(person, "search_memory", {
    query: "garden roses",
    max_tokens: 500,
    cursor: first.data["next_cursor"],
  });
  const ids = [...first.data["results"], ...second.data["results"]].map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test("dates are read in words and in the account's time zone", async () => {
  const person = await newPerson({ timeZone: "America/Los_Angeles" });
  await callTool(person, "import_data", {
    items: [
      {
        content: "Said late on the last evening of March, Pacific time",
        created_at: "2026-04-01T05:00:00Z",
      },
      { content: "Said in May", created_at: "2026-05-10T12:00:00Z" },
    ],
  });
  const march = await callTool(person, "list_memories", { after: "2026-03", before: "2026-04-01" });
  expect(march.data["memories"].map(({ content }: { content: string }) => content)).toEqual([
    "Said late on the last evening of March, Pacific time",
  ]);
  const since = await callTool(person, "list_memories", { since: "since April 2026" });
  expect(since.data["total"]).toBe(1);
});

test("parameters are taken as models write them", async () => {
  const person = await newPerson();
  const saved = await callTool(person, "save_memory", {
    text: "Alias works",
    tags: '["a", "b"]',
    importance: "4",
    category: "Project Context",
    project: null,
  });
  expect(saved.data["memory"]).toMatchObject({
    content: "Alias works",
    tags: ["a", "b"],
    importance: 4,
    category: "project_context",
  });
  const unknown = await callTool(person, "save_memory", {
    content: "Odd category",
    category: "hobbies",
  });
  expect(unknown.data["memory"]).toMatchObject({ category: "other", tags: ["hobbies"] });
  const found = await callTool(person, "search_memory", {
    q: "alias",
    page_size: "5",
    tags: "a,b",
  });
  expect(found.data["total"]).toBe(1);
});

test.each([
  ["get_memory", { id: "nothere" }, "not_found"],
  ["delete_memory", { id: "nothere" }, "not_found"],
  ["update_memory", { id: "nothere", content: "x" }, "not_found"],
  ["save_memory", { content: "   " }, "invalid_input"],
  ["save_memory", {}, "invalid_input"],
  ["save_memory", { content: 7 }, "invalid_input"],
  ["save_memory", { content: "x".repeat(70_000) }, "too_large"],
  ["save_memory", { content: "x", expires_at: "the day after never" }, "invalid_input"],
  ["save_memory", { content: "x", supersedes: "nothere" }, "not_found"],
  [
    "save_memory",
    { content: "x", tags: Array.from({ length: 21 }, (_, index) => `t${index}`) },
    "invalid_input",
  ],
  ["search_memory", { query: "x".repeat(1_001) }, "invalid_input"],
  ["search_memory", { query: "x", cursor: "forged.cursor" }, "invalid_input"],
  ["list_memories", { cursor: "!!" }, "invalid_input"],
  ["list_memories", { after: "blursday" }, "invalid_input"],
  ["list_memories", { status: "gone" }, "invalid_input"],
  ["get_conversation", { id: "nothere" }, "not_found"],
  ["import_data", { job_id: "nothere" }, "not_found"],
  ["export_data", { job_id: "nothere" }, "not_found"],
  ["import_data", { data: "{ broken" }, "unsupported_format"],
])(
  "%s with %o is refused in one sentence that says what to send instead",
  async (tool, args, code) => {
    const person = await newPerson();
    const { isError, data, text } = await callTool(person, tool, args);
    expect(isError).toBe(true);
    expect(data["error"]).toMatchObject({
      code,
      message: expect.any(String),
      hint: expect.any(String),
    });
    expect(text).not.toMatch(/\bat .*\.ts|SQLITE|D1_|ZodError|Error:/);
  },
);

test("a save over an expired twin supersedes what it names, and everything is counted", async () => {
  const person = await newPerson();
  const a = await callTool(person, "save_memory", { content: "We host on Vercel." });
  const b = await callTool(person, "save_memory", { content: "We host on Railway." });
  await callTool(person, "update_memory", { id: a.data["memory"].id, expires_at: "2020-01-01" });
  const c = await callTool(person, "save_memory", {
    content: "We host on Vercel.",
    supersedes: b.data["memory"].id,
  });
  expect(c.data["outcome"]).toBe("created");
  const old = await callTool(person, "get_memory", { id: b.data["memory"].id });
  expect(old.data["memory"]["superseded_by"]).toBe(c.data["memory"].id);
  expect((await callTool(person, "get_stats")).data["memories"]).toMatchObject({
    active: 2,
    trashed: 1,
  });
});

test("dates in words mean the same on the next page and in a repeated call", async () => {
  const person = await newPerson();
  for (let index = 0; index < 4; index++)
    await callTool(person, "save_memory", { content: `Note ${index}` });
  const args = { after: "2 hours ago", limit: 2 };
  const first = await callTool(person, "list_memories", args);
  // Another moment, so that "2 hours ago" names another one too.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
  onTestFinished(() => void vi.useRealTimers());
  const second = await callTool(person, "list_memories", {
    ...args,
    cursor: first.data["next_cursor"],
  });
  expect(second.data["memories"]).toHaveLength(2);
  const save = { content: "Parking until later.", expires_at: "in 3 hours", idempotency_key: "k" };
  const [one, two] = [
    await callTool(person, "save_memory", save),
    await callTool(person, "save_memory", save),
  ];
  expect(two.data).toMatchObject({ outcome: "created", memory: { id: one.data["memory"].id } });
});

test("a retried save gets its answer although what it superseded has gone to the trash", async () => {
  const person = await newPerson();
  const { data: old } = await callTool(person, "save_memory", { content: "Old." });
  const args = { content: "New.", supersedes: old["memory"].id, idempotency_key: "k" };
  const first = await callTool(person, "save_memory", args);
  await callTool(person, "delete_memory", { id: old["memory"].id });
  const retried = await callTool(person, "save_memory", args);
  expect(retried.data).toMatchObject({
    outcome: "created",
    memory: { id: first.data["memory"].id },
  });
  const other = await callTool(person, "save_memory", { ...args, content: "Other." });
  expect(other.data["error"]).toMatchObject({ code: "idempotency_conflict" });
});

test("what is in the trash cannot be superseded", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "save_memory", { content: "Old." });
  await callTool(person, "delete_memory", { id: data["memory"].id });
  const refused = await callTool(person, "save_memory", {
    content: "New.",
    supersedes: data["memory"].id,
  });
  expect(refused).toMatchObject({ isError: true, data: { error: { code: "not_found" } } });
});

test("a whole result, as contracted", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "save_memory", {
    content: "Deploys on Fridays.",
    category: "project_context",
    tags: ["ops"],
    project: "Atlas",
    importance: 5,
    origin: "assistant",
  });
  expect(data).toEqual({
    outcome: "created",
    operation_id: expect.stringMatching(/^[a-z2-7]{16}$/),
    similar: [],
    memory: {
      id: expect.stringMatching(/^[a-z2-7]{12}$/),
      version: 1,
      content: "Deploys on Fridays.",
      category: "project_context",
      tags: ["ops"],
      project: "Atlas",
      importance: 5,
      source: "mcp",
      origin: "assistant",
      client: "Local token",
      status: "active",
      created_at: expect.any(String),
      updated_at: expect.any(String),
    },
  });
});

test("two who delete one version at once both find it deleted, and one of them did it", async () => {
  const person = await newPerson();
  const { data: saved } = await callTool(person, "save_memory", { content: "Sails on Sundays." });
  const { id } = saved["memory"];
  const deleted = await Promise.all(
    [1, 2].map(() => callTool(person, "delete_memory", { id, if_version: 1 })),
  );
  expect(deleted.map(({ isError }) => isError)).toEqual([false, false]);
  const { data } = await callTool(person, "get_memory", { id });
  expect(data["memory"]).toMatchObject({ status: "trashed", version: 2 });
});

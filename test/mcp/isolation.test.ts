/** No tool, id, cursor, link or key of one user ever shows or changes anything of another. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { callTool, exportArchive, fetchWorker, newPerson, type Person } from "../support/people.ts";
import {
  BEGINNING,
  idsOf,
  modelState,
  step,
  storedState,
  take,
  twoAccounts,
  type Account,
} from "../support/two-users.ts";
import { runs } from "../support/runs.ts";

test("after any steps of two users, each has what they would have alone, and neither ever saw the other's", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 8, maxLength: 20, size: "max" }),
      async (steps) => {
        const accounts = await twoAccounts();
        const heard: [string[], string[]] = [[], []];
        for (const todo of [...BEGINNING, ...steps]) {
          const { answers, twins, expected, outcome } = await take(accounts, todo);
          if (expected !== null) expect([todo, outcome]).toEqual([todo, expected]);
          for (const [foreign, unknown] of twins) expect(foreign).toEqual(unknown);
          heard[todo.who].push(...answers.map((answer) => JSON.stringify(answer)));
        }
        await expectAlone(accounts[0], accounts[1], heard[0]);
        await expectAlone(accounts[1], accounts[0], heard[1]);
      },
    ),
    { numRuns: runs(10, 100), endOnFailure: true },
  );
}, 120_000);

async function expectAlone(own: Account, other: Account, heard: readonly string[]): Promise<void> {
  expect(await storedState(own)).toEqual(modelState(own));
  const { person, memories } = own;
  const count = (status: string) => memories.filter((memory) => memory.status === status).length;
  const { data: stats } = await callTool(person, "get_stats");
  expect(stats["memories"]).toMatchObject({ active: count("active"), trashed: count("trashed") });
  const listings = await Promise.all([
    callTool(person, "list_memories", { status: "active", limit: 100, max_tokens: 50_000 }),
    callTool(person, "list_memories", { status: "trashed", limit: 100, max_tokens: 50_000 }),
    callTool(person, "list_conversations", { limit: 100, max_tokens: 50_000 }),
    callTool(person, "search_memory", { query: other.marker }),
    callTool(person, "search_conversations", { query: other.marker }),
  ]);
  expect(listings.map(({ data }) => data["total"])).toEqual([
    count("active"),
    count("trashed"),
    own.conversations.size,
    0,
    0,
  ]);
  const ids = idsOf(other);
  for (const text of [...heard, ...listings.map((answer) => JSON.stringify(answer))]) {
    expect(text).not.toContain(other.marker);
    expect(ids.filter((id) => text.includes(id))).toEqual([]);
  }
}

test("every id of another user, in every place of every tool, is answered like one that nobody has", async () => {
  const [owner, stranger] = [await withALot("marten"), await newPerson()];
  const { data: own } = await callTool(stranger, "import_data", {
    items: [{ title: "Own", messages: [{ role: "user", content: "Own message" }] }],
  });
  expect(own["items"].new).toBe(2);
  const { data: listed } = await callTool(stranger, "list_conversations");
  const { data: saved } = await callTool(owner, "save_memory", { content: "marten den" });
  const { data: chats } = await callTool(owner, "search_conversations", { query: "marten" });
  const { data: exported } = await exportArchive(owner);
  const { data: imported } = await callTool(owner, "import_data", { items: ["marten cub"] });
  const ids: Record<string, string> = {
    memory: saved["memory"].id,
    operation: saved["operation_id"],
    conversation: chats["results"][0].conversation.id,
    message: chats["results"][0].message.id,
    "export job": exported["job"].id,
    "import job": imported["job"].id,
    user: owner.userId,
  };
  const places: [tool: string, args: (id: string) => Record<string, unknown>][] = [
    ["get_memory", (id) => ({ id, include_history: true })],
    ["update_memory", (id) => ({ id, content: "Taken over" })],
    ["update_memory", (id) => ({ id, status: "trashed" })],
    ["update_memory", (id) => ({ id, if_version: 99 })],
    ["delete_memory", (id) => ({ id })],
    ["delete_memory", (id) => ({ id, if_version: 1 })],
    ["save_memory", (id) => ({ content: "Better known", supersedes: id })],
    ["get_conversation", (id) => ({ id })],
    ["get_conversation", (id) => ({ id, order: "desc" })],
    ["get_conversation", (id) => ({ id: listed["conversations"][0].id, around: id })],
    ["import_data", (id) => ({ job_id: id })],
    ["export_data", (id) => ({ job_id: id })],
  ];
  const before = (await callTool(owner, "export_data")).data["data"];
  for (const [kind, id] of Object.entries(ids)) {
    for (const [tool, args] of places) {
      const answer = await callTool(stranger, tool, args(id));
      expect(answer, `${tool} with a foreign ${kind}`).toMatchObject({
        isError: true,
        data: { error: { code: "not_found" } },
      });
      expect(answer, `${tool} with a foreign ${kind}`).toEqual(
        await callTool(stranger, tool, args("z".repeat(id.length))),
      );
    }
  }
  const after = (await callTool(owner, "export_data")).data["data"];
  const withoutTime = (text: string) => text.replace(/"exported_at":"[^"]*"/, "");
  expect(withoutTime(after)).toBe(withoutTime(before));
});

/** Someone with a dozen memories and conversations, more than a page. */
async function withALot(word: string): Promise<Person> {
  const person = await newPerson();
  await callTool(person, "import_data", {
    items: Array.from({ length: 12 }, (_, index) => ({ content: `${word} fact ${index}` })),
  });
  await callTool(person, "import_data", {
    items: Array.from({ length: 12 }, (_, index) => ({
      platform: "claude",
      id: `c${index}`,
      title: `${word} chat ${index}`,
      messages: [
        { role: "user", content: `${word} question ${index}` },
        { role: "assistant", content: `${word} answer ${index}` },
      ],
    })),
  });
  return person;
}

test("a cursor serves its own user and query, and any other gets the answer that nonsense gets", async () => {
  const [one, other] = [await withALot("otter"), await withALot("otter")];
  const { data: listed } = await callTool(one, "list_conversations");
  const { data: theirs } = await callTool(other, "list_conversations");
  const queries: [tool: string, args: Record<string, unknown>, change: Record<string, unknown>][] =
    [
      ["search_memory", { query: "otter fact" }, { query: "otter facts" }],
      ["search_memory", { query: "" }, { query: "", category: "other" }],
      ["list_memories", {}, { order: "oldest" }],
      ["list_memories", { tags: [] }, { status: "trashed" }],
      ["search_conversations", { query: "otter question" }, { query: "otter answer" }],
      ["list_conversations", {}, { platform: "claude" }],
      [
        "get_conversation",
        { id: listed["conversations"][0].id },
        { id: listed["conversations"][1].id },
      ],
    ];
  const cursors: { tool: string; cursor: string }[] = [];
  for (const [tool, args, change] of queries) {
    const { data } = await callTool(one, tool, { ...args, limit: 1 });
    const { next_cursor: cursor } = data;
    expect(cursor, tool).toEqual(expect.any(String));
    cursors.push({ tool, cursor });
    const next = await callTool(one, tool, { ...args, limit: 1, cursor });
    expect(next.isError, tool).toBe(false);
    const changed = { ...args, ...change, limit: 1 };
    expect(await callTool(one, tool, { ...changed, cursor }), tool).toEqual(
      await callTool(one, tool, { ...changed, cursor: "forged.cursor" }),
    );
    const theirArgs = tool === "get_conversation" ? { id: theirs["conversations"][0].id } : args;
    const refused = await callTool(other, tool, { ...theirArgs, limit: 1, cursor });
    expect(refused, tool).toMatchObject({
      isError: true,
      data: { error: { code: "invalid_input" } },
    });
    expect(refused, tool).toEqual(
      await callTool(other, tool, { ...theirArgs, limit: 1, cursor: "forged.cursor" }),
    );
  }
  for (const { tool, cursor } of cursors) {
    const args = tool === "list_memories" ? { order: "updated" } : {};
    const { data } = await callTool(one, "list_memories", { ...args, limit: 7, cursor });
    // Cursors of other tools, and of this one in another order.
    if (tool !== "list_memories" || "order" in args)
      expect(data["error"]?.code).toBe("invalid_input");
  }
});

// Up to as many matches as are ranked, 64.
test.each([5, 40, 64])(
  "what others store changes neither the order nor the relevance of one's own search: %i memories",
  async (count) => {
    const person = await newPerson();
    const words = ["harbour", "lantern", "granite", "meadow", "copper", "violin"];
    await callTool(person, "import_data", {
      items: Array.from({ length: count }, (_, index) => ({
        content: `${words.filter((_word, at) => index % (at + 2) === 0).join(" ")} note ${index} ${"filler ".repeat(index % 5)}`,
        importance: (index % 5) + 1,
      })),
    });
    await callTool(person, "import_data", {
      items: Array.from({ length: Math.min(count, 20) }, (_, index) => ({
        platform: "chatgpt",
        id: `c${index}`,
        title: `Talk ${index}`,
        messages: words
          .filter((_word, at) => index % (at + 2) === 0)
          .map((word) => ({ role: "user", content: `About the ${word}, talk ${index}` })),
      })),
    });
    const queries = ["harbour lantern", "violin", "granite note", "copper meadow violin note 7"];
    const ask = async () => {
      const answers = [];
      for (const query of queries) {
        const args = { query, limit: 50, max_tokens: 50_000 };
        answers.push(
          (await callTool(person, "search_memory", args)).data,
          (await callTool(person, "search_conversations", args)).data,
        );
      }
      return answers.map(({ total, results }) => ({
        total,
        results: results.map((hit: Record<string, any>) => [
          hit["id"] ?? hit["message"].id,
          hit["relevance"],
          hit["why"],
        ]),
      }));
    };
    const before = await ask();
    expect(before.every(({ total }) => total > 0)).toBe(true);
    const tenant = await newPerson();
    await callTool(tenant, "import_data", {
      items: Array.from({ length: 300 }, (_, index) => ({
        content: `harbour lantern ${"granite meadow ".repeat(index % 40)} violin note ${index}`,
      })),
    });
    await callTool(tenant, "import_data", {
      items: Array.from({ length: 40 }, (_, index) => ({
        platform: "chatgpt",
        id: `c${index}`,
        title: `Harbour ${index}`,
        messages: Array.from({ length: 8 }, (_unused, turn) => ({
          role: "user",
          content: `The violin at the harbour ${turn}, ${"lantern ".repeat(turn * 10)}`,
        })),
      })),
    });
    expect(await ask()).toEqual(before);
  },
);

test("a download link opens for its owner alone; to others it is a link that never was", async () => {
  const owner = await withALot("badger");
  const stranger = await newPerson();
  const { data } = await exportArchive(owner);
  const link = new URL(data["download"].url).pathname;
  const nobodys = link.replace(/[^/]+$/, "z".repeat(26));
  const fetchAs = async (path: string, token: string | null) => {
    const response = await fetchWorker(path, {
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
    });
    const headers = [...response.headers].filter(([name]) => name !== "date");
    return { status: response.status, headers, body: await response.text() };
  };
  expect(await fetchAs(link, owner.token)).toMatchObject({
    status: 200,
    body: expect.stringContaining("badger fact 3"),
  });
  const foreign = await fetchAs(link, stranger.token);
  expect(foreign).toEqual(await fetchAs(nobodys, stranger.token));
  expect(foreign.status).toBe(404);
  // Before anyone has signed in, a link tells nothing either.
  const anonymous = await fetchAs(link, null);
  expect(anonymous).toEqual(await fetchAs(nobodys, null));
  expect([401, 404]).toContain(anonymous.status);
  expect(anonymous.body).not.toContain("badger");
  expect(await callTool(stranger, "export_data", { job_id: data["job"].id })).toEqual(
    await callTool(stranger, "export_data", { job_id: "z".repeat(26) }),
  );
  // An export is no import, its owner's neither.
  expect(await callTool(owner, "import_data", { job_id: data["job"].id })).toEqual(
    await callTool(owner, "import_data", { job_id: "z".repeat(26) }),
  );
});

test("an import's report over HTTP is its owner's alone", async () => {
  const [owner, stranger] = [await newPerson(), await newPerson()];
  const { data } = await callTool(owner, "import_data", { items: [{ content: " " }] });
  const status = async (id: string, { token }: Person) => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetchWorker(`/api/imports/${id}`, { headers });
    return [response.status, await response.text()];
  };
  expect((await status(data["job"].id, owner))[0]).toBe(200);
  expect(await status(data["job"].id, stranger)).toEqual(await status("z".repeat(26), stranger));
  expect((await status(data["job"].id, stranger))[0]).toBe(404);
});

test("fifty parallel calls of two users never mix", async () => {
  const people = [await newPerson(), await newPerson()] as const;
  const markers = ["heron", "walrus"] as const;
  const calls = Array.from({ length: 50 }, (_, index) => {
    const who = index % 2 === 0 ? 0 : 1;
    const content = `${markers[who]} fact ${index}`;
    const tools: [string, Record<string, unknown>][] = [
      ["save_memory", { content, tags: [markers[who]], idempotency_key: `key ${index >> 1}` }],
      ["save_memory", { content: "The same for both.", idempotency_key: "same key" }],
      ["import_data", { items: [{ content: `${content}, imported`, id: `item ${index >> 1}` }] }],
      ["search_memory", { query: "fact heron walrus" }],
      ["list_memories", { limit: 100, max_tokens: 50_000 }],
    ];
    const [tool, args] = tools[(index >> 1) % tools.length] ?? ["get_stats", {}];
    return { who, call: callTool(people[who], tool, args) };
  });
  const answers = await Promise.all(
    calls.map(async ({ who, call }) => ({ who, answer: await call })),
  );
  for (const { who, answer } of answers) {
    expect(answer.isError).toBe(false);
    expect(JSON.stringify(answer)).not.toContain(markers[1 - who]);
  }
  const [ids, otherIds] = await Promise.all(
    people.map(async (person, who) => {
      const { data } = await callTool(person, "list_memories", { limit: 100, max_tokens: 50_000 });
      // Five of each of the two kinds that write a text of their own, and one that all five wrote.
      expect(data["total"]).toBe(11);
      expect(JSON.stringify(data)).not.toContain(markers[1 - who]);
      return data["memories"].map(({ id }: { id: string }) => id) as string[];
    }),
  );
  expect(ids?.filter((id) => otherIds?.includes(id))).toEqual([]);
});

import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { callTool, exportArchive, fetchWorker, newPerson, type Person } from "../support/people.ts";

const chatgpt = JSON.stringify([
  {
    id: "conv-1",
    title: "Trip to Lisbon",
    create_time: 1_770_000_000,
    update_time: 1_770_000_300,
    current_node: "n3",
    default_model_slug: "gpt-5",
    mapping: {
      root: { id: "root", parent: null, children: ["n1"], message: null },
      n1: {
        id: "n1",
        parent: "root",
        children: ["n2", "n2b"],
        message: {
          id: "n1",
          author: { role: "user" },
          create_time: 1_770_000_000,
          content: { content_type: "text", parts: ["Where to eat in Alfama?"] },
        },
      },
      n2: {
        id: "n2",
        parent: "n1",
        children: ["n3"],
        message: {
          id: "n2",
          author: { role: "assistant" },
          create_time: 1_770_000_100,
          content: { content_type: "text", parts: ["Try the grilled sardines."] },
        },
      },
      n2b: {
        id: "n2b",
        parent: "n1",
        children: [],
        message: {
          id: "n2b",
          author: { role: "assistant" },
          create_time: 1_770_000_050,
          content: { content_type: "text", parts: ["An answer that was regenerated."] },
        },
      },
      n3: {
        id: "n3",
        parent: "n2",
        children: [],
        message: {
          id: "n3",
          author: { role: "user" },
          create_time: 1_770_000_200,
          content: { content_type: "text", parts: ["And for vegetarians?"] },
        },
      },
    },
  },
  null,
]);

const claude = JSON.stringify([
  {
    uuid: "11111111-1111-4111-8111-111111111111",
    name: "Bread",
    created_at: "2026-02-01T10:00:00.000000Z",
    updated_at: "2026-02-01T10:05:00.000000Z",
    chat_messages: [
      {
        uuid: "m1",
        sender: "human",
        text: "",
        content: [{ type: "text", text: "How long to proof?" }],
        created_at: "2026-02-01T10:00:00Z",
        attachments: [{ file_name: "notes.txt", extracted_content: "hydration seventy percent" }],
      },
      {
        uuid: "m2",
        sender: "assistant",
        text: "",
        content: [
          { type: "thinking", thinking: "hm" },
          { type: "text", text: "Until it doubles." },
        ],
        created_at: "2026-02-01T10:01:00Z",
      },
    ],
  },
]);

test("a ChatGPT export is imported along its branch, and the report adds up", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "import_data", { data: chatgpt });
  expect(data["items"]["by_kind"]).toMatchObject({
    conversation: { found: 2, new: 1, skipped: 1 },
    message: { found: 4, new: 3, skipped: 1 },
  });
  expect(data["skipped_reasons"]).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ reason: "other_branch", count: 1 }),
      expect.objectContaining({ reason: "unreadable", count: 1 }),
    ]),
  );
  const found = await callTool(person, "search_conversations", { query: "sardines" });
  expect(found.data["results"][0]).toMatchObject({
    conversation: { title: "Trip to Lisbon", platform: "chatgpt" },
  });
  const again = await callTool(person, "import_data", { data: chatgpt });
  expect(again.data["items"]).toMatchObject({ new: 0, updated: 0, unchanged: 4, skipped: 2 });
  const asked = await callTool(person, "import_data", { job_id: data["job"].id });
  expect(asked.data["items"]).toEqual(data["items"]);
});

test("a report quotes the first three titles of what was left out, by kind and reason, and no title of what was imported", async () => {
  const person = await newPerson();
  const [trip] = JSON.parse(chatgpt);
  const broken = ["Recipes", "Taxes", "Birthday", "Moving house"].map((title, at) => ({
    ...trip,
    id: `broken-${at}`,
    title,
    mapping: null,
  }));
  const root = { root: { id: "root", parent: null, children: [], message: null } };
  const empty = {
    ...trip,
    id: "empty",
    title: "Nothing said",
    current_node: "root",
    mapping: root,
  };
  const { n2b: _, ...alone } = trip.mapping;
  const whole = { ...trip, id: "whole", title: "Sardines", mapping: alone };
  const { data } = await callTool(person, "import_data", {
    data: JSON.stringify([trip, ...broken, empty, whole]),
  });
  const reasons = data["skipped_reasons"].map(({ kind, reason, count, examples }: any) => [
    `${kind} ${reason}`,
    count,
    examples,
  ]);
  expect(reasons.toSorted()).toEqual([
    ["conversation empty", 1, ["Nothing said"]],
    ["conversation unreadable", 4, ["Recipes", "Taxes", "Birthday"]],
    ["message other_branch", 1, ["Trip to Lisbon"]],
  ]);
});

test("a Claude export brings the text of attachments, found by its words", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "import_data", { data: claude });
  expect(data["format"]).toMatch(/Claude/);
  const found = await callTool(person, "search_conversations", { query: "hydration" });
  expect(found.data["results"][0].message.snippet).toContain("seventy percent");
});

test("a newer export adds what is new and updates what changed, and keeps the earlier text", async () => {
  const person = await newPerson();
  await callTool(person, "import_data", { data: chatgpt });
  const newer = JSON.parse(chatgpt);
  newer[0].update_time += 100;
  newer[0].current_node = "n4";
  newer[0].mapping.n4 = {
    id: "n4",
    parent: "n3",
    children: [],
    message: {
      id: "n4",
      author: { role: "assistant" },
      create_time: 1_770_000_400,
      content: { content_type: "text", parts: ["Ask for caldo verde without chouriço."] },
    },
  };
  newer[0].mapping.n3.message.content.parts = ["And for vegans?"];
  const { data } = await callTool(person, "import_data", { data: JSON.stringify(newer) });
  expect(data["items"]["by_kind"]).toMatchObject({
    conversation: { updated: 1 },
    message: { new: 1, updated: 1, unchanged: 2 },
  });
  // The earlier word is no longer written, so what stands in for it is found.
  const earlier = await callTool(person, "search_conversations", { query: "vegetarians" });
  expect(earlier.text).not.toContain("vegetarians");
  expect(
    (await callTool(person, "search_conversations", { query: "vegans" })).data["total"],
  ).toBeGreaterThan(0);
  const { results } = await env.DB.prepare(
    "SELECT count(*) AS n FROM message_versions WHERE user_id = ?",
  )
    .bind(person.userId)
    .all();
  expect(results).toEqual([{ n: 1 }]);
});

test("imported memories meet the ones that are there", async () => {
  const person = await newPerson();
  const { data: saved } = await callTool(person, "save_memory", { content: "Likes green tea." });
  const { data: trashed } = await callTool(person, "import_data", {
    items: [{ content: "Likes black tea." }],
  });
  expect(trashed["items"]["new"]).toBe(1);
  const { data: listed } = await callTool(person, "search_memory", { query: "black" });
  await callTool(person, "delete_memory", { id: listed["results"][0].id });
  const { data } = await callTool(person, "import_data", {
    items: [
      { content: "likes green tea" },
      { content: "Likes black tea." },
      { content: "Likes mate.", tags: ["drinks"] },
      "likes mate",
      { content: "  " },
    ],
  });
  expect(data["items"]["by_kind"]["memory"]).toEqual({
    found: 5,
    new: 1,
    updated: 0,
    unchanged: 1,
    skipped: 3,
  });
  expect(data["skipped_reasons"].map(({ reason }: { reason: string }) => reason).sort()).toEqual([
    "duplicate_in_file",
    "empty",
    "trashed",
  ]);
  expect((await callTool(person, "list_memories", { tags: "drinks" })).data["total"]).toBe(1);
  expect(saved["memory"].id).toBeDefined();
});

test("a memory of which the file tells only when it changed is no younger than that", async () => {
  const person = await newPerson();
  const data = JSON.stringify({
    conversations_memory: "Keeps a heather garden.",
    memory_files: [
      { path: "/garden.md", content: "Waters on Mondays.", updated_at: "2026-03-02T08:00:00Z" },
    ],
  });
  const { data: imported } = await callTool(person, "import_data", { data });
  expect(imported["items"]["new"]).toBe(2);
  const { data: listed } = await callTool(person, "list_memories", { tags: "garden" });
  expect(listed["memories"]).toMatchObject([
    {
      content: "Waters on Mondays.",
      created_at: "2026-03-02T08:00:00.000Z",
      updated_at: "2026-03-02T08:00:00.000Z",
    },
  ]);
  const { data: old } = await callTool(person, "list_memories", { before: "2026-03-03" });
  expect(old["total"]).toBe(1);
});

async function withSomeData(): Promise<Person> {
  const person = await newPerson();
  const { data } = await callTool(person, "save_memory", {
    content: "Uses Vercel.",
    tags: ["ops"],
    asked_as: ["Where do we host?"],
  });
  await callTool(person, "save_memory", {
    content: "Uses Railway.",
    supersedes: data["memory"].id,
    project: "Atlas",
  });
  await callTool(person, "import_data", { data: chatgpt });
  await callTool(person, "import_data", { data: claude });
  return person;
}

test("a JSON export is read back by another account: same texts, ids, tags, order", async () => {
  const person = await withSomeData();
  const exported = await callTool(person, "export_data");
  expect(exported.data["counts"]).toEqual({ memories: 2, conversations: 2, messages: 5 });
  const other = await newPerson();
  const { data } = await callTool(other, "import_data", { data: exported.data["data"] });
  expect(data["items"]).toMatchObject({ found: 9, new: 9, skipped: 0, remaining: 0 });
  const again = await callTool(other, "export_data");
  const withoutClient = (text: string) => {
    const { memories, conversations } = JSON.parse(text);
    return {
      memories: memories.map(
        ({ client: _client, version: _version, ...rest }: Record<string, unknown>) => rest,
      ),
      conversations,
    };
  };
  const own = await callTool(person, "import_data", { data: exported.data["data"] });
  expect(own.data["items"]).toMatchObject({ new: 0, updated: 0, unchanged: 9 });
  expect(withoutClient(again.data["data"])).toEqual(withoutClient(exported.data["data"]));
});

test("an export as an archive is sealed in R2 and decrypted for its owner only", async () => {
  const person = await withSomeData();
  const { data } = await exportArchive(person);
  expect(data["job"]["state"]).toBe("finished");
  const { url, bytes, sha256 } = data["download"];
  const path = new URL(url).pathname;
  const { objects } = await env.ARCHIVES.list({ prefix: `archives/${person.userId}/` });
  const raw = await Promise.all(
    objects.map(async ({ key }) => (await env.ARCHIVES.get(key))?.text()),
  );
  expect(raw.join("")).not.toContain("Railway");

  const download = await fetchWorker(path, {
    headers: { authorization: `Bearer ${person.token}` },
  });
  expect(download.status).toBe(200);
  expect(download.headers.get("content-disposition")).toMatch(
    /^attachment; filename="cofio-\d{4}-\d\d-\d\d\.json"$/,
  );
  const file = new Uint8Array(await download.arrayBuffer());
  expect(file.length).toBe(bytes);
  expect(new Uint8Array(await crypto.subtle.digest("SHA-256", file)).toHex()).toBe(sha256);
  expect(JSON.parse(new TextDecoder().decode(file)).memories).toHaveLength(2);

  const stranger = await newPerson();
  expect(
    (await fetchWorker(path, { headers: { authorization: `Bearer ${stranger.token}` } })).status,
  ).toBe(404);
  expect((await fetchWorker(path)).status).toBe(401);
  const reader = await newPerson({ scopes: ["memories:read"] });
  expect(
    (await fetchWorker(path, { headers: { authorization: `Bearer ${reader.token}` } })).status,
  ).toBe(403);
});

test("Markdown is for people, and what is asked for is what is written", async () => {
  const person = await withSomeData();
  const both = await callTool(person, "export_data", { format: "markdown" });
  expect(both.data["data"]).toContain("- Uses Railway.");
  expect(both.data["data"]).toContain("### Trip to Lisbon");
  const memories = await callTool(person, "export_data", { format: "json", include: "memories" });
  expect(JSON.parse(memories.data["data"])).not.toHaveProperty("conversations");
  const conversations = await callTool(person, "export_data", { include: ["conversations"] });
  expect(JSON.parse(conversations.data["data"])).not.toHaveProperty("memories");
});

test("an account with nothing exports a file that can be read", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "export_data");
  expect(JSON.parse(data["data"])).toMatchObject({
    format: "cofio",
    memories: [],
    conversations: [],
  });
  expect(
    (await callTool(person, "import_data", { data: data["data"] })).data["items"],
  ).toMatchObject({ found: 0 });
});

test("files are uploaded over the API, several at once", async () => {
  const person = await newPerson();
  const form = new FormData();
  form.append("files", new File([chatgpt], "conversations.json"));
  form.append("files", new File([claude], "conversations (1).json"));
  const response = await fetchWorker("/api/imports", {
    method: "POST",
    body: form,
    headers: { authorization: `Bearer ${person.token}` },
  });
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    items: { by_kind: { conversation: { new: 2 }, message: { new: 5 } } },
  });
});

test("an import of many batches is counted whole, and importing it again writes nothing", async () => {
  const person = await newPerson();
  const items = [
    ...Array.from({ length: 430 }, (_, index) => ({ content: `Fact ${index} of a long list` })),
    ...Array.from({ length: 60 }, (_, index) => ({
      platform: "kimi",
      id: `chat-${index}`,
      title: `Chat ${index}`,
      messages: Array.from({ length: 20 }, (_unused, turn) => ({
        role: turn % 2 === 0 ? "user" : "assistant",
        content: `Turn ${turn} of chat ${index} about ${"bread and rivers ".repeat(turn)}`,
      })),
    })),
  ];
  const first = await callTool(person, "import_data", { items });
  expect(first.data["items"]).toMatchObject({ found: 1_690, new: 1_690, remaining: 0 });
  const { data: stats } = await callTool(person, "get_stats");
  expect(stats["memories"]["active"]).toBe(430);
  expect(stats["conversations"]).toMatchObject({ total: 60, messages: 1_200 });
  const { results } = await env.DB.prepare(
    `SELECT a.memory_tokens - (SELECT sum(token_count) FROM memories m WHERE m.user_id = a.user_id) AS memoryTokens,
      a.message_tokens - (SELECT sum(token_count) FROM messages m WHERE m.user_id = a.user_id) AS messageTokens,
      a.bytes - (SELECT sum(size_bytes) FROM messages m WHERE m.user_id = a.user_id) - (SELECT sum(size_bytes) FROM memories m WHERE m.user_id = a.user_id) AS bytes
      FROM accounts a WHERE a.user_id = ?`,
  )
    .bind(person.userId)
    .all();
  expect(results).toEqual([{ memoryTokens: 0, messageTokens: 0, bytes: 0 }]);
  const again = await callTool(person, "import_data", { items });
  expect(again.data["items"]).toMatchObject({ new: 0, updated: 0, unchanged: 1_690 });
});

test("a history that comes back to an earlier value survives its own export", async () => {
  const person = await newPerson();
  const first = await callTool(person, "save_memory", { content: "We host on Vercel." });
  const second = await callTool(person, "save_memory", {
    content: "We host on Railway.",
    supersedes: first.data["memory"].id,
  });
  await callTool(person, "save_memory", {
    content: "We host on Vercel.",
    supersedes: second.data["memory"].id,
  });
  const { data: exported } = await callTool(person, "export_data");
  const other = await newPerson();
  const { data } = await callTool(other, "import_data", { data: exported["data"] });
  expect(data["items"]).toMatchObject({ found: 3, new: 3, skipped: 0 });
  const found = await callTool(other, "search_memory", { query: "where do we host" });
  expect(found.data["results"].map(({ content }: { content: string }) => content)).toEqual([
    "We host on Vercel.",
  ]);
});

test("parts of one conversation, sent together or at once, become one in order", async () => {
  const person = await newPerson();
  const part = (messages: readonly string[], title?: string) => ({
    platform: "kimi",
    id: "c",
    ...(title === undefined ? {} : { title }),
    messages: messages.map((content, index) => ({
      id: content,
      role: index % 2 === 0 ? "user" : "assistant",
      content,
    })),
  });
  await callTool(person, "import_data", {
    items: [part(["one", "two"], "Counting"), part(["three"])],
  });
  await Promise.all([
    callTool(person, "import_data", { items: [part(["four"])] }),
    callTool(person, "import_data", { items: [part(["five"])] }),
  ]);
  const { data: listed } = await callTool(person, "list_conversations");
  expect(listed["conversations"]).toEqual([
    expect.objectContaining({ title: "Counting", message_count: 5 }),
  ]);
  const texts: string[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await callTool(person, "get_conversation", {
      id: listed["conversations"][0].id,
      limit: 1,
      ...(cursor === undefined ? {} : { cursor }),
    });
    texts.push(...data["messages"].map(({ text }: { text: string }) => text));
    cursor = data["next_cursor"];
  } while (cursor !== undefined);
  expect(texts.slice(0, 3)).toEqual(["one", "two", "three"]);
  expect(texts.slice(3).sort()).toEqual(["five", "four"]);
  const { data: stats } = await callTool(person, "get_stats");
  expect(stats["conversations"]).toMatchObject({ total: 1, messages: 5 });
});

test("equal message ids, odd times and long titles cost nothing but themselves", async () => {
  const person = await newPerson();
  const messages = [
    { id: "1", role: "user", content: "first" },
    { id: "1", role: "user", content: "second" },
    { id: "2", role: "assistant", content: "third", created_at: 1.7e18 },
  ];
  const item = {
    platform: "chatgpt",
    id: "c",
    title: "t".repeat(5_000),
    created_at: 1.7e18,
    messages,
  };
  const { data } = await callTool(person, "import_data", {
    items: [item, { neither: true }, { content: "Good.", created_at: "someday" }],
  });
  expect(data["items"]).toMatchObject({ found: 6, new: 3, skipped: 3, remaining: 0 });
  const { data: again } = await callTool(person, "import_data", { items: [item] });
  expect(again["items"]).toMatchObject({ found: 4, new: 0, updated: 0, unchanged: 3, skipped: 1 });
  expect(
    (await callTool(person, "list_conversations")).data["conversations"][0].title,
  ).toHaveLength(1_000);
  expect((await callTool(person, "export_data")).isError).toBe(false);
});

test("a conversation that is cut over several batches is one conversation", async () => {
  const person = await newPerson();
  const text = (index: number) =>
    `Message ${index} ${"many different words ".repeat(60)}${crypto.randomUUID()}`;
  const messages = Array.from({ length: 500 }, (_, index) => ({
    role: "user",
    content: text(index),
  }));
  await callTool(person, "import_data", {
    items: [{ platform: "kimi", id: "long", title: "Long", messages }],
  });
  const { data } = await callTool(person, "get_stats");
  expect(data["conversations"]).toMatchObject({ total: 1, messages: 500 });
});

test("importing what has expired saves it anew", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "save_memory", { content: "Gym on Mondays." });
  await callTool(person, "update_memory", { id: data["memory"].id, expires_at: "2020-01-01" });
  const { data: imported } = await callTool(person, "import_data", {
    items: [{ content: "Gym on Mondays." }],
  });
  expect(imported["items"]).toMatchObject({ new: 1 });
  expect((await callTool(person, "search_memory", { query: "gym" })).data["total"]).toBe(1);
});

test("a pasted list becomes memories where the person says that it is one, and is refused where they do not", async () => {
  const person = await newPerson();
  const text =
    "Here is what I know:\n- [2026-01-05] - Works at a bakery\n- [unknown] - Sings in a choir\n";
  const post = (path: string) =>
    fetchWorker(path, {
      method: "POST",
      headers: { authorization: `Bearer ${person.token}`, "content-type": "text/plain" },
      body: text,
    });
  expect(await (await post("/api/imports")).json()).toMatchObject({
    error: { code: "unsupported_format" },
  });
  expect(await (await post("/api/imports?as=html")).json()).toMatchObject({
    error: { code: "invalid_input" },
  });
  expect(await (await post("/api/imports?as=list")).json()).toMatchObject({
    format: "Pasted list",
    items: { found: 2, new: 2 },
  });
  const { data } = await callTool(person, "search_memory", { query: "choir" });
  expect(data["results"][0]).toMatchObject({ content: "Sings in a choir", source: "paste" });
});

test("a coding agent's session is found and read like any chat", async () => {
  const person = await newPerson();
  const line = (type: string, content: string, more: object = {}) =>
    JSON.stringify({
      type,
      sessionId: "5f0c",
      uuid: content.length.toString(),
      timestamp: "2026-11-01T10:00:00Z",
      cwd: "/home/someone/shop",
      message: { role: type, content },
      ...more,
    });
  const { data } = await callTool(person, "import_data", {
    data: [
      line("user", "Why does the checkout time out?"),
      line("assistant", "The pool holds two connections only."),
    ].join("\n"),
  });
  expect(data["items"]["by_kind"]).toMatchObject({
    conversation: { found: 1, new: 1 },
    message: { found: 2, new: 2 },
  });
  const { data: found } = await callTool(person, "search_conversations", { query: "connections" });
  expect(found["results"][0].message.snippet).toBe("The pool holds two connections only.");
});

test("a list of memories with their dates is read as it was printed, and other text stays refused", async () => {
  const person = await newPerson();
  const data = "Here it is:\n```\n[2026-05-02] - Prefers tea.\n[unknown] - Bakes bread\n```\nDone.";
  const { data: imported } = await callTool(person, "import_data", { data });
  expect(imported).toMatchObject({
    format: "Pasted list",
    items: { found: 2, new: 2, by_kind: { memory: { new: 2 } } },
  });
  const { data: listed } = await callTool(person, "list_memories");
  expect(listed["memories"].map(({ content }: { content: string }) => content).sort()).toEqual([
    "Bakes bread",
    "Prefers tea.",
  ]);
  for (const other of ["Prefers tea.", "- Prefers tea.\n- Bakes bread"]) {
    const refused = await callTool(person, "import_data", { data: other });
    expect([other, refused.data["error"]?.code]).toEqual([other, "unsupported_format"]);
  }
});

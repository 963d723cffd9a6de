import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import {
  downloadArchive,
  linesOf,
  resigned,
  rezip,
  unzip,
  upload,
  uploadZip,
} from "../support/archives.ts";
import { send, survey } from "../../src/transfer/send.ts";
import {
  callApi,
  callTool,
  exportArchive,
  fetchWorker,
  newPerson,
  type Person,
} from "../support/people.ts";

/** Whom an archive is restored for exactly as it is. */
const newOwner = () => newPerson({ trusted: true });

function chat(update: number, texts: readonly string[], title = "Hives") {
  return [
    {
      uuid: "11111111-1111-4111-8111-111111111111",
      name: title,
      created_at: "2026-02-01T10:00:00.000Z",
      updated_at: `2026-0${update}-01T10:05:00.000Z`,
      chat_messages: texts.map((text, index) => ({
        uuid: `m${index}`,
        sender: index % 2 === 0 ? "human" : "assistant",
        text,
        content: [{ type: "text", text }],
        created_at: `2026-02-01T10:0${index}:00Z`,
      })),
    },
  ];
}

async function api(person: Person, method: string, path: string, body?: unknown) {
  const response = await fetchWorker(path, {
    method,
    headers: {
      authorization: `Bearer ${person.token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as Record<string, any>;
}

/** A person with everything that an account may hold. */
async function fullAccount(): Promise<Person> {
  const person = await newPerson({ trusted: true });
  const { data: vercel } = await callTool(person, "save_memory", {
    content: "Hosts on Vercel.",
    tags: ["ops", "Café"],
    category: "decisions",
    asked_as: ["Where do we host?"],
  });
  await callTool(person, "save_memory", {
    content: "Hosts on Railway.",
    supersedes: vercel["memory"].id,
    project: "Atlas",
  });
  const { data: tea } = await callTool(person, "save_memory", {
    content: "Likes green tea 🍵\nand oolong.",
    importance: 5,
  });
  await callTool(person, "update_memory", { id: tea["memory"].id, content: "Likes black tea." });
  await callTool(person, "update_memory", { id: tea["memory"].id, importance: 2 });
  const { data: gone } = await callTool(person, "save_memory", { content: "Drinks coffee." });
  await callTool(person, "delete_memory", { id: gone["memory"].id });
  await api(person, "PATCH", "/api/rules", {
    auto_save: ["decisions"],
    blocked_tags: ["health"],
    deduplication: "off",
  });
  await callTool(person, "save_memory", { content: "Wants a dog.", category: "goals" });
  await callTool(person, "save_memory", {
    content: "Hosts on Railway.",
    project: "Atlas",
    category: "decisions",
  });
  await callTool(person, "import_data", {
    data: JSON.stringify(chat(2, ["How do hives swarm?", "In May."])),
  });
  await callTool(person, "import_data", {
    data: JSON.stringify(chat(3, ["How do bees swarm?", "In May.", "Why?"], "Bees")),
  });
  // Messages that an undo took out of a conversation that stays, once and again.
  for (const texts of [["More?"], ["More?", "Enough."]]) {
    const { data: grown } = await callTool(person, "import_data", {
      data: JSON.stringify(chat(4, ["How do bees swarm?", "In May.", "Why?", ...texts], "Wasps")),
    });
    await api(person, "POST", `/api/operations/${grown["operation_id"]}/undo`);
  }
  await callTool(person, "import_data", {
    items: [{ platform: "Chat", title: "Bread", messages: [{ role: "user", content: "Rye?" }] }],
  });
  const { data: undone } = await callTool(person, "import_data", {
    items: [{ platform: "Chat", title: "Wine", messages: [{ role: "user", content: "Red?" }] }],
  });
  await api(person, "POST", `/api/operations/${undone["operation_id"]}/undo`);
  return person;
}

test("an archive holds every state, hashes of its files and schemas of its lines", async () => {
  const person = await fullAccount();
  const { zip, response, files, answer } = await downloadArchive(person);
  expect(response.headers.get("content-type")).toBe("application/zip");
  expect(response.headers.get("content-disposition")).toMatch(
    /^attachment; filename="cofio-\d{4}-\d\d-\d\d\.zip"$/,
  );
  expect(Number(response.headers.get("content-length"))).toBe(zip.size);
  expect(answer["download"].bytes).toBe(zip.size);
  expect(answer["download"].sha256).toBe(await sha256(await zip.arrayBuffer()));
  const names = [...files.keys()].filter((name) => !name.startsWith("schemas/"));
  expect(names.slice(0, 7)).toEqual([
    "manifest.json",
    "memories.jsonl",
    "conversations.jsonl",
    "operations.jsonl",
    "rules.json",
    "markdown/memories.md",
    "markdown/conversations/2026-02.md",
  ]);
  const manifest = JSON.parse(files.get("manifest.json") ?? "");
  expect(manifest).toMatchObject({
    format: "cofio-archive",
    version: 1,
    counts: { memories: 6, conversations: 3, messages: 5, removed_messages: 2 },
  });
  for (const { name, bytes, sha256: hash } of manifest.files) {
    const content = new TextEncoder().encode(files.get(name));
    expect([name, content.length, await sha256(content)]).toEqual([name, bytes, hash]);
  }
  const lines = linesOf(files.get("memories.jsonl"));
  expect(lines.filter(({ type }) => type === "memory")).toHaveLength(6);
  expect(lines.filter(({ type }) => type === "memory_version").length).toBe(
    manifest.counts.memory_versions,
  );
  expect(JSON.parse(files.get("rules.json") ?? "").rules).toMatchObject({
    blocked_tags: ["health"],
  });
  expect(files.get("markdown/memories.md")).toContain("Likes black tea.");
  const schemas = JSON.parse(files.get("schemas/line.json") ?? "").oneOf;
  for (const file of ["memories.jsonl", "conversations.jsonl", "operations.jsonl"]) {
    for (const line of linesOf(files.get(file))) {
      const { required, properties } = schemas.find(
        (schema: any) => schema.properties.type.const === line["type"],
      );
      expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(line)));
      expect(Object.keys(line)).toEqual(expect.arrayContaining(required));
    }
  }
});

test("an archive restored into an empty account and exported again is the same, byte by byte", async () => {
  const person = await fullAccount();
  const { zip, files } = await downloadArchive(person);
  const other = await newOwner();
  const { status, body } = await uploadZip(other, zip);
  expect(status).toBe(200);
  expect(body["items"]).toMatchObject({ found: 14, new: 14, skipped: 0, remaining: 0 });
  expect(await withoutRestore(other, body["operation_id"])).toEqual(comparable(files));
  // And once more, from the copy.
  const third = await newOwner();
  const copy = await downloadArchive(other);
  const again = await uploadZip(third, copy.zip);
  expect(await withoutRestore(third, again.body["operation_id"])).toEqual(comparable(copy.files));
});

/** Every file of an archive of the person's account, without the manifest and the line of the restore itself. */
async function withoutRestore(person: Person, operationId: string) {
  const { files } = await downloadArchive(person);
  const operations = linesOf(files.get("operations.jsonl"));
  expect(operations.filter(({ id }) => id === operationId)).toMatchObject([{ kind: "import" }]);
  return comparable(
    new Map(files).set(
      "operations.jsonl",
      (files.get("operations.jsonl") ?? "")
        .split("\n")
        .filter((line) => !line.includes(`"id":"${operationId}"`))
        .join("\n"),
    ),
  );
}

function comparable(files: ReadonlyMap<string, string>): Record<string, string> {
  const { "manifest.json": _, ...rest } = Object.fromEntries(files);
  return rest;
}

test("all that is told of a restored account was told of the first: texts, versions, labels, times, authors, trash, rules", async () => {
  const person = await fullAccount();
  await callTool(person, "save_memory", {
    content: "Rents the shop in Cardiff.",
    category: "decisions",
    tags: ["shop"],
    project: "Atlas",
    importance: 4,
    expires_at: "2099-05-01",
  });
  await callTool(person, "import_data", {
    items: [
      {
        platform: "kimi",
        id: "k",
        title: "Loaves",
        project: "Kitchen",
        messages: [
          { role: "user", content: "How long to proof?", created_at: "2026-02-01T10:00:00Z" },
          { role: "assistant", content: "Until it doubles.", model: "k2" },
        ],
      },
    ],
  });
  const [withFile] = chat(2, ["What does the label say?"], "Labels");
  const attachments = [{ file_name: "label.txt", extracted_content: "Rye, 800 g" }];
  await callTool(person, "import_data", {
    data: JSON.stringify([
      {
        ...withFile,
        uuid: "22222222-2222-4222-8222-222222222222",
        chat_messages: withFile?.chat_messages.map((message) => ({ ...message, attachments })),
      },
    ]),
  });
  const path = "/memories/ovens.md";
  await api(person, "POST", "/api/memory-tool", { command: "create", path, file_text: "Two\n" });
  const told = await toldOf(person);
  expect(JSON.stringify(told)).toContain("Rye, 800 g");
  expect(JSON.stringify(told)).not.toContain('"error"');
  expect(told.map((part) => part.length)).toEqual([8, 4, 4, 1, 22, 1]);

  const { zip } = await downloadArchive(person);
  const other = await newOwner();
  const { body } = await uploadZip(other, zip);
  expect(await toldOf(other, body["operation_id"])).toEqual(told);
});

/** Memories with their history, conversations with their messages, what was done, and the rules. @param without an operation */
async function toldOf(person: Person, without?: string) {
  const get = async (path: string) => api(person, "GET", path);
  const memories = [];
  for (const status of ["active", "pending", "trashed"]) {
    const page = await get(`/api/memories?status=${status}&order=oldest&limit=100`);
    for (const { id } of page["memories"]) {
      const histories = ["?include_history=true", "/versions"];
      memories.push(
        await Promise.all(histories.map(async (history) => get(`/api/memories/${id}${history}`))),
      );
    }
  }
  const { conversations } = await get("/api/conversations?limit=50");
  const read = await Promise.all(
    conversations.map(async ({ id }: { id: string }) => get(`/api/conversations/${id}/messages`)),
  );
  const { conversations: trashed } = await get("/api/conversations?status=trashed&limit=50");
  const { operations } = await get("/api/operations?limit=200");
  const done = operations.filter(({ id }: { id: string }) => id !== without);
  return [memories, conversations, read, trashed, done, [await get("/api/rules")]];
}

test("a restored account is searched, counted, undone and protected from duplicates as the first was", async () => {
  const person = await fullAccount();
  const { zip } = await downloadArchive(person);
  const other = await newPerson({ trusted: true });
  await uploadZip(other, zip);
  for (const [tool, query] of [
    ["search_memory", "Railway"],
    ["search_memory", "where do we host"],
    ["search_memory", "tag:Café"],
    ["search_conversations", "bees swarm"],
    ["search_conversations", "wine"],
  ] as const) {
    const [was, is] = await Promise.all(
      [person, other].map(async (one) => (await callTool(one, tool, { query })).data),
    );
    expect([query, is?.["results"]]).toEqual([query, was?.["results"]]);
  }
  expect(await countersOf(other)).toEqual(await countersOf(person));
  expect(await indexOf(other)).toBe(await indexOf(person));

  // The save of the tea is undone after its later changes were: as in the account that it comes from.
  const { operations } = await api(other, "GET", "/api/operations?limit=50");
  const ids = operations.map(({ id }: { id: string }) => id);
  const was = await undoEach(person, ids.slice(1));
  expect(await undoEach(other, ids.slice(1))).toEqual(was);
});

async function undoEach(person: Person, ids: readonly string[]) {
  const results = [];
  for (const id of ids) {
    const { undone, left } = await api(person, "POST", `/api/operations/${id}/undo`);
    results.push({ undone, left });
  }
  return results;
}

async function countersOf({ userId }: Person) {
  return env.DB.prepare(
    `SELECT memories_active, memories_pending, memories_trashed, memory_tokens, conversations, messages, message_tokens
     FROM accounts WHERE user_id = ?`,
  )
    .bind(userId)
    .first();
}

async function indexOf({ userId }: Person) {
  const counted = await env.DB.prepare(
    `SELECT (SELECT count(*) FROM memories_fts f JOIN memories m ON m.seq = f.rowid WHERE m.user_id = ?1) AS m,
      (SELECT count(*) FROM messages_fts f JOIN messages m ON m.seq = f.rowid WHERE m.user_id = ?1) AS c`,
  )
    .bind(userId)
    .first<{ m: number; c: number }>();
  return `${counted?.m} ${counted?.c}`;
}

test("into an account in use an archive is merged: what is there stays as it is", async () => {
  const person = await fullAccount();
  const { zip } = await downloadArchive(person);
  const own = await uploadZip(person, zip);
  expect(own.body["items"]).toMatchObject({ new: 0, updated: 0 });
  expect(own.body["skipped_reasons"].map(({ reason }: { reason: string }) => reason)).toContain(
    "trashed",
  );
  const other = await newOwner();
  await callTool(other, "save_memory", { content: "Owns a kettle." });
  const merged = await uploadZip(other, zip);
  expect(merged.body["items"]["by_kind"]["conversation"]).toMatchObject({ new: 2, skipped: 1 });
  expect(merged.body["items"]["remaining"]).toBe(0);
  expect((await callTool(other, "search_memory", { query: "kettle" })).data["total"]).toBe(1);
});

test("an archive sets no rules and passes none by: only the person, or a token that they trust, restores it as it is", async () => {
  const source = await newOwner();
  await api(source, "PATCH", "/api/rules", { secrets: "allow", max_memories: 9_999 });
  const secret = `ghp_${"aB3dE6gH9j".repeat(4).slice(0, 36)}`;
  await callTool(source, "save_memory", { content: `The key is ${secret}` });
  const { zip, files } = await downloadArchive(source);

  const name = `owner ${crypto.randomUUID()}`;
  const app = await newPerson({ name, scopes: ["data:import"] });
  const { body } = await uploadZip(app, zip);
  expect(body["items"].by_kind.memory).toMatchObject({ found: 1, new: 1 });
  const { data: exported } = await callTool(await newPerson({ name }), "list_memories");
  expect(JSON.stringify(exported)).not.toContain(secret);
  expect((await api(app, "GET", "/api/rules"))["rules"]).toMatchObject({ secrets: "mask" });

  const owner = await newOwner();
  await api(owner, "PATCH", "/api/rules", { imports: "pending" });
  const before = (await api(owner, "GET", "/api/rules"))["rules"];
  await uploadZip(owner, zip);
  expect((await api(owner, "GET", "/api/rules"))["rules"]).toEqual(before);
  expect((await callTool(owner, "get_stats")).data["memories"]).toMatchObject({
    active: 0,
    pending: 1,
  });

  const empty = await newOwner();
  await uploadZip(empty, zip);
  const copy = await downloadArchive(empty);
  for (const name of ["memories.jsonl", "rules.json"]) {
    expect(copy.files.get(name)).toBe(files.get(name));
  }
});

test("a restore takes lines from whoever began it, while it is under way and not longer than a week after the last", async () => {
  const source = await newOwner();
  for (const content of ["Likes tea", "Likes rye"]) {
    await callTool(source, "save_memory", { content });
  }
  const { files } = await downloadArchive(source);
  const name = `owner ${crypto.randomUUID()}`;
  const owner = await newPerson({ name, trusted: true });
  const other = await newPerson({ name, trusted: true });
  const head = {
    name: "manifest.json",
    manifestText: files.get("manifest.json"),
    totals: { conversation: 0, message: 0, memory: 2 },
  };
  const { job } = await api(owner, "POST", "/api/imports/restore", head);
  const send = async (person: Person, number: number) => {
    const lines = linesOf(files.get("memories.jsonl")).slice(number - 1, number);
    const path = `/api/imports/${job.id}/lines`;
    return (await callApi(person, "POST", path, { number, lines })).status;
  };
  expect(await send(other, 1)).toBe(404);
  expect(await send(owner, 1)).toBe(200);
  await api(owner, "POST", `/api/imports/${job.id}/cancel`, {});
  expect(await send(owner, 2)).toBe(404);
  expect(await api(other, "POST", "/api/imports/restore", head)).toEqual({ job: null });
  expect((await api(owner, "POST", "/api/imports/restore", head))["job"]).toMatchObject({
    id: job.id,
    next_batch: 2,
  });
  await env.DB.prepare("UPDATE jobs SET updated_at = updated_at - ?2 WHERE id = ?1")
    .bind(job.id, 7 * 86_400_000)
    .run();
  expect(await send(owner, 2)).toBe(404);
  expect(await api(owner, "POST", "/api/imports/restore", head)).toEqual({ job: null });
});

test("a restore counts against the day's rows, and waits when they are spent", async () => {
  const source = await newOwner();
  for (const content of ["Likes tea", "Likes rye"]) {
    await callTool(source, "save_memory", { content });
  }
  const { zip } = await downloadArchive(source);
  await uploadZip(await newOwner(), zip);
  const spent = await env.DB.prepare("SELECT sum(rows_written) AS rows FROM import_days").first(
    "rows",
  );
  expect(spent).toBeGreaterThan(10);
  const today = Math.floor(Date.now() / 86_400_000);
  await env.DB.prepare("UPDATE import_days SET rows_written = 80000 WHERE day = ?1")
    .bind(today)
    .run();
  const owner = await newOwner();
  const { body } = await uploadZip(owner, zip);
  expect(body["job"]).toMatchObject({
    state: "waiting_quota",
    resume_at: new Date((today + 1) * 86_400_000).toISOString(),
  });
  await env.DB.prepare("DELETE FROM import_days").run();
  const again = await uploadZip(owner, zip);
  expect(again.body["job"]).toMatchObject({ id: body["job"].id, state: "finished" });
  expect(again.body["items"].by_kind.memory).toMatchObject({ found: 2, new: 2 });
});

test("a check of an archive tells what the restore then does, and what the import does into an account in use", async () => {
  const { zip } = await downloadArchive(await fullAccount());
  for (const content of [null, "Owns a kettle."]) {
    const owner = await newOwner();
    if (content !== null) await callTool(owner, "save_memory", { content });
    const checks = [await sendZip(owner, zip, true), await uploadZip(owner, zip, "?dry_run")];
    expect((await callTool(owner, "list_conversations")).data["conversations"]).toEqual([]);
    const { items } = await sendZip(owner, zip, false);
    for (const check of checks) {
      const told = "body" in check ? check.body : check;
      expect([content, told["items"]]).toEqual([content, items]);
    }
  }
});

/** As the import page does. */
async function sendZip(person: Person, zip: Blob, dryRun: boolean): Promise<Record<string, any>> {
  return send(await survey([new File([zip], "archive.zip")]), {
    call: async (path, body) => {
      const { status, data } = await callApi(person, "POST", `/api/imports${path}`, body);
      return { status, body: data };
    },
    dryRun,
    account: null,
    onProgress: () => {},
    onDelay: () => {},
    signal: new AbortController().signal,
  });
}

test("an archive that was changed, is cut or comes from a later version is refused, and nothing is written", async () => {
  const person = await newOwner();
  await callTool(person, "save_memory", { content: "Likes tea." });
  const { files } = await downloadArchive(person);
  const other = await newOwner();
  const changed = new Map(files).set(
    "memories.jsonl",
    (files.get("memories.jsonl") ?? "").replace("tea", "gin"),
  );
  const missing = new Map(files);
  missing.delete("operations.jsonl");
  const later = new Map(files).set(
    "manifest.json",
    (files.get("manifest.json") ?? "").replace('"version": 1', '"version": 2'),
  );
  for (const [broken, message] of [
    [changed, /memories\.jsonl was changed/],
    [missing, /operations\.jsonl is missing/],
    [later, /later version/],
  ] as const) {
    const { status, body } = await uploadZip(other, await rezip(broken));
    expect([status, body["error"].message]).toEqual([415, expect.stringMatching(message)]);
  }
  expect((await downloadArchive(other)).files.get("memories.jsonl")).toBe("");
});

test("an archive is known by its manifest: loose files and a zip packed anew are restored too", async () => {
  const person = await newOwner();
  await callTool(person, "save_memory", { content: "Likes tea." });
  const { files } = await downloadArchive(person);
  const packed = await newOwner();
  const inFolder = new Map([...files].map(([name, text]) => [`my backup/${name}`, text]));
  expect((await uploadZip(packed, await rezip(inFolder))).body["format"]).toBe("Cofio archive");
  const loose = await newOwner();
  await upload(loose, ...[...files].map(([name, text]) => new File([text], name)));
  for (const one of [packed, loose]) {
    expect((await downloadArchive(one)).files.get("memories.jsonl")).toBe(
      files.get("memories.jsonl"),
    );
  }
});

test("what an item is known by elsewhere survives, so the platform's own file changes nothing afterwards", async () => {
  const person = await newOwner();
  await callTool(person, "import_data", {
    data: JSON.stringify(chat(2, ["How do bees swarm?", "In May."])),
  });
  const { files } = await downloadArchive(person);
  const lines = linesOf(files.get("conversations.jsonl")).map((line) => ({
    ...line,
    provenance:
      line["type"] === "message"
        ? { id: `m${line["position"]}` }
        : { platform: "claude", id: "11111111-1111-4111-8111-111111111111" },
  }));
  const withIds = await resigned(
    new Map(files).set(
      "conversations.jsonl",
      lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    ),
  );
  const other = await newOwner();
  const { body } = await uploadZip(other, await rezip(withIds));
  const restored = await withoutRestore(other, body["operation_id"]);
  expect(linesOf(restored["conversations.jsonl"])).toEqual(lines);
  const again = await callTool(other, "import_data", {
    data: JSON.stringify(chat(2, ["How do bees swarm?", "In May."])),
  });
  expect(again.data["items"]).toMatchObject({ found: 3, new: 0, updated: 0, unchanged: 3 });
});

test("a conversation longer than a batch is restored with its context", async () => {
  const person = await newOwner();
  const messages = Array.from({ length: 1_203 }, (_, index) => ({
    role: index % 2 === 0 ? "user" : "assistant",
    content: `Word${index} of a long talk.`,
    id: `m${index}`,
  }));
  for (let from = 0; from < messages.length; from += 500) {
    await callTool(person, "import_data", {
      items: [
        { platform: "Chat", id: "long", title: "Long", messages: messages.slice(from, from + 500) },
      ],
    });
  }
  const { zip, files } = await downloadArchive(person);
  expect(
    linesOf(files.get("conversations.jsonl"))
      .filter(({ type }) => !type.endsWith("_version"))
      .map(({ position }) => position ?? -1),
  ).toEqual(Array.from({ length: 1_204 }, (_, index) => index - 1));
  const other = await newOwner();
  const { body } = await uploadZip(other, zip);
  expect(await withoutRestore(other, body["operation_id"])).toEqual(comparable(files));
  for (const query of ["word499", "word500", "word501", "word1202"]) {
    const [was, is] = await Promise.all(
      [person, other].map(
        async (one) => (await callTool(one, "search_conversations", { query })).data,
      ),
    );
    expect([query, is?.["results"]]).toEqual([query, was?.["results"]]);
  }
});

test("texts of the largest size take a page of their own, and none is lost or told twice", async () => {
  const person = await newOwner();
  // Few distinct words, whose tokens are soon made, in an order that does not shrink to nothing.
  const long = (seed: number) =>
    Array.from({ length: 80_000 }, (_, at) => `w${(at * at + seed) % 499}`).join(" ");
  const talks = [
    ["a", [long(0), "short", long(1), long(2)]],
    ["b", ["short"]],
    ["c", [long(3), long(4), long(5), "short"]],
  ] as const;
  const file = talks.flatMap(([id, texts]) =>
    chat(2, texts).map((talk) => ({ ...talk, uuid: id, name: id })),
  );
  await upload(person, new File([JSON.stringify(file)], "claude.json"));
  const { zip, files } = await downloadArchive(person);
  const lines = linesOf(files.get("conversations.jsonl"));
  const told = lines
    .filter(({ type }) => type === "conversation")
    .map(({ id, title }) => [
      title,
      lines.filter(({ conversation }) => conversation === id).map(({ text }) => text),
    ]);
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(talks));
  const json = await exportArchive(person, { format: "json" });
  const download = await fetchWorker(new URL(json.data["download"].url).pathname, {
    headers: { authorization: `Bearer ${person.token}` },
  });
  const { conversations } = (await download.json()) as Record<string, any>;
  expect(
    Object.fromEntries(
      conversations.map(({ title, messages }: any) => [title, messages.map((m: any) => m.text)]),
    ),
  ).toEqual(Object.fromEntries(talks));
  const other = await newOwner();
  const { body } = await uploadZip(other, zip);
  expect(await withoutRestore(other, body["operation_id"])).toEqual(comparable(files));
});

test("an account that holds nothing has an archive too, and it restores nothing", async () => {
  const person = await newOwner();
  const { zip, files } = await downloadArchive(person);
  expect(files.get("conversations.jsonl")).toBe("");
  const other = await newOwner();
  const { body } = await uploadZip(other, zip);
  expect(body["items"]).toMatchObject({ found: 0, remaining: 0 });
});

test("no name in an archive and no object in R2 shows a word of the person", async () => {
  const person = await newOwner();
  await callTool(person, "save_memory", { content: "Zyzzyva project.", tags: ["Zyzzyva"] });
  await callTool(person, "import_data", {
    items: [
      { platform: "Zyzzyva", title: "Zyzzyva", messages: [{ role: "user", content: "Zyzzyva" }] },
    ],
  });
  const { files } = await downloadArchive(person);
  expect([...files.keys()].join(" ")).not.toMatch(/zyzzyva/i);
  const { objects } = await env.ARCHIVES.list({ prefix: `archives/${person.userId}/` });
  const stored = await Promise.all(
    objects.map(async ({ key }) => `${key} ${await (await env.ARCHIVES.get(key))?.text()}`),
  );
  expect(stored.join(" ")).not.toMatch(/zyzzyva|memories\.jsonl/i);
});

test("an archive cannot be inline or in part, and says what to ask for instead", async () => {
  const person = await newOwner();
  const inline = await callTool(person, "export_data", { format: "cofio", deliver: "inline" });
  expect(inline.data["error"]).toMatchObject({ code: "invalid_input" });
  const part = await callTool(person, "export_data", { format: "cofio", include: ["memories"] });
  expect(part.data["error"]).toMatchObject({ code: "invalid_input" });
});

test("the same state gives the same files", async () => {
  const person = await fullAccount();
  const [one, two] = [await downloadArchive(person), await downloadArchive(person)];
  expect(comparable(two.files)).toEqual(comparable(one.files));
  expect(await unzip(two.zip)).toEqual(two.files);
});

test("a Portable AI Memory export holds what is approved, and is read back with categories, tags and times", async () => {
  const person = await newOwner();
  const { data: saved } = await callTool(person, "save_memory", {
    content: "Hosts on  Vercel.",
    category: "decisions",
    tags: ["Ops", "Café au lait", "茶"],
    project: "Atlas",
    expires: "2027-01-01",
  });
  const { data: old } = await callTool(person, "save_memory", { content: "Lives in Cardiff." });
  await callTool(person, "save_memory", {
    content: "Lives in Brecon.",
    category: "personal_facts",
    supersedes: old["memory"].id,
  });
  const { data: gone } = await callTool(person, "save_memory", { content: "Drinks coffee." });
  await callTool(person, "delete_memory", { id: gone["memory"].id });
  const { data } = await callTool(person, "export_data", { format: "pam" });
  const { memories, ...store } = JSON.parse(data["data"]);
  expect(store).toEqual({
    schema: "portable-ai-memory",
    schema_version: "1.0",
    exported_by: expect.stringMatching(/^cofio\/\d+\.\d+\.\d+$/),
    export_date: expect.any(String),
    owner: { id: person.userId },
    export_type: "full",
  });
  expect(memories.map(({ type, status }: Record<string, string>) => `${type} ${status}`)).toEqual([
    "custom active",
    "context superseded",
    "fact active",
  ]);
  expect(memories[0]).toMatchObject({
    id: saved["memory"].id,
    custom_type: "decisions",
    tags: ["ops", "cafe-au-lait"],
    // Of "hosts on vercel.".
    content_hash: `sha256:${await sha256(new TextEncoder().encode("hosts on vercel."))}`,
  });
  const other = await newOwner();
  const imported = await callTool(other, "import_data", { data: data["data"] });
  expect(imported.data["items"]["by_kind"]["memory"]).toMatchObject({
    found: 3,
    new: 2,
    skipped: 1,
  });
  const listed = await callTool(other, "list_memories", { category: "decisions" });
  expect(listed.data["memories"]).toMatchObject([
    { content: "Hosts on  Vercel.", tags: ["Ops", "Café au lait", "茶"] },
  ]);
  const archive = await exportArchive(person, { format: "pam" });
  expect(archive.data["counts"]).toMatchObject({ memories: 3, conversations: 0 });
  const conversations = await callTool(person, "export_data", {
    format: "pam",
    include: ["conversations"],
  });
  expect(conversations.data["error"]).toMatchObject({ code: "invalid_input" });
});

async function sha256(bytes: BufferSource): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

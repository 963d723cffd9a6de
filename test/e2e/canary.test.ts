/**
 * Every input that holds a person's words gets a word of its own that stands nowhere else; then no file of the server and no line
 * of its log may hold any of them, in whatever common encoding. Readable there by design: ids,
 * times, sizes, counts and statuses; `category`, `source` and the role of a message, which are closed lists; names of clients,
 * tokens and accounts; the time zone; the format of an export; and blind tokens, which show that rows share a word, not which.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { send as sendUpload, survey } from "../../src/transfer/send.ts";
import { startServer, type Server } from "./support/server.ts";

let state: string;
let server: Server;
let token: string;
/** Where each canary went in. */
const canaries = new Map<string, string>();

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "cofio-canary-"));
  server = await startServer({ state });
  token = await server.token("someone");
});
afterAll(async () => {
  await server.stop();
  await rm(state, { recursive: true, force: true });
});

test("no word that anyone wrote stands in the server's files or its log", async () => {
  const stored = await putIntoEveryInput();
  await putIntoEveryError();
  const archives = await exportEverything();
  // They did arrive: what is absent below is absent because it is sealed.
  const kept = [...stored, ...(await search(stored))].filter((word) => !archives.includes(word));
  expect(kept.map((word) => canaries.get(word))).toEqual([]);

  await failInside();
  await server.stop();

  expect(canaries.size).toBeGreaterThan(60);
  expect(foundIn(Buffer.from(server.logs()))).toEqual([]);
  const files = await filesBelow(state);
  const found = [];
  for (const file of files) {
    const where = foundIn(await readFile(file));
    if (where.length > 0) found.push({ file: file.slice(state.length), where });
  }
  expect(found).toEqual([]);
  // The search above reads the right files: what may be read is found by it.
  const contents = await Promise.all(files.map((file) => readFile(file)));
  for (const known of [token.split("_")[1] ?? "", "Local token", "user_preferences", "chatgpt"]) {
    expect(
      contents.some((bytes) => bytes.includes(known)),
      known,
    ).toBe(true);
  }
  for (const kind of ["d1", "r2", "kv", "do", "workflows"]) {
    expect(
      files.some((file) => file.includes(`/v3/${kind}/`)),
      kind,
    ).toBe(true);
  }
}, 180_000);

test("the search for canaries finds one in every encoding", async () => {
  const word = canary("control");
  const utf8 = Buffer.from(word);
  const file = join(state, "control");
  for (const [encoding, bytes] of [
    ["UTF-8", utf8],
    ["upper case", Buffer.from(word.toUpperCase())],
    ["UTF-16LE", Buffer.from(`é${word}`, "utf16le")],
    ["UTF-16LE, unaligned", Buffer.concat([Buffer.from("x"), Buffer.from(word, "utf16le")])],
    ["UTF-16BE", Buffer.from(word, "utf16le").swap16()],
    ["hex", Buffer.from(utf8.toString("hex"))],
    ["upper-case hex", Buffer.from(utf8.toString("hex").toUpperCase())],
    ["base64", Buffer.from(utf8.toString("base64"))],
    ["base64, one byte on", Buffer.from(Buffer.from(`x${word} and more`).toString("base64"))],
    ["base64, two bytes on", Buffer.from(Buffer.from(`xy${word} and more`).toString("base64url"))],
    ["a stem", Buffer.from(word.slice(0, -3))],
  ] as const) {
    await writeFile(file, Buffer.concat([Buffer.from([0, 255]), bytes, Buffer.from([0])]));
    const inputs = new Set(foundIn(await readFile(file)).map(([input]) => input));
    expect([...inputs], encoding).toEqual(["control"]);
  }
  await rm(file);
});

/** @returns the words that must come back with an export */
async function putIntoEveryInput(): Promise<string[]> {
  const stored: string[] = [];
  const keep = (input: string): string => {
    const word = canary(input);
    stored.push(word);
    return word;
  };
  const first = await call("save_memory", {
    content: `Likes ${keep("content")} in the morning`,
    tags: [keep("tag"), `two words ${keep("tag of words")}`],
    project: keep("project"),
    asked_as: [`What about ${canary("asked_as")}?`],
    category: keep("unknown category"),
    idempotency_key: canary("idempotency_key"),
    importance: 4,
  });
  await call("save_memory", {
    content: `Likes ${keep("content of another")} in the evening`,
    category: "user_preferences",
    supersedes: first.memory.id,
    idempotency_key: canary("idempotency_key of another"),
  });
  const third = await call("save_memory", {
    content: `Once said ${canary("content that was replaced")}`,
    tags: [canary("tag that was removed")],
    project: canary("project that was replaced"),
  });
  await call("update_memory", {
    id: third.memory.id,
    content: `Now says ${keep("updated content")}`,
    tags: [keep("updated tag")],
    add_tags: [keep("added tag")],
    remove_tags: [canary("removed tag")],
    project: keep("updated project"),
    asked_as: [`Who says ${canary("updated asked_as")}?`],
  });
  await call("get_memory", { id: third.memory.id, include_history: true });
  const trashed = await call("save_memory", { content: `In the trash ${keep("trashed")}` });
  await call("delete_memory", { id: trashed.memory.id });

  await call("import_data", {
    items: [
      {
        content: `Imported ${keep("item content")}`,
        tags: [keep("item tag")],
        project: keep("item project"),
        category: canary("item category"),
        source: canary("item source"),
        id: canary("item id"),
      },
      `Plain ${keep("item as a string")}`,
      { content: `Imported ${canary("item said twice")}`, id: "twice" },
      { content: `In the trash ${canary("item without blanks")}`.replace(/.*/, " ") },
      {
        platform: "chatgpt",
        id: canary("conversation id"),
        title: `About ${keep("title")}`,
        messages: [
          { role: "user", content: `Asked ${keep("message")}`, id: canary("message id") },
          { role: "assistant", content: `Said ${keep("answer")}`, model: keep("model") },
        ],
      },
      {
        platform: canary("unknown platform"),
        title: `Of ${keep("title of no platform")}`,
        messages: [{ role: "user", content: `Wrote ${keep("message of no platform")}` }],
      },
    ],
  });
  // Known already, and one in the trash: the report's examples quote them.
  await call("import_data", {
    items: [`Twice ${keep("duplicate in file")}`, `Twice ${last(stored)}`, "   "],
  });
  await call("import_data", { data: claudeExport(keep) });
  await call("import_data", { data: chatGptExport(keep) });
  await call("import_data", { data: cofioExport(keep) });
  await call("import_data", { data: cofioExport(canary).replace('"active"', '"trashed"') });
  await upload(canary("file name"), claudeExport(keep));
  await sendBatches(canary("name of a file read outside"), claudeExport(keep));
  await writeFiles(keep);
  await backUp();
  return stored;
}

/** As Claude's memory tool and a client of the memory stores do. */
async function writeFiles(keep: (input: string) => string): Promise<void> {
  const path = `/memories/${canary("directory")}/${canary("file name")}`;
  for (const command of [
    { command: "create", path, file_text: `Noted ${canary("file text that was replaced")}` },
    { command: "str_replace", path, old_str: "Noted", new_str: keep("replacing text") },
    { command: "insert", path, insert_line: 0, insert_text: keep("inserted text") },
    { command: "rename", old_path: path, new_path: `/memories/${keep("new directory")}/a` },
    { command: "view", path: `/memories/${canary("path to nothing")}` },
    { command: canary("unknown command"), path: `/etc/${canary("foreign root")}` },
  ]) {
    await (await api("/memory-tool", command)).text();
  }
  const made = await stores("", {
    name: keep("name of a store"),
    description: keep("description of a store"),
    metadata: { [canary("key of metadata")]: canary("value of metadata") },
  });
  const memories = `/${made.id}/memories`;
  const memory = await stores(memories, {
    path: `/${keep("path in a store")}`,
    content: canary("text that is redacted"),
  });
  await stores(`${memories}/${memory.id}`, { content: keep("text in a store") });
  await stores(`/${made.id}/memory_versions/${memory.memory_version_id}/redact`, {});
  await stores(memories, { path: canary("path that is none"), content: canary("text in vain") });
}

async function stores(path: string, body: unknown): Promise<Record<string, any>> {
  const response = await fetch(`${server.origin}/v1/memory_stores${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, any>;
}

/** As a reader on the person's own machine does: first a check, then the import. */
async function sendBatches(name: string, content: string): Promise<void> {
  const read = await survey([new File([content], name)]);
  for (const dryRun of [true, false]) {
    await sendUpload(read, {
      call: async (path, body) => {
        const response = await api(`/imports${path}`, body);
        return { status: response.status, body: await response.json() };
      },
      dryRun,
      account: null,
      onProgress: () => {},
      onDelay: () => {},
      signal: AbortSignal.timeout(30_000),
    });
  }
}

/** Its rows are copied into R2 as they are, and into a scratch database. */
async function backUp(): Promise<void> {
  const made = await (await api("/backups", {})).json();
  const { backup } = made as { backup: { id: string } }; // the route's own answer
  const state = async () => {
    const response = await api(`/backups/${backup.id}`);
    return response.text();
  };
  await expect.poll(state, { timeout: 20_000 }).toContain('"finished"');
  await api(`/backups/${backup.id}/rehearse`, {});
  await expect.poll(state, { timeout: 20_000 }).toContain('"passed"');
}

function api(path: string, body?: unknown): Promise<Response> {
  return fetch(`${server.origin}/api${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** Each is answered with an error that the person can mend, or ignored. */
async function putIntoEveryError(): Promise<void> {
  const long = (input: string) => `${canary(input)} `.repeat(3_000);
  const { memory } = await call("save_memory", { content: "Something to err on" });
  const { conversations } = await call("list_conversations", { limit: 1 });
  const { id } = conversations[0];
  const wrong: [tool: string, args: Record<string, unknown>][] = [
    ["save_memory", { content: long("content too large").repeat(2) }],
    ["save_memory", { content: "x", project: long("project too long") }],
    ["save_memory", { content: "x", tags: [long("tag too long")] }],
    ["save_memory", { content: "x", tags: Array(30).fill(canary("too many tags")) }],
    ["save_memory", { content: "x", asked_as: Array(9).fill(canary("too many questions")) }],
    ["save_memory", { content: "x", idempotency_key: long("key too long") }],
    ["save_memory", { content: "x", expires_at: canary("expires_at") }],
    ["save_memory", { content: "x", supersedes: canary("supersedes") }],
    ["save_memory", { content: "x", origin: canary("origin") }],
    ["save_memory", { content: { [canary("key of an object")]: canary("content as an object") } }],
    ["save_memory", { [canary("unknown parameter")]: canary("value of an unknown parameter") }],
    ["update_memory", { id: memory.id, content: long("update too large").repeat(2) }],
    ["update_memory", { id: memory.id, project: long("update of project") }],
    ["update_memory", { id: memory.id, category: canary("update of category") }],
    ["update_memory", { id: memory.id, expires_at: canary("update of expires_at") }],
    ["update_memory", { id: memory.id, content: canary("update in vain"), if_version: 99 }],
    ["update_memory", { id: canary("update id"), content: canary("update of nothing") }],
    ["get_memory", { id: canary("get id") }],
    ["delete_memory", { id: canary("delete id") }],
    ["search_memory", { query: long("query too long") }],
    ["search_memory", { query: "x", after: canary("after") }],
    ["search_memory", { query: "x", category: canary("category filter") }],
    ["search_memory", { query: canary("query of a cursor"), cursor: canary("cursor") }],
    ["list_memories", { order: canary("order"), status: canary("status") }],
    ["list_memories", { before: canary("before"), source: canary("source filter") }],
    ["search_conversations", { query: "x", platform: canary("platform filter") }],
    ["search_conversations", { query: "x", role: canary("role filter") }],
    ["list_conversations", { on: canary("on") }],
    ["get_conversation", { id: canary("conversation to read") }],
    ["get_conversation", { id, around: canary("around") }],
    ["import_data", { data: canary("data of no format") }],
    ["import_data", { data: `{"${canary("unknown key of data")}": [1, 2` }],
    ["import_data", { data: JSON.stringify([{ email_address: canary("account data") }]) }],
    ["import_data", { items: [{ [canary("key of an item")]: canary("field of an item") }] }],
    ["import_data", { items: [{ content: "x", created_at: canary("created_at") }] }],
    ["import_data", { items: [{ title: canary("title in vain"), messages: [{ role: "x" }] }] }],
    ["import_data", { job_id: canary("import job") }],
    ["export_data", { job_id: canary("export job") }],
    ["export_data", { include: [canary("include")], format: "json" }],
    ["export_data", { format: canary("format") }],
  ];
  for (const [tool, args] of wrong) await post("tools/call", { name: tool, arguments: args });
  await post("tools/call", { name: canary("tool name"), arguments: {} });
  await post(canary("method"), { [canary("parameter")]: canary("value") });
  await upload(canary("name of a file in vain"), canary("file of no format"));
  await send(`{"jsonrpc": "2.0", "method": "${canary("broken body")}`);
}

/** Queries by every tool that takes one, with words of their own and with words that are stored. */
async function search(stored: readonly string[]): Promise<string[]> {
  for (const tool of ["search_memory", "search_conversations"]) {
    await call(tool, { query: `where is ${canary(`query of ${tool}`)}` });
    for (const word of stored) await call(tool, { query: word, limit: 1 });
    const { next_cursor: cursor } = await call(tool, { query: "likes said asked", limit: 1 });
    if (cursor !== undefined) await call(tool, { query: "likes said asked", limit: 1, cursor });
  }
  const filters = { tags: [canary("tag filter")], project: canary("project filter") };
  await call("search_memory", { query: "x", ...filters });
  await call("list_memories", filters);
  await call("list_memories", { tags: canary("tag filter as a string") });
  await call("get_stats", {});
  const { conversations } = await call("list_conversations", {});
  for (const { id } of conversations) await call("get_conversation", { id });
  return [];
}

/** @returns the archives, as their owner reads them; of the zip nothing can be read */
async function exportEverything(): Promise<string> {
  let text = "";
  for (const format of ["json", "markdown", "cofio"]) {
    const { job } = await call("export_data", { format, deliver: "archive" });
    const download = await expect
      .poll(async () => (await call("export_data", { job_id: job.id })).download, {
        timeout: 30_000,
      })
      .toBeDefined()
      .then(async () => (await call("export_data", { job_id: job.id })).download);
    const response = await fetch(download.url, { headers: { authorization: `Bearer ${token}` } });
    text += await response.text();
  }
  await post("tools/call", { name: "export_data", arguments: { deliver: "inline" } });
  return text;
}

/** Breaks the database below the running server, so that tools fail with words in their hands. */
async function failInside(): Promise<void> {
  const files = await filesBelow(join(state, "v3/d1"));
  for (const file of files.filter((name) => name.endsWith(".sqlite"))) {
    const database = new DatabaseSync(file);
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE name = 'memories'");
    if (tables.all().length > 0) {
      database.exec("ALTER TABLE memories RENAME TO gone_memories");
      database.exec("ALTER TABLE jobs RENAME TO gone_jobs");
      database.exec("DROP TABLE messages_vocab");
    }
    database.close();
  }
  const failing: [tool: string, args: Record<string, unknown>][] = [
    [
      "save_memory",
      {
        content: `Lost ${canary("content when the database fails")}`,
        tags: [canary("tag when the database fails")],
        project: canary("project when the database fails"),
        idempotency_key: canary("key when the database fails"),
      },
    ],
    ["search_conversations", { query: canary("query when the database fails") }],
    [
      "import_data",
      {
        items: [
          {
            title: canary("title when the database fails"),
            messages: [{ role: "user", content: canary("message when the database fails") }],
          },
        ],
      },
    ],
  ];
  for (const [tool, args] of failing) {
    const { result } = await post("tools/call", { name: tool, arguments: args });
    expect(result?.isError, tool).toBe(true);
    const reference = /reference ([0-9a-f]+)/.exec(JSON.stringify(result))?.[1];
    expect(reference, tool).toEqual(expect.any(String));
    // The log knows the failure by its reference, so it is the failure that the log is searched for.
    await expect.poll(() => server.logs(), { timeout: 5_000 }).toContain(reference);
  }
}

function claudeExport(keep: (input: string) => string): string {
  return JSON.stringify([
    {
      uuid: canary("Claude conversation id"),
      name: `Named ${keep("Claude title")}`,
      summary: canary("Claude summary"),
      created_at: "2026-02-01T10:00:00Z",
      updated_at: "2026-02-01T10:05:00Z",
      chat_messages: [
        {
          uuid: canary("Claude message id"),
          sender: "human",
          text: "",
          content: [{ type: "text", text: `Wrote ${keep("Claude message")}` }],
          created_at: "2026-02-01T10:00:00Z",
          attachments: [
            {
              file_name: `${keep("attachment name")}.txt`,
              extracted_content: keep("attachment text"),
            },
          ],
          files: [{ file_name: `${keep("file of a message")}.png` }],
        },
        {
          uuid: canary("Claude answer id"),
          sender: "assistant",
          text: "",
          content: [
            { type: "thinking", thinking: canary("Claude thinking") },
            { type: "tool_use", name: "x", input: { text: canary("Claude tool") } },
            { type: "text", text: `Answered ${keep("Claude answer")}` },
          ],
          created_at: "2026-02-01T10:01:00Z",
        },
      ],
    },
    { uuid: "broken", name: `Broken ${canary("title of a skipped item")}`, chat_messages: 7 },
  ]);
}

function chatGptExport(keep: (input: string) => string): string {
  const node = (id: string, parent: string | null, children: string[], message: unknown) => ({
    [id]: { id, parent, children, message },
  });
  const said = (id: string, role: string, text: string) => ({
    id,
    author: { role, name: canary("ChatGPT author") },
    create_time: 1_770_000_000,
    content: { content_type: "text", parts: [text] },
  });
  const ids = [canary("ChatGPT message id"), canary("ChatGPT answer id"), "other-branch"] as const;
  return JSON.stringify([
    {
      id: canary("ChatGPT conversation id"),
      title: `Titled ${keep("ChatGPT title")}`,
      create_time: 1_770_000_000,
      update_time: 1_770_000_300,
      current_node: ids[1],
      default_model_slug: canary("ChatGPT model"),
      mapping: {
        ...node("root", null, [ids[0]], null),
        ...node(ids[0], "root", [ids[1], ids[2]], said(ids[0], "user", keep("ChatGPT message"))),
        ...node(ids[1], ids[0], [], said(ids[1], "assistant", keep("ChatGPT answer"))),
        ...node(ids[2], ids[0], [], said(ids[2], "assistant", canary("ChatGPT other branch"))),
      },
    },
    { id: "broken", title: canary("title of a broken ChatGPT chat"), mapping: 7 },
  ]);
}

function cofioExport(keep: (input: string) => string): string {
  return JSON.stringify({
    format: "cofio",
    version: 1,
    exported_at: "2026-01-01T00:00:00Z",
    [canary("unknown member of an export")]: canary("value of an unknown member"),
    memories: [
      {
        id: canary("Cofio memory id"),
        version: 1,
        content: `Restored ${keep("Cofio content")}`,
        category: canary("Cofio category"),
        tags: [keep("Cofio tag")],
        project: keep("Cofio project"),
        importance: 3,
        source: canary("Cofio source"),
        origin: canary("Cofio origin"),
        client: canary("Cofio client"),
        status: "active",
        created_at: "2026-01-01T00:00:00Z",
        updated_at: canary("Cofio updated_at"),
        superseded_by: canary("Cofio superseded_by"),
        asked_as: [keep("Cofio asked_as")],
      },
    ],
    conversations: [
      {
        id: canary("Cofio conversation id"),
        title: `Restored ${keep("Cofio title")}`,
        source: "claude",
        project: keep("Cofio conversation project"),
        messages: [
          {
            id: canary("Cofio message id"),
            role: "user",
            text: `Restored ${keep("Cofio message")}`,
            model: keep("Cofio model"),
            attachments: [{ name: keep("Cofio attachment"), text: keep("Cofio attachment text") }],
          },
        ],
      },
    ],
  });
}

/** A new word of 24 letters that looks like no other. */
function canary(input: string): string {
  const letters = [...crypto.getRandomValues(new Uint8Array(22))];
  const word = `qx${letters.map((byte) => String.fromCharCode(97 + (byte % 26))).join("")}`;
  canaries.set(word, input);
  return word;
}

/** Inputs and encodings of all canaries that stand in these bytes. */
function foundIn(bytes: Buffer): [input: string, encoding: string][] {
  // Without regard to case, which base64 does not survive.
  const folded = Buffer.from(bytes.toString("latin1").toLowerCase(), "latin1");
  const found: [string, string][] = [];
  for (const [word, input] of canaries) {
    for (const [encoding, needle] of needlesOf(word)) {
      if (folded.includes(needle)) found.push([input, encoding]);
    }
  }
  return found;
}

const needles = new Map<string, (readonly [encoding: string, needle: Buffer])[]>();

/** The word without its last letters, which stemming or the next bytes may change. */
function needlesOf(word: string) {
  const known = needles.get(word);
  if (known !== undefined) return known;
  const stem = Buffer.from(word.slice(0, 18));
  const base64 = [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), stem]).toString("base64");
    // What the bytes before and after do not reach.
    const inner = text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + 18) * 8) / 6));
    const url = inner.replaceAll("+", "-").replaceAll("/", "_");
    return [...new Set([inner, url])].map(
      (needle) => [`base64, ${shift} bytes on`, Buffer.from(needle.toLowerCase())] as const,
    );
  });
  const made = [
    ["UTF-8", stem] as const,
    ["UTF-16LE", Buffer.from(stem.toString(), "utf16le")] as const,
    ["UTF-16BE", Buffer.from(stem.toString(), "utf16le").swap16()] as const,
    ["hex", Buffer.from(stem.toString("hex"))] as const,
    ...base64,
  ];
  needles.set(word, made);
  return made;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function last(words: readonly string[]): string {
  return words.at(-1) ?? "";
}

/** The structured answer of a call that must succeed. */
async function call(tool: string, args: Record<string, unknown>): Promise<Record<string, any>> {
  const { result, error } = await post("tools/call", { name: tool, arguments: args });
  if (result === undefined || result.isError === true) {
    throw new Error(`${tool}: ${JSON.stringify(result ?? error)}`);
  }
  return result.structuredContent;
}

async function post(method: string, params: Record<string, unknown>) {
  return send(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
}

async function send(body: string): Promise<{ result?: any; error?: unknown }> {
  const response = await fetch(server.mcpUrl, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2025-06-18",
    },
    body,
  });
  const text = await response.text();
  return JSON.parse(/^data: (\{.*)$/m.exec(text)?.[1] ?? text);
}

async function upload(name: string, content: string): Promise<void> {
  const form = new FormData();
  form.append("files", new File([content], `${name}.json`));
  await fetch(`${server.origin}/api/imports`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: form,
  });
}

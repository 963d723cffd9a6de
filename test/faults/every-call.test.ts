/**
 * Writes of each kind (`WRITES`; what is tried elsewhere or not at all is named in `NOT_HERE`), with each of their calls to the database
 * failing once: before it is carried out, and where it writes also after, when only the answer gets lost. What is there then is what was there before, or what would be there without the fault; whoever was told that it
 * failed repeats it, and it is there once. And archives, with each call to R2 failing.
 */
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { createApi } from "../../src/http/api.ts";
import { tools } from "../../src/mcp/tools/index.ts";
import { removeExpiredArchives } from "../../src/transfer/export-job.ts";
import { openUser } from "../../src/user.ts";
import { countersOf, sumsOf } from "../support/counters.ts";
import { injectFaults, isInjected, withFaults, type Faults } from "../support/faults.ts";
import {
  callApi,
  callTool,
  exportArchive,
  fetchWorker,
  newPerson,
  type Person,
} from "../support/people.ts";
import { verified } from "../support/verify.ts";

// Answers are read key by key.
type Json = Record<string, any>;

/** How it was asked; the answer's text is its JSON. */
interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: Json;
}

interface Owner extends Person {
  /** The same account, through a token that nobody trusts. */
  readonly assistant: Person;
}

interface Write {
  /** The tool, or the route as the router has it. */
  readonly through: string;
  /** What it is about; its texts, tags and names carry the mark. */
  readonly prepare: (person: Owner, mark: string) => Promise<Request>;
  /** How the client that was told of a failure makes sure, where asking once more would not do. */
  readonly again?: (person: Person, asked: Request) => Promise<Request | null>;
  /** With what a repetition is refused when the first call was carried out. */
  readonly refusesTwice?: RegExp;
  /** Of what `rowsSince` reads it changes nothing. */
  readonly leavesRows?: true;
}

/** On a machine that does much else. */
const MANY_CALLS_MS = 120_000;

const WRITES: Readonly<Record<string, Write>> = {
  "a save with its key": {
    through: "save_memory",
    prepare: async (_, mark) =>
      tool("save_memory", { content: `${mark} likes tea`, tags: [mark], idempotency_key: mark }),
  },
  "a save that supersedes": {
    through: "save_memory",
    prepare: async (person, mark) => {
      const supersedes = await saved(person, `${mark} lives in Bonn`);
      return tool("save_memory", {
        content: `${mark} lives in Ulm`,
        supersedes,
        idempotency_key: mark,
      });
    },
  },
  "a save of what is known": {
    through: "save_memory",
    // The key is taken, and the memory that was known was used.
    leavesRows: true,
    prepare: async (person, mark) => {
      await saved(person, `${mark} likes tea`);
      return tool("save_memory", { content: `${mark} likes tea`, idempotency_key: mark });
    },
  },
  "an update at a version": {
    through: "update_memory",
    prepare: async (person, mark) => {
      const id = await saved(person, `${mark} owns a cat`);
      return tool("update_memory", {
        id,
        content: `${mark} owns two cats`,
        add_tags: [mark],
        if_version: 1,
      });
    },
    refusesTwice: /version_conflict/u,
  },
  "a restore from the trash": {
    through: "update_memory",
    prepare: async (person, mark) => {
      const id = await saved(person, `${mark} owns a dog`);
      await callTool(person, "delete_memory", { id });
      return tool("update_memory", { id, status: "active" });
    },
  },
  "an approval": {
    through: "update_memory",
    prepare: async (person, mark) => {
      await callApi(person, "PATCH", "/api/rules", { auto_save: [] });
      const id = await saved(person.assistant, `${mark} may have a dog`);
      await callApi(person, "PATCH", "/api/rules", { auto_save: null });
      return tool("update_memory", { id, status: "active" });
    },
  },
  "a deletion": {
    through: "delete_memory",
    prepare: async (person, mark) =>
      tool("delete_memory", { id: await saved(person, `${mark} owns a fish`), if_version: 1 }),
  },
  "an undo": {
    through: "POST /api/operations/:id/undo",
    prepare: async (person, mark) => {
      const id = await saved(person, `${mark} has a bike`);
      const { data } = await callTool(person, "update_memory", {
        id,
        content: `${mark} has a car`,
        tags: [mark],
      });
      return { method: "POST", path: `/api/operations/${data["operation_id"]}/undo` };
    },
  },
  "an undo of many": {
    through: "POST /api/operations/:id/undo",
    prepare: async (person, mark) => {
      const ids = [await saved(person, `${mark} one`), await saved(person, `${mark} two`)];
      const { data } = await callApi(person, "POST", "/api/memories/change", {
        ids,
        status: "trashed",
      });
      return { method: "POST", path: `/api/operations/${data["operation_id"]}/undo` };
    },
  },
  "a change of many": {
    through: "POST /api/memories/change",
    prepare: async (person, mark) => {
      const ids = [await saved(person, `${mark} one`), await saved(person, `${mark} two`)];
      return { method: "POST", path: "/api/memories/change", body: { ids, add_tags: [mark] } };
    },
  },
  rules: {
    through: "PATCH /api/rules",
    prepare: async (person) => {
      await callApi(person, "PATCH", "/api/rules", { blocked_tags: null });
      return { method: "PATCH", path: "/api/rules", body: { blocked_tags: ["private"] } };
    },
  },
  "a new file": {
    through: "POST /api/memory-tool",
    prepare: async (_, mark) =>
      command({ command: "create", path: pathOf(mark), file_text: `${mark} one` }),
    refusesTwice: /already exists/u,
  },
  "an edit of a file": {
    through: "POST /api/memory-tool",
    prepare: async (person, mark) => {
      await create(person, mark);
      return command({
        command: "str_replace",
        path: pathOf(mark),
        old_str: "one",
        new_str: "two",
      });
    },
    refusesTwice: /did not appear verbatim/u,
  },
  "a line put into a file": {
    through: "POST /api/memory-tool",
    prepare: async (person, mark) => {
      await create(person, mark);
      return command({
        command: "insert",
        path: pathOf(mark),
        insert_line: 0,
        insert_text: "zero",
      });
    },
    // A model that is told of a failure looks before it inserts again.
    again: async (person, asked) => {
      const { data } = await callApi(person, "POST", "/api/memory-tool", {
        command: "view",
        path: asked.body?.["path"],
      });
      return JSON.stringify(data).includes("zero") ? null : asked;
    },
  },
  "a file moved": {
    through: "POST /api/memory-tool",
    prepare: async (person, mark) => {
      await create(person, mark);
      const new_path = `${pathOf(mark)} moved`;
      return command({ command: "rename", old_path: pathOf(mark), new_path });
    },
    refusesTwice: /already exists/u,
  },
  "a directory deleted": {
    through: "POST /api/memory-tool",
    prepare: async (person, mark) => {
      await create(person, mark);
      return command({ command: "delete", path: `/memories/${mark}` });
    },
    refusesTwice: /does not exist/u,
  },
  "a store deleted": {
    through: "DELETE /v1/memory_stores/:store",
    prepare: async (person, mark) => {
      const { data } = await callApi(person, "POST", "/v1/memory_stores", { name: mark });
      const path = `/v1/memory_stores/${data["id"]}`;
      await callApi(person, "POST", `${path}/memories`, { path: "/a", content: `${mark} a` });
      return { method: "DELETE", path };
    },
    refusesTwice: /not_found_error/u,
  },
  "a store renamed": {
    through: "POST /v1/memory_stores/:store",
    prepare: async (person, mark) => {
      const { data } = await callApi(person, "POST", "/v1/memory_stores", { name: mark });
      const path = `/v1/memory_stores/${data["id"]}`;
      await callApi(person, "POST", `${path}/memories`, { path: "/a", content: `${mark} a` });
      return { method: "POST", path, body: { name: `${mark} renamed` } };
    },
  },
  "an import": {
    through: "import_data",
    prepare: async (_, mark) => tool("import_data", chat(mark)),
  },
  "a conversation deleted": {
    through: "DELETE /api/conversations/:id",
    prepare: async (person, mark) => {
      await callTool(person, "import_data", chat(mark));
      const { data } = await callTool(person, "list_conversations", { limit: 100 });
      const { id } = data["conversations"].find(({ title }: Json) => title === `${mark} chat`);
      return { method: "DELETE", path: `/api/conversations/${id}` };
    },
  },
};

/** Tools, and routes that are no GET, through which nothing is written above. */
const NOT_HERE = {
  reading: [
    "POST /api/memories/search",
    "POST /api/memories/list",
    "POST /api/conversations/search",
    "POST /api/conversations/:id/search",
    "POST /api/rules/effects",
    "POST /api/imports/check",
    "POST /api/sync/lines",
    "POST /api/undo/preview",
  ],
  asTheToolAbove: ["POST /api/memories", "PATCH /api/memories/:id", "DELETE /api/memories/:id"],
  /** The work behind them, in `send.test.ts`, `archive-faults.test.ts` and `backup-faults.test.ts`. */
  inTransfer: [
    "export_data",
    "POST /api/exports",
    "POST /api/imports",
    "POST /api/imports/begin",
    "POST /api/imports/:id/batches",
    "POST /api/imports/:id/finish",
    "POST /api/imports/restore",
    "POST /api/imports/:id/lines",
    "POST /api/backups",
    "POST /api/backups/:id/rehearse",
    "POST /api/backups/:id/restore",
  ],
  /** With a database that fails nowhere. */
  nowhere: [
    "POST /api/conversations/delete",
    "POST /api/conversations/restore",
    "POST /api/conversations/:id/restore",
    "POST /api/imports/:id/cancel",
    "DELETE /api/backups/:id",
    "POST /api/sync/begin",
    "POST /api/sync/write",
    "POST /api/undo",
    "POST /api/verify",
    "POST /v1/memory_stores",
    "POST /v1/memory_stores/:store/archive",
    "POST /v1/memory_stores/:store/memories",
    "POST /v1/memory_stores/:store/memories/:memory",
    "DELETE /v1/memory_stores/:store/memories/:memory",
    "POST /v1/memory_stores/:store/memory_versions/:version/redact",
  ],
} as const;

test("each tool and route that may write is tried here, or named as one that is not", () => {
  const api = createApi({ account: {} } as Parameters<typeof createApi>[0]);
  const routes = api.routes
    .filter(({ method }) => method !== "ALL" && method !== "GET")
    .map(({ method, path }) => `${method} ${path}`);
  const writing = tools.filter(({ annotations }) => !annotations.readOnlyHint);
  const tried = new Set(Object.values(WRITES).map(({ through }) => through));
  expect([...tried, ...Object.values(NOT_HERE).flat()].toSorted()).toEqual(
    [...new Set([...routes, ...writing.map(({ name }) => name)])].toSorted(),
  );
});

test.each(Object.keys(WRITES))(
  "%s",
  async (name) => {
    // What failed is logged under a reference.
    vi.spyOn(console, "error").mockImplementation(() => {});
    const write = WRITES[name];
    if (write === undefined) throw new Error("No such write");
    const account = crypto.randomUUID();
    const assistant = await newPerson({ name: account });
    const person = { ...(await newPerson({ name: account, trusted: true })), assistant };
    // An account has no row of counters before.
    await saved(person, "The first one");
    const faults = await injectFaults(person);
    let cases = 0;
    const begin = async () => {
      const since = await newestOperation(person);
      const asked = await write.prepare(person, `case${++cases}x`);
      return { asked, look: () => rowsSince(person, since) };
    };

    const undisturbed = await begin();
    expect(isThrough(undisturbed.asked, write.through)).toBe(true);
    const before = await undisturbed.look();
    const writing: number[] = [];
    faults.calls = 0;
    faults.wrote = (call) => writing.push(call);
    expect(await send(person, undisturbed.asked)).toMatchObject({ isDone: true });
    delete faults.wrote;
    const { calls } = faults;
    const after = await undisturbed.look();
    expect(writing).not.toEqual([]);
    if (write.leavesRows === true) expect(after).toEqual(before);
    else expect(after).not.toEqual(before);

    const reading = Array.from({ length: calls }, (_, at) => at + 1);
    for (const [failing, at] of [
      ...reading.map((call) => ["before", call] as const),
      ...writing.map((call) => ["after", call] as const),
    ]) {
      const where = `${failing} call ${at} of ${calls}`;
      const { asked, look } = await begin();
      let hasFailed = false;
      faults.calls = 0;
      faults.failing = (call) => {
        if (call !== at) return null;
        hasFailed = true;
        return failing;
      };
      const said = await send(person, asked);
      faults.failing = () => null;
      expect(hasFailed, where).toBe(true);
      const there = await look();
      if (said.isDone) {
        expect(there, where).toEqual(after);
        continue;
      }
      expect([before, after], where).toContainEqual(there);
      expect(said.problem, where).toMatch(FAILED);
      const wanted = write.again === undefined ? asked : await write.again(person, asked);
      if (wanted === null) continue;
      const repeated = await send(person, wanted);
      expect(await look(), `${where}, repeated`).toEqual(after);
      if (!repeated.isDone) expect(repeated.problem, where).toMatch(write.refusesTwice ?? /^$/u);
    }
    expect(await countersOf(person)).toEqual(await sumsOf(person));
    expect(await verified(person)).toMatchObject({ repaired: {}, left: {} });
  },
  MANY_CALLS_MS,
);

test("an archive of which R2 does not give a part is never taken for whole", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const person = await newPerson();
  await saved(person, "Likes tea");
  const { data } = await exportArchive(person, { format: "cofio" });
  const path = new URL(data["download"].url).pathname;
  const faults = await injectFaults(person);
  const download = async (): Promise<string | null> => {
    const headers = { authorization: `Bearer ${person.token}` };
    const response = await fetchWorker(path, { headers });
    const bytes = await response.bytes().catch(() => null);
    return response.ok && bytes !== null ? bytes.toBase64() : null;
  };
  const whole = await download();
  expect(whole).not.toBeNull();
  const { calls } = faults;
  for (let at = 1; at <= calls; at++) {
    faults.calls = 0;
    faults.failing = (call) => (call === at ? "before" : null);
    // What the person is reminded of beside it, such as a schedule, may fail without the archive.
    expect([null, whole]).toContain(await download());
    expect(faults.calls).toBeGreaterThanOrEqual(at);
  }
  faults.failing = () => null;
  expect(await download()).toBe(whole);
});

test.each(["before", "after"] as const)(
  "what R2 is to let go of and does not, failing %s it did, goes the next time",
  async (failing) => {
    const person = await newPerson();
    await saved(person, "Likes tea");
    const open = async (on: Pick<Env, "DB" | "ARCHIVES">) => {
      const account = await openUser({ ...env, ...on }, person.userId);
      if (account === null) throw new Error("There is no such user");
      return account;
    };
    const kept = async () =>
      (await env.ARCHIVES.list({ prefix: `archives/${person.userId}/` })).objects.length;
    const later = Date.now() + 365 * 86_400_000;
    // Listing the exports, listing the objects, removing those, removing the job, asking whether there are more.
    for (let at = 1; at <= 5; at++) {
      await exportArchive(person, { format: "json" });
      expect(await kept()).toBeGreaterThan(0);
      const faults: Faults = { calls: 0, asked: 0, failing: () => null };
      const account = await open(withFaults(faults));
      faults.calls = 0;
      faults.failing = (call) => (call === at ? failing : null);
      await expect(removeExpiredArchives(account, later)).rejects.toSatisfy(isInjected);
      expect(await removeExpiredArchives(await open(env), later)).toBe(false);
      expect(await kept()).toBe(0);
    }
  },
);

/** In the words that a person is shown: a failure, and what to do. */
const FAILED = /Something went wrong on the server \(reference [0-9a-f]{8}\)/u;

interface Said {
  readonly isDone: boolean;
  readonly problem: string | null;
}

function isThrough({ method, path, body }: Request, through: string): boolean {
  if (path === "/mcp") return body?.["params"].name === through;
  const route = through.replaceAll(/:\w+/gu, "[^/]+");
  return new RegExp(`^${route}$`, "u").test(`${method} ${path}`);
}

async function send(person: Person, { method, path, body }: Request): Promise<Said> {
  const response = await fetchWorker(path, {
    method,
    headers: {
      authorization: `Bearer ${person.token}`,
      "content-type": "application/json",
      "mcp-protocol-version": "2025-06-18",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const data = JSON.parse(/^data: (.*)$/mu.exec(text)?.[1] ?? text) as Json;
  const isDone = response.ok && data["result"]?.isError !== true && data["is_error"] !== true;
  return {
    isDone,
    problem: isDone ? null : JSON.stringify(data),
  };
}

/** What the rows say in the clear of all that was made since an operation, and which operations those were. */
const SQL_ROWS = [
  `SELECT status, version, body_version, category, importance, superseded_by IS NOT NULL AS superseded, path_token IS NOT NULL AS placed,
    (SELECT count(*) FROM memory_labels l WHERE l.user_id = ?1 AND l.seq = m.seq) AS labels,
    (SELECT group_concat(v.version || v.status) FROM memory_versions v WHERE v.user_id = ?1 AND v.id = m.id) AS earlier
  FROM memories m WHERE user_id = ?1 AND created_op > ?2 ORDER BY seq`,
  `SELECT status, version, message_count,
    (SELECT count(*) FROM messages s WHERE s.user_id = ?1 AND s.conversation = c.id) AS messages
  FROM conversations c WHERE user_id = ?1 AND created_op > ?2`,
  "SELECT kind, counts FROM operations WHERE user_id = ?1 AND id > ?2 ORDER BY id",
  "SELECT rules, rule_words IS NULL AS wordless FROM accounts WHERE user_id = ?1 AND ?2 IS NOT NULL",
];

async function rowsSince({ userId }: Person, operation: string): Promise<unknown> {
  const answers = await env.DB.batch(
    SQL_ROWS.map((query) => env.DB.prepare(query).bind(userId, operation)),
  );
  return answers.map(({ results }) => results);
}

async function newestOperation({ userId }: Person): Promise<string> {
  const newest = env.DB.prepare("SELECT max(id) FROM operations WHERE user_id = ?").bind(userId);
  return (await newest.first<string>("max(id)")) ?? "";
}

async function saved(person: Person, content: string): Promise<string> {
  const { data } = await callTool(person, "save_memory", { content });
  return data["memory"].id;
}

function tool(name: string, args: Json): Request {
  const params = { name, arguments: args };
  return {
    method: "POST",
    path: "/mcp",
    body: { jsonrpc: "2.0", id: 1, method: "tools/call", params },
  };
}

function command(body: Json): Request {
  return { method: "POST", path: "/api/memory-tool", body };
}

function pathOf(mark: string): string {
  return `/memories/${mark}/notes`;
}

async function create(person: Person, mark: string): Promise<void> {
  const body = { command: "create", path: pathOf(mark), file_text: `${mark} one` };
  await callApi(person, "POST", "/api/memory-tool", body);
}

function chat(mark: string): Json {
  const messages = [
    { role: "user", content: `${mark} asks when bees swarm` },
    { role: "assistant", content: "In May" },
  ];
  return {
    items: [
      { platform: "Chat", id: mark, title: `${mark} chat`, messages },
      { content: `${mark} keeps bees` },
    ],
  };
}

/**
 * Writes of each kind (`WRITES`; what is tried elsewhere is named in `NOT_HERE`), with each of their calls to database and bucket failing
 * once: before it is carried out, and where it writes also after, when only the answer gets lost. What is there then is what was there
 * before, or what would be there without the fault; whoever was told that it failed repeats it, and it is there once. And archives, with
 * each call to R2 failing.
 */
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { createApi } from "../../src/http/api.ts";
import { tools } from "../../src/mcp/tools/index.ts";
import { accountStats } from "../../src/memory/stats.ts";
import { removeExpiredArchives } from "../../src/transfer/export-job.ts";
import { openUser } from "../../src/user.ts";
import { newId } from "../../src/vault/ids.ts";
import { backedUpAtOnce } from "../support/backups.ts";
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
import { damaged, verified } from "../support/verify.ts";

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
  /** What is to be seen of it elsewhere. */
  readonly look?: (person: Person, asked: Request) => Promise<unknown>;
  /** It changes nothing at all. */
  readonly writesNothing?: true;
  /** It is several batches by design: one that failed may have stopped between them, and what is asked again goes on. */
  readonly stopsBetween?: true;
  /** One request does a part: it is sent until an answer says so. */
  readonly isEnd?: (answer: Json) => boolean;
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
      const { path } = await store(person, mark);
      return { method: "DELETE", path };
    },
    refusesTwice: /not_found_error/u,
  },
  "a store renamed": {
    through: "POST /v1/memory_stores/:store",
    prepare: async (person, mark) => {
      const { path } = await store(person, mark);
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
      const [id] = await imported(person, [mark]);
      return { method: "DELETE", path: `/api/conversations/${id}` };
    },
  },
  "conversations deleted": {
    through: "POST /api/conversations/delete",
    prepare: async (person, mark) => {
      const ids = await imported(person, [`${mark} one`, `${mark} two`]);
      return { method: "POST", path: "/api/conversations/delete", body: { ids } };
    },
  },
  "conversations restored": {
    through: "POST /api/conversations/restore",
    prepare: async (person, mark) => {
      const ids = await imported(person, [`${mark} one`, `${mark} two`]);
      await callApi(person, "POST", "/api/conversations/delete", { ids });
      return { method: "POST", path: "/api/conversations/restore", body: { ids } };
    },
  },
  "a conversation restored": {
    through: "POST /api/conversations/:id/restore",
    prepare: async (person, mark) => {
      const [id] = await imported(person, [mark]);
      await callApi(person, "DELETE", `/api/conversations/${id}`);
      return { method: "POST", path: `/api/conversations/${id}/restore` };
    },
  },
  "an import cancelled": {
    through: "POST /api/imports/:id/cancel",
    prepare: async (person, mark) => {
      const format = { name: "a.json", format: "Claude conversations", source: "claude" };
      const { data } = await callApi(person, "POST", "/api/imports/begin", {
        files: [{ outcome: "read", ...format, truncated: false }],
        totals: { conversation: 0, message: 0, memory: 2 },
        key: mark,
        bytesTotal: 2,
      });
      const path = `/api/imports/${data["job"].id}`;
      const provenance = { platform: "cofio", id: mark };
      const memory = { source: "cofio", provenance, content: `${mark} grows figs`, tags: [] };
      const records = [{ type: "memory", memory }];
      await callApi(person, "POST", `${path}/batches`, { number: 1, records, bytesRead: 1 });
      return { method: "POST", path: `${path}/cancel` };
    },
    look: async (person, { path }) => {
      const { data } = await callApi(person, "GET", path.replace(/\/cancel$/u, ""));
      return [data["job"].state, data["items"]];
    },
  },
  "a backup removed": {
    through: "DELETE /api/backups/:id",
    prepare: async (person) => ({
      method: "DELETE",
      path: `/api/backups/${await backedUpAtOnce(person)}`,
    }),
    // Nobody restores what is cancelled; then its objects go, then the job.
    stopsBetween: true,
    look: async (person, { path }) => {
      const { status } = await callApi(person, "GET", path);
      const id = path.split("/").at(-1);
      const kept = await env.ARCHIVES.list({ prefix: `backups/${person.userId}/${id}/` });
      return [status, kept.objects.length > 0];
    },
    refusesTwice: /no backup with this id/u,
  },
  "a sync begun": {
    through: "POST /api/sync/begin",
    // Its operation is made by the first write.
    writesNothing: true,
    prepare: async () => ({ method: "POST", path: "/api/sync/begin", body: {} }),
  },
  "a sync's write": {
    through: "POST /api/sync/write",
    // Memories are one batch, conversations the next.
    stopsBetween: true,
    prepare: async (person, mark) => {
      const { data } = await callApi(person, "POST", "/api/sync/begin", {});
      const body = { operation_id: data["operation_id"], ...unitsOf(mark) };
      return { method: "POST", path: "/api/sync/write", body };
    },
  },
  "an undo of a client": {
    through: "POST /api/undo",
    // Each of its operations is undone by itself.
    stopsBetween: true,
    prepare: async (person, mark) => {
      const id = await saved(person.assistant, `${mark} has a boat`);
      await callTool(person.assistant, "update_memory", { id, content: `${mark} has a ship` });
      const { data } = await callApi(person, "GET", "/api/operations?limit=2");
      const [, { grant_id, created_at }] = data["operations"];
      return { method: "POST", path: "/api/undo", body: { grant_id, since: created_at } };
    },
  },
  "an integrity check that repairs": {
    through: "POST /api/verify",
    stopsBetween: true,
    isEnd: ({ check }) => check.state === "finished",
    // The account's first memory, again each time: more of them would be more parts.
    prepare: async (person) => {
      for (const damage of DAMAGES) await damaged(person, damage);
      return { method: "POST", path: "/api/verify" };
    },
    look: async (person) => {
      const rows = await env.DB.prepare(SQL_DERIVED).bind(person.userId).first();
      const { data } = await callApi(person, "GET", "/api/verify");
      return [rows, data["check"]?.left];
    },
  },
  "a new store": {
    through: "POST /v1/memory_stores",
    prepare: async (_, mark) => ({
      method: "POST",
      path: "/v1/memory_stores",
      body: { name: mark, description: `${mark} notes` },
    }),
    refusesTwice: /There is a memory store called/u,
  },
  "a store archived": {
    through: "POST /v1/memory_stores/:store/archive",
    prepare: async (person, mark) => {
      const { path } = await store(person, mark);
      return { method: "POST", path: `${path}/archive` };
    },
  },
  "a new memory of a store": {
    through: "POST /v1/memory_stores/:store/memories",
    prepare: async (person, mark) => {
      const { path } = await store(person, mark);
      const body = { path: "/b", content: `${mark} b` };
      return { method: "POST", path: `${path}/memories`, body };
    },
    refusesTwice: /memory_path_conflict_error/u,
  },
  "a memory of a store changed and moved": {
    through: "POST /v1/memory_stores/:store/memories/:memory",
    prepare: async (person, mark) => {
      const { path, memory } = await store(person, mark);
      const body = { path: "/c", content: `${mark} c` };
      return { method: "POST", path: `${path}/memories/${memory["id"]}`, body };
    },
  },
  "a memory of a store deleted": {
    through: "DELETE /v1/memory_stores/:store/memories/:memory",
    prepare: async (person, mark) => {
      const { path, memory } = await store(person, mark);
      return { method: "DELETE", path: `${path}/memories/${memory["id"]}` };
    },
    refusesTwice: /not_found_error/u,
  },
  "an earlier text redacted": {
    through: "POST /v1/memory_stores/:store/memory_versions/:version/redact",
    prepare: async (person, mark) => {
      const { path, memory } = await store(person, mark);
      const changes = { content: `${mark} without it` };
      await callApi(person, "POST", `${path}/memories/${memory["id"]}`, changes);
      const version = `${path}/memory_versions/${memory["memory_version_id"]}`;
      return { method: "POST", path: `${version}/redact` };
    },
    look: async (person, { path }) => {
      const { data } = await callApi(person, "GET", path.replace(/\/redact$/u, "?view=full"));
      return [data["redacted_at"] === null, data["content"] === null];
    },
  },
};

/** Tools, and routes that are no GET, which are not tried above. */
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
    await callTool(person, "save_memory", { content: "The first one", tags: ["first"] });
    const faults = await injectFaults(person);
    let cases = 0;
    const begin = async () => {
      const since = await newestOperation(person);
      const asked = await write.prepare(person, `case${++cases}x`);
      const look = async () => [await rowsSince(person, since), await write.look?.(person, asked)];
      return { asked, look };
    };

    const undisturbed = await begin();
    expect(isThrough(undisturbed.asked, write.through)).toBe(true);
    const before = await undisturbed.look();
    // Counted now, and kept.
    await talliesThere(person);
    const writing: number[] = [];
    faults.calls = 0;
    faults.wrote = (call) => writing.push(call);
    expect(await sendToEnd(person, undisturbed.asked, write)).toMatchObject({ isDone: true });
    delete faults.wrote;
    const { calls } = faults;
    const after = await undisturbed.look();
    expect(await talliesThere(person)).toEqual(await talliesCounted(person));
    expect(writing.length === 0).toBe(write.writesNothing === true);
    if (write.leavesRows === true || write.writesNothing === true) expect(after).toEqual(before);
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
      const said = await sendToEnd(person, asked, write);
      faults.failing = () => null;
      expect(hasFailed, where).toBe(true);
      const there = await look();
      if (said.isDone) {
        expect(there, where).toEqual(after);
        continue;
      }
      if (write.stopsBetween !== true) expect([before, after], where).toContainEqual(there);
      expect(said.problem, where).toMatch(FAILED);
      const next = write.again === undefined ? asked : await write.again(person, asked);
      if (next === null) continue;
      const repeated = await sendToEnd(person, next, write);
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
  readonly data: Json;
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
  return { isDone, problem: isDone ? null : JSON.stringify(data), data };
}

async function sendToEnd(
  person: Person,
  asked: Request,
  { isEnd = () => true }: Pick<Write, "isEnd">,
): Promise<Said> {
  for (;;) {
    const said = await send(person, asked);
    if (!said.isDone || isEnd(said.data)) return said;
  }
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

/** Each is repaired in another part of the check. */
const DAMAGES = [
  "DELETE FROM memory_labels WHERE user_id = ?1",
  "DELETE FROM memories_fts WHERE rowid IN (SELECT seq FROM memories WHERE user_id = ?1)",
  "UPDATE accounts SET memories_active = memories_active + 9 WHERE user_id = ?1",
];
const SQL_DERIVED = `SELECT memories_active, (SELECT count(*) FROM memory_labels l WHERE l.user_id = ?1) AS labels,
    (SELECT count(*) FROM memories_fts_docsize WHERE id IN (SELECT seq FROM memories m WHERE m.user_id = ?1)) AS entries
  FROM accounts WHERE user_id = ?1`;

async function newestOperation({ userId }: Person): Promise<string> {
  const newest = env.DB.prepare("SELECT max(id) FROM operations WHERE user_id = ?").bind(userId);
  return (await newest.first<string>("max(id)")) ?? "";
}

async function saved(person: Person, content: string): Promise<string> {
  const { data } = await callTool(person, "save_memory", { content });
  return data["memory"].id;
}

/** As the person's object tells them: it counts where something has changed. */
async function talliesThere(person: Person): Promise<unknown> {
  const { memories, conversations, top_tags } = (await callTool(person, "get_stats", {})).data;
  const { by_category, by_source, by_client, by_month } = memories;
  return [by_category, by_source, by_client, by_month, conversations.by_platform, top_tags];
}

async function talliesCounted({ userId }: Person): Promise<unknown> {
  const account = await openUser(env, userId);
  if (account === null) throw new Error("There is no such user");
  const { memories, conversations, topTags } = await accountStats(account);
  const { byCategory, bySource, byClient, byMonth } = memories;
  return [byCategory, bySource, byClient, byMonth, conversations.byPlatform, topTags];
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

/** A chat for each of them. @returns ids of the conversations */
async function imported(person: Person, marks: readonly string[]): Promise<string[]> {
  const items = marks.flatMap((mark) => chat(mark)["items"]);
  const { data } = await callTool(person, "import_data", { items });
  const { results } = await env.DB.prepare(
    "SELECT id FROM conversations WHERE user_id = ? AND created_op = ?",
  )
    .bind(person.userId, data["operation_id"])
    .all<{ id: string }>();
  expect(results).toHaveLength(marks.length);
  return results.map(({ id }) => id);
}

/** With a memory in it. */
async function store(
  person: Person,
  mark: string,
): Promise<{ readonly path: string; readonly memory: Json }> {
  const { data } = await callApi(person, "POST", "/v1/memory_stores", { name: mark });
  const path = `/v1/memory_stores/${data["id"]}`;
  const draft = { path: "/a", content: `${mark} a` };
  const { data: memory } = await callApi(person, "POST", `${path}/memories`, draft);
  return { path, memory };
}

/** What another side has: a memory that was changed once, and a chat. */
function unitsOf(mark: string): Json {
  const now = new Date().toISOString();
  const op = "a".repeat(16);
  const by = { client: "Elsewhere", grant_id: "elsewhere", created_op: op, changed_op: op };
  const times = { created_at: now, updated_at: now };
  const [memory, conversation] = [newId(), newId()];
  const state = {
    id: memory,
    status: "active",
    category: "other",
    tags: [mark],
    importance: 3,
    source: "api",
    origin: "user",
    ...by,
    ...times,
    last_used_at: now,
  };
  const replaced = { replaced_op: op, replaced_at: now };
  const states = [
    { type: "memory_version", ...state, version: 1, content: `${mark} has a kite`, ...replaced },
    { type: "memory", ...state, version: 2, content: `${mark} has two kites` },
  ];
  const chatState = {
    type: "conversation",
    id: conversation,
    version: 1,
    status: "active",
    source: "other",
    title: `${mark} chat`,
    ...by,
    ...times,
  };
  const messages = ["user", "assistant"].map((role, position) => ({
    type: "message",
    conversation,
    id: newId(),
    position,
    version: 1,
    role,
    text: `${mark} ${role}`,
    created_at: now,
    created_op: op,
    changed_op: op,
  }));
  return {
    memories: [{ id: memory, expected: null, states }],
    conversations: [
      { id: conversation, expected: null, version: 1, states: [chatState], messages },
    ],
  };
}

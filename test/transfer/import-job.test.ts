/** What `/api/imports` takes from a client that speaks for itself, and what it refuses. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { beginImport, getImport, importBatch } from "../../src/transfer/import-job.ts";
import type { BatchRecord } from "../../src/transfer/batches.ts";
import { openUser } from "../../src/user.ts";
import { downloadArchive } from "../support/archives.ts";
import { watched } from "../support/watched-d1.ts";
import { callApi, callTool, fetchWorker, newPerson, type Person } from "../support/people.ts";

const FILE = {
  outcome: "read",
  name: "a.json",
  format: "Claude conversations",
  source: "claude",
  truncated: false,
} as const;
const TOTALS = { conversation: 9, message: 9, memory: 9 };
/** Of the shape of Cofio's own. */
const OWN_ID = "abcdefghij23";

function chat(id: string, texts: readonly string[], more: object = {}) {
  return {
    type: "conversation",
    conversation: {
      source: "claude",
      provenance: { platform: "claude", id },
      title: `About ${id}`,
      createdAt: null,
      updatedAt: 1_780_000_000_000,
      messages: texts.map((text, index) => ({
        provenance: { id: `${id}-${index}` },
        role: "user",
        text,
        createdAt: null,
        attachments: [],
        ...("ownId" in more ? { ownId: OWN_ID } : {}),
      })),
      ...more,
    },
  };
}

function fact(id: string, content: string, more: object = {}) {
  return {
    type: "memory",
    memory: {
      source: "cofio",
      provenance: { platform: "cofio", id },
      content,
      tags: [],
      ...more,
    },
  };
}

async function begin(person: Person, more: object = {}): Promise<Record<string, any>> {
  const { data } = await callApi(person, "POST", "/api/imports/begin", {
    files: [FILE],
    totals: TOTALS,
    key: "k",
    bytesTotal: 1,
    ...more,
  });
  return data;
}

function send(person: Person, jobId: string, number: number, records: readonly unknown[]) {
  const body = { number, records, bytesRead: 1 };
  return callApi(person, "POST", `/api/imports/${jobId}/batches`, body);
}

async function open(person: Person, on: Env = env) {
  const account = await openUser(on, person.userId);
  if (account === null) throw new Error("There is no such user");
  return account;
}

function callerAt(now: number) {
  return { grantId: "g", client: "Test", source: "api", trusted: false, now } as const;
}

test("the restore of an archive takes no batches of an import", async () => {
  const { files } = await downloadArchive(await newPerson());
  const person = await newPerson({ trusted: true });
  const { data } = await callApi(person, "POST", "/api/imports/restore", {
    name: "manifest.json",
    manifestText: files.get("manifest.json"),
    totals: TOTALS,
  });
  const { id } = data["job"];
  expect((await send(person, id, 1, [fact("x", "Likes rye")])).status).toBe(404);
  const { data: asked } = await callApi(person, "GET", `/api/imports/${id}`);
  expect(asked["job"]).toMatchObject({ state: "created", next_batch: 1 });
});

test("a late tab that sends a batch which is there already hears how the import ended", async () => {
  const person = await newPerson();
  const { id } = (await begin(person))["job"];
  await send(person, id, 1, [fact("x", "Likes rye")]);
  await callApi(person, "POST", `/api/imports/${id}/finish`, {});
  const late = await send(person, id, 1, [fact("x", "Likes rye")]);
  expect(late).toMatchObject({ status: 200, data: { job: { state: "finished" } } });
  expect((await send(person, id, 2, [])).status).toBe(400);
});

test("a batch larger than begin allows is refused, in items and in bytes, whatever its headers say", async () => {
  const person = await newPerson();
  const { job, limits } = await begin(person);
  const many = Array.from({ length: limits.memories + 1 }, (_, at) => fact(`${at}`, `Fact ${at}`));
  expect(await send(person, job.id, 1, many)).toMatchObject({
    status: 413,
    data: { error: { code: "too_large", message: expect.stringContaining("41 memories") } },
  });
  const texts = Array.from({ length: limits.messages + 1 }, (_, at) => `Line ${at}`);
  expect((await send(person, job.id, 1, [chat("x", texts)])).status).toBe(413);
  for (const path of [`/${job.id}/batches`, ""]) {
    const response = await fetchWorker(`/api/imports${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${person.token}`, "content-type": "application/json" },
      // A stream has no length.
      body: new Blob(Array.from({ length: 26 }, () => "x".repeat(1_048_576))).stream(),
    });
    expect([path, response.status]).toEqual([path, 413]);
  }
  expect((await callTool(person, "get_stats")).data["memories"].active).toBe(0);
});

test("an import that waits for quota names the midnight after it began to wait, on the next day too", async () => {
  const account = await open(await newPerson());
  const noon = Date.UTC(2026, 10, 20, 12);
  const upload = { files: [FILE], totals: TOTALS, key: "k" };
  const { id } = await beginImport(account, upload, callerAt(noon));
  await account.jobs.setState(id, "waiting_quota", noon);
  expect((await getImport(account, id)).resumeAt).toBe(Date.UTC(2026, 10, 21));
});

test("a format that Cofio does not know is refused: what stands in the clear is none of a client's words", async () => {
  const person = await newPerson();
  const answer = await begin(person, { files: [{ ...FILE, format: "my diagnosis" }] });
  expect(answer).toMatchObject({ error: { code: "invalid_input" } });
});

test("the title of a conversation in the trash is told to nobody who may only import", async () => {
  const name = `owner ${crypto.randomUUID()}`;
  const person = await newPerson({ name });
  const { id } = (await begin(person))["job"];
  await send(person, id, 1, [chat("x", ["a"], { title: "My secret illness" })]);
  const { data } = await callTool(person, "list_conversations");
  await callApi(person, "DELETE", `/api/conversations/${data["conversations"][0].id}`);
  const app = await newPerson({ name, scopes: ["data:import"] });
  const { id: other } = (await begin(app, { key: "other" }))["job"];
  const untitled = await send(app, other, 1, [chat("x", ["a"], { title: null })]);
  expect(untitled.data["items"].by_kind.conversation).toMatchObject({ skipped: 1 });
  expect(JSON.stringify(untitled.data)).not.toContain("illness");
});

test("an id that a file gives to several items goes to the first; the others are stored under ids of their own", async () => {
  const person = await newPerson();
  const ownId = OWN_ID;
  const { id } = (await begin(person))["job"];
  const first = await send(person, id, 1, [
    chat("x", ["one", "two"], { ownId }),
    chat("y", ["three"], { ownId }),
    fact("m", "Likes rye", { ownId }),
    fact("n", "Owns a cat", { ownId }),
  ]);
  expect(first.data["items"].by_kind).toMatchObject({
    conversation: { new: 2 },
    message: { new: 3 },
    memory: { new: 2 },
  });
  const second = await send(person, id, 2, [
    chat("z", ["four"], { ownId }),
    fact("o", "Plays chess", { ownId }),
  ]);
  expect(second.data["items"].by_kind).toMatchObject({
    conversation: { new: 3 },
    memory: { new: 3 },
  });
  const { data: stats } = await callTool(person, "get_stats");
  expect(stats).toMatchObject({
    conversations: { total: 3, messages: 4 },
    memories: { active: 3 },
  });
  const { data } = await callTool(person, "get_conversation", { id: ownId });
  expect(data["messages"].map(({ text }: { text: string }) => text)).toEqual(["one", "two"]);
});

test("what a save has stored meanwhile is unchanged, and not over the limit", async () => {
  const person = await newPerson();
  const account = await open(person);
  const upload = { files: [FILE], totals: { ...TOTALS, memory: 2 }, key: "k" };
  const { id } = await beginImport(account, upload, callerAt(Date.now()));
  const racing = {
    ...account,
    imports: {
      ...account.imports,
      async write(...args: Parameters<typeof account.imports.write>) {
        await callTool(person, "save_memory", { content: "Likes rye" });
        return account.imports.write(...args);
      },
    },
  };
  // True as far as the schema of a batch is concerned.
  const records = [fact("x", "Likes rye"), fact("y", "Owns a cat")] as BatchRecord[];
  const job = await importBatch(racing, id, { number: 1, records }, callerAt(Date.now()));
  expect(job.report.byKind.memory).toMatchObject({ new: 1, unchanged: 1, skipped: 0 });
});

test("of thousands of files the report names a hundred, those that were not read first, and counts the others", async () => {
  const person = await newPerson();
  let longest = 0;
  const spied = watchedValues((length) => (longest = Math.max(longest, length)));
  const account = await open(person, { ...env, DB: spied });
  const files = Array.from({ length: 9_000 }, (_, at) => ({
    ...FILE,
    name: `projects.zip/-home-me-work-project/${at}-aaaa-bbbb-cccc-ddddeeeeffff.jsonl`,
  }));
  const unread = {
    outcome: "not_read",
    name: "user.json",
    reason: "personal_data",
    message: "Never read.",
    hint: "None.",
  } as const;
  const upload = { files: [...files, unread], totals: TOTALS, key: "k" };
  const { report } = await beginImport(account, upload, callerAt(Date.now()));
  expect(longest).toBeGreaterThan(1_000);
  expect(longest).toBeLessThan(100_000);
  expect(report.files).toHaveLength(100);
  expect(report.files[0]).toMatchObject({ name: "user.json" });
  expect(report.moreFiles).toBe(8_901);
});

test("a message that shrinks too little for a row is skipped, and a check says so before", async () => {
  const person = await newPerson();
  let state = 1;
  const noise = Array.from({ length: 1_000_000 }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return BASE64.charAt(state % 64);
  }).join("");
  const items = [
    { source: "claude", id: "a", title: "Noise", messages: ["Hello", noise, "Bye"].map(said) },
  ];
  const ask = async (query: string) => {
    const response = await fetchWorker(`/api/imports${query}`, {
      method: "POST",
      headers: { authorization: `Bearer ${person.token}` },
      body: JSON.stringify({ format: "cofio", version: 1, memories: [], conversations: items }),
    });
    return (await response.json()) as Record<string, any>;
  };
  const check = await ask("?dry_run");
  expect(check["items"].by_kind.message).toMatchObject({ found: 3, new: 2, skipped: 1 });
  const { items: report, skipped_reasons: skips } = await ask("");
  expect([check["items"], check["skipped_reasons"]]).toEqual([report, skips]);
  expect(skips).toMatchObject([{ reason: "too_large", count: 1 }]);
});

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function said(text: string, index: number) {
  return { id: `m${index}`, role: "user", text };
}

/** The real database. @param note is told how long each text is that is bound to a statement */
function watchedValues(note: (length: number) => void): D1Database {
  return new Proxy(
    watched(env.DB, (_, call) => call()),
    {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (key !== "prepare") return value;
        return (query: string) =>
          new Proxy(target.prepare(query), {
            get(statement, name) {
              if (name === "bind") {
                return (...values: unknown[]) => {
                  for (const one of values) if (typeof one === "string") note(one.length);
                  return statement.bind(...values);
                };
              }
              const own: unknown = Reflect.get(statement, name);
              return typeof own === "function" ? own.bind(statement) : own;
            },
          });
      },
    },
  );
}

/** Conversations that are named by their digests instead of being sent: fewer requests, and nothing else is another than without. */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, test } from "vitest";
import { send, survey, type ApiAnswer, type SendOptions } from "../../src/transfer/send.ts";
import { openUser } from "../../src/user.ts";
import { beginImport, importBatch } from "../../src/transfer/import-job.ts";
import { batchesOf } from "../../src/transfer/batches.ts";
import { identified } from "../../src/transfer/identify.ts";
import { readExport } from "../../src/transfer/read.ts";
import { countersOf, sumsOf } from "../support/counters.ts";
import { callApi, callTool, fetchWorker, newPerson, type Person } from "../support/people.ts";
import { backUp, restored } from "../support/backups.ts";
import { conversation, node, said } from "./fixtures/chatgpt.ts";
import { SOUND_EXPORTS, textOf } from "./fixtures/exports.ts";
import { runs } from "../support/runs.ts";

const START = 1_780_000_000;

interface Said {
  readonly id: string;
  readonly text: string;
}

function chat(id: string, messages: readonly Said[], more: object = {}): Record<string, unknown> {
  const nodes = messages.map((one, at) =>
    node(
      one.id,
      messages[at - 1]?.id ?? null,
      said(at % 2 === 0 ? "user" : "assistant", one.text, START + at),
    ),
  );
  return conversation(id, nodes, {
    update_time: START,
    current_node: messages.at(-1)?.id ?? null,
    ...more,
  });
}

const lines = (count: number, word = "line"): Said[] =>
  Array.from({ length: count }, (_, at) => ({ id: `m${at}`, text: `${word} ${at}` }));

function fileOf(...chats: readonly unknown[]): File {
  return new File([JSON.stringify(chats)], "conversations.json");
}

interface Sent {
  readonly path: string;
  readonly types: Readonly<Record<string, number>>;
}

interface Reader {
  readonly sendTo: (
    person: Person,
    files: readonly File[],
    more?: Partial<SendOptions>,
  ) => Promise<Record<string, any>>;
  /** What was posted since the last import began, `begin` and `finish` apart. */
  readonly posted: () => readonly Sent[];
}

/** @param asks false: one that sends everything, as if the server knew no digest */
function openReader({ asks = true }: { readonly asks?: boolean } = {}): Reader {
  let posted: Sent[] = [];
  return {
    posted: () => posted,
    async sendTo(person, files, more = {}) {
      posted = [];
      return send(await survey(files), {
        call: async (path, body): Promise<ApiAnswer> => {
          // True of batches and checks.
          const { number, records } = body as { number?: number; records?: { type: string }[] };
          const named = (records ?? []).flatMap(({ type }, at) => (type === "unchanged" ? at : []));
          if (!asks && named.length > 0) {
            return { status: 200, body: { job: { next_batch: number }, wanted: named } };
          }
          if (records !== undefined) {
            const groups = Map.groupBy(records, ({ type }) => type);
            const types = Object.fromEntries([...groups].map(([type, all]) => [type, all.length]));
            posted.push({ path: path.split("/").at(-1) ?? "", types });
          }
          const response = await fetchWorker(`/api/imports${path}`, {
            method: "POST",
            headers: {
              authorization: `Bearer ${person.token}`,
              "content-type": "application/json",
            },
            body: JSON.stringify(body),
          });
          return { status: response.status, body: await response.json() };
        },
        dryRun: false,
        account: null,
        onProgress: () => {},
        onDelay: () => {},
        signal: new AbortController().signal,
        ...more,
      });
    },
  };
}

/** All that an import writes, with nothing in it that differs from user to user. */
async function stateOf({ userId }: Person): Promise<unknown> {
  const { results: chats } = await env.DB.prepare(
    `SELECT c.created_at, c.status, c.version, c.updated_at, c.message_count,
      (SELECT count(*) FROM conversation_versions v WHERE v.user_id = c.user_id AND v.id = c.id) AS versions,
      (SELECT json_group_array(json_array(m.conversation <> c.id, m.position, m.role, m.version, m.created_at, m.size_bytes, m.token_count,
          EXISTS (SELECT 1 FROM messages_fts_docsize d WHERE d.id = m.seq)))
        FROM (SELECT * FROM messages WHERE user_id = c.user_id AND conversation IN (c.id, '~' || c.id) ORDER BY conversation, position) m) AS said
    FROM conversations c WHERE c.user_id = ?1 ORDER BY c.created_at`,
  )
    .bind(userId)
    .all();
  return chats;
}

async function conversationId(person: Person): Promise<string> {
  const { data } = await callTool(person, "list_conversations");
  return data["conversations"][0].id;
}

async function undo(person: Person, operationId: string): Promise<void> {
  const { status } = await callApi(person, "POST", `/api/operations/${operationId}/undo`, {});
  expect(status).toBe(200);
}

const text = fc.constantFrom("tea", "rye", "elm", "fox");
const messages = fc.uniqueArray(fc.record({ id: fc.constantFrom(...Array.from("abcdef")), text }), {
  selector: ({ id }) => id,
  minLength: 1,
});
/** Some are longer than a batch of the free plan. */
const spoken = fc.oneof(
  { weight: 5, arbitrary: messages },
  {
    weight: 1,
    arbitrary: fc
      .tuple(messages, fc.integer({ min: 39, max: 90 }))
      .map(([few, count]) => [...lines(count), ...few]),
  },
);
const someChat = fc.record({
  id: fc.integer({ min: 0, max: 3 }),
  messages: spoken,
  title: fc.constantFrom("Tea", "Fox"),
  updated: fc.integer({ min: 0, max: 2 }),
});
const someFile = fc
  .array(someChat, { minLength: 1, maxLength: 5 })
  .map((chats) => chats.map((one) => chatOf(one)));

function chatOf(one: {
  id: number;
  messages: readonly Said[];
  title: string;
  updated: number;
}): Record<string, unknown> {
  return chat(`chat ${one.id}`, one.messages, {
    title: one.title,
    create_time: START - 10 + one.id,
    update_time: START + 1_000 + one.updated,
  });
}

type Step =
  | { readonly do: "import"; readonly file: number; readonly dryRun: boolean }
  | { readonly do: "trash"; readonly at: number }
  | { readonly do: "undo"; readonly at: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("import" as const),
      file: fc.nat(2),
      dryRun: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("trash" as const), at: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("undo" as const), at: fc.nat(5) }) },
);

/** @returns the report of each import */
async function live(
  person: Person,
  reader: Reader,
  { files, steps }: { readonly files: readonly unknown[][]; readonly steps: readonly Step[] },
): Promise<unknown[]> {
  const operations: string[] = [];
  const reports: unknown[] = [];
  for (const one of steps) {
    if (one.do === "import") {
      const file = fileOf(...(files[one.file] ?? []));
      const { dryRun } = one;
      const { items, skipped_reasons, operation_id } = await reader.sendTo(person, [file], {
        dryRun,
      });
      reports.push({ items, skipped_reasons, changed: operation_id !== undefined });
      if (operation_id !== undefined) operations.push(operation_id);
    } else if (one.do === "undo") {
      const operation = operations[one.at];
      if (operation === undefined) continue;
      const { data } = await callApi(person, "POST", `/api/operations/${operation}/undo`, {});
      if (typeof data["operation_id"] === "string") operations.push(data["operation_id"]);
    } else {
      const row = await env.DB.prepare(
        "SELECT id FROM conversations WHERE user_id = ?1 AND status = 'active' ORDER BY created_at LIMIT 1 OFFSET ?2",
      )
        .bind(person.userId, one.at)
        .first<{ id: string }>();
      if (row === null) continue;
      const { data } = await callApi(person, "DELETE", `/api/conversations/${row.id}`);
      operations.push(data["operation_id"]);
    }
  }
  return reports;
}

test("whatever is imported, trashed and undone in between, reports and rows are those of a reader that sends everything", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(someFile, { minLength: 3, maxLength: 3 }),
      fc.array(step, { minLength: 3, maxLength: 7 }),
      async (files, some) => {
        const first = { do: "import", file: 0, dryRun: false } as const;
        const story = { files, steps: [first, ...some, first] };
        const [asking, telling] = [await newPerson(), await newPerson()];
        const told = await live(telling, openReader({ asks: false }), story);
        expect(await live(asking, openReader(), story)).toEqual(told);
        expect(await stateOf(asking)).toEqual(await stateOf(telling));
        expect(await countersOf(asking)).toEqual(await sumsOf(asking));
      },
    ),
    { numRuns: runs(4, 40) },
  );
}, 240_000);

const reader = openReader();

test("conversations that are there as the file has them are named, many in a request, and none is sent", async () => {
  const person = await newPerson();
  const chats = Array.from({ length: 45 }, (_, at) => chat(`short ${at}`, lines(2, `talk ${at}`)));
  const files = [fileOf(...chats, chat("long", lines(130)))];
  const first = await reader.sendTo(person, files);
  expect(first["items"]).toMatchObject({ found: 266, new: 266, remaining: 0 });
  expect(reader.posted()[0]?.types).toEqual({ unchanged: 49 });
  expect(reader.posted()).toHaveLength(8);

  for (const dryRun of [true, false]) {
    const again = await reader.sendTo(person, files, { dryRun });
    expect(again["items"]).toMatchObject({ found: 266, unchanged: 266, remaining: 0 });
    const named = dryRun ? 46 : 49;
    expect(reader.posted().map(({ types }) => types)).toEqual([{ unchanged: named }]);
  }

  const newer = [fileOf(...chats.slice(1), chat("short 0", lines(3)), chat("long", lines(131)))];
  const updated = await reader.sendTo(person, newer);
  expect(updated["items"].by_kind).toMatchObject({
    conversation: { updated: 2, unchanged: 44 },
    message: { new: 2, updated: 2, unchanged: 218 },
  });
  const sent = reader.posted().reduce((sum, { types }) => sum + (types["conversation"] ?? 0), 0);
  expect(sent).toBe(5);
});

test("whatever the format, what its reader gives is known again", async () => {
  for (const file of SOUND_EXPORTS) {
    if (file.format.name === "Pasted list") continue;
    const person = await newPerson();
    const files = [new File([textOf(file)], "file")];
    const first = await reader.sendTo(person, files);
    if (first["items"].by_kind.conversation.new === 0) continue;
    await reader.sendTo(person, files);
    const sent = reader.posted().map(({ types }) => types["conversation"] ?? 0);
    expect([file.format.name, ...sent.filter((count) => count > 0)]).toEqual([file.format.name]);
  }
}, 60_000);

test("what a person trashed is skipped and what an undo took away comes back, digest or not", async () => {
  const person = await newPerson();
  const files = [fileOf(chat("one", lines(3)))];
  await reader.sendTo(person, files);
  const { data } = await callApi(
    person,
    "DELETE",
    `/api/conversations/${await conversationId(person)}`,
  );
  const trashed = await reader.sendTo(person, files);
  expect(trashed["skipped_reasons"]).toMatchObject([
    { kind: "conversation", reason: "trashed" },
    { kind: "message", reason: "trashed", count: 3 },
  ]);
  await undo(person, data["operation_id"]);
  expect((await reader.sendTo(person, files))["items"]).toMatchObject({ unchanged: 4 });
  expect(reader.posted().map(({ types }) => types)).toEqual([{ unchanged: 1 }]);

  const grown = [fileOf(chat("one", lines(5), { update_time: START + 9 }))];
  const { operation_id } = await reader.sendTo(person, grown);
  await undo(person, operation_id);
  // The undo brings back the digest of the earlier file as well.
  expect((await reader.sendTo(person, files))["items"]).toMatchObject({ unchanged: 4 });
  expect(reader.posted()).toHaveLength(1);
  const back = await reader.sendTo(person, grown);
  expect(back["items"].by_kind.message).toMatchObject({ updated: 2, unchanged: 3 });
});

test("a conversation of which something was skipped is compared message by message each time", async () => {
  const person = await newPerson();
  const random = Array.from({ length: 15 }, () =>
    crypto.getRandomValues(new Uint8Array(49_152)).toBase64(),
  ).join("");
  const files = [fileOf(chat("one", [...lines(2), { id: "big", text: random }]))];
  const outcomes = [];
  for (const _ of [1, 2, 3]) {
    const { items } = await reader.sendTo(person, files);
    outcomes.push(items.by_kind.message);
  }
  expect(outcomes).toMatchObject([
    { new: 2, skipped: 1 },
    { unchanged: 2, skipped: 1 },
    { unchanged: 2, skipped: 1 },
  ]);
});

test("rows of before digests take the long way once", async () => {
  const person = await newPerson();
  const files = [fileOf(chat("one", lines(50)), chat("two", lines(2)))];
  await reader.sendTo(person, files);
  await env.DB.prepare("UPDATE conversations SET digest = NULL WHERE user_id = ?1")
    .bind(person.userId)
    .run();
  const long = await reader.sendTo(person, files);
  expect(long["items"]).toMatchObject({ found: 54, unchanged: 54 });
  expect(long["operation_id"]).toBeUndefined();
  expect(reader.posted().length).toBeGreaterThan(1);
  await reader.sendTo(person, files);
  expect(reader.posted()).toHaveLength(1);
});

test("a long conversation that somebody changes while its parts come is not said to be whole", async () => {
  const person = await newPerson();
  await reader.sendTo(person, [fileOf(chat("long", lines(10)))]);
  const files = [fileOf(chat("long", lines(130), { update_time: START + 9 }))];
  let calls = 0;
  const cut = reader.sendTo(person, files, {
    onProgress: () => {
      calls += 1;
      if (calls === 2) throw new Error("Power cut");
    },
  });
  await expect(cut).rejects.toThrow("Power cut");
  const operation = await env.DB.prepare("SELECT max(id) AS id FROM operations WHERE user_id = ?1")
    .bind(person.userId)
    .first<{ id: string }>();
  await undo(person, operation?.id ?? "");
  await reader.sendTo(person, files);
  const after = await reader.sendTo(person, files);
  const once_more = await reader.sendTo(person, files);
  expect(once_more["items"]).toMatchObject({ unchanged: 131 });
  const { data } = await callTool(person, "get_stats");
  expect(data["conversations"].messages).toBe(130);
  expect(after["items"].remaining).toBe(0);
});

test("a restore of a backup leaves no digest over messages that it brought or took", async () => {
  const person = await newPerson({ trusted: true });
  const [older, newer] = [lines(3), lines(5)];
  await reader.sendTo(person, [fileOf(chat("one", older))]);
  const backup = await backUp(person);
  await reader.sendTo(person, [fileOf(chat("one", newer, { update_time: START + 9 }))]);
  await restored(person, backup.id, "whole");
  const again = await reader.sendTo(person, [
    fileOf(chat("one", newer, { update_time: START + 9 })),
  ]);
  expect(again["items"].by_kind.message).toMatchObject({ new: 2, unchanged: 3 });

  await env.DB.prepare("DELETE FROM messages WHERE user_id = ?1 AND position = 1")
    .bind(person.userId)
    .run();
  await restored(person, backup.id, "merge");
  const row = await env.DB.prepare("SELECT digest FROM conversations WHERE user_id = ?1")
    .bind(person.userId)
    .first();
  expect(row).toEqual({ digest: null });
});

test("a name that is not known takes nothing of its batch, and neither does one of what the import itself has changed", async () => {
  const person = await newPerson();
  const text = JSON.stringify([chat("one", lines(2))]);
  const reading = await readExport([{ name: "x", bytes: text }]);
  const { data } = await callApi(person, "POST", "/api/imports/begin", {
    files: reading.recognised,
    totals: reading.totals,
    key: "k",
    bytesTotal: 1,
  });
  const { job, limits } = data;
  const path = `/api/imports/${job.id}/batches`;
  const [batch] = await Array.fromAsync(
    batchesOf(identified(reading.records()), limits, { withDigests: true }),
  );
  const [one] = batch ?? [];
  if (one?.type !== "conversation") throw new Error("No conversation");
  const { conversation: whole, digest } = one;
  const name = {
    type: "unchanged",
    provenance: whole.provenance,
    digest,
    messages: 2,
    isLast: true,
  };
  const post = (number: number, records: readonly unknown[], more: object = {}) =>
    callApi(person, "POST", path, { number, records, bytesRead: 1, ...more });
  const fact = {
    type: "memory",
    memory: {
      source: "claude",
      provenance: { platform: "claude", id: "m" },
      content: "Likes rye",
      tags: [],
    },
  };
  const nothing = await post(1, [fact, name]);
  expect(nothing.data).toMatchObject({ wanted: [1], items: { new: 0 }, job: { next_batch: 1 } });
  const taken = await post(1, [{ type: "conversation", conversation: whole }]);
  expect(taken.data).toMatchObject({ items: { new: 3 }, job: { next_batch: 2 } });
  expect((await post(2, [name])).data).toMatchObject({ wanted: [0] });
  expect(await post(2, [], { through: 1 })).toMatchObject({ status: 400 });
  const many = Array.from({ length: 10 * limits.conversations + 1 }, () => name);
  expect(await post(2, many)).toMatchObject({ status: 413 });
  await callApi(person, "POST", `/api/imports/${job.id}/finish`, {});

  // Of another user nothing is known.
  const other = await newPerson();
  await openReader().sendTo(other, [fileOf(chat("one", lines(2)))]);
  const dry = await reader.sendTo(await newPerson(), [fileOf(chat("one", lines(2)))], {
    dryRun: true,
  });
  expect(dry["items"]).toMatchObject({ new: 3 });
});

test("an import that broke off goes on among names, and its report adds up", async () => {
  const person = await newPerson();
  const known = Array.from({ length: 30 }, (_, at) => chat(`known ${at}`, lines(3)));
  await reader.sendTo(person, [fileOf(...known)]);
  const files = [fileOf(...known.slice(0, 20), chat("new", lines(90)), ...known.slice(20))];
  for (let stopAfter = 1; stopAfter < 6; stopAfter++) {
    let calls = 0;
    const cut = reader.sendTo(person, files, {
      onProgress: () => {
        calls += 1;
        if (calls === stopAfter) throw new Error("Power cut");
      },
    });
    const answer = await cut.catch((error: Error) => {
      if (error.message !== "Power cut") throw error;
      return null;
    });
    if (answer === null) continue;
    expect(answer["items"]).toMatchObject({ found: 211, new: 91, unchanged: 120, remaining: 0 });
    return;
  }
  throw new Error("It never came to its end");
});

test("what a long conversation costs to read grows with its length, not with the square of it", async () => {
  const cost = async (count: number): Promise<number> => {
    const person = await newPerson();
    const at = await openUser(env, person.userId);
    if (at === null) throw new Error("No account");
    let rowsRead = 0;
    const note = (results: readonly D1Result[]) => {
      for (const { meta } of results) rowsRead += meta.rows_read;
    };
    const account = await openUser({ ...env, DB: counted(note) }, person.userId);
    if (account === null) throw new Error("No account");
    const reading = await readExport([
      { name: "x", bytes: JSON.stringify([chat("long", lines(count))]) },
    ]);
    const caller = {
      grantId: "test",
      client: "Test",
      source: "api",
      trusted: false,
      now: Date.now(),
    } as const;
    const upload = { files: reading.recognised, totals: reading.totals };
    let job = await beginImport(account, upload, caller);
    for await (const records of batchesOf(identified(reading.records()), job.limits)) {
      job = await importBatch(account, job.id, { number: job.nextBatch, records }, caller);
    }
    expect(job.report.byKind.message.new).toBe(count);
    return rowsRead;
  };
  const [short, long] = [await cost(200), await cost(800)];
  expect(long).toBeLessThan(short * 5);
}, 60_000);

/** The real database. @param note is told of each batch and what drizzle reads */
function counted(note: (results: readonly D1Result[]) => void): D1Database {
  return new Proxy(env.DB, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      if (key !== "batch") return value.bind(target);
      return async (statements: D1PreparedStatement[]) => {
        const results = await target.batch(statements);
        note(results);
        return results;
      };
    },
  });
}

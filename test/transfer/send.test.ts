/** The reader on the person's own machine and the server, together: whatever is cut, repeated, lost or stopped. */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, test } from "vitest";
import { batchesOf, type BatchRecord } from "../../src/transfer/batches.ts";
import { identified } from "../../src/transfer/identify.ts";
import { beginImport, endImport, importBatch } from "../../src/transfer/import-job.ts";
import { readExport } from "../../src/transfer/read.ts";
import { send, survey, type ApiAnswer, type SendOptions } from "../../src/transfer/send.ts";
import { openUser } from "../../src/user.ts";
import { faultyEnv, isInjected, type Fault } from "../support/faults.ts";
import { callApi, callTool, fetchWorker, newPerson, type Person } from "../support/people.ts";
import { branched, conversation, node, said } from "./fixtures/chatgpt.ts";
import { runs } from "../support/runs.ts";

const START = 1_780_000_000;

/** A chat of these texts, the person and the assistant in turn. */
function chat(id: string, texts: readonly string[], updated = START): Record<string, unknown> {
  const nodes = texts.map((text, index) =>
    node(
      `${id}-${text}`,
      index === 0 ? null : `${id}-${texts[index - 1] ?? ""}`,
      said(index % 2 === 0 ? "user" : "assistant", text, START + index),
    ),
  );
  return conversation(id, nodes, {
    current_node: `${id}-${texts.at(-1) ?? ""}`,
    update_time: updated,
  });
}

const lines = (count: number, word = "line") =>
  Array.from({ length: count }, (_, index) => `${word} ${index}`);

function fileOf(...chats: readonly Record<string, unknown>[]): File {
  return new File([JSON.stringify(chats)], "conversations.json");
}

async function post(person: Person, path: string, body: unknown): Promise<ApiAnswer> {
  const response = await fetchWorker(`/api/imports${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${person.token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

function optionsFor(person: Person, more: Partial<SendOptions> = {}): SendOptions {
  return {
    call: (path, body) => post(person, path, body),
    dryRun: false,
    account: null,
    onProgress: () => {},
    onDelay: () => {},
    signal: new AbortController().signal,
    ...more,
  };
}

// Answers are asserted on key by key.
async function sendTo(
  person: Person,
  files: readonly File[],
  more: Partial<SendOptions> = {},
): Promise<Record<string, any>> {
  return send(await survey(files), optionsFor(person, more));
}

/** Every conversation with its texts, by title. */
async function stored(person: Person): Promise<Record<string, string[]>> {
  const { data } = await callTool(person, "list_conversations", { limit: 50 });
  const chats: Record<string, string[]> = {};
  for (const { id, title } of data["conversations"]) {
    const texts: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await callTool(person, "get_conversation", {
        id,
        ...(cursor === undefined ? {} : { cursor }),
      });
      texts.push(...page.data["messages"].map((one: { text: string }) => one.text));
      cursor = page.data["next_cursor"];
    } while (cursor !== undefined);
    chats[title] = texts;
  }
  return chats;
}

async function undo(person: Person, operationId: string): Promise<void> {
  const response = await fetchWorker(`/api/operations/${operationId}/undo`, {
    method: "POST",
    headers: { authorization: `Bearer ${person.token}` },
  });
  expect(response.status).toBe(200);
}

async function countRows(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of ["memories", "conversations", "messages", "operations", "jobs", "labels"]) {
    const row = await env.DB.prepare(`SELECT count(*) AS n FROM ${table}`).first<{ n: number }>();
    counts[table] = row?.n ?? 0;
  }
  return counts;
}

test("a conversation that is cut over many batches arrives whole and in order, and again unchanged", async () => {
  const person = await newPerson();
  const files = [fileOf(chat("long", lines(130)), chat("short", ["hello", "good day"]))];
  const first = await sendTo(person, files);
  expect(first["job"]).toMatchObject({ state: "finished" });
  expect(first["items"]).toMatchObject({ found: 134, new: 134, remaining: 0 });
  expect(await stored(person)).toEqual({
    "About long": lines(130),
    "About short": ["hello", "good day"],
  });
  const found = await callTool(person, "search_conversations", { query: "line 129" });
  expect(found.text).toContain("line 129");

  const second = await sendTo(person, files);
  expect(second["items"]).toMatchObject({ found: 134, new: 0, updated: 0, unchanged: 134 });
  expect(second["operation_id"]).toBeUndefined();
});

test("a newer export that adds at the beginning, in the middle and at the end leaves the order of the export", async () => {
  const older = lines(100);
  const newer = [
    "before all",
    ...older.slice(0, 60),
    "in between",
    ...older.slice(60),
    "after all",
  ];
  const person = await newPerson();
  await sendTo(person, [fileOf(chat("talk", older))]);
  const answer = await sendTo(person, [fileOf(chat("talk", newer, START + 500))]);
  expect(answer["items"].by_kind).toMatchObject({
    conversation: { updated: 1 },
    message: { new: 3, skipped: 0 },
  });
  expect((await stored(person))["About talk"]).toEqual(newer);
});

test("cut anywhere, a series of exports ends as when each is imported whole", async () => {
  const texts = fc.uniqueArray(fc.constantFrom(...Array.from("abcdefghijklmnop")), {
    minLength: 1,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(texts, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 4 }),
      async (exports, size) => {
        const [cut, whole] = [await newPerson(), await newPerson()];
        for (const [index, one] of exports.entries()) {
          const file = JSON.stringify([chat("talk", one, START + index)]);
          const at = await openUser(env, cut.userId);
          if (at === null) throw new Error("No account");
          const reading = await readExport([{ name: "x", bytes: file }]);
          const limits = { chars: 1e6, conversations: 9, messages: size, memories: 9 };
          const caller = callerNow();
          const upload = { files: reading.recognised, totals: reading.totals };
          let job = await beginImport(at, upload, caller, { limits });
          for await (const records of batchesOf(identified(reading.records()), limits)) {
            job = await importBatch(at, job.id, { number: job.nextBatch, records }, caller);
          }
          const end = await endImport(at, job.id, "finished", caller.now);
          const { data } = await callTool(whole, "import_data", { data: file });
          expect(end.report.byKind).toEqual(data["items"].by_kind);
        }
        expect(await stored(cut)).toEqual(await stored(whole));
      },
    ),
    { numRuns: runs(5, 50) },
  );
});

test("an import that broke off goes on with the batch that is missing", async () => {
  const person = await newPerson();
  const files = [fileOf(chat("long", lines(130)))];
  const sent: string[] = [];
  const cut = sendTo(person, files, {
    call: async (path, body) => {
      if (sent.length === 4) return { status: 400, body: { error: { message: "Power cut" } } };
      sent.push(path);
      return post(person, path, body);
    },
  });
  await expect(cut).rejects.toThrow("Power cut");
  const again: { path: string; number?: number }[] = [];
  const answer = await sendTo(person, files, {
    call: (path, body) => {
      // True because batches have a number.
      again.push({ path, ...(body as { number?: number }) });
      return post(person, path, body);
    },
  });
  expect(again.flatMap(({ number }) => number ?? [])[0]).toBe(3);
  expect(answer["items"]).toMatchObject({ found: 131, new: 131, remaining: 0 });
  expect(await stored(person)).toEqual({ "About long": lines(130) });
});

test("calls that fail, and answers that get lost, change nothing but the time", async () => {
  const person = await newPerson();
  const calls = { count: 0 };
  const delays: number[] = [];
  const answer = await sendTo(person, [fileOf(chat("long", lines(90)))], {
    call: async (path, body) => {
      calls.count += 1;
      if (calls.count === 2) throw new TypeError("fetch failed");
      const given = await post(person, path, body);
      if (calls.count === 4) throw new TypeError("fetch failed");
      return calls.count === 6 ? { status: 502, body: null } : given;
    },
    onDelay: (nextTry) => delays.push(nextTry),
  });
  expect(delays).toHaveLength(3);
  expect(answer["items"]).toMatchObject({ found: 91, new: 91, remaining: 0 });
  expect(await stored(person)).toEqual({ "About long": lines(90) });
});

test("a batch sent twice is counted once, and one that comes too early is refused with the one awaited", async () => {
  const person = await newPerson();
  const reading = await readExport([
    { name: "x", bytes: JSON.stringify([chat("one", ["a", "b"]), chat("two", ["c"])]) },
  ]);
  const [records] = await Array.fromAsync(
    batchesOf(identified(reading.records()), {
      chars: 1e6,
      conversations: 9,
      messages: 9,
      memories: 9,
    }),
  );
  const begun = await post(person, "/begin", {
    files: reading.recognised,
    totals: reading.totals,
    key: "k",
    bytesTotal: 1,
  });
  const { id } = (begun.body as Record<string, any>)["job"];
  const early = await post(person, `/${id}/batches`, { number: 2, records, bytesRead: 0 });
  expect(early).toMatchObject({ status: 400, body: { error: { next_batch: 1 } } });
  const once = await post(person, `/${id}/batches`, { number: 1, records, bytesRead: 1 });
  const twice = await post(person, `/${id}/batches`, { number: 1, records, bytesRead: 1 });
  expect(once.body).toMatchObject({ items: { new: 5 }, job: { next_batch: 2, bytes_read: 1 } });
  expect(twice.body).toMatchObject({ items: { new: 5 }, job: { next_batch: 2 } });

  const running = await callTool(person, "import_data", { job_id: id });
  expect(running.data["job"]).toMatchObject({ state: "running", next_batch: 2 });
  const ended = await post(person, `/${id}/finish`, {});
  expect(ended.body).toMatchObject({ job: { state: "finished" }, items: { remaining: 0 } });
  const late = await post(person, `/${id}/batches`, { number: 2, records, bytesRead: 1 });
  expect(late).toMatchObject({ status: 400 });
  const other = await post(await newPerson(), `/${id}/batches`, {
    number: 2,
    records,
    bytesRead: 1,
  });
  expect(other.status).toBe(404);
});

test("at each step of an import its items add up, each that was skipped has a reason, and the numbers are what came of the account", async () => {
  const person = await newPerson({ trusted: true });
  const edited = (text: string, updated: number) =>
    conversation("edited", [node("one", null, said("user", text, START, { id: "m1" }))], {
      current_node: "one",
      update_time: updated,
    });
  const known = chat("known", ["a", "b"]);
  const gone = chat("gone", ["d", "e"]);
  await sendTo(person, [fileOf(known, chat("grown", ["c"]), gone, edited("Rye?", START))]);
  const { data: listed } = await callTool(person, "list_conversations");
  const trashed = listed["conversations"].find(({ title }: any) => title === "About gone");
  await callApi(person, "DELETE", `/api/conversations/${trashed.id}`);
  await callTool(person, "save_memory", { content: "Likes rye" });
  await callApi(person, "PATCH", "/api/rules", { max_memories: 2 });
  const before = await countsOf(person);

  const chats = [
    known,
    chat("grown", ["c", "c, too"], START + 500),
    gone,
    edited("Rye bread?", START + 500),
    chat("long", lines(90)),
    branched(),
    7,
  ];
  const memories = [...["Likes rye", "Owns a cat", "Plays chess"].map(asMemory), null];
  const seen: Record<string, any>[] = [];
  await sendTo(
    person,
    [
      new File([JSON.stringify(chats)], "conversations.json"),
      new File([JSON.stringify({ format: "cofio", version: 1, memories })], "memories.json"),
    ],
    {
      call: async (path, body) => {
        const answer = await post(person, path, body);
        // The route's own answer.
        const told = answer.body as Record<string, any>;
        if (told["wanted"] === undefined) seen.push(told);
        return answer;
      },
    },
  );

  let left = Number.POSITIVE_INFINITY;
  for (const { items, skipped_reasons: reasons = [] } of seen) {
    const { found, new: fresh, updated, unchanged, skipped, remaining } = items;
    expect(found).toBe(116);
    expect(fresh + updated + unchanged + skipped + remaining).toBe(found);
    expect(remaining).toBeGreaterThanOrEqual(0);
    expect(remaining).toBeLessThanOrEqual(left);
    left = remaining;
    for (const [kind, counts] of Object.entries<Record<string, number>>(items.by_kind)) {
      const told = reasons.filter((one: any) => one.kind === kind);
      const sum = told.reduce((all: number, one: any) => all + one.count, 0);
      expect([kind, sum]).toEqual([kind, counts["skipped"]]);
    }
  }
  expect(new Set(seen.map(({ items }) => items.remaining)).size).toBeGreaterThan(3);
  const end = seen.at(-1);
  expect(end?.["job"]).toMatchObject({ state: "finished" });
  expect(end?.["items"]).toMatchObject({
    remaining: 0,
    by_kind: {
      conversation: { found: 7, new: 2, updated: 2, unchanged: 1, skipped: 2 },
      message: { found: 105, new: 95, updated: 1, unchanged: 3, skipped: 6 },
      memory: { found: 4, new: 1, updated: 0, unchanged: 1, skipped: 2 },
    },
  });
  const reasons = end?.["skipped_reasons"].map((one: any) => [one.kind, one.reason, one.count]);
  expect(reasons.toSorted()).toEqual([
    ["conversation", "trashed", 1],
    ["conversation", "unreadable", 1],
    ["memory", "limit_reached", 1],
    ["memory", "unreadable", 1],
    ["message", "other_branch", 3],
    ["message", "system", 1],
    ["message", "trashed", 2],
  ]);
  const after = await countsOf(person);
  expect(after.map((count, at) => count - (before[at] ?? 0))).toEqual([2, 95, 1]);
});

function asMemory(content: string) {
  return { content };
}

/** Conversations, messages and memories in use. */
async function countsOf(person: Person): Promise<number[]> {
  const { data } = await callTool(person, "get_stats");
  const { total, messages } = data["conversations"];
  return [total, messages, data["memories"].active];
}

test("when the day's quota is spent an import waits for midnight UTC, and goes on with the same batch", async () => {
  const person = await newPerson();
  const today = Math.floor(Date.now() / 86_400_000);
  await env.DB.prepare(
    "INSERT INTO import_days VALUES (?1, 80000) ON CONFLICT DO UPDATE SET rows_written = 80000",
  )
    .bind(today)
    .run();
  const waits: (number | null)[] = [];
  const stop = new AbortController();
  const files = [fileOf(chat("talk", ["a", "b"]))];
  const waiting = sendTo(person, files, {
    onProgress: ({ phase, estimatedEndAt }) => {
      expect(phase).toBe("waiting_quota");
      waits.push(estimatedEndAt);
      stop.abort(new Error("The tab was closed"));
    },
    // A closed tab sends no goodbye.
    call: (path, body) =>
      path.endsWith("/cancel") ? Promise.reject(new TypeError("gone")) : post(person, path, body),
    signal: stop.signal,
  });
  await expect(waiting).rejects.toThrow("The tab was closed");
  expect(waits).toEqual([(today + 1) * 86_400_000]);
  expect(await stored(person)).toEqual({});
  const told = await callTool(person, "import_data", { data: JSON.stringify([chat("x", ["a"])]) });
  expect(told.data["job"].state).toBe("waiting_quota");
  expect(told.data["items"].remaining).toBe(2);
  expect(told.text).toContain("free plan");

  await env.DB.prepare("DELETE FROM import_days").run();
  const answer = await sendTo(person, files);
  expect(answer["items"]).toMatchObject({ new: 3, remaining: 0 });
  expect(await stored(person)).toEqual({ "About talk": ["a", "b"] });
});

test("what was stopped goes on with the same files as one import, which one undo takes away", async () => {
  const person = await newPerson();
  const files = [fileOf(chat("long", lines(130)))];
  const stopAfterOne = async () => {
    const stop = new AbortController();
    let jobId = "";
    const stopped = sendTo(person, files, {
      call: async (path, body) => {
        jobId ||= /^\/(\w+)\/batches$/.exec(path)?.[1] ?? "";
        return post(person, path, body);
      },
      onProgress: () => stop.abort(new Error("Stopped by the person")),
      signal: stop.signal,
    });
    await expect(stopped).rejects.toThrow("Stopped by the person");
    return (await callTool(person, "import_data", { job_id: jobId })).data;
  };
  const stopped = await stopAfterOne();
  expect(stopped["job"].state).toBe("cancelled");
  expect((await stored(person))["About long"]).toEqual(lines(40));

  const answer = await sendTo(person, files);
  expect(answer["operation_id"]).toBe(stopped["operation_id"]);
  expect(answer["items"]).toMatchObject({ new: 131, remaining: 0 });
  expect(await stored(person)).toEqual({ "About long": lines(130) });
  await undo(person, answer["operation_id"]);
  expect(await stored(person)).toEqual({});
});

test("after a part of an import was undone, the same files are imported from the beginning", async () => {
  const person = await newPerson();
  const files = [fileOf(chat("one", lines(60)))];
  const calls: string[] = [];
  const cut = sendTo(person, files, {
    call: async (path, body) => {
      if (calls.push(path) === 4) return { status: 400, body: null };
      return post(person, path, body);
    },
  });
  await expect(cut).rejects.toThrow("400");
  const { data } = await callTool(person, "import_data", { job_id: calls[1]?.split("/")[1] });
  await undo(person, data["operation_id"]);
  await sendTo(person, files);
  expect(await stored(person)).toEqual({ "About one": lines(60) });
});

/** A chat whose file gives no id, title or time: it is known by what it says. */
function transcript(...texts: readonly string[]): File {
  const said = texts.map((text, index) => ({
    role: index % 2 === 0 ? "user" : "assistant",
    message: { content: [{ type: "text", text }] },
  }));
  return new File([said.map((line) => `${JSON.stringify(line)}\n`).join("")], "chat.jsonl");
}

async function transcripts(person: Person): Promise<string[]> {
  const { data } = await callTool(person, "list_conversations", { limit: 50 });
  const chats: string[] = [];
  for (const { id } of data["conversations"]) {
    const { data: read } = await callTool(person, "get_conversation", { id });
    chats.push(read["messages"].map(({ text }: { text: string }) => text).join(" "));
  }
  return chats.sort();
}

test("chats without ids that begin alike stay apart, whichever upload brings them, and each may grow", async () => {
  const plums = ["go on", "plums are blue", "why?", "skin"];
  const pears = ["go on", "pears are green", "why?", "leaves"];
  const together = await newPerson();
  const both = [transcript(...plums), transcript(...pears)];
  const first = await sendTo(together, both);
  expect(first["items"].by_kind).toMatchObject({
    conversation: { new: 2, skipped: 0 },
    message: { new: 8 },
  });
  const apart = await newPerson();
  await sendTo(apart, [transcript(...plums.slice(0, 2))]);
  await sendTo(apart, [transcript(...pears.slice(0, 2))]);
  await sendTo(apart, both.toReversed());
  for (const person of [together, apart]) {
    expect(await transcripts(person)).toEqual([pears.join(" "), plums.join(" ")]);
    const again = await sendTo(person, both.toReversed());
    expect(again["items"]).toMatchObject({ found: 10, unchanged: 10 });
  }
  // A shorter copy is no other chat, and in one file the longer of two is taken.
  const shorter = await sendTo(together, [transcript(...plums.slice(0, 1))]);
  expect(shorter["items"]).toMatchObject({ found: 2, unchanged: 2 });
  const one = await newPerson();
  const copies = await sendTo(one, [transcript("go on"), transcript(...plums)]);
  expect(copies["items"].by_kind.conversation).toMatchObject({ new: 1, skipped: 1 });
  expect(await transcripts(one)).toEqual([plums.join(" ")]);
});

test("long chats without ids that begin alike stay apart when they are cut over batches", async () => {
  const person = await newPerson();
  const files = ["plum", "pear"].map((word) => transcript("go on", ...lines(59, word)));
  const first = await sendTo(person, files);
  expect(first["items"]).toMatchObject({ found: 122, new: 122 });
  const again = await sendTo(person, files.toReversed());
  expect(again["items"]).toMatchObject({ found: 122, unchanged: 122 });
  const { data } = await callTool(person, "get_stats");
  expect(data["conversations"]).toMatchObject({ total: 2, messages: 120 });
});

test("a copy of a chat is counted as one in whatever batch it comes", async () => {
  const person = await newPerson();
  const files = Array.from({ length: 25 }, (_, at) => transcript(`Question ${at}`, "Answer"));
  const answer = await sendTo(person, [...files, transcript("Question 0", "Answer")]);
  expect(answer["items"].by_kind).toMatchObject({
    conversation: { found: 26, new: 25, skipped: 1 },
    message: { found: 52, new: 50, skipped: 2 },
  });
});

test("an older export adds what is missing, and leaves titles and texts of a newer one as they are", async () => {
  const person = await newPerson();
  const claude = (title: string, month: number, texts: readonly string[]) => {
    const time = `2026-0${month}-01T10:00:00Z`;
    const messages = texts.map((text, at) => ({
      uuid: `m${at}`,
      sender: "human",
      text,
      created_at: "2026-02-01T10:00:00Z",
    }));
    const one = { uuid: "x", name: title, created_at: time, updated_at: time };
    return new File([JSON.stringify([{ ...one, chat_messages: messages }])], "c.json");
  };
  await sendTo(person, [claude("New title", 5, ["Edited question"])]);
  const older = await sendTo(person, [claude("Old title", 3, ["First question", "Another"])]);
  expect(older["items"].by_kind.message).toMatchObject({ new: 1, updated: 0, unchanged: 1 });
  expect(await stored(person)).toEqual({ "New title": ["Edited question", "Another"] });
  await sendTo(person, [claude("Newest title", 6, ["Last question", "Another"])]);
  expect(await stored(person)).toEqual({ "Newest title": ["Last question", "Another"] });
});

test("a dry run tells what the import then does, and writes nothing", async () => {
  const person = await newPerson();
  await sendTo(person, [fileOf(chat("old", lines(50)), chat("same", ["x"]))]);
  const files = [
    fileOf(
      chat("old", [...lines(50), "and one more"], START + 9),
      chat("same", ["x"]),
      chat("new", ["y"]),
    ),
    new File([JSON.stringify({ memories: [], conversations: [] })], "unknown.json"),
  ];
  const before = await countRows();
  const dry = await sendTo(person, files, { dryRun: true });
  expect(await countRows()).toEqual(before);
  expect(dry["dry_run"]).toBe(true);
  const real = await sendTo(person, files);
  expect(dry["items"]).toEqual(real["items"]);
  expect(dry["files"]).toEqual(real["files"]);
  const dryTool = await callTool(person, "import_data", {
    items: [{ content: "Prefers tea." }, { content: "Prefers tea." }],
    dry_run: true,
  });
  expect(dryTool.data["items"]).toMatchObject({ found: 2, new: 1, skipped: 1 });
  expect(dryTool.text).toContain("nothing was written");
});

test("a fault at any call to the database leaves an import that goes on to the same end", async () => {
  const file = JSON.stringify([
    chat("one", lines(7)),
    chat("two", ["hello"]),
    chat("one", lines(3)),
  ]);
  const memory = JSON.stringify({
    memories: [
      {
        id: "m1",
        content: "Likes walnuts.",
        tags: ["food"],
        source: "x",
        created_at: "2026-01-01T00:00:00Z",
      },
    ],
    count: 1,
  });
  const reading = await readExport([
    { name: "a.json", bytes: file },
    { name: "b.json", bytes: memory },
  ]);
  const limits = { chars: 1e6, conversations: 1, messages: 3, memories: 1 };
  const upload = { files: reading.recognised, totals: reading.totals, key: "the same files" };
  const batches: (readonly BatchRecord[])[] = await Array.fromAsync(
    batchesOf(identified(reading.records()), limits),
  );

  /** As a reader does that was started again after each failure. @returns calls to the database */
  async function importAll(person: Person, at: number, fault: Fault): Promise<number> {
    const faulty = faultyEnv(at, { fault });
    for (let attempt = 0; ; attempt++) {
      try {
        const account = await openUser(faulty.env, person.userId);
        if (account === null) throw new Error("No account");
        const caller = callerNow();
        let job = await beginImport(account, upload, caller, { limits });
        for (const records of batches.slice(job.nextBatch - 1)) {
          job = await importBatch(account, job.id, { number: job.nextBatch, records }, caller);
        }
        const end = await endImport(account, job.id, "finished", caller.now);
        const { conversation: chats, message, memory: facts } = end.report.byKind;
        // Where only the answer to the end got lost, the files are a new import, which finds all of it there.
        const outcome = end.nextBatch > 1 && chats.new === 0 ? "unchanged" : "new";
        expect(chats).toMatchObject({ found: 3, [outcome]: 2, skipped: 1 });
        expect(message).toMatchObject({ found: 11, [outcome]: 8, skipped: 3 });
        expect(facts).toMatchObject({ found: 1, [outcome]: 1 });
        return faulty.calls();
      } catch (error) {
        if (attempt > 0 || !isInjected(error)) throw error;
      }
    }
  }

  const smooth = await newPerson();
  const total = await importAll(smooth, 0, "refused");
  const wanted = await stateOf(smooth);
  expect(total).toBeGreaterThan(15);
  for (const fault of ["refused", "lost"] as const) {
    for (let at = 1; at <= total; at++) {
      const person = await newPerson();
      await importAll(person, at, fault);
      expect(await stateOf(person), `${fault} call ${at}`).toEqual(wanted);
    }
  }

  async function stateOf(person: Person) {
    const { results } = await env.DB.prepare(
      `SELECT conversations, messages, message_tokens, memories_active, memory_tokens, bytes > 0 AS has_bytes,
        (SELECT count(*) FROM messages m WHERE m.user_id = a.user_id) AS message_rows,
        (SELECT count(*) FROM messages_fts f JOIN messages m ON m.seq = f.rowid WHERE m.user_id = a.user_id) AS indexed,
        (SELECT count(*) FROM operations o WHERE o.user_id = a.user_id) AS operations,
        (SELECT group_concat(counts) FROM operations o WHERE o.user_id = a.user_id) AS counts
       FROM accounts a WHERE user_id = ?1`,
    )
      .bind(person.userId)
      .all();
    return { rows: results, chats: await stored(person) };
  }
}, 120_000);

test("a message of nearly 1 MiB is kept to the letter and found; a longer one, and one that no row can hold, are skipped", async () => {
  const person = await newPerson();
  const long = (chars: number): string =>
    Array.from(
      { length: chars / 8 },
      (_, index) => `word${String(index % 997).padStart(3, "0")} `,
    ).join("");
  const kept = `Zanzibar ${long(1_040_000)}`;
  const random = Array.from({ length: 15 }, () =>
    crypto.getRandomValues(new Uint8Array(49_152)).toBase64(),
  ).join("");
  const texts = ["Hello", kept, long(1_060_000), random];
  const nodes = texts.map((text, index) =>
    node(
      `n${index}`,
      index === 0 ? null : `n${index - 1}`,
      said(index % 2 === 0 ? "user" : "assistant", text, START + index, { id: `m${index}` }),
    ),
  );
  const file = fileOf(conversation("long", nodes, { current_node: "n3" }));
  const answer = await send(await survey([file]), optionsFor(person));
  expect(answer.items.by_kind.message).toMatchObject({ found: 4, new: 2, skipped: 2 });
  expect(answer.skipped_reasons).toMatchObject([{ reason: "too_large", count: 2 }]);

  const { data: found } = await callTool(person, "search_conversations", { query: "zanzibar" });
  const { conversation: chat, message } = found["results"][0];
  let text = "";
  for (let cursor: string | undefined; ;) {
    const { data: page } = await callTool(person, "get_conversation", {
      id: chat.id,
      max_tokens: 20_000,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const part of page["messages"]) if (part.id === message.id) text += part.text;
    cursor = page["next_cursor"];
    if (cursor === undefined) break;
  }
  // Compared as one truth value: a difference would print a megabyte.
  expect(text === kept).toBe(true);

  const again = await send(await survey([file]), optionsFor(person));
  expect(again.items.by_kind.message).toMatchObject({ unchanged: 2, skipped: 2 });
});

function callerNow() {
  return {
    grantId: "test",
    client: "Test",
    source: "api" as const,
    trusted: false,
    now: Date.now(),
  };
}

test("an import that is told to wait waits as long as it is told, however often, and goes on", async () => {
  const person = await newPerson();
  const hasty = { error: { code: "rate_limited", retry_after_seconds: 0 } };
  const delays: number[] = [];
  let calls = 0;
  await sendTo(person, [fileOf(chat("a", lines(4)))], {
    call: async (path, body) =>
      // Far more often than an answer may be missing.
      ++calls <= 20 ? { status: 429, body: hasty } : post(person, path, body),
    onDelay: (until) => delays.push(until),
  });
  expect(delays).toHaveLength(20);
  expect(await stored(person)).toEqual({ "About a": lines(4) });
});

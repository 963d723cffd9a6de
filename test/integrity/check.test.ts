/** The integrity check finds what was planted by SQL, repairs what is derived, names the rest, and says nothing of sound accounts. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { meteredD1, newMeter } from "../../bench/runtime/metered-d1.ts";
import { isCheckDue, readCheck, readsOf, type IntegrityCheck } from "../../src/integrity/check.ts";
import { readPlan } from "../../src/storage/plan.ts";
import type { UserAgent } from "../../src/user-agent.ts";
import { backupsEnded, fill, indexOf, rowsOf, save } from "../support/backups.ts";
import { countersOf, sumsOf } from "../support/counters.ts";
import { callApi, callTool, newPerson, type Person } from "../support/people.ts";
import { damaged, verified } from "../support/verify.ts";

afterEach(() => {
  vi.useRealTimers();
});

const CLEAN = { state: "finished", repaired: {}, left: {}, named: [] };

test("a busy account is sound: the check looks at every row, changes none, and says when it was", async () => {
  const person = await filled();
  const rows = await rowsOf(person);
  const check = await verified(person);
  expect(check).toMatchObject(CLEAN);
  expect(check.checked).toMatchObject({
    memories: rows["memories"]?.length,
    memory_versions: rows["memory_versions"]?.length,
    label_names: rows["labels"]?.length,
    labels: rows["memory_labels"]?.length,
    conversations: rows["conversations"]?.length,
    conversation_versions: rows["conversation_versions"]?.length,
    messages: rows["messages"]?.length,
    message_versions: rows["message_versions"]?.length,
    operations: rows["operations"]?.length,
  });
  expect(withoutCheck(await rowsOf(person))).toEqual(withoutCheck(rows));
  const { data } = await callTool(person, "get_stats");
  expect(data["last_check"]).toEqual({ at: check.finished_at, repaired: 0, left: 0 });
  expect((await callApi(person, "GET", "/api/verify")).data).toEqual({ check });
});

test("an account that never held anything is sound, and one that was never checked has no check", async () => {
  const person = await newPerson();
  expect((await callApi(person, "GET", "/api/verify")).data).toEqual({ check: null });
  expect(await verified(person)).toMatchObject(CLEAN);
});

test("who moved to another time zone has an account as sound as before", async () => {
  const person = await filled();
  await env.DB.prepare("UPDATE users SET time_zone = 'Pacific/Auckland' WHERE id = ?1")
    .bind(person.userId)
    .run();
  expect(await verified(person)).toMatchObject(CLEAN);
});

const MEMORY = "(SELECT min(seq) FROM memories WHERE user_id = ?1 AND status = 'active')";
const TRASHED = "(SELECT min(seq) FROM memories WHERE user_id = ?1 AND status = 'trashed')";
const TAGGED = "(SELECT min(seq) FROM memory_labels WHERE user_id = ?1)";
const MESSAGE = "(SELECT min(seq) FROM messages WHERE user_id = ?1 AND conversation NOT LIKE '~%')";
const REMOVED = "(SELECT min(seq) FROM messages WHERE user_id = ?1 AND conversation LIKE '~%')";

test.each([
  [
    "a memory without an index entry",
    `DELETE FROM memories_fts WHERE rowid = ${MEMORY}`,
    "index_entry",
  ],
  [
    "an index entry of a memory in the trash",
    `INSERT INTO memories_fts (rowid, text, dt, ctx) SELECT seq, tokens, dt, '' FROM memories WHERE seq = ${TRASHED}`,
    "index_entry",
  ],
  [
    "an index entry with words of another",
    `INSERT OR REPLACE INTO memories_fts (rowid, text, dt, ctx) SELECT ${MEMORY}, 'aaaaaaaaaaaa bbbbbbbbbbbb', dt, '' FROM memories WHERE seq = ${MEMORY}`,
    "index_entry",
  ],
  [
    "an index entry with a word too many",
    `INSERT OR REPLACE INTO memories_fts (rowid, text, dt, ctx) SELECT seq, tokens || ' zzzzzzzzzzzz', dt, '' FROM memories WHERE seq = ${MEMORY}`,
    "index_entry",
  ],
  [
    "an index entry without a row",
    "INSERT INTO memories_fts (rowid, text, dt, ctx) SELECT max(seq) + 77, 'aaaaaaaaaaaa', '', '' FROM memories WHERE ?1 <> ''",
    "index_entry",
  ],
  [
    "words of a memory",
    `UPDATE memories SET tokens = 'aaaaaaaaaaaa' WHERE seq = ${MEMORY}`,
    "words",
  ],
  ...["a''b", "the; NOT (words", 'say "no" -all', "aaaaaaaaaaaaa. bbbbbbbbbbbb", "*"].map(
    (tokens) => [
      `words that are syntax to the index: ${tokens}`,
      `UPDATE memories SET tokens = '${tokens}' WHERE seq = ${MEMORY}`,
      "words",
    ],
  ),
  [
    "words of a memory's day",
    `UPDATE memories SET dt = 'aaaaaaaaaaaa' WHERE seq = ${MEMORY}`,
    "words",
  ],
  [
    "a memory's length",
    `UPDATE memories SET token_count = token_count + 1 WHERE seq = ${MEMORY}`,
    "words",
  ],
  [
    "a memory's size",
    `UPDATE memories SET size_bytes = size_bytes + 1 WHERE seq = ${MEMORY}`,
    "words",
  ],
  [
    "a memory's fingerprint",
    `UPDATE memories SET fingerprint = 'aaaaaaaaaaaaaaaaaaaaaaaaaa' WHERE seq = ${MEMORY}`,
    "identity",
  ],
  [
    "a path of what is no file",
    `UPDATE memories SET path_token = 'aaaaaaaaaaaaaaaaaaaaaaaaaa' WHERE seq = ${MEMORY}`,
    "identity",
  ],
  ["a missing tag", `DELETE FROM memory_labels WHERE user_id = ?1 AND seq = ${TAGGED}`, "label"],
  [
    "a tag that the text does not have",
    `INSERT INTO memory_labels (user_id, label, seq) VALUES (?1, 'aaaaaaaaaaaa', ${TAGGED})`,
    "label",
  ],
  [
    "a tag of a memory that is gone",
    "INSERT INTO memory_labels (user_id, label, seq) VALUES (?1, 'aaaaaaaaaaaa', 999999999)",
    "label",
  ],
  ["missing names of tags", "DELETE FROM labels WHERE user_id = ?1", "label_name"],
  [
    "a name of another tag",
    `UPDATE labels SET body = (SELECT o.body FROM labels o WHERE o.user_id = ?1 AND o.label <> labels.label)
      WHERE user_id = ?1 AND label = (SELECT min(label) FROM labels WHERE user_id = ?1)`,
    "label_name",
  ],
  [
    "a message without an index entry",
    `DELETE FROM messages_fts WHERE rowid = ${MESSAGE}`,
    "index_entry",
  ],
  [
    "a message without its neighbours' words",
    `INSERT OR REPLACE INTO messages_fts (rowid, text, dt, ctx) SELECT seq, tokens, dt, '' FROM messages WHERE seq = ${MESSAGE}`,
    "index_entry",
  ],
  [
    "an index entry of a message that an undo took out",
    `INSERT INTO messages_fts (rowid, text, dt, ctx) SELECT seq, tokens, dt, '' FROM messages WHERE seq = ${REMOVED}`,
    "index_entry",
  ],
  [
    "words of a message",
    `UPDATE messages SET tokens = 'aaaaaaaaaaaa' WHERE seq = ${MESSAGE}`,
    "words",
  ],
  ["who speaks", `UPDATE messages SET speaker = 'aaaaaaaaaaaa' WHERE seq = ${MESSAGE}`, "words"],
  [
    "a conversation's count of messages",
    "UPDATE conversations SET message_count = message_count + 1 WHERE user_id = ?1 AND status = 'active'",
    "message_count",
  ],
  ["a count of memories", "UPDATE accounts SET memories_active = 99 WHERE user_id = ?1", "counter"],
  ["bytes", "UPDATE accounts SET bytes = 1 WHERE user_id = ?1", "counter"],
  ["a count of messages", "UPDATE accounts SET messages = 99 WHERE user_id = ?1", "counter"],
])("derived, so found, named and repaired: %s", async (_, damage, what) => {
  const person = await filled();
  const before = comparable(await rowsOf(person));
  await damaged(person, damage);
  const check = await verified(person);
  expect(check.left).toEqual({});
  expect(check.repaired[what]).toBeGreaterThan(0);
  expect(check.named).toContainEqual(expect.objectContaining({ what, id: expect.any(String) }));
  expect(await verified(person)).toMatchObject(CLEAN);
  expect(comparable(await rowsOf(person))).toEqual(before);
  expect(await countersOf(person)).toEqual(await sumsOf(person));
  expect(await indexOf(person)).toEqual({ missing: 0, extra: 0 });
});

test.each([
  [
    "a memory's ciphertext",
    `UPDATE memories SET body = (SELECT o.body FROM memories o WHERE o.user_id = ?1 AND o.seq <> memories.seq), size_bytes = size_bytes WHERE seq = ${MEMORY}`,
    ["unreadable", "memory"],
  ],
  [
    "an earlier state's ciphertext",
    "UPDATE memory_versions SET body = x'0101' WHERE user_id = ?1",
    ["unreadable", "memory_version"],
  ],
  [
    "an earlier state that is missing",
    "DELETE FROM memory_versions WHERE user_id = ?1",
    ["earlier_missing", "memory"],
  ],
  [
    "an earlier state that is no earlier one",
    "UPDATE memory_versions SET version = version + 50 WHERE user_id = ?1",
    ["not_earlier", "memory_version"],
  ],
  [
    "a missing operation",
    "DELETE FROM operations WHERE user_id = ?1 AND kind = 'save'",
    ["operation_missing", "memory"],
  ],
  [
    "a memory that is missing",
    "DELETE FROM memories WHERE user_id = ?1 AND version > 1 AND status = 'active'",
    ["belongs_to_nothing", "memory_version"],
  ],
  [
    "a conversation that is missing",
    "DELETE FROM conversations WHERE user_id = ?1",
    ["belongs_to_nothing", "message"],
  ],
  [
    "a title's ciphertext",
    "UPDATE conversations SET body = x'0101' WHERE user_id = ?1",
    ["unreadable", "conversation"],
  ],
  [
    "a message's ciphertext",
    `UPDATE messages SET body = x'0101' WHERE seq = ${MESSAGE}`,
    ["unreadable", "message"],
  ],
  [
    "what an operation counted",
    "UPDATE operations SET counts = '{' WHERE user_id = ?1 AND kind = 'save'",
    ["counts_unreadable", "operation"],
  ],
])("not derived, so named and left: %s", async (_, damage, [what, kind]) => {
  const person = await filled();
  await damaged(person, damage);
  const rows = await rowsOf(person);
  const check = await verified(person);
  expect(check.left[String(what)]).toBeGreaterThan(0);
  expect(check.named).toContainEqual(expect.objectContaining({ what, kind }));
  const after = await rowsOf(person);
  for (const table of ["memory_versions", "operations", "message_versions"]) {
    expect(after[table]).toEqual(rows[table]);
  }
  expect(after["memories"]?.map(({ body }) => body)).toEqual(
    rows["memories"]?.map(({ body }) => body),
  );
  const again = await verified(person);
  expect(again.left).toEqual(check.left);
  expect(again.repaired).toEqual({});
});

test.each([
  ["one that was sent whole for an hour", 3_600_000, "created_at"],
  ["one of batches for a week", 7 * 86_400_000, "NULL"],
])("while an import runs its operation may be missing: %s", async (_, lasts, expiresAt) => {
  const person = await newPerson();
  await callTool(person, "import_data", { items: [chat("said", 1), { content: "Likes tea" }] });
  await damaged(person, "DELETE FROM operations WHERE user_id = ?1");
  const silentSince = (time: number) =>
    damaged(
      person,
      `UPDATE jobs SET state = 'running', updated_at = ${time}, expires_at = ${expiresAt},
        operation_id = (SELECT changed_op FROM conversations WHERE user_id = ?1) WHERE user_id = ?1 AND kind = 'import'`,
    );
  const listed = async () =>
    (await callApi(person, "GET", "/api/sync/conversations")).data["items"];
  await silentSince(Date.now() - lasts + 600_000);
  expect((await verified(person)).left).toEqual({});
  expect(await listed()).toMatchObject([{ unfinished: true }]);
  await silentSince(Date.now() - lasts - 600_000);
  expect((await verified(person)).left["operation_missing"]).toBeGreaterThan(0);
  expect((await listed())[0]).not.toHaveProperty("unfinished");
});

test("the check stops and goes on: each request does a part, and a repair of the first is there with the last", async () => {
  const person = await newPerson();
  const items = Array.from({ length: 130 }, (_, at) => ({ content: `Fact number ${at}` }));
  await callTool(person, "import_data", { items });
  await damaged(
    person,
    "UPDATE memories SET tokens = 'aaaaaaaaaaaa' WHERE user_id = ?1 AND seq % 10 = 0",
  );
  const first = (await callApi(person, "POST", "/api/verify")).data["check"];
  expect(first).toMatchObject({ state: "running", phase: expect.any(String) });
  expect((await callApi(person, "GET", "/api/verify")).data["check"]).toEqual(first);
  const last = await verified(person);
  expect(last).toMatchObject({
    started_at: first.started_at,
    checked: { memories: 130 },
    repaired: { words: 13 },
    left: {},
  });
  expect(await verified(person)).toMatchObject(CLEAN);
});

test("what is written while the check runs is no damage", async () => {
  const person = await filled();
  const ids = await Promise.all(
    Array.from({ length: 8 }, (_, at) =>
      save(person, { content: `Has pet ${at}`, tags: ["pets"] }),
    ),
  );
  const end = new AbortController();
  const writing = (async () => {
    for (let round = 0; !end.signal.aborted; round++) {
      const id = ids[round % ids.length];
      await Promise.all([
        callTool(person, "update_memory", {
          id,
          content: `Has pet ${id} ${round}`,
          tags: [`tag ${round}`],
        }),
        callTool(person, "save_memory", { content: `Written meanwhile ${round}` }),
        callTool(person, "import_data", { items: [chat(`said ${round % 3}`, round)] }),
        callTool(person, round % 2 === 0 ? "delete_memory" : "update_memory", {
          id: ids[(round + 7) % ids.length],
          ...(round % 2 === 0 ? {} : { importance: 5 }),
        }),
      ]);
    }
  })();
  const checks = [];
  for (let round = 0; round < 2; round++) checks.push(await verified(person));
  end.abort();
  await writing;
  for (const check of checks) expect(check).toMatchObject({ repaired: {}, left: {} });
  expect(await verified(person)).toMatchObject(CLEAN);
  expect(await countersOf(person)).toEqual(await sumsOf(person));
}, 120_000);

test("the object checks by itself in the night after a change, in parts, once more after a repair, and plans none while nothing changes", async () => {
  onDay(0);
  const person = await newPerson();
  await save(person, { content: "Likes rye bread", tags: ["food"] });
  const first = await checkedInNight(person, 1);
  expect(first).toMatchObject({ checked: { memories: 1 }, repaired: {}, left: {} });
  expect(await checkedInNight(person, 2)).toEqual(first);
  expect(await isCheckPlanned(person)).toBe(false);

  onDay(4);
  await save(person, { content: "Plays the harp" });
  await damaged(person, `DELETE FROM memories_fts WHERE rowid = ${MEMORY}`);
  const second = await checkedInNight(person, 5);
  expect(second.repaired).toEqual({ index_entry: 1 });
  const third = await checkedInNight(person, 6);
  expect(third.startedAt).toBeGreaterThan(second.startedAt);
  expect(third).toMatchObject({ repaired: {}, left: {} });
  expect(await checkedInNight(person, 7)).toEqual(third);
  expect(await isCheckPlanned(person)).toBe(false);
});

test("what the trash was emptied of is checked although nobody asked for anything since", async () => {
  onDay(0);
  const person = await newPerson();
  const id = await save(person, { content: "Likes rye bread" });
  await callTool(person, "delete_memory", { id });
  const first = await checkedInNight(person, 1);
  expect(first.checked.memories).toBe(1);
  for (let day = 2; day <= 30; day++) expect(await checkedInNight(person, day)).toEqual(first);
  const last = await checkedInNight(person, 31);
  expect(last.checked.memories).toBe(0);
  await checkedInNight(person, 32);
  expect(await isCheckPlanned(person)).toBe(false);
});

test("an account that is used and not changed is checked again after a week", async () => {
  onDay(0);
  const person = await newPerson();
  await save(person, { content: "Likes rye bread" });
  const first = await checkedInNight(person, 1);
  for (const [day, isChecked] of [
    [6, false],
    [7, true],
  ] as const) {
    onDay(day);
    await callTool(person, "get_stats");
    const { startedAt } = await checkedInNight(person, day + 1);
    expect(startedAt > first.startedAt).toBe(isChecked);
  }
});

test("on the free plan a large account is checked every few nights, at the latest after seven; on a paid one each night", () => {
  const DAY = 86_400_000;
  const due = (rows: number, { plan, walked = 0 }: { plan: string; walked?: number }) => {
    const ended = { startedAt: 0, finishedAt: 1, phase: "counters", after: [], named: [] } as const;
    const check = { ...ended, checked: { messages: rows }, walked, repaired: {}, left: {} };
    const nights = Array.from({ length: 9 }, (_, night) => night);
    return nights.find((night) =>
      isCheckDue(check, { now: night * DAY, isChanged: true, plan: readPlan(plan) }),
    );
  };
  expect([0, 8_000, 16_000, 30_000, 1_000_000].map((rows) => due(rows, { plan: "free" }))).toEqual([
    1, 1, 2, 4, 7,
  ]);
  expect(due(100, { plan: "free", walked: 80_000 })).toBe(2);
  expect(due(1_000_000, { plan: "paid", walked: 5_000_000 })).toBe(1);
});

test("a check reads no more rows than its nights are reckoned with, and not half of them", async () => {
  const person = await filled();
  const facts = Array.from({ length: 60 }, (_, at) => ({ content: `Fact ${at}`, tags: ["x"] }));
  const chats = Array.from({ length: 8 }, (_, at) => chat(`chat ${at}`, at));
  await callTool(person, "import_data", { items: [...facts, ...chats] });
  const meter = newMeter();
  const metered = { ...env, DB: meteredD1(env.DB, meter) };
  await runInDurableObject(env.USERS.getByName(person.userId), (instance: UserAgent) => {
    Object.defineProperty(instance, "env", { value: metered, configurable: true });
  });
  await verified(person);
  const check = await storedCheck(person);
  if (check === null) throw new Error("There was a check");
  expect(meter.rowsRead).toBeLessThanOrEqual(readsOf(check));
  expect(meter.rowsRead).toBeGreaterThan(readsOf(check) / 2);
});

test("two who check at once end with one result, and a repair is made once", async () => {
  const person = await filled();
  await damaged(person, `DELETE FROM memories_fts WHERE rowid = ${MEMORY}`);
  await Promise.all([verified(person), verified(person)]);
  expect(await indexOf(person)).toEqual({ missing: 0, extra: 0 });
  expect(await verified(person)).toMatchObject(CLEAN);
});

test("a token that may not write may not repair, and no answer holds text", async () => {
  const person = await newPerson({ scopes: ["memories:read"] });
  expect((await callApi(person, "POST", "/api/verify")).status).toBe(403);
  const writer = await filled();
  await damaged(writer, "UPDATE memory_versions SET body = x'0101' WHERE user_id = ?1");
  const text = JSON.stringify(await verified(writer));
  for (const word of ["rye", "Bonn", "food", "azaleas", "Garden"]) expect(text).not.toContain(word);
});

const START = Date.parse("2026-03-01T09:00:00Z");

/** Only the date is not the machine's. */
function onDay(day: number, seconds = 0): void {
  vi.useFakeTimers({ toFake: ["Date"], now: START + day * 86_400_000 + seconds * 1_000 });
}

/** What the last check came to after the night before a day, in which the schedule calls whatever is due until the check has ended. */
async function checkedInNight(person: Person, day: number): Promise<IntegrityCheck> {
  const agent = env.USERS.getByName(person.userId);
  for (let part = 0; part < 100; part++) {
    onDay(day, 5 * part);
    await runDurableObjectAlarm(agent);
    const check = await storedCheck(person);
    if (check !== null && check.finishedAt !== null) {
      await backupsEnded(person);
      return check;
    }
  }
  throw new Error("The check does not end");
}

/** Without a request, by which the object would plan the next night. */
async function storedCheck({ userId }: Person): Promise<IntegrityCheck | null> {
  const stored = env.DB.prepare("SELECT integrity FROM accounts WHERE user_id = ?").bind(userId);
  return readCheck(await stored.first<string | null>("integrity"));
}

async function isCheckPlanned({ userId }: Person): Promise<boolean> {
  return runInDurableObject(env.USERS.getByName(userId), async (agent: UserAgent) =>
    (await agent.listSchedules()).some(({ callback }) => callback === "checkIntegrity"),
  );
}

async function filled(): Promise<Person> {
  const person = await newPerson({ trusted: true });
  await fill(person);
  return person;
}

function chat(id: string, round: number) {
  return {
    platform: "claude",
    id,
    title: `Talk ${round}`,
    messages: Array.from({ length: 6 }, (_, at) => ({
      id: `m${at}`,
      role: at % 2 === 0 ? "user" : "assistant",
      content: `Said ${at} in round ${round}`,
    })),
  };
}

/** What the check itself writes down, and times of names that were made again. */
function withoutCheck(rows: Awaited<ReturnType<typeof rowsOf>>) {
  return {
    ...rows,
    accounts: (rows["accounts"] ?? []).map(({ integrity: _check, ...account }) => account),
  };
}

function comparable(rows: Awaited<ReturnType<typeof rowsOf>>) {
  return {
    ...withoutCheck(rows),
    labels: (rows["labels"] ?? [])
      .map(({ label, kind }) => `${String(kind)} ${String(label)}`)
      .sort(),
  };
}

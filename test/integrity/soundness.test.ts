/** What looks like damage and is none, what a repair must leave alone, and what must not stop a check. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { emptyTrash } from "../../src/storage/trash.ts";
import { chat, fill, save } from "../support/backups.ts";
import { countersOf, sumsOf } from "../support/counters.ts";
import { callApi, callTool, newPerson, type Person } from "../support/people.ts";
import { syncSides, twoSides } from "../support/sync.ts";
import { damaged, verified } from "../support/verify.ts";

const SOUND = { repaired: {}, left: {}, named: [] };

test("what a sync copied, and what both sides had changed, is sound on both, although its operations are the other side's", async () => {
  const sides = await twoSides();
  const { here, there } = sides;
  await fill(here);
  const id = await save(here, { content: "Learns Welsh" });
  for (const content of ["Learns Cornish", "Learns Breton"]) await update(here, { id, content });
  await syncSides(sides);
  for (const content of ["Learns Manx", "Learns Irish"]) await update(there, { id, content });
  await update(here, { id, content: "Learns Gaelic" });
  const texts = ["Which soil for azaleas?", "Peat.", "And figs?"];
  await callTool(here, "import_data", { items: [chat("chat", texts, "Garden")] });
  await callTool(there, "import_data", {
    items: [chat("chat", [...texts.slice(0, 1), "Sand.", "Sun."], "Plants")],
  });
  await syncSides(sides);
  await update(here, { id, content: "Learns Latin" });
  await syncSides(sides);
  for (const person of [here, there]) expect(await verified(person)).toMatchObject(SOUND);
});

test("a conversation that is half purged is no damage, and its counters are right before and after", async () => {
  const person = await newPerson({ trusted: true });
  for (const name of ["one", "two"]) {
    await callTool(person, "import_data", { items: [chat(name, ["A", "B", "C", "D"], name)] });
  }
  const { data } = await callTool(person, "list_conversations");
  for (const { id } of data["conversations"]) {
    await callApi(person, "DELETE", `/api/conversations/${id}`);
  }
  const purge = () => {
    const now = Date.now() + 1;
    const part = { memories: 10, conversations: 10, messages: 6 };
    return emptyTrash(env.DB, person.userId, { before: now, now, part });
  };
  await purge();
  const listed = await callApi(person, "GET", "/api/conversations?status=trashed");
  expect(listed.data["conversations"]).toEqual([]);
  // Whatever else makes it count again must count right.
  await damaged(person, "UPDATE accounts SET memories_active = 9 WHERE user_id = ?1");
  expect(await verified(person)).toMatchObject({ repaired: { counter: 1 }, left: {} });
  while ((await purge()).isDue);
  expect(await countersOf(person)).toEqual(await sumsOf(person));
  expect(await verified(person)).toMatchObject(SOUND);
});

test("while an archive comes its earlier states are not missed; once its import was given up for a week they are", async () => {
  const person = await newPerson({ trusted: true });
  await fill(person);
  await damaged(person, "DELETE FROM memory_versions WHERE user_id = ?1");
  const begunAt = (time: number) =>
    env.DB.prepare(
      `INSERT OR REPLACE INTO jobs (user_id, id, kind, state, format, grant_id, client, counts, created_at, updated_at, key_version)
        VALUES (?1, 'archivejob', 'import', 'running', 'archive', 'g', 'c', '{}', ?2, ?2, 1)`,
    )
      .bind(person.userId, time)
      .run();
  await begunAt(Date.now());
  expect((await verified(person)).left).toEqual({});
  await begunAt(Date.now() - 8 * 86_400_000);
  expect((await verified(person)).left).toMatchObject({ earlier_missing: expect.any(Number) });
});

test("a repair leaves words of an earlier tokeniser to the upkeep that makes them anew", async () => {
  const person = await newPerson({ trusted: true });
  await fill(person);

  await damaged(
    person,
    "UPDATE memories SET tokenizer_version = 1, size_bytes = size_bytes + 1 WHERE user_id = ?1",
  );
  await damaged(
    person,
    "UPDATE messages SET tokenizer_version = 1, size_bytes = size_bytes + 1 WHERE user_id = ?1",
  );
  await verified(person);
  for (const table of ["memories", "messages"]) {
    const { results } = await env.DB.prepare(
      `SELECT DISTINCT tokenizer_version AS version, size_bytes = length(body) AS fits FROM ${table} WHERE user_id = ?1`,
    )
      .bind(person.userId)
      .run();
    expect(results).toContainEqual({ version: 1, fits: 1 });
    expect(results).not.toContainEqual(expect.objectContaining({ fits: 0 }));
  }
});

test("what was left is named, however much was repaired before it", async () => {
  const person = await newPerson({ trusted: true });
  const items = Array.from({ length: 70 }, (_, at) => ({ content: `Fact number ${at}` }));
  await callTool(person, "import_data", { items });
  await fill(person);
  await damaged(
    person,
    "DELETE FROM memories_fts WHERE rowid IN (SELECT seq FROM memories WHERE user_id = ?1)",
  );
  await damaged(person, "UPDATE message_versions SET body = x'0101' WHERE user_id = ?1");
  const { repaired, named } = await verified(person);
  expect(repaired["index_entry"]).toBeGreaterThan(70);
  expect(named[0]).toMatchObject({ what: "unreadable", kind: "message_version" });
});

test("a row that cannot be looked at is named and passed over, and the rest is checked", async () => {
  const person = await newPerson({ trusted: true });
  await fill(person);
  const MEMORY = "(SELECT min(id) FROM memories WHERE user_id = ?1 AND status = 'active')";
  const LAST = "(SELECT max(id) FROM memories WHERE user_id = ?1 AND status = 'active')";
  // No calendar has this day.
  await damaged(
    person,
    `UPDATE memories SET created_at = 9000000000000000 WHERE user_id = ?1 AND id = ${MEMORY}`,
  );
  await damaged(
    person,
    `UPDATE memories SET tokens = 'aaaaaaaaaaaa' WHERE user_id = ?1 AND id = ${LAST}`,
  );
  const check = await verified(person);
  expect(check.left).toEqual({ unchecked: 1 });
  expect(check.repaired).toMatchObject({ words: 1 });
  expect(check.named[0]).toMatchObject({ what: "unchecked", kind: "memory" });
});

test("rows that are large are read in small pages, and all of them are repaired", async () => {
  const person = await newPerson({ trusted: true });
  const texts = Array.from({ length: 6 }, (_, at) => noise(at, 400_000));
  const said = await callApi(person, "POST", "/api/imports", [
    {
      uuid: "long",
      name: "Long",
      created_at: "2026-02-01T10:00:00Z",
      updated_at: "2026-02-01T10:00:00Z",
      chat_messages: texts.map((text, at) => ({
        uuid: `m${at}`,
        sender: "human",
        text,
        created_at: "2026-02-01T10:00:00Z",
      })),
    },
  ]);
  expect(said.status).toBeLessThan(300);
  const size = await env.DB.prepare(
    "SELECT sum(length(body)) AS bytes FROM messages WHERE user_id = ?1",
  )
    .bind(person.userId)
    .first<{ bytes: number }>();
  expect(size?.bytes).toBeGreaterThan(1_000_000);
  expect(await verified(person)).toMatchObject({ ...SOUND, checked: { messages: 6 } });
  await damaged(person, "UPDATE messages SET tokens = 'aaaaaaaaaaaa' WHERE user_id = ?1");
  expect(await verified(person)).toMatchObject({ repaired: { words: 6 }, left: {} });
}, 120_000);

test("what the last check found is told while the next one runs, and a part looks at no more rows than the plan allows", async () => {
  const person = await newPerson({ trusted: true });
  const items = Array.from({ length: 130 }, (_, at) => ({ content: `Fact number ${at}` }));
  await callTool(person, "import_data", { items });
  const { finished_at: at } = await verified(person);
  const told = async () => (await callTool(person, "get_stats")).data["last_check"];
  expect(await told()).toEqual({ at, repaired: 0, left: 0 });
  let before = 0;
  for (;;) {
    const { check } = (await callApi(person, "POST", "/api/verify")).data;
    if (check.state === "finished") break;
    const rows = Object.values<number>(check.checked).reduce((sum, count) => sum + count, 0);
    expect(rows - before).toBeLessThanOrEqual(40);
    before = rows;
    expect(await told()).toEqual({ at, repaired: 0, left: 0 });
  }
});

async function update(person: Person, args: Record<string, unknown>): Promise<void> {
  const { isError, text } = await callTool(person, "update_memory", args);
  if (isError) throw new Error(text);
}

/** Words that hardly compress, the same each time. */
function noise(seed: number, chars: number): string {
  let state = seed + 1;
  let text = "";
  while (text.length < chars) {
    state = (state * 48_271) % 2_147_483_647;
    text += `${state.toString(36)}${state % 3 === 0 ? " " : ""}`;
  }
  return text;
}

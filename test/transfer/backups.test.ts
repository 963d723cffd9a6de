/** Backups, their rehearsals and restores, through the API. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { openBackupStores } from "../../src/storage/open-account.ts";
import { readPlan } from "../../src/storage/plan.ts";
import { emptyTrash } from "../../src/storage/trash.ts";
import { createBackup, dueBackupWork } from "../../src/transfer/backup.ts";
import { createRestore } from "../../src/transfer/restore-backup.ts";
import type { UserAgent } from "../../src/user-agent.ts";
import {
  api,
  backUp,
  chat,
  fill,
  fillWith,
  found,
  indexOf,
  patchRules,
  purge,
  rehearse,
  restored,
  rowsOf,
  save,
  TABLES,
  WAIT,
  withoutOperation,
} from "../support/backups.ts";
import { callApi, callTool, newPerson, type Person } from "../support/people.ts";

const MAKER = { grantId: "test", client: "Test" };
const HOUR = 3_600_000;

test("a backup is verified, and restoring it whole makes every row what it was, found by its words", async () => {
  const person = await newPerson({ trusted: true });
  await fill(person);
  const before = await rowsOf(person);
  const backup = await backUp(person);
  expect(backup).toMatchObject({
    state: "finished",
    verified_at: null,
    rows: Object.fromEntries(TABLES.map((table) => [table, before[table]?.length])),
  });
  expect(await rehearse(person, backup.id)).toMatchObject({ rehearsal: { state: "passed" } });

  // Changed by its owner, and damaged beside the product.
  await callTool(person, "save_memory", { content: "Came later", tags: ["later", "food"] });
  const { data: list } = await callTool(person, "list_memories", {});
  await callTool(person, "update_memory", {
    id: list["memories"].at(-1).id,
    content: "Changed later",
    tags: ["later"],
  });
  await callTool(person, "import_data", {
    items: [chat("chat", ["Which soil?", "Acid.", "More."])],
  });
  await callTool(person, "import_data", { items: [chat("another", ["Hello", "Unwanted words"])] });
  await patchRules(person, { max_memories: 77 });
  for (const statement of [
    "DELETE FROM labels WHERE user_id = ?1 AND kind = 'tag'",
    "DELETE FROM memory_labels WHERE user_id = ?1 AND seq % 2 = 0",
    "DELETE FROM memories_fts WHERE rowid IN (SELECT seq FROM memories WHERE user_id = ?1 AND status = 'trashed')",
    "DELETE FROM memories WHERE user_id = ?1 AND status = 'trashed'",
    "UPDATE memories SET importance = 1, dt = '' WHERE user_id = ?1 AND status = 'active'",
    "DELETE FROM memory_versions WHERE user_id = ?1",
    "DELETE FROM messages_fts WHERE rowid IN (SELECT seq FROM messages WHERE user_id = ?1 AND position = 0)",
    "DELETE FROM messages WHERE user_id = ?1 AND position = 0",
    "DELETE FROM messages_fts WHERE rowid IN (SELECT seq FROM messages WHERE user_id = ?1 AND position = 1)",
    "DELETE FROM accounts WHERE user_id = ?1",
  ]) {
    await env.DB.prepare(statement).bind(person.userId).run();
  }

  const restore = await restored(person, backup.id, "whole");
  expect(restore).toMatchObject({ state: "finished", mode: "whole", skipped: [] });
  const after = await rowsOf(person);
  expect(withoutOperation(after, restore.operation_id)).toEqual(before);
  expect(await found(person, "search_memory", "rye bread")).toEqual(["Likes rye bread"]);
  expect(await found(person, "search_memory", "came later")).not.toContain("Came later");
  expect(await found(person, "search_conversations", "soil")).not.toEqual([]);
  expect(await found(person, "search_conversations", "unwanted")).toEqual([]);
  expect(await indexOf(person)).toEqual({ missing: 0, extra: 0 });

  // It is an operation, its way back is the backup made before it, and that one is whole too.
  expect((await api(person, "GET", "/operations")).operations[0]).toMatchObject({
    id: restore.operation_id,
    kind: "restore",
  });
  expect(await api(person, "POST", `/operations/${restore.operation_id}/undo`)).toMatchObject({
    error: {
      code: "invalid_input",
      hint: expect.stringContaining(restore.backup_before),
      backup_before: restore.backup_before,
    },
  });
  const back = await restored(person, restore.backup_before, "merge");
  expect(back.restored).toMatchObject({ conversations: 1 });
  expect(await found(person, "search_conversations", "unwanted")).not.toEqual([]);

  await api(person, "DELETE", `/backups/${restore.backup_before}`);
  const { error } = await api(person, "POST", `/operations/${restore.operation_id}/undo`);
  expect(error).toMatchObject({ hint: expect.stringContaining("kept no longer") });
  expect(error.backup_before).toBeUndefined();
});

test("restoring as a merge brings back what is missing, leaves what is newer, and names what it left", async () => {
  const person = await newPerson({ trusted: true });
  const [one, two, three] = [
    await save(person, { content: "Owns a cat", tags: ["pets"] }),
    await save(person, { content: "Owns a dog", tags: ["pets"] }),
    await save(person, { content: "Owns a horse", tags: ["pets"] }),
  ];
  await callTool(person, "import_data", { items: [chat("chat", ["Which soil?", "Acid."])] });
  const backup = await backUp(person);
  await callTool(person, "update_memory", { id: one, content: "Owns two cats", tags: ["home"] });
  for (const id of [two, three]) await purge(person, id);
  await save(person, { content: "Owns a horse" });
  await save(person, { content: "Owns a goat" });
  await env.DB.batch(
    ["messages", "conversations"].map((table) =>
      env.DB.prepare(`DELETE FROM ${table} WHERE user_id = ?1`).bind(person.userId),
    ),
  );

  const restore = await restored(person, backup.id, "merge");
  expect(restore).toMatchObject({
    state: "finished",
    restored: { memories: 1, memory_labels: 1, conversations: 1, messages: 2 },
    kept: { memories: 1 },
    skipped: expect.arrayContaining([{ table: "memories", reason: "same_text", count: 1 }]),
  });
  const texts = await found(person, "search_memory", "owns");
  expect(texts.sort()).toEqual(["Owns a dog", "Owns a goat", "Owns a horse", "Owns two cats"]);
  const { data: pets } = await callTool(person, "list_memories", { tags: ["pets"] });
  expect(pets["memories"].map(({ id }: any) => id)).toEqual([two]);
  expect(await found(person, "search_conversations", "soil")).toHaveLength(1);
  expect((await callTool(person, "get_stats")).data).toMatchObject({
    memories: { active: 4 },
    conversations: { total: 1, messages: 2 },
  });
  // What is there already is left alone.
  const again = await restored(person, backup.id, "merge");
  expect(again.restored).toMatchObject({ memories: 0, memory_labels: 0, messages: 0 });
});

test("an account of several chunks comes back whole after thousands of rows were added, changed and lost", async () => {
  const person = await newPerson();
  await fillWith(person, "plums");
  const before = await rowsOf(person);
  const backup = await backUp(person);
  expect(backup.rows).toMatchObject({ memories: 1_100, messages: 1_400 });
  expect(await rehearse(person, backup.id)).toMatchObject({ rehearsal: { state: "passed" } });
  await fillWith(person, "pears");
  await fillWith(person, "quinces");
  for (const statement of [
    "DELETE FROM memories WHERE user_id = ?1 AND seq % 3 = 0",
    "UPDATE memories SET importance = 1 WHERE user_id = ?1 AND seq % 3 = 1",
    "DELETE FROM messages WHERE user_id = ?1 AND seq % 3 = 0",
    "UPDATE messages SET position = position + 1 WHERE user_id = ?1 AND seq % 3 = 1",
  ]) {
    await env.DB.prepare(statement).bind(person.userId).run();
  }
  const restore = await restored(person, backup.id, "whole");
  expect(restore).toMatchObject({ state: "finished", skipped: [] });
  expect(withoutOperation(await rowsOf(person), restore.operation_id)).toEqual(before);
  expect(await found(person, "search_memory", "fact plums 1099")).toContain(
    "Fact about plums 1099",
  );
  expect(await found(person, "search_conversations", "pears")).toEqual([]);
});

test("rows whose numbers others have by now get new ones, with their tags and index entries", async () => {
  const person = await newPerson();
  const id = await save(person, { content: "Plays the cello", tags: ["music"] });
  await callTool(person, "import_data", { items: [chat("chat", ["Which strings?", "Gut."])] });
  const backup = await backUp(person);
  // As in a database that was made anew: the numbers belong to someone else.
  const other = await newPerson();
  for (const table of ["memories", "messages"]) {
    await env.DB.prepare(
      `DELETE FROM ${table}_fts WHERE rowid IN (SELECT seq FROM ${table} WHERE user_id = ?1)`,
    )
      .bind(person.userId)
      .run();
    await env.DB.prepare(`UPDATE ${table} SET user_id = ?2 WHERE user_id = ?1`)
      .bind(person.userId, other.userId)
      .run();
  }
  await env.DB.prepare("DELETE FROM memory_labels WHERE user_id = ?1").bind(person.userId).run();
  expect(await restored(person, backup.id, "whole")).toMatchObject({
    state: "finished",
    skipped: [],
  });
  const { data } = await callTool(person, "list_memories", { tags: ["music"] });
  expect(data["memories"].map((memory: any) => memory.id)).toEqual([id]);
  expect(await found(person, "search_memory", "cello")).toEqual(["Plays the cello"]);
  expect(await found(person, "search_conversations", "strings")).toHaveLength(1);
  expect((await rowsOf(other))["memories"]).toHaveLength(1);
});

test("a damaged backup fails its rehearsal, says so in get_stats, and is refused before anything changes", async () => {
  const person = await newPerson();
  await save(person, { content: "Likes rye bread" });
  const flip = async (key: string) => {
    const stored = await env.ARCHIVES.get(key);
    const bytes = new Uint8Array((await stored?.arrayBuffer()) ?? new ArrayBuffer(0));
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    await env.ARCHIVES.put(key, bytes);
  };
  const damages: [damage: (path: string) => Promise<void>, problem: RegExp][] = [
    [(path) => flip(`${path}/3`), /Chunk 3 is not as it was written/],
    [(path) => env.ARCHIVES.delete(`${path}/4`), /Chunk 4 is missing/],
    [(path) => flip(`${path}/manifest`), /manifest is not as it was written/],
    [(path) => env.ARCHIVES.delete(`${path}/manifest`), /manifest is missing/],
  ];
  for (const [damage, problem] of damages) {
    const { id } = await backUp(person);
    expect(await rehearse(person, id)).toMatchObject({ verified_at: expect.any(String) });
    await damage(`backups/${person.userId}/${id}`);
    const before = await rowsOf(person);
    const refused = await restored(person, id, "whole");
    expect(refused).toMatchObject({ state: "failed", problem: expect.stringMatching(problem) });
    expect(refused.problem).toContain("Nothing was changed");
    expect(await rowsOf(person)).toEqual(before);

    const logged = vi.spyOn(console, "error").mockReturnValue();
    expect(await rehearse(person, id)).toMatchObject({
      state: "failed",
      verified_at: null,
      rehearsal: { state: "failed", problem: expect.stringMatching(problem) },
    });
    logged.mockRestore();
    const { data, text } = await callTool(person, "get_stats");
    expect(data["backup_problem"]).toMatch(problem);
    expect(data["last_verified_backup_at"]).toBeUndefined();
    expect(text).toMatch(problem);
    expect(await api(person, "POST", `/backups/${id}/restore`, { mode: "whole" })).toMatchObject({
      error: { code: "invalid_input" },
    });
  }
});

test("a rehearsal notices what hashes cannot: rows that were damaged before they were backed up", async () => {
  const person = await newPerson();
  await save(person, { content: "Likes rye bread" });
  await env.DB.prepare("UPDATE memories SET body = substr(body, 1, 40) WHERE user_id = ?1")
    .bind(person.userId)
    .run();
  const { id } = await backUp(person);
  expect(await rehearse(person, id)).toMatchObject({
    rehearsal: { state: "failed", problem: "1 bodies of memories are not as they were sealed." },
  });
});

test("nothing in a backup is readable, and it holds no user's rows but its own", async () => {
  const [person, other] = [await newPerson({ trusted: true }), await newPerson()];
  await fill(person);
  await save(other, { content: "Likes rye bread" });
  const { id } = await backUp(person);
  const { objects } = await env.ARCHIVES.list({ prefix: `backups/${person.userId}/${id}/` });
  expect(objects.length).toBeGreaterThan(10);
  let text = "";
  for (const { key } of objects) {
    const stored = await env.ARCHIVES.get(key);
    const body = stored?.body ?? null;
    if (body === null) continue;
    text += await new Response(
      key.endsWith("manifest") ? body : body.pipeThrough(new DecompressionStream("gzip")),
    ).text();
  }
  expect(text.length).toBeGreaterThan(10_000);
  // Long enough that no blind token holds one by chance.
  for (const word of ["Likes rye", "concert", "holiday", "azaleas", "Garden", "blocked-tag"]) {
    expect(text).not.toContain(word);
    expect(text.toLowerCase()).not.toContain(new TextEncoder().encode(word).toHex());
  }
  const { results } = await env.DB.prepare("SELECT id FROM memories WHERE user_id = ?1")
    .bind(other.userId)
    .all<{ id: string }>();
  for (const { id: foreign } of results) expect(text).not.toContain(foreign);
});

test("backups are their owner's, and each right is asked for", async () => {
  const person = await newPerson();
  await save(person, { content: "Likes rye bread" });
  const { id } = await backUp(person);
  const restore = await restored(person, id, "merge");
  const other = await newPerson();
  for (const [method, path, body] of [
    ["GET", `/backups/${id}`],
    ["DELETE", `/backups/${id}`],
    ["POST", `/backups/${id}/rehearse`],
    ["POST", `/backups/${id}/restore`, { mode: "whole" }],
    ["GET", `/restores/${restore.id}`],
  ] as const) {
    expect(await api(other, method, path, body)).toMatchObject({ error: { code: "not_found" } });
  }
  expect((await api(other, "GET", "/backups")).backups).toEqual([]);

  const reader = await newPerson({ scopes: ["memories:read", "memories:write"] });
  for (const [method, path] of [
    ["GET", "/backups"],
    ["POST", "/backups"],
    ["DELETE", `/backups/${id}`],
    ["POST", `/backups/${id}/rehearse`],
    ["POST", `/backups/${id}/restore`],
  ] as const) {
    expect(await api(reader, method, path)).toMatchObject({ error: { code: "forbidden" } });
  }
  expect(await api(person, "POST", `/backups/${id}/restore`, { mode: "half" })).toMatchObject({
    error: { code: "invalid_input" },
  });
});

test("the schedule backs up what changed and rehearses it, and rests where nothing did", async () => {
  const person = await newPerson();
  await night(person);
  expect((await api(person, "GET", "/backups")).backups).toEqual([]);

  await save(person, { content: "Likes rye bread" });
  await night(person);
  await vi.waitFor(async () => {
    const { backups } = await api(person, "GET", "/backups");
    expect(backups).toMatchObject([{ made_by: "Schedule", rehearsal: { state: "passed" } }]);
  }, WAIT);
  expect((await callTool(person, "get_stats")).data).toMatchObject({
    last_backup_at: expect.any(String),
    last_verified_backup_at: expect.any(String),
  });

  await night(person);
  expect((await api(person, "GET", "/backups")).backups).toHaveLength(1);
  // A week later the same backup is rehearsed again.
  await env.DB.prepare("UPDATE accounts SET last_verified_backup_at = 1 WHERE user_id = ?1")
    .bind(person.userId)
    .run();
  await night(person);
  await vi.waitFor(async () => {
    const { last_verified_at } = await api(person, "GET", "/backups");
    expect(Date.parse(last_verified_at)).toBeGreaterThan(1);
  }, WAIT);
  expect((await api(person, "GET", "/backups")).backups).toHaveLength(1);
});

test("a request plans one backup for the coming night", async () => {
  const person = await newPerson();
  for (const content of ["Likes rye bread", "Owns a cat"]) await save(person, { content });
  const plans = await runInDurableObject(
    env.USERS.getByName(person.userId),
    async (agent: UserAgent) =>
      (await agent.listSchedules()).filter(({ callback }) => callback === "backUp"),
  );
  expect(plans).toHaveLength(1);
  const at = (plans[0]?.time ?? 0) * 1_000;
  expect(at - Date.now()).toBeLessThanOrEqual(24 * 3_600_000);
  expect([1, 2, 3, 4]).toContain(new Date(at).getUTCHours());
});

test("a backup of more rows than are rehearsed by schedule is rehearsed on command", async () => {
  const person = await newPerson();
  await save(person, { content: "Likes rye bread" });
  const { id } = await backUp(person);
  const { backups } = openBackupStores(env, person.userId);
  const due = (rehearsedRows: number) => dueBackupWork(backups, { now: Date.now(), rehearsedRows });
  expect(await due(1)).toBeNull();
  expect(await due(1_000)).toEqual({ do: "rehearse", jobId: id });
  expect(await rehearse(person, id)).toMatchObject({ rehearsal: { state: "passed" } });
  expect(await due(1_000)).toBeNull();
});

test("a backup is deleted with everything in it", async () => {
  const person = await newPerson();
  await save(person, { content: "Likes rye bread" });
  const { id } = await backUp(person);
  expect(await api(person, "DELETE", `/backups/${id}`)).toEqual({ deleted: id });
  expect(await api(person, "GET", `/backups/${id}`)).toMatchObject({
    error: { code: "not_found" },
  });
  expect((await env.ARCHIVES.list({ prefix: `backups/${person.userId}/` })).objects).toEqual([]);
});

test("a deleted backup is named as the last verified one no longer", async () => {
  const person = await newPerson();
  await save(person, { content: "Likes rye bread" });
  const { id } = await backUp(person);
  await rehearse(person, id);
  expect((await callTool(person, "get_stats")).data["last_verified_backup_at"]).toEqual(
    expect.any(String),
  );
  await api(person, "DELETE", `/backups/${id}`);
  expect((await callTool(person, "get_stats")).data["last_verified_backup_at"]).toBeUndefined();
  expect((await api(person, "GET", "/backups")).last_verified_at ?? null).toBeNull();
});

test("a backup that a person made outlives their next one of the same day", async () => {
  const person = await newPerson();
  await save(person, { content: "Likes rye bread" });
  const made = [await backUp(person), await backUp(person), await backUp(person)];
  const { backups } = await api(person, "GET", "/backups");
  const ids = backups.map(({ id }: { id: string }) => id);
  expect(ids).toEqual(expect.arrayContaining(made.map(({ id }) => id)));
});

test("of restores that are asked for at once one runs", async () => {
  const person = await newPerson();
  await save(person, { content: "Likes rye bread" });
  const { id } = await backUp(person);
  const answers = await Promise.all(
    ["whole", "merge", "whole"].map((mode) =>
      callApi(person, "POST", `/api/backups/${id}/restore`, { mode }),
    ),
  );
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 409, 409]);
});

test("while a restore runs no backup is made or deleted, and one that has been silent for an hour is over", async () => {
  const person = await newPerson();
  await save(person, { content: "Likes rye bread" });
  const { id } = await backUp(person);
  await save(person, { content: "Owns a cat" });
  const { backups } = openBackupStores(env, person.userId);
  const begin = (now: number) =>
    createRestore(backups, MAKER, { backupId: id, mode: "whole", mayChangeRules: true, now });
  const due = () => dueBackupWork(backups, { now: Date.now(), rehearsedRows: 0 });
  const started = Date.now();
  const restore = await begin(started - 2 * HOUR);
  await backups.touch(restore.id, started);
  for (const [method, path] of [
    ["POST", "/backups"],
    ["DELETE", `/backups/${id}`],
  ] as const) {
    expect(await api(person, method, path)).toMatchObject({
      error: { code: "version_conflict", hint: expect.stringContaining(restore.id) },
    });
  }
  await expect(begin(started)).rejects.toMatchObject({ code: "version_conflict" });
  expect(await due()).toBeNull();

  await backups.touch(restore.id, started - 2 * HOUR);
  await begin(started);
  await expect(backups.touch(restore.id, started)).rejects.toThrow("The job is over");
});

test("a backup that died is told as failed once it has been silent for an hour", async () => {
  const person = await newPerson();
  await save(person, { content: "Likes rye bread" });
  const { backups } = openBackupStores(env, person.userId);
  const { job } = await createBackup(backups, MAKER, Date.now() - 2 * HOUR);
  expect(await api(person, "GET", "/backups")).toMatchObject({
    backups: [{ id: job.id, state: "failed" }],
  });
  await backups.touch(job.id, Date.now());
  expect(await api(person, "GET", `/backups/${job.id}`)).toMatchObject({
    backup: { state: "running" },
  });
});

test("a backup that is still being written has no rival and is not deleted, however long ago it began", async () => {
  const person = await newPerson();
  await save(person, { content: "Likes rye bread" });
  const { backups } = openBackupStores(env, person.userId);
  const now = Date.now();
  const { job } = await createBackup(backups, MAKER, now - 5 * HOUR);
  await backups.touch(job.id, now);
  expect(await createBackup(backups, MAKER, now)).toMatchObject({
    isNew: false,
    job: { id: job.id },
  });
  expect(await api(person, "DELETE", `/backups/${job.id}`)).toMatchObject({
    error: { code: "version_conflict" },
  });
  await backups.touch(job.id, now - 5 * HOUR);
  expect(await createBackup(backups, MAKER, now)).toMatchObject({ isNew: true });
});

test("what changes an account without a new operation is backed up: rules, an import that goes on, a purge", async () => {
  const person = await newPerson({ trusted: true });
  const { backups } = openBackupStores(env, person.userId);
  const due = () => dueBackupWork(backups, { now: Date.now(), rehearsedRows: 0 });
  const backedUp = async () => {
    await backUp(person);
    expect(await due()).toBeNull();
  };
  const gone = await save(person, { content: "Likes rye bread" });
  await callTool(person, "delete_memory", { id: gone });
  const changes = [
    () => patchRules(person, { max_memories: 77, blocked_tags: ["private"] }),
    () => patchRules(person, { max_memories: 78 }),
    ...(await importOf(person, [["a", "b"], ["c"], ["d", "e"]])),
    async () => {
      const now = Date.now() + 1;
      const part = readPlan("free").trashPart;
      await emptyTrash(env.DB, person.userId, { before: now, now, part });
    },
  ];
  await backedUp();
  for (const change of changes) {
    await change();
    const work = await due();
    expect(work).toMatchObject({ do: "back up" });
    // The job that the schedule would have begun.
    await backups.end(work?.jobId ?? "", {
      state: "failed",
      counts: "{}",
      operationId: null,
      now: Date.now(),
    });
    await backedUp();
  }
});

test("after a whole restore the same files are imported from the beginning", async () => {
  const person = await newPerson();
  await save(person, { content: "Likes rye bread" });
  const { id } = await backUp(person);
  const [first, second] = await importOf(person, [["a", "b"], ["c"]]);
  await first?.();
  expect(await restored(person, id, "whole")).toMatchObject({ state: "finished" });
  await expect(second?.()).rejects.toThrow("cancelled");
  for (const batch of await importOf(person, [["a", "b"], ["c"]])) await batch();
  expect((await callTool(person, "get_stats")).data["conversations"]).toMatchObject({
    total: 2,
    messages: 3,
  });
});

test("whoever is not trusted with the memory rules does not set them back by a restore", async () => {
  const name = `owner ${crypto.randomUUID()}`;
  const person = await newPerson({ name, trusted: true });
  await patchRules(person, { imports: "active" });
  await save(person, { content: "Likes rye bread" });
  const { id } = await backUp(person);
  await patchRules(person, { imports: "pending", secrets: "refuse" });
  const { rules } = await api(person, "GET", "/rules");
  const app = await newPerson({
    name,
    scopes: ["data:import", "memories:write", "memories:delete"],
  });
  expect(await restored(app, id, "whole")).toMatchObject({ state: "finished", rules_kept: true });
  expect((await api(person, "GET", "/rules")).rules).toEqual(rules);
  expect(await restored(person, id, "whole")).not.toHaveProperty("rules_kept");
  expect((await api(person, "GET", "/rules")).rules).toMatchObject({ imports: "active" });
});

/** Batches of one import, each with one conversation of these texts, to be sent one after the other. */
async function importOf(
  person: Person,
  conversations: readonly (readonly string[])[],
): Promise<(() => Promise<void>)[]> {
  const call = async (path: string, body: unknown) => {
    const { status, data } = await callApi(person, "POST", `/api/imports/${path}`, body);
    if (status !== 200) throw new Error(JSON.stringify(data));
    return data;
  };
  const count = conversations.length;
  const { job } = await call("begin", {
    files: [
      {
        outcome: "read",
        name: "a.json",
        format: "Claude conversations",
        source: "claude",
        truncated: false,
      },
    ],
    totals: { conversation: count, message: conversations.flat().length, memory: 0 },
    key: "the same files",
    bytesTotal: count,
  });
  return conversations.map((texts, at) => async () => {
    const platformId = texts.join(" ");
    const conversation = {
      source: "claude",
      provenance: { platform: "claude", id: platformId },
      title: "A title",
      createdAt: 1_780_000_000_000,
      updatedAt: 1_780_000_000_000,
      messages: texts.map((text) => ({
        provenance: { id: `${platformId} ${text}` },
        role: "user",
        text,
        createdAt: null,
        attachments: [],
      })),
    };
    const records = [{ type: "conversation", conversation }];
    await call(`${job.id}/batches`, { number: job.next_batch + at, records, bytesRead: at + 1 });
  });
}

/** What the object's alarm does. */
async function night(person: Person): Promise<void> {
  await runInDurableObject(env.USERS.getByName(person.userId), (agent: UserAgent) =>
    agent.backUp(),
  );
}

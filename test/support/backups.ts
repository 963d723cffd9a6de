/** What tests of backups share: an account with something of everything, its rows, and the ways through the API. */
import { env } from "cloudflare:workers";
import { expect, vi } from "vitest";
import { openBackupRestore } from "../../src/storage/backup-restore.ts";
import { openBackupStores } from "../../src/storage/open-account.ts";
import { createBackup, writeBackup, type Step } from "../../src/transfer/backup.ts";
import {
  createRestore,
  restoreBackup,
  type RestoreMode,
} from "../../src/transfer/restore-backup.ts";
import { callTool, fetchWorker, type Person } from "./people.ts";

export const TABLES = [
  "operations",
  "labels",
  "memories",
  "memory_versions",
  "memory_labels",
  "conversations",
  "conversation_versions",
  "messages",
  "message_versions",
] as const;

export const WAIT = { timeout: 8_000, interval: 50 };

/** Memories in every state, with versions and tags, and conversations that were changed, and trashed. */
export async function fill(person: Person): Promise<void> {
  await patchRules(person, {
    auto_save: ["personal_facts", "user_preferences"],
    blocked_tags: ["blocked-tag"],
  });
  const bread = await save(person, {
    content: "Likes rye",
    tags: ["food"],
    category: "user_preferences",
  });
  await callTool(person, "update_memory", {
    id: bread,
    content: "Likes rye bread",
    tags: ["food", "home"],
  });
  const old = await save(person, {
    content: "Lives in Bonn",
    category: "personal_facts",
    project: "shop",
  });
  await callTool(person, "save_memory", {
    content: "Lives in Köln",
    category: "personal_facts",
    supersedes: old,
  });
  await callTool(person, "save_memory", { content: "Goes to a concert", category: "events" });
  await callTool(person, "save_memory", {
    content: "Is on holiday",
    category: "personal_facts",
    expires_at: "2026-01-01",
  });
  const gone = await save(person, {
    content: "Owns a cat",
    category: "personal_facts",
    tags: ["pets"],
  });
  await callTool(person, "delete_memory", { id: gone });
  await callTool(person, "import_data", { items: [chat("chat", ["Which soil?", "Acid soil."])] });
  await callTool(person, "import_data", {
    items: [chat("chat", ["Which soil for azaleas?", "Acid soil."], "Garden")],
  });
  // Messages that an undo took out of a conversation that stays.
  const { data: longer } = await callTool(person, "import_data", {
    items: [chat("chat", ["Which soil for azaleas?", "Sour soil.", "And figs?"], "Garden")],
  });
  await api(person, "POST", `/operations/${longer["operation_id"]}/undo`);
  const { data } = await callTool(person, "import_data", {
    items: [chat("gone", ["Taken back"]), { content: "Imported fact" }],
  });
  await api(person, "POST", `/operations/${data["operation_id"]}/undo`);
}

export function chat(id: string, texts: readonly string[], title = "Soil") {
  return {
    platform: "claude",
    id,
    title,
    messages: texts.map((content, index) => ({
      id: `m${index}`,
      role: index % 2 === 0 ? "user" : "assistant",
      content,
    })),
  };
}

export async function save(person: Person, args: Record<string, unknown>): Promise<string> {
  const { data, text } = await callTool(person, "save_memory", args);
  if (data["memory"] === undefined) throw new Error(text);
  return data["memory"].id;
}

/** As emptying the trash does. */
export async function purge(person: Person, id: string): Promise<void> {
  const { userId } = person;
  const seq = "SELECT seq FROM memories WHERE user_id = ?1 AND id = ?2";
  await env.DB.batch(
    [
      `DELETE FROM memories_fts WHERE rowid IN (${seq})`,
      `DELETE FROM memory_labels WHERE user_id = ?1 AND seq IN (${seq})`,
      "DELETE FROM memories WHERE user_id = ?1 AND id = ?2",
    ].map((statement) =>
      statement.includes("?1")
        ? env.DB.prepare(statement).bind(userId, id)
        : env.DB.prepare(statement),
    ),
  );
}

export async function patchRules(person: Person, rules: Record<string, unknown>): Promise<void> {
  const answer = await api(person, "PATCH", "/rules", rules);
  if (answer.error !== undefined) throw new Error(answer.error.message);
}

// Answers are read key by key.
export async function api(
  person: Person,
  method: string,
  path: string,
  body?: unknown,
): Promise<any> {
  const response = await fetchWorker(`/api${path}`, {
    method,
    headers: { authorization: `Bearer ${person.token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.json();
}

export async function backUp(person: Person): Promise<any> {
  const { backup } = await api(person, "POST", "/backups");
  return vi.waitFor(async () => {
    const { backup: now } = await api(person, "GET", `/backups/${backup.id}`);
    expect(now.state).toBe("finished");
    return now;
  }, WAIT);
}

/** Until what the night began has ended: the days of tests are shorter than a backup. */
export async function backupsEnded({ userId }: Person): Promise<void> {
  await vi.waitFor(async () => {
    const sql = "SELECT id FROM jobs WHERE user_id = ?1 AND kind = 'backup' AND state = 'running'";
    expect((await env.DB.prepare(sql).bind(userId).all()).results).toEqual([]);
  }, WAIT);
}

export async function rehearse(person: Person, id: string): Promise<any> {
  await api(person, "POST", `/backups/${id}/rehearse`);
  return vi.waitFor(async () => {
    const { backup } = await api(person, "GET", `/backups/${id}`);
    expect(backup.rehearsal.state).not.toBe("running");
    return backup;
  }, WAIT);
}

export async function restored(person: Person, id: string, mode: string): Promise<any> {
  const { restore, error } = await api(person, "POST", `/backups/${id}/restore`, { mode });
  if (error !== undefined) throw new Error(error.message);
  return vi.waitFor(async () => {
    const { restore: now } = await api(person, "GET", `/restores/${restore.id}`);
    expect(now.state).not.toBe("running");
    return now;
  }, WAIT);
}

/** As a Workflow does each step, without waiting for one. */
export const atOnce: Step = async (_name, work) => structuredClone(await work());

const MAKER = { grantId: "test", client: "Test" };

/** @returns its id */
export async function backedUpAtOnce({ userId }: Person): Promise<string> {
  const stores = openBackupStores(env, userId);
  const { job } = await createBackup(stores.backups, MAKER, Date.now());
  await writeBackup(atOnce, stores, job.id);
  return job.id;
}

/** The job of the restore, which has ended. */
export async function restoredAtOnce({ userId }: Person, backupId: string, mode: RestoreMode) {
  const stores = openBackupStores(env, userId);
  const wanted = { backupId, mode, mayChangeRules: true, now: Date.now() };
  const { id } = await createRestore(stores.backups, MAKER, wanted);
  const restores = openBackupRestore(env.DB, userId);
  await restoreBackup(atOnce, { ...stores, restores }, id);
  return stores.backups.get("restore", id);
}

export async function found(person: Person, tool: string, query: string): Promise<string[]> {
  const { data } = await callTool(person, tool, { query });
  return data["results"].map((hit: any) => hit.content ?? hit.snippet ?? hit.text);
}

export type Rows = Record<string, Record<string, unknown>[]>;

/** Every column of every row; of the account what is neither about backups and exports nor counts changes. */
export async function rowsOf({ userId }: Person): Promise<Rows> {
  const rows: Rows = {};
  for (const table of TABLES) {
    const { results } = await env.DB.prepare(`SELECT * FROM ${table} WHERE user_id = ?1`)
      .bind(userId)
      .all();
    rows[table] = results
      .map((row) => {
        // No backup holds digests.
        const { digest: _d, ...own } = row;
        // True of every table that has it.
        const body = own["body"] as ArrayBuffer | undefined;
        return { ...own, ...(body === undefined ? {} : { body: new Uint8Array(body).toHex() }) };
      })
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  const account = await env.DB.prepare("SELECT * FROM accounts WHERE user_id = ?1")
    .bind(userId)
    .first();
  const {
    changes: _c,
    last_backup_at: _b,
    last_verified_backup_at: _v,
    last_export_at: _e,
    ...own
  } = account ?? {};
  return { ...rows, accounts: [own] };
}

export function withoutOperation(rows: Rows, id: string): Rows {
  return { ...rows, operations: (rows["operations"] ?? []).filter((row) => row["id"] !== id) };
}

/** How the indexes differ from the rows. */
export async function indexOf({ userId }: Person): Promise<unknown> {
  return env.DB.prepare(
    `SELECT (SELECT count(*) FROM memories WHERE user_id = ?1 AND status = 'active' AND seq NOT IN (SELECT id FROM memories_fts_docsize))
        + (SELECT count(*) FROM messages WHERE user_id = ?1 AND conversation NOT LIKE '~%' AND seq NOT IN (SELECT id FROM messages_fts_docsize)) AS missing,
      (SELECT count(*) FROM memories_fts_docsize WHERE id NOT IN (SELECT seq FROM memories WHERE status = 'active'))
        + (SELECT count(*) FROM messages_fts_docsize WHERE id NOT IN (SELECT seq FROM messages WHERE conversation NOT LIKE '~%')) AS extra`,
  )
    .bind(userId)
    .first();
}

/** 1,100 memories and two conversations of 700 messages: several chunks of a backup. */
export async function fillWith(person: Person, text: string): Promise<void> {
  const list = numbered(`- Fact about ${text}`, 1_100).join("\n");
  const chats = [`${text} said`, `${text} answered`].map((words) => ({
    uuid: words,
    name: words,
    created_at: "2026-02-01T10:00:00Z",
    updated_at: "2026-02-01T10:00:00Z",
    chat_messages: numbered(words, 700).map((line) => ({
      uuid: line,
      sender: "human",
      text: line,
      created_at: "2026-02-01T10:00:00Z",
    })),
  }));
  await upload(person, "?as=list", list);
  await upload(person, "", JSON.stringify(chats));
}

function numbered(text: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${text} ${index}`);
}

async function upload(person: Person, query: string, body: string): Promise<void> {
  const response = await fetchWorker(`/api/imports${query}`, {
    method: "POST",
    headers: { authorization: `Bearer ${person.token}` },
    body,
  });
  if (!response.ok) throw new Error(await response.text());
}

/** What a restore of a backup makes of rows, step by step without a Workflow: of an older version's, and of those that undos took out. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { openBackupFiles } from "../../src/storage/backup-files.ts";
import { openBackupStores } from "../../src/storage/open-account.ts";
import { tableHash } from "../../src/transfer/backup.ts";
import { rehearse } from "../../src/transfer/rehearsal.ts";
import {
  api,
  atOnce,
  backedUpAtOnce,
  chat,
  fill,
  found,
  indexOf,
  restoredAtOnce,
  rowsOf,
  save,
  withoutOperation,
} from "../support/backups.ts";
import { callTool, newPerson, type Person } from "../support/people.ts";

test("what an undo took out of a conversation is in no index after a restore, wherever the backup has it", async () => {
  const person = await newPerson({ trusted: true });
  const grown = async (...texts: string[]) => {
    const { messages, ...talk } = chat("talk", ["Which soil?", "Acid.", ...texts]);
    // Known by what they say: what one import adds is not what another did.
    const said = messages.map((message) => ({ ...message, id: message.content }));
    const items = [{ ...talk, messages: said }];
    const { data } = await callTool(person, "import_data", { items });
    return () => api(person, "POST", `/operations/${data["operation_id"]}/undo`);
  };
  await grown();
  const undoFirst = await grown("Lime?");
  await undoFirst();
  const undo = await grown("Peat?");
  const backup = await backedUpAtOnce(person);
  await undo();
  for (const [mode, peat] of [
    ["merge", 0],
    ["whole", 1],
  ] as const) {
    await restoredAtOnce(person, backup, mode);
    expect([mode, await indexOf(person)]).toEqual([mode, { missing: 0, extra: 0 }]);
    expect(await found(person, "search_conversations", "peat")).toHaveLength(peat);
  }
});

/** Tables and columns as migration 0004 left them, in the order of backups of then. 0005 added `changes`, 0006 `digest`, 0007 `integrity`. */
const OF_0004 = {
  accounts:
    "user_id memories_active memories_pending memories_trashed memory_tokens conversations conversations_trashed messages message_tokens bytes rules rule_words common_memory_terms common_message_terms last_export_at last_backup_at last_verified_backup_at memories_sampled messages_sampled memory_tokenizer message_tokenizer",
  operations: "id kind grant_id client created_at counts undoes_op subject",
  labels: "label kind key_version created_at body",
  memories:
    "seq id version body_version status category source origin grant_id client importance fingerprint origin_key path_token superseded_by created_at updated_at last_used_at expires_at trashed_at created_op changed_op trashed_op size_bytes token_count tokenizer_version key_version tokens dt body user_asked",
  memory_versions:
    "id replaced_op replaced_at version body_version status category source origin grant_id client importance fingerprint origin_key path_token superseded_by created_at updated_at last_used_at expires_at trashed_at created_op changed_op trashed_op size_bytes token_count tokenizer_version key_version tokens dt body user_asked",
  memory_labels: "label seq memory memory_version",
  conversations:
    "id message_count version body_version status source grant_id client origin_key hash created_at updated_at trashed_at created_op changed_op trashed_op key_version body",
  conversation_versions:
    "id replaced_op replaced_at version body_version status source grant_id client origin_key hash created_at updated_at trashed_at created_op changed_op trashed_op key_version body",
  messages:
    "seq conversation id origin_key version body_version position role hash created_at created_op changed_op size_bytes token_count tokenizer_version key_version tokens dt body speaker",
  message_versions:
    "conversation id replaced_op replaced_at version body_version position role hash created_at created_op changed_op size_bytes token_count tokenizer_version key_version tokens dt body speaker",
} as const;

/** What stood in a backup in another form than in its table. */
const WRITTEN: Readonly<Record<string, string>> = {
  body: "hex(body)",
  rule_words: "iif(rule_words IS NULL, NULL, hex(rule_words))",
  memory: "(SELECT m.id FROM memories m WHERE m.seq = memory_labels.seq)",
  memory_version: "(SELECT m.version FROM memories m WHERE m.seq = memory_labels.seq)",
};
const ORDERS: Readonly<Record<string, string>> = {
  accounts: "user_id",
  labels: "label",
  memory_labels: "label, seq",
  memory_versions: "id, version",
  conversation_versions: "id, version",
  messages: "conversation, position, seq",
  message_versions: "conversation, id, version",
};

/** @returns its id */
async function backedUpBy0004({ userId }: Person): Promise<string> {
  const { backups } = openBackupStores(env, userId);
  const files = openBackupFiles(env.ARCHIVES, userId);
  const id = "b".repeat(26);
  const [chunks, tables] = [[], []] as [any[], any[]];
  for (const [name, list] of Object.entries(OF_0004)) {
    const columns = list.split(" ");
    const values = columns.map((column) => WRITTEN[column] ?? column).join(", ");
    const rows = await env.DB.prepare(
      `SELECT ${values} FROM ${name} WHERE user_id = ?1 ORDER BY ${ORDERS[name] ?? "id"}`,
    )
      .bind(userId)
      .raw();
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
    const file = await files.writeChunk(id, chunks.length, lines);
    chunks.push({ table: name, rows: rows.length, last: null, ...file });
    const hash = await tableHash([file.rows_sha256]);
    tables.push({ name, columns, rows: rows.length, sha256: hash });
  }
  const sha256 = await files.writeManifest(id, {
    format: "cofio-backup",
    version: 1,
    created_at: "2026-03-01T03:00:00.000Z",
    migration: "0004_data_in_and_out.sql",
    operation: null,
    settled: true,
    tables,
    chunks,
  });
  const now = Date.now();
  await backups.create(
    { id, kind: "backup", format: "rows", counts: "{}", createdAt: now, expiresAt: null },
    { grantId: "test", client: "Test" },
    { rivals: [], silentSince: 0 },
  );
  const end = { operationId: null, counts: "{}", chunks: chunks.length, sizeBytes: 0, sha256, now };
  await backups.finish(id, end);
  return id;
}

test("a backup of a version without the columns of today is verified, and restores every row", async () => {
  const person = await newPerson({ trusted: true });
  await fill(person);
  const before = await rowsOf(person);
  const backup = await backedUpBy0004(person);
  const scratch = env.SCRATCH.getByName(crypto.randomUUID());
  const stores = openBackupStores(env, person.userId);
  expect(await rehearse(atOnce, stores, { scratch, jobId: backup })).toBeNull();
  await env.DB.batch(
    [
      "DELETE FROM messages_fts WHERE rowid IN (SELECT seq FROM messages WHERE user_id = ?1)",
      "DELETE FROM memories_fts WHERE rowid IN (SELECT seq FROM memories WHERE user_id = ?1)",
      ...Object.keys(OF_0004).map((table) => `DELETE FROM ${table} WHERE user_id = ?1`),
    ].map((statement) => env.DB.prepare(statement).bind(person.userId)),
  );
  await save(person, { content: "Came later" });
  const restore = await restoredAtOnce(person, backup, "whole");
  expect(restore).toMatchObject({ state: "finished" });
  expect(withoutOperation(await rowsOf(person), restore?.operationId ?? "")).toEqual(before);
  expect(await indexOf(person)).toEqual({ missing: 0, extra: 0 });
  expect(await found(person, "search_memory", "rye bread")).toEqual(["Likes rye bread"]);
});

/**
 * Restores a Cofio archive. An empty account becomes what the archive says: ids, versions, times, operations, rules. An archive may say
 * anything of them, so that is for the person themself and for tokens that they trust. Where something is stored already, be it rules,
 * and for everyone else the archive is merged as any other import, which follows the rules. Lines are written in numbered batches, so that a restore that was interrupted goes
 * on when the same archive is sent again.
 */
import { openConversationText } from "../conversations/conversation.ts";
import { openIndexer } from "../conversations/indexer.ts";
import { UserError } from "../errors.ts";
import { sealLabels } from "../memory/memory.ts";
import { refusalOfArchive, requireSpaceForArchive } from "../storage/limits.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import { RESTORE_LASTS_MS, type RestoreBatch } from "../storage/archive-restore.ts";
import type { JobRow } from "../storage/jobs.ts";
import { isDayUsedUp, LARGE_BATCH } from "../storage/plan.ts";
import { readSettings, sealRules } from "../storage/rules.ts";
import { contentHash } from "../vault/blind.ts";
import { newJobId, newOperationId } from "../vault/ids.ts";
import { sealJson } from "../vault/seal.ts";
import {
  parseLine,
  type ArchiveLine,
  type LineOf,
  type LineType,
  type MessageLine,
} from "./archive-lines.ts";
import { ARCHIVE_FORMAT, parseManifest } from "./archive-manifest.ts";
import { archiveOf, lineBatches, type UnpackedArchive } from "./unpacked-archive.ts";
import { isObject } from "./formats/json.ts";
import {
  endImport,
  getImport,
  isOpen,
  isSpent,
  RESTORE_NAME,
  waiting,
  type ImportJob,
  type JobSetting,
} from "./import-job.ts";
import { checkReading, importReading } from "./import.ts";
import { readExport, type ExportFile } from "./read.ts";
import { ITEM_KINDS, type ItemKind } from "./records.ts";
import { emptyReport, openTally, type ImportReport } from "./report.ts";
import {
  conversationRow,
  isOut,
  memoryRow,
  memoryTextOf,
  messageRow,
  operationRow,
  replacementOf,
  type MessageHome,
} from "./restored-rows.ts";

/** Null: none of the files is the manifest of an archive. @throws UserError unsupported_format where it is not as it was exported */
export async function restoreArchive(
  at: OpenAccount,
  files: readonly ExportFile[],
  caller: Caller,
): Promise<ImportJob | null> {
  const archive = await archiveOf(files);
  if (archive === null) return null;
  // Another import meanwhile would find the account half restored.
  const restored = await at.oneAtATime(() => restoreNow(at, archive, caller));
  return restored ?? importReading(at, await readExport(archive.items), caller);
}

/** The report that `restoreArchive` would give. Nothing is written. Null: none of the files is the manifest of an archive. */
export async function checkArchive(
  at: OpenAccount,
  files: readonly ExportFile[],
  caller: Caller,
): Promise<ImportReport | null> {
  const archive = await archiveOf(files);
  if (archive === null) return null;
  const restored = await checkRestore(at, archive, caller);
  return restored ?? checkReading(at, await readExport(archive.items), caller);
}

/** Null: not restored, but merged. */
async function restoreNow(
  at: OpenAccount,
  archive: UnpackedArchive,
  caller: Caller,
): Promise<ImportJob | null> {
  const begun = await beginRestore(at, archive, caller, { limits: LARGE_BATCH, isWhole: true });
  if (begun === null) return null;
  let number = 0;
  for await (const lines of lineBatches(archive, begun.limits)) {
    number += 1;
    if (number < begun.nextBatch) continue;
    const job = await restoreBatch(at, begun.id, { number, lines }, caller);
    if (job.state === "waiting_quota") return job;
  }
  return endImport(at, begun.id, "finished", caller.now);
}

/** What a restore needs to know of an archive before its lines. */
type ArchiveHead = Pick<UnpackedArchive, "name" | "manifestText" | "totals">;

/** The report of a restore: an empty account takes everything. Null: not restored, but merged. @throws UserError limit_reached */
export async function checkRestore(
  at: OpenAccount,
  archive: ArchiveHead,
  caller: Caller,
): Promise<ImportReport | null> {
  if (!caller.trusted || !(await at.archiveRestore.isEmpty())) return null;
  const refusal = refusalOfArchive(storedBytesOf(archive), at.limits);
  if (refusal !== null) throw refusal;
  const tally = openTally(reportOf(archive));
  for (const kind of ITEM_KINDS) tally.add(kind, "new", archive.totals[kind]);
  return tally.report();
}

/** Not every manifest says it. */
function storedBytesOf({ manifestText }: ArchiveHead): number {
  return parseManifest(manifestText)?.stored_bytes ?? 0;
}

function reportOf({ name, totals }: ArchiveHead): ImportReport {
  return emptyReport(totals, [
    { outcome: "read", name, format: RESTORE_NAME, source: "cofio", truncated: false },
  ]);
}

/**
 * The job of a restore, made or gone on with: the same archive is known by its manifest.
 * @returns null: not restored, but merged
 * @throws UserError limit_reached
 */
export async function beginRestore(
  at: OpenAccount,
  archive: ArchiveHead,
  caller: Caller,
  { limits = at.plan.batch, isWhole = false }: JobSetting = {},
): Promise<ImportJob | null> {
  if (!caller.trusted) return null;
  const refusal = refusalOfArchive(storedBytesOf(archive), at.limits);
  // Where it is merged, or goes on, each batch asks how much there is by then.
  if (refusal !== null && (await at.archiveRestore.isEmpty())) throw refusal;
  const id = newJobId();
  const begun = await at.archiveRestore.begin({
    id,
    format: ARCHIVE_FORMAT,
    uploadKey: await contentHash(at.keys, archive.manifestText),
    grantId: caller.grantId,
    client: caller.client,
    keyVersion: at.keys.version,
    operationId: newOperationId(caller.now),
    body: await sealJson(
      at.keys,
      { id, version: 1, kind: "job" },
      { ...reportOf(archive), limits },
    ),
    isWhole,
    now: caller.now,
  });
  return begun === null ? null : getImport(at, begun);
}

/**
 * Writes one batch of lines. Sent again it changes nothing. It waits, and writes nothing, once the day's quota is spent.
 * @throws UserError not_found, invalid_input where a batch before it is missing
 */
export async function restoreBatch(
  at: OpenAccount,
  jobId: string,
  { number, lines }: { readonly number: number; readonly lines: readonly unknown[] },
  caller: Caller,
): Promise<ImportJob> {
  const job = await at.jobs.get(jobId);
  if (job === null || !isUnderWay(job, caller)) {
    throw new UserError(
      "not_found",
      "There is no such restore under way.",
      "Begin it with the archive.",
    );
  }
  const next = (job.cursor ?? 0) + 1;
  if (number > next) {
    throw new UserError(
      "invalid_input",
      `Batch ${number} came before batch ${next}.`,
      "Send the batches one after the other.",
      { next_batch: next },
    );
  }
  if (number < next) return getImport(at, jobId);
  requireSpaceForArchive(at);
  if (await isSpent(at, caller.now)) return waiting(at, await getImport(at, jobId), caller.now);
  try {
    const read = lines.map((line) => parseLine(line));
    const readable = read.filter((line) => line !== null);
    // A line that cannot be read still says what it is.
    const countOf = (kind: ItemKind) => {
      const found = lines.filter((line) => isObject(line) && line["type"] === kind).length;
      return { found, unreadable: found - readable.filter(({ type }) => type === kind).length };
    };
    await at.archiveRestore.write(
      await batchOf(at, number, readable),
      {
        jobId,
        lines: {
          memory: countOf("memory"),
          conversation: countOf("conversation"),
          message: countOf("message"),
        },
      },
      {
        id: job.operationId ?? newOperationId(job.createdAt),
        grantId: caller.grantId,
        client: caller.client,
        now: caller.now,
      },
    );
  } catch (error) {
    if (!isDayUsedUp(error)) throw error;
    return waiting(at, await getImport(at, jobId), caller.now);
  }
  return getImport(at, jobId);
}

/** Only for who began it: its lines are taken as they are. */
function isUnderWay({ kind, format, state, grantId, updatedAt }: JobRow, caller: Caller): boolean {
  return (
    kind === "import" &&
    format === ARCHIVE_FORMAT &&
    isOpen({ state }) &&
    caller.trusted &&
    grantId === caller.grantId &&
    updatedAt > caller.now - RESTORE_LASTS_MS
  );
}

async function batchOf(
  at: OpenAccount,
  number: number,
  lines: readonly ArchiveLine[],
): Promise<RestoreBatch> {
  const { keys } = at;
  const memories = distinct(ofType(lines, "memory"), ({ id }) => id);
  const conversations = await Promise.all(
    distinct(ofType(lines, "conversation"), ({ id }) => id).map(async (line) => ({
      line,
      row: await conversationRow(at, line),
    })),
  );
  const messageLines = distinct(
    ofType(lines, "message"),
    ({ conversation, id }) => `${conversation} ${id}`,
  );
  const earlierMessages = ofType(lines, "message_version");
  const removed = ofType(lines, "removed_message");
  const homes = new Map<string, MessageHome>(
    conversations.map(({ line: { id, title, source }, row: { originKey } }) => [
      id,
      { originKey, title, source },
    ]),
  );
  const earlier = [...removed, ...earlierMessages];
  const neighbours = await findHomes(at, homes, [...messageLines, ...earlier]);
  const titleOf = await titlesOfThen(at, ofType(lines, "conversation_version"), earlier);
  const indexer = openIndexer(keys);
  const messageOf = async <Line extends MessageLine>(line: Line) => {
    const found = homes.get(line.conversation);
    if (found === undefined) return [];
    const home = { ...found, title: titleOf(line) ?? found.title };
    return [{ line, row: await messageRow(at, line, { home, indexer }) }];
  };
  const rowsFor = async <Line extends MessageLine>(of: readonly Line[]) =>
    (await Promise.all(of.map(messageOf))).flat();
  const messages = await rowsFor(messageLines);
  const removedMessages = await rowsFor(removed);
  const messageVersions = await rowsFor(earlierMessages);
  const [rules] = ofType(lines, "rules");
  return {
    number,
    memories: distinct(
      await Promise.all(memories.map((line) => memoryRow(at, line))),
      // Of living ones that say the same the first stays.
      ({ id, status, supersededBy, fingerprint }) =>
        status === "trashed" || supersededBy !== null ? id : fingerprint,
    ),
    labels: (
      await Promise.all(
        memories.map(async (line) => ({
          memoryId: line.id,
          labels: await sealLabels(keys, memoryTextOf(line)),
        })),
      )
    ).filter(({ labels }) => labels.length > 0),
    memoryVersions: await Promise.all(
      ofType(lines, "memory_version").map(async (line) => ({
        ...(await memoryRow(at, line)),
        ...replacementOf(line),
      })),
    ),
    conversations: conversations.map(({ row }) => row),
    conversationVersions: await Promise.all(
      ofType(lines, "conversation_version").map(async (line) => ({
        ...(await conversationRow(at, line)),
        ...replacementOf(line),
      })),
    ),
    messages: messages.map(({ row }) => row),
    removedMessages: removedMessages.map(({ row }) => row),
    messageVersions: messageVersions.map(({ line, row }) => ({ ...row, ...replacementOf(line) })),
    operations: ofType(lines, "operation").map(operationRow),
    rules: rules === undefined ? null : await sealRules(keys, settingsOf(rules)),
    neighbours,
  };
}

/**
 * Adds the conversations that stand in earlier batches.
 * @returns keys of the messages there that have the first new ones as neighbours
 */
async function findHomes(
  at: OpenAccount,
  homes: Map<string, MessageHome>,
  lines: readonly MessageLine[],
): Promise<string[]> {
  const missing = lines.filter(({ conversation }) => !homes.has(conversation));
  if (missing.length === 0) return [];
  const firsts = new Map<string, number>();
  for (const { type, conversation, position } of missing) {
    if (type !== "message") continue;
    firsts.set(conversation, Math.min(position, firsts.get(conversation) ?? position));
  }
  const { conversations, before } = await at.archiveRestore.around(
    [...new Set(missing.map(({ conversation }) => conversation))],
    [...firsts].map(([conversation, position]) => ({ conversation, position })),
  );
  for (const row of conversations) {
    const { title } = await openConversationText(at.keys, row);
    homes.set(row.id, { originKey: row.originKey, title, source: row.source });
  }
  return before;
}

/**
 * The title of a conversation when a first message had an earlier state, or was taken out: that of the state that ended with it.
 * @param states of the same batch; the others were written before @returns undefined: the one of now
 */
async function titlesOfThen(
  at: OpenAccount,
  states: readonly LineOf<"conversation_version">[],
  messages: readonly MessageLine[],
): Promise<(line: MessageLine) => string | undefined> {
  const asked = messages.flatMap((line) => {
    const op = endOf(line);
    return op === null ? [] : [{ conversation: line.conversation, op }];
  });
  if (asked.length === 0) return () => undefined;
  const stored = await at.archiveRestore.replacedStates(asked);
  const all = [
    ...(await Promise.all(
      stored.map(async (row) => ({
        ...row,
        title: (await openConversationText(at.keys, row)).title,
      })),
    )),
    ...states.map(({ id, title, ...ops }) => ({
      id,
      title,
      replacedOp: ops.replaced_op,
      changedOp: ops.changed_op,
    })),
  ];
  const byEnd = Map.groupBy(all, ({ id, replacedOp }) => `${id} ${replacedOp}`);
  return (line) => {
    const ended = byEnd.get(`${line.conversation} ${endOf(line)}`) ?? [];
    // An operation of several batches may have replaced a state of its own, too.
    return (ended.find(({ changedOp }) => changedOp === line.changed_op) ?? ended[0])?.title;
  };
}

/** The operation that ended the state of its conversation to which a message's belongs. Null: that is the one of now, or no matter. */
function endOf(line: MessageLine): string | null {
  if (line.position !== 0) return null;
  // What was taken out has been left as it was.
  if (isOut(line)) return line.changed_op;
  return line.type === "message_version" ? line.replaced_op : null;
}

function settingsOf({ rules }: LineOf<"rules">) {
  const read = readSettings(rules);
  if (read.outcome === "refused") {
    throw new UserError("unsupported_format", read.problem, read.wanted);
  }
  return read.settings;
}

function ofType<Type extends LineType>(lines: readonly ArchiveLine[], type: Type): LineOf<Type>[] {
  // True because a line's type says which of the lines it is.
  return lines.filter((line) => line.type === type) as LineOf<Type>[];
}

function distinct<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const known = new Set<string>();
  return items.filter((item) => {
    const key = keyOf(item);
    return !known.has(key) && known.add(key);
  });
}

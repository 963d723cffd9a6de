/** Imports a reading: finds what is new or changed, seals only that, and writes it in numbered batches. */
import { UserError } from "../errors.ts";
import { rememberingBlinder, type BlindWords } from "../conversations/conversation.ts";
import type { SealedMemory } from "../storage/memories.ts";
import { packed } from "../storage/batch.ts";
import type { ImportBatch } from "../storage/imports.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import { newJobId, newOperationId } from "../vault/ids.ts";
import { openJson, sealJson } from "../vault/seal.ts";
import { prepareConversations, type PreparedMessage } from "./import-conversations.ts";
import { exampleOf, prepareMemories } from "./import-memories.ts";
import type { ExportReading } from "./read.ts";
import type { ImportedConversation, ImportedMemory } from "./records.ts";
import { openTally, sumOf, type ImportReport, type Tally } from "./report.ts";

export interface ImportResult {
  readonly jobId: string;
  readonly state: "created" | "running" | "waiting_quota" | "finished" | "failed" | "cancelled";
  /** Null when nothing changed. */
  readonly operationId: string | null;
  readonly format: string;
  readonly report: ImportReport;
}

/** What the preparing functions share during one import. */
export interface ImportRun {
  readonly at: OpenAccount;
  readonly caller: Caller;
  readonly operationId: string;
  readonly tally: Tally;
  readonly blind: BlindWords;
  /** Memories that may still be added; counted down as they are prepared. */
  readonly room: { left: number };
}

/** Items whose known state is read together; arbitrary, bounded by the 128 MB of an isolate. */
const CONVERSATIONS_AT_ONCE = 400;
const MESSAGES_AT_ONCE = 800;
const MEMORIES_AT_ONCE = 1_000;

/** @throws whatever a batch throws: batches before it stay, and importing the same again continues. */
export function importReading(
  at: OpenAccount,
  reading: ExportReading,
  caller: Caller,
): Promise<ImportResult> {
  return at.oneAtATime(() => importNow(at, reading, caller));
}

async function importNow(
  at: OpenAccount,
  reading: ExportReading,
  caller: Caller,
): Promise<ImportResult> {
  const operationId = newOperationId(caller.now);
  const jobId = newJobId();
  const tally = openTally(reading.totals, reading.recognised, at.rules);
  const run: ImportRun = {
    at,
    caller,
    operationId,
    tally,
    blind: rememberingBlinder(at.keys),
    room: { left: at.rules.maxMemories - (await at.imports.memoryCount()) },
  };
  const format = formatOf(reading);
  await at.jobs.create({
    id: jobId,
    kind: "import",
    format,
    grantId: caller.grantId,
    client: caller.client,
    createdAt: caller.now,
    keyVersion: at.keys.version,
  });

  const writer = openWriter(run, jobId);
  let conversations: ImportedConversation[] = [];
  let memories: ImportedMemory[] = [];
  let waitingMessages = 0;
  const flushConversations = async () => {
    await writer.conversations(conversations);
    conversations = [];
    waitingMessages = 0;
  };
  const flushMemories = async () => {
    await writer.memories(memories);
    memories = [];
  };
  for await (const record of reading.records()) {
    switch (record.type) {
      case "skipped":
        tally.skip(
          record.kind,
          record.reason,
          record.count,
          // Conversations are kept as they are, secrets and all.
          record.kind === "memory" && record.example !== undefined
            ? await exampleOf(run, record.example)
            : record.example,
        );
        break;
      case "memory":
        memories.push(record.memory);
        if (memories.length >= MEMORIES_AT_ONCE) await flushMemories();
        break;
      case "conversation":
        conversations.push(record.conversation);
        waitingMessages += record.conversation.messages.length;
        if (conversations.length >= CONVERSATIONS_AT_ONCE || waitingMessages >= MESSAGES_AT_ONCE) {
          await flushConversations();
        }
        break;
    }
  }
  if (conversations.length > 0) await flushConversations();
  if (memories.length > 0) await flushMemories();

  const report = tally.report();
  const sum = sumOf(report);
  const changed = sum.new + sum.updated > 0;
  const counts = {
    conversations: report.byKind.conversation.new + report.byKind.conversation.updated,
    messages: report.byKind.message.new + report.byKind.message.updated,
    memories: report.byKind.memory.new + report.byKind.memory.updated,
  };
  if (changed) await at.imports.finishOperation(operationId, counts);
  await at.jobs.end(jobId, {
    state: "finished",
    operationId: changed ? operationId : null,
    counts: JSON.stringify(counts),
    body: await sealJson(at.keys, { id: jobId, version: 1, kind: "job" }, report),
    now: caller.now,
  });
  return {
    jobId,
    state: "finished",
    operationId: changed ? operationId : null,
    format,
    report,
  };
}

/** How an earlier import ended. @throws UserError not_found */
export async function getImport(at: OpenAccount, jobId: string): Promise<ImportResult> {
  const job = await at.jobs.get(jobId);
  if (job === null || job.kind !== "import") {
    throw new UserError(
      "not_found",
      "There is no import with this job id.",
      "Send the `job.id` that import_data gave.",
    );
  }
  if (job.body === null || job.body === "") {
    throw new UserError(
      "not_found",
      "This import is still running, or was interrupted before its report.",
      "Ask again in a minute, or import the same data again: what is there already is left alone.",
    );
  }
  return {
    jobId,
    state: job.state,
    operationId: job.operationId,
    format: job.format,
    report: await openJson<ImportReport>(at.keys, { id: jobId, version: 1, kind: "job" }, job.body),
  };
}

function formatOf({ recognised }: ExportReading): string {
  const formats = recognised.flatMap((file) => (file.outcome === "read" ? [file.format] : []));
  return [...new Set(formats)].join(", ");
}

/** Cuts prepared rows into batches that fit a parameter and writes them in order. */
function openWriter(run: ImportRun, jobId: string) {
  const { at, caller, operationId, tally } = run;
  const operation = {
    id: operationId,
    grantId: caller.grantId,
    client: caller.client,
    now: caller.now,
  };
  let number = 0;

  function write(part: Partial<ImportBatch>): Promise<number> {
    number += 1;
    const limit = at.rules.maxMemories;
    return at.imports.write({ ...EMPTY, ...part, number, limit }, jobId, operation);
  }

  return {
    async conversations(found: readonly ImportedConversation[]): Promise<void> {
      const prepared = await prepareConversations(run, found);
      const { rows, messages, moves } = prepared;
      if (rows.length + messages.length + moves.length === 0) return;
      const parts = packed(
        messages,
        ({ row }) => row.body.length + row.tokens.length + row.dt.length + 600,
      );
      // A conversation's own row stands before its messages, which take their conversation from it.
      const first: readonly PreparedMessage[] = parts[0] ?? [];
      const rest = parts.slice(1);
      await write({
        conversations: rows,
        moves,
        ...messagePart(first),
        reindex: reindexOf(first, prepared.moved),
      });
      for (const part of rest) await write({ ...messagePart(part), reindex: reindexOf(part, []) });
    },

    async memories(found: readonly ImportedMemory[]): Promise<void> {
      const prepared = await prepareMemories(run, found);
      const parts = packed(
        prepared,
        ({ row }) => row.body.length + row.tokens.length + row.dt.length + 900,
      );
      for (const part of parts) {
        const written = await write({
          memories: part.map(({ row }): SealedMemory => row),
          labels: part
            .filter(({ labels }) => labels.length > 0)
            .map(({ row, labels }) => ({ memoryId: row.id, labels })),
        });
        tally.add("memory", "new", written);
        tally.skip("memory", "limit_reached", part.length - written);
      }
    },
  };
}

const EMPTY: Omit<ImportBatch, "number" | "limit"> = {
  conversations: [],
  messages: [],
  moves: [],
  reindex: [],
  memories: [],
  labels: [],
  changedTokens: 0,
  changedBytes: 0,
};

function messagePart(part: readonly PreparedMessage[]) {
  return {
    messages: part.map(({ row }) => row),
    changedTokens: part.reduce(
      (sum, { replaced, row }) =>
        sum + (replaced === null ? 0 : row.tokenCount - replaced.tokenCount),
      0,
    ),
    changedBytes: part.reduce(
      (sum, { replaced, row }) =>
        sum + (replaced === null ? 0 : row.sizeBytes - replaced.sizeBytes),
      0,
    ),
  };
}

function reindexOf(part: readonly PreparedMessage[], moved: readonly string[]): string[] {
  return [...new Set([...part.flatMap(({ reindex }) => reindex), ...moved])];
}

/** One batch of an import, compared with what is stored and sealed where it is new or changed. */
import { openIndexer, type Indexer } from "../conversations/indexer.ts";
import type { Vocabulary } from "../search/vocabulary.ts";
import type { ImportRows } from "../storage/imports.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import type { BatchRecord } from "./batches.ts";
import type { FoundConversation } from "./find-known.ts";
import { prepareConversations, type PreparedMessage } from "./import-conversations.ts";
import { exampleOf, prepareMemories } from "./import-memories.ts";
import type { IdentifiedMemory } from "./identify.ts";
import type { Sha256State } from "./resumable-sha256.ts";
import type { Tally } from "./report.ts";

/** A conversation of which the next batch brings the rest: what its digest is so far, and the row that tells that nobody else changed it. */
export interface CutConversation {
  readonly originKey: string;
  readonly version: number;
  readonly changedOp: string;
  /** The platform's id of the last message. */
  readonly last: string;
  readonly digest: Sha256State;
}

/** What the preparing functions share. */
export interface ImportRun {
  readonly at: OpenAccount;
  readonly caller: Caller;
  readonly operationId: string;
  readonly tally: Tally;
  readonly indexer: Indexer;
  /** Memories that may still be added; counted down as they are prepared. */
  readonly room: { left: number };
  /** At the end of the batch before, and of this one. */
  readonly cut: { readonly before: CutConversation | null; after: CutConversation | null };
  /** Nothing may be written, also nothing that comes back from the trash. */
  readonly isTrial: boolean;
}

/** @param vocabulary of the batches before */
export async function openRun(
  at: OpenAccount,
  {
    vocabulary,
    cut = null,
    ...run
  }: Pick<ImportRun, "caller" | "operationId" | "tally" | "isTrial"> & {
    readonly vocabulary: Vocabulary;
    readonly cut?: CutConversation | null;
  },
): Promise<ImportRun> {
  return {
    ...run,
    at,
    indexer: openIndexer(at.keys, vocabulary),
    cut: { before: cut, after: null },
    room: { left: at.rules.maxMemories - (await at.imports.memoryCount()) },
  };
}

/** Counts every record in the run's tally. @returns what is to be written */
export async function prepareBatch(
  run: ImportRun,
  records: readonly BatchRecord[],
): Promise<ImportRows> {
  const conversations: FoundConversation[] = [];
  const memories: IdentifiedMemory[] = [];
  for (const record of records) {
    switch (record.type) {
      case "conversation":
        conversations.push(record);
        break;
      case "memory":
        memories.push(record.memory);
        break;
      case "unchanged":
        run.tally.add("message", "unchanged", record.messages);
        if (record.isLast) run.tally.add("conversation", "unchanged");
        break;
      case "skipped":
        run.tally.skip(record.kind, record.reason, record.count, await examplesOf(run, record));
        break;
    }
  }
  const chats = conversations.length === 0 ? null : await prepareConversations(run, conversations);
  const facts = memories.length === 0 ? [] : await prepareMemories(run, memories);
  run.tally.add("memory", "new", facts.length);
  const messages = chats?.messages ?? [];
  return {
    conversations: chats?.rows ?? [],
    states: chats?.states ?? [],
    messages: messages.map(({ row }) => row),
    moves: chats?.moves ?? [],
    reindex: chats?.reindex ?? [],
    memories: facts.map(({ row }) => row),
    labels: facts
      .filter(({ labels }) => labels.length > 0)
      .map(({ row, labels }) => ({ memoryId: row.id, labels })),
    changedTokens: changeOf(messages, "tokenCount"),
    changedBytes: changeOf(messages, "sizeBytes"),
  };
}

/** Conversations are kept as they are, secrets and all; what is shown of a memory holds none that the memory may not hold. */
async function examplesOf(
  run: ImportRun,
  { kind, examples }: Extract<BatchRecord, { type: "skipped" }>,
): Promise<readonly string[]> {
  return kind === "memory"
    ? Promise.all(examples.map((example) => exampleOf(run, example)))
    : examples;
}

/** What the messages that replace others add to a sum. */
function changeOf(
  messages: readonly PreparedMessage[],
  column: "tokenCount" | "sizeBytes",
): number {
  return messages.reduce(
    (sum, { replaced, row }) => sum + (replaced === null ? 0 : row[column] - replaced[column]),
    0,
  );
}

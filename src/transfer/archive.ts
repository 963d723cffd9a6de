/**
 * What a Cofio archive holds, piece by piece: each file of it, its lines in the order of ids, so that the same state always gives the
 * same bytes. First what is there, then the earlier states; an import reads the first part alone.
 */
import type { OpenAccount } from "../storage/open-account.ts";
import { lineJsonSchema } from "./archive-lines.ts";
import { ARCHIVE_FILES, manifestJsonSchema } from "./archive-manifest.ts";
import {
  conversationLine,
  conversationVersionLine,
  memoryLine,
  memoryVersionLine,
  messageLine,
  messageVersionLine,
  operationLine,
  removedMessageLine,
} from "./archive-rows.ts";
import {
  conversationPage,
  FIRST_CONVERSATION,
  type ConversationsCursor,
} from "./conversation-pages.ts";
import { textPiece, type TextCursor } from "./export.ts";

/** Plain JSON, so that a job can keep it. */
export type ArchiveCursor =
  | { readonly at: "memories"; readonly after: string }
  | { readonly at: "memory_versions"; readonly after: readonly [string, number] }
  | { readonly at: "conversations"; readonly from: ConversationsCursor }
  | { readonly at: "conversation_versions"; readonly after: readonly [string, number] }
  | { readonly at: "removed_messages"; readonly after: readonly [string, number, string] }
  | { readonly at: "message_versions"; readonly after: readonly [string, string, number] }
  | { readonly at: "operations"; readonly after: string }
  | { readonly at: "rules" }
  | { readonly at: "schemas"; readonly index: number }
  | { readonly at: "readable_memories"; readonly within: TextCursor }
  | {
      readonly at: "readable_conversations";
      /** The month's beginning, or with `within` null any time from which on the next one is looked for. Milliseconds UTC. */
      readonly from: number;
      readonly within: TextCursor | null;
    };

export const ARCHIVE_COUNTS = [
  "memories",
  "memory_versions",
  "conversations",
  "messages",
  "conversation_versions",
  "removed_messages",
  "message_versions",
  "operations",
] as const;
export type ArchiveCounts = Readonly<Record<(typeof ARCHIVE_COUNTS)[number], number>>;

export interface ArchivePiece {
  /** That it belongs to; null: to none. Pieces of one file follow each other. */
  readonly file: string | null;
  readonly text: string;
  /** Null: that was the last piece. */
  readonly next: ArchiveCursor | null;
  readonly counts: Partial<ArchiveCounts>;
  /** What its rows count for in the account that is exported, as `get_stats` says it. Left out: nothing. */
  readonly storedBytes?: number;
}

export const ARCHIVE_START: ArchiveCursor = { at: "memories", after: "" };

/** Before every time that a row may have. */
const BEGINNING = Number.MIN_SAFE_INTEGER;
const READABLE_START: TextCursor = { at: "start" };

const SCHEMAS: readonly { readonly name: string; readonly make: () => string }[] = [
  { name: "manifest", make: manifestJsonSchema },
  { name: "line", make: lineJsonSchema },
];

/** Two round trips at most. Earlier states of conversations come before those of messages, which have words of the titles of then. */
export async function archivePiece(at: OpenAccount, cursor: ArchiveCursor): Promise<ArchivePiece> {
  const { keys, exportRows } = at;
  switch (cursor.at) {
    case "memories": {
      const { rows, isLast } = await exportRows.memories(cursor.after);
      const last = rows.at(-1);
      return {
        file: ARCHIVE_FILES.memories,
        text: await jsonLines(rows, (row) => memoryLine(keys, row)),
        next:
          isLast || last === undefined
            ? { at: "memory_versions", after: ["", 0] }
            : { at: "memories", after: last.id },
        counts: { memories: rows.length },
        storedBytes: bytesOf(rows),
      };
    }
    case "memory_versions": {
      const { rows, isLast } = await exportRows.memoryVersions(cursor.after);
      const last = rows.at(-1);
      return {
        file: ARCHIVE_FILES.memories,
        text: await jsonLines(rows, (row) => memoryVersionLine(keys, row)),
        next:
          isLast || last === undefined
            ? { at: "conversations", from: FIRST_CONVERSATION }
            : { at: "memory_versions", after: [last.id, last.version] },
        counts: { memory_versions: rows.length },
      };
    }
    case "conversations":
      return conversationsPiece(at, cursor);
    case "conversation_versions": {
      const { rows, isLast } = await exportRows.conversationVersions(cursor.after);
      const last = rows.at(-1);
      return {
        file: ARCHIVE_FILES.conversations,
        text: await jsonLines(rows, (row) => conversationVersionLine(keys, row)),
        next:
          isLast || last === undefined
            ? { at: "removed_messages", after: ["", -1, ""] }
            : { at: "conversation_versions", after: [last.id, last.version] },
        counts: { conversation_versions: rows.length },
      };
    }
    case "removed_messages": {
      const { rows, isLast } = await exportRows.removedMessages(cursor.after);
      const last = rows.at(-1);
      return {
        file: ARCHIVE_FILES.conversations,
        text: await jsonLines(rows, (row) => removedMessageLine(keys, row)),
        next:
          isLast || last === undefined
            ? { at: "message_versions", after: ["", "", 0] }
            : { at: "removed_messages", after: [last.conversation, last.position, last.id] },
        counts: { removed_messages: rows.length },
      };
    }
    case "message_versions": {
      const { rows, isLast } = await exportRows.messageVersions(cursor.after);
      const last = rows.at(-1);
      return {
        file: ARCHIVE_FILES.conversations,
        text: await jsonLines(rows, (row) => messageVersionLine(keys, row)),
        next:
          isLast || last === undefined
            ? { at: "operations", after: "" }
            : { at: "message_versions", after: [last.conversation, last.id, last.version] },
        counts: { message_versions: rows.length },
      };
    }
    case "operations": {
      const { rows, isLast } = await exportRows.operations(cursor.after);
      const last = rows.at(-1);
      return {
        file: ARCHIVE_FILES.operations,
        text: await jsonLines(rows, operationLine),
        next: isLast || last === undefined ? { at: "rules" } : { at: "operations", after: last.id },
        counts: { operations: rows.length },
      };
    }
    case "rules":
      return {
        file: ARCHIVE_FILES.rules,
        text: `${JSON.stringify({ type: "rules", rules: at.ruleSources.own }, null, 2)}\n`,
        next: { at: "schemas", index: 0 },
        counts: {},
      };
    case "schemas": {
      const schema = SCHEMAS[cursor.index];
      if (schema === undefined) {
        return archivePiece(at, { at: "readable_memories", within: READABLE_START });
      }
      return {
        file: `schemas/${schema.name}.json`,
        text: schema.make(),
        next: { at: "schemas", index: cursor.index + 1 },
        counts: {},
      };
    }
    case "readable_memories": {
      const plan = { ...READABLE, include: ["memories"], title: "Memories" } as const;
      const { text, next } = await textPiece(at, plan, cursor.within);
      return {
        file: "markdown/memories.md",
        text,
        next:
          next === null
            ? { at: "readable_conversations", from: BEGINNING, within: null }
            : { at: "readable_memories", within: next },
        counts: {},
      };
    }
    case "readable_conversations":
      return readableConversationsPiece(at, cursor);
  }
}

/** A conversation's line, then its messages'. */
async function conversationsPiece(
  at: OpenAccount,
  { from }: Extract<ArchiveCursor, { at: "conversations" }>,
): Promise<ArchivePiece> {
  const { parts, next } = await conversationPage(at, from, (after) =>
    at.exportRows.conversations(after?.[1] ?? ""),
  );
  const texts = await Promise.all(
    parts.map(
      async ({ row, messages }) =>
        (row === null ? "" : lineOf(await conversationLine(at.keys, row))) +
        (await jsonLines(messages, (message) => messageLine(at.keys, message))),
    ),
  );
  return {
    file: ARCHIVE_FILES.conversations,
    text: texts.join(""),
    next:
      next === null
        ? { at: "conversation_versions", after: ["", 0] }
        : { at: "conversations", from: next },
    counts: {
      conversations: parts.filter(({ row }) => row !== null).length,
      messages: parts.reduce((sum, { messages }) => sum + messages.length, 0),
    },
    // Messages of a conversation in the trash are no part of the sum.
    storedBytes: bytesOf(
      parts.flatMap(({ status, messages }) => (status === "active" ? messages : [])),
    ),
  };
}

/** Of an archive's Markdown, whose time of making stands in the manifest alone. */
const READABLE = { format: "markdown", startedAt: 0 } as const;

/** A file for each month, UTC, in which a conversation began: as many as there are, and no word of the person in a name. */
async function readableConversationsPiece(
  at: OpenAccount,
  { from, within }: Extract<ArchiveCursor, { at: "readable_conversations" }>,
): Promise<ArchivePiece> {
  const start = within === null ? await firstMonth(at, from) : from;
  if (start === null) return { file: null, text: "", next: null, counts: {} };
  const date = new Date(start);
  const before = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
  const month = date.toISOString().slice(0, -"-01T00:00:00.000Z".length);
  const plan = {
    ...READABLE,
    include: ["conversations"],
    title: `Conversations of ${month}`,
    period: { from: start, before },
  } as const;
  const { text, next } = await textPiece(at, plan, within ?? READABLE_START);
  return {
    file: `markdown/conversations/${month}.md`,
    text,
    next:
      next === null
        ? { at: "readable_conversations", from: before, within: null }
        : { at: "readable_conversations", from: start, within: next },
    counts: {},
  };
}

/** The beginning of the first month with a conversation. Null: there is none from `from` on. */
async function firstMonth(at: OpenAccount, from: number): Promise<number | null> {
  const [first] = await at.exportRows.conversationsByTime(null, { from });
  if (first === undefined) return null;
  const date = new Date(first.createdAt);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

function bytesOf(rows: readonly { readonly sizeBytes: number }[]): number {
  return rows.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

async function jsonLines<Row>(
  rows: readonly Row[],
  lineFor: (row: Row) => object | Promise<object>,
): Promise<string> {
  const lines = await Promise.all(rows.map(async (row) => lineOf(await lineFor(row))));
  return lines.join("");
}

function lineOf(line: object): string {
  return `${JSON.stringify(line)}\n`;
}

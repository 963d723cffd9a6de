/**
 * Writes everything as one text, piece by piece: each piece is a page of rows and the place where the next one begins, so that
 * a job can stop and go on, and never holds more than a page. JSON is what `formats/cofio.ts` reads; Markdown is for people; Portable
 * AI Memory is for other tools. The archive (`archive.ts`), which holds all there is, has its Markdown from here.
 */
import { openConversation, openMessage } from "../conversations/conversation.ts";
import { openMemory } from "../memory/memory.ts";
import type { TimePlace } from "../storage/export-rows.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import {
  conversationPage,
  FIRST_CONVERSATION,
  type ConversationsCursor,
} from "./conversation-pages.ts";
import { jsonWriter } from "./json-writer.ts";
import { markdownWriter } from "./markdown-writer.ts";
import { pamWriter } from "./pam-writer.ts";
import type { Writer } from "./writer.ts";

/** Of these an export is one text. */
export const TEXT_FORMATS = ["json", "markdown", "pam"] as const;
export type TextFormatName = (typeof TEXT_FORMATS)[number];
export const EXPORT_PARTS = ["memories", "conversations"] as const;
export type ExportPart = (typeof EXPORT_PARTS)[number];

export interface TextPlan {
  readonly format: TextFormatName;
  readonly include: readonly ExportPart[];
  /** Milliseconds UTC. */
  readonly startedAt: number;
  /** Of a file in an archive, which says elsewhere when it was made. */
  readonly title?: string;
  /** Only conversations that began then. Milliseconds UTC; `before` exclusive. */
  readonly period?: { readonly from: number; readonly before: number };
}

/** Plain JSON, so that a job can keep it. */
export type TextCursor =
  | { readonly at: "start" }
  | {
      readonly at: "memories";
      readonly from: TimePlace | null;
      readonly written: number;
    }
  | {
      readonly at: "conversations";
      readonly from: ConversationsCursor;
      readonly written: number;
    }
  | { readonly at: "end" };

export interface ExportCounts {
  readonly memories: number;
  readonly conversations: number;
  readonly messages: number;
}

export interface TextPiece {
  readonly text: string;
  /** Null: that was the last piece. */
  readonly next: TextCursor | null;
  readonly counts: ExportCounts;
}

export const NO_COUNTS: ExportCounts = { memories: 0, conversations: 0, messages: 0 };

const WRITERS: Readonly<Record<TextFormatName, Writer>> = {
  json: jsonWriter,
  markdown: markdownWriter,
  pam: pamWriter,
};

/** Two round trips at most. */
export async function textPiece(
  at: OpenAccount,
  plan: TextPlan,
  cursor: TextCursor,
): Promise<TextPiece> {
  const writer = WRITERS[plan.format];
  switch (cursor.at) {
    case "start":
      return {
        text: writer.start(plan, at.userId),
        next: plan.include.includes("memories")
          ? { at: "memories", from: null, written: 0 }
          : { at: "conversations", from: FIRST_CONVERSATION, written: 0 },
        counts: NO_COUNTS,
      };
    case "memories":
      return memoryPiece(at, plan, cursor);
    case "conversations":
      return conversationPiece(at, plan, cursor);
    case "end":
      return { text: writer.end(plan), next: null, counts: NO_COUNTS };
  }
}

async function memoryPiece(
  at: OpenAccount,
  plan: TextPlan,
  cursor: Extract<TextCursor, { at: "memories" }>,
): Promise<TextPiece> {
  const writer = WRITERS[plan.format];
  const { rows, isLast } = await at.exportRows.memoriesByTime(cursor.from);
  // What waits for approval or lies in the trash other tools would take for current.
  const given = plan.format === "pam" ? rows.filter(({ status }) => status === "active") : rows;
  const lines = await Promise.all(
    given.map(async (row, index) =>
      writer.memory(await openMemory(at.keys, row), cursor.written + index),
    ),
  );
  const written = cursor.written + given.length;
  const counts = { ...NO_COUNTS, memories: given.length };
  const last = rows.at(-1);
  if (!isLast && last !== undefined) {
    const next = { at: "memories", from: [last.createdAt, last.id], written } as const;
    return { text: lines.join(""), next, counts };
  }
  return {
    text: lines.join("") + writer.memoriesEnd(written, plan),
    next: plan.include.includes("conversations")
      ? { at: "conversations", from: FIRST_CONVERSATION, written: 0 }
      : { at: "end" },
    counts,
  };
}

async function conversationPiece(
  at: OpenAccount,
  plan: TextPlan,
  cursor: Extract<TextCursor, { at: "conversations" }>,
): Promise<TextPiece> {
  const writer = WRITERS[plan.format];
  const { parts, next } = await conversationPage(at, cursor.from, (after) =>
    at.exportRows.conversationsByTime(after, plan.period),
  );
  if (next === null) {
    return {
      text: writer.conversationsEnd(cursor.written),
      next: { at: "end" },
      counts: NO_COUNTS,
    };
  }
  let { written } = cursor;
  let begun = 0;
  let messageCount = 0;
  let text = "";
  for (const { row, messages, isWhole } of parts) {
    if (row !== null) {
      text += writer.conversation(await openConversation(at.keys, row), written);
      begun += 1;
    }
    const opened = await Promise.all(messages.map((message) => openMessage(at.keys, message)));
    const before = row === null ? 1 : 0;
    text += opened.map((message, index) => writer.message(message, before + index)).join("");
    messageCount += messages.length;
    if (isWhole) {
      text += writer.conversationEnd();
      written += 1;
    }
  }
  return {
    text,
    next: { at: "conversations", from: next, written },
    counts: { memories: 0, conversations: begun, messages: messageCount },
  };
}

/** What the sessions of coding agents have in common: messages made of blocks, machine text around the person's own, no titles. */
import type { Source } from "../../storage/closed-lists.ts";
import type { ImportedAttachment, ImportRecord, SkipReason } from "../records.ts";
import { conversationRecords, timesOf, type MessageReading } from "./conversation.ts";
import { isObject, listOf } from "./json.ts";
import { messageReading, type MessageParts } from "./message-reading.ts";
import { excerptOf, textOf } from "./text.ts";

interface AgentSession {
  readonly source: Source;
  /** The agent's id of the session. */
  readonly originId: string | null;
  /** As the agent or the person named it; "" where nobody did: then it is called by its first prompt. */
  readonly title: string;
  /** The folder that the agent worked in, on whatever system. */
  readonly cwd: string;
}

export function sessionRecords(
  { source, originId, title, cwd }: AgentSession,
  readings: readonly MessageReading[],
): ImportRecord[] {
  const prompt = readings.find(
    (reading) => reading.outcome === "message" && reading.message.role === "user",
  );
  const project = lastSegmentOf(cwd);
  return conversationRecords(
    {
      source,
      originId,
      title: title || (prompt?.outcome === "message" ? titleFrom(prompt.message.text) : ""),
      ...timesOf(readings),
      ...(project === "" ? {} : { project }),
    },
    readings,
  );
}

/** A title's length where there is none but the first prompt; arbitrary. */
const TITLE_CHARS = 60;

/** The beginning of a prompt, cut between words where that leaves at least half of it. */
function titleFrom(prompt: string): string {
  const line = excerptOf(prompt.trimStart());
  if (line.length <= TITLE_CHARS) return line;
  const space = line.lastIndexOf(" ", TITLE_CHARS);
  const cut = line.slice(0, space > TITLE_CHARS / 2 ? space : TITLE_CHARS);
  return `${cut.replace(/[\uD800-\uDBFF]$/, "")}…`;
}

/** A folder's own name; "" for a root or a drive. */
function lastSegmentOf(path: string): string {
  const name = path.split(/[/\\]/).findLast((segment) => segment.trim() !== "") ?? "";
  return /^[A-Za-z]:$/.test(name) ? "" : name.trim();
}

/** What the blocks of a message hold. Several lines may add to one message. */
export interface Content {
  readonly texts: string[];
  readonly attachments: ImportedAttachment[];
  /** Kinds of blocks that are not taken; they name the message if nothing else is in it. */
  readonly reasons: Set<SkipReason>;
}

export interface Cleaning {
  /** A text without what no one said. */
  readonly clean: (text: string) => string;
  /** What a text counts as of which nothing is left. */
  readonly otherwise: SkipReason;
}

/** `content`: a list of blocks, or plain text. The outputs of tools are not kept. */
export function readContent(content: unknown, { clean, otherwise }: Cleaning): Content {
  const read: Content = { texts: [], attachments: [], reasons: new Set() };
  const blocks = typeof content === "string" ? [{ type: "text", text: content }] : listOf(content);
  for (const block of blocks) {
    if (!isObject(block)) continue;
    switch (block["type"]) {
      case "text":
      case "input_text":
      case "output_text": {
        const text = textOf(block["text"]);
        const cleaned = clean(text);
        if (cleaned.trim() !== "") read.texts.push(cleaned);
        else if (text.trim() !== "") read.reasons.add(otherwise);
        break;
      }
      case "image":
      case "input_image":
      case "document":
      case "input_file":
        read.attachments.push({
          name: textOf(block["title"]) || textOf(block["filename"]) || mediaName(block["type"]),
        });
        break;
      case "tool_use":
      case "server_tool_use":
      case "mcp_tool_use":
      case "tool_result":
      case "mcp_tool_result":
      case "web_search_tool_result":
      case "web_fetch_tool_result":
        read.reasons.add("tool");
        break;
      case "thinking":
      case "redacted_thinking":
        read.reasons.add("reasoning");
        break;
      default:
        read.reasons.add("unsupported");
    }
  }
  return read;
}

function mediaName(type: string): string {
  return type.replace("input_", "");
}

/** When a message holds several kinds of blocks and nothing to keep, the first of these that occurs names it. */
const REASONS: readonly SkipReason[] = ["tool", "reasoning", "hidden", "unsupported"];

/** The message that its blocks make, or why they make none. */
export function agentReading(
  message: Pick<MessageParts, "id" | "role" | "createdAt" | "model">,
  { texts, attachments, reasons }: Content,
): MessageReading {
  return messageReading({
    ...message,
    text: texts.join("\n\n"),
    attachments,
    instead: REASONS.find((reason) => reasons.has(reason)) ?? null,
  });
}

/**
 * A prompt without the blocks (`<tag>…</tag>`) that a program put before and after it. Blocks further inside stay: there the person
 * writes about them. Every step cuts what it has searched, so hostile text takes no longer than any other.
 */
export function withoutWrapping(text: string, tags: readonly string[]): string {
  const trimmed = text.trim();
  let rest = trimmed;
  for (;;) {
    const tag = tags.find((name) => opensWith(rest, name));
    const close = tag === undefined ? -1 : rest.indexOf(`</${tag}>`);
    if (tag === undefined || close === -1) break;
    rest = rest.slice(close + `</${tag}>`.length).trimStart();
  }
  for (;;) {
    const tag = tags.find((name) => rest.endsWith(`</${name}>`));
    const open = tag === undefined ? -1 : rest.lastIndexOf(`<${tag}`);
    if (tag === undefined || open === -1 || !opensWith(rest.slice(open), tag)) break;
    rest = rest.slice(0, open).trimEnd();
  }
  return rest === trimmed ? text : rest;
}

/** Tags may have attributes. */
function opensWith(text: string, tag: string): boolean {
  return text.startsWith(`<${tag}>`) || text.startsWith(`<${tag} `);
}

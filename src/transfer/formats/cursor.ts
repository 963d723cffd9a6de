/**
 * Cursor's agent transcripts: JSON lines with neither ids nor times. Chats of the editor stand in a database and are not read; nor is
 * the older plain-text transcript, in which an answer cannot be told from the output of a tool below it.
 */
import {
  agentReading,
  readContent,
  sessionRecords,
  withoutWrapping,
  type Cleaning,
} from "./agent-session.ts";
import type { MessageReading } from "./conversation.ts";
import type { ReadContext, SequenceFormat, SequenceReader } from "./format.ts";
import { has, isObject } from "./json.ts";

export const cursor = {
  kind: "sequence",
  name: "Cursor transcript",
  source: "cursor",
  elementKind: "message",
  repeatsMemories: false,
  matches,
  open,
} satisfies SequenceFormat;

function matches(element: unknown): boolean {
  if (!isObject(element) || has(element, "type")) return false;
  const { role, message } = element;
  return (role === "user" || role === "assistant") && isObject(message) && has(message, "content");
}

/** Cursor names the file after the conversation. No line has an id, and two conversations may well begin with the same words. */
const NAMED_BY_ID = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.\w{1,10}$/i;

function open({ fileName }: ReadContext): SequenceReader {
  const originId = NAMED_BY_ID.exec(fileName)?.[1]?.toLowerCase() ?? null;
  const readings: MessageReading[] = [];
  return {
    take(line) {
      // The mark at the end of a turn is no message.
      if (!isObject(line) || line["type"] !== "turn_ended") readings.push(readLine(line));
      return [];
    },
    end: () =>
      readings.length === 0
        ? []
        : sessionRecords({ source: "cursor", originId, title: "", cwd: "" }, readings),
  };
}

function readLine(line: unknown): MessageReading {
  if (!isObject(line)) return { outcome: "skipped", reason: "unreadable" };
  const { role, message } = line;
  if (has(line, "type") && role === undefined) return { outcome: "skipped", reason: "unsupported" };
  if (!isObject(message)) return { outcome: "skipped", reason: "unreadable" };
  return agentReading(
    { id: null, role, createdAt: null, model: null },
    readContent(message["content"], role === "user" ? PROMPT : ANSWER),
  );
}

const PROMPT: Cleaning = { clean: queryOf, otherwise: "hidden" };
const ANSWER: Cleaning = { clean: withoutRedactions, otherwise: "reasoning" };

const QUERY = "<user_query>";
const QUERY_END = "</user_query>";

/** What Cursor tells the model beside the query, where it stands in a text of its own. */
const CONTEXT_TAGS = [
  "user_info",
  "rules",
  "attached_files",
  "open_and_recently_viewed_files",
  "project_layout",
  "git_status",
  "system_reminder",
  "timestamp",
];

/** What the person typed. Around it stands what Cursor tells the model about the editor. */
function queryOf(text: string): string {
  const start = text.indexOf(QUERY);
  if (start === -1) return withoutWrapping(text, CONTEXT_TAGS);
  const end = text.lastIndexOf(QUERY_END);
  return text.slice(start + QUERY.length, end > start ? end : undefined).trim();
}

/** Cursor writes a line `[REDACTED]` in place of the model's reasoning. */
function withoutRedactions(text: string): string {
  if (!text.includes("[REDACTED]")) return text;
  const lines = text.split("\n").filter((line) => line.trim() !== "[REDACTED]");
  return lines.join("\n").trim();
}

/**
 * Gemini CLI's sessions: one object with all its messages or, since 2026, JSON lines that begin with such an object and go on with a
 * line for each message. Thoughts and calls of tools stand inside the answers and are left there.
 */
import type { ImportRecord } from "../records.ts";
import { agentReading, sessionRecords, withoutWrapping, type Content } from "./agent-session.ts";
import { exclude, skipped, type MessageReading } from "./conversation.ts";
import type { SequenceFormat, SequenceReader } from "./format.ts";
import { has, idOf, isObject, type JsonObject } from "./json.ts";
import { textOf, timeFromIso, trimmedTextOf } from "./text.ts";

export const geminiCli = {
  kind: "sequence",
  name: "Gemini CLI session",
  source: "gemini_cli",
  elementKind: "message",
  repeatsMemories: false,
  matches: isSession,
  open,
} satisfies SequenceFormat;

function isSession(element: unknown): element is JsonObject {
  return isObject(element) && has(element, "sessionId") && has(element, "projectHash");
}

interface Session {
  readonly id: string | null;
  title: string;
  readonly isSubagent: boolean;
  /** By message id, or an object of its own. A later line with the same id is the message as it became. */
  readonly readings: Map<string | object, MessageReading>;
  /** Of what the person went back to before. */
  readonly left: MessageReading[];
}

function open(): SequenceReader {
  const sessions: Session[] = [];
  /** Read before any session; they belong to none. */
  const strays: MessageReading[] = [];

  function enter(line: JsonObject): ImportRecord[] {
    const title = trimmedTextOf(line["summary"]);
    if (has(line, "messages") && !Array.isArray(line["messages"])) {
      return [skipped("conversation", "unreadable", { example: title })];
    }
    const id = idOf(textOf(line["sessionId"]));
    let session = sessions.at(-1);
    if (session === undefined || id === null || session.id !== id) {
      const isSubagent = line["kind"] === "subagent";
      session = { id, title, isSubagent, readings: new Map(), left: [] };
      sessions.push(session);
    }
    for (const message of Array.isArray(line["messages"]) ? line["messages"] : []) {
      add(session, message);
    }
    return [];
  }

  return {
    take(line) {
      if (isSession(line)) return enter(line);
      const session = sessions.at(-1);
      if (isObject(line) && has(line, "$set")) {
        // After a compression this repeats messages as the model is sent them from then on. The person's stand above.
        const set = line["$set"];
        if (session !== undefined && isObject(set)) {
          session.title = trimmedTextOf(set["summary"]) || session.title;
        }
      } else if (isObject(line) && has(line, "$rewindTo")) {
        if (session !== undefined) rewind(session, line["$rewindTo"]);
      } else if (session === undefined) strays.push(readMessage(line));
      else add(session, line);
      return [];
    },
    end: () => [
      ...strays.map((reading) =>
        skipped("message", reading.outcome === "skipped" ? reading.reason : "unreadable"),
      ),
      ...sessions.flatMap(recordsOf),
    ],
  };
}

function add({ readings }: Session, message: unknown): void {
  const id = isObject(message) ? idOf(message["id"]) : null;
  readings.set(id ?? {}, readMessage(message));
}

/** The person went back to before a message, and on from there. */
function rewind({ readings, left }: Session, target: unknown): void {
  if (typeof target !== "string" || !readings.has(target)) return;
  let isAfter = false;
  for (const [id, reading] of readings) {
    if (id === target) isAfter = true;
    if (!isAfter) continue;
    readings.delete(id);
    left.push(reading.outcome === "message" ? OTHER_BRANCH : reading);
  }
}

const OTHER_BRANCH: MessageReading = { outcome: "skipped", reason: "other_branch" };

function recordsOf({ id, title, isSubagent, readings, left }: Session): ImportRecord[] {
  const records = sessionRecords({ source: "gemini_cli", originId: id, title, cwd: "" }, [
    ...readings.values(),
    ...left,
  ]);
  // What one agent asked another, as if it were a person.
  return isSubagent ? exclude(records, "hidden") : records;
}

function readMessage(message: unknown): MessageReading {
  if (!isObject(message)) return { outcome: "skipped", reason: "unreadable" };
  const content = readParts(message["content"]);
  // What the person typed, where `content` also holds the files they named.
  const typed = readParts(message["displayContent"]);
  if (isFilled(message["toolCalls"])) content.reasons.add("tool");
  if (isFilled(message["thoughts"])) content.reasons.add("reasoning");
  return agentReading(
    {
      id: idOf(message["id"]),
      role: roleOf(message["type"]),
      createdAt: timeFromIso(message["timestamp"]),
      model: message["model"],
    },
    typed.texts.length > 0 ? { ...content, texts: typed.texts } : content,
  );
}

function roleOf(type: unknown): unknown {
  switch (type) {
    case "gemini":
      return "assistant";
    // What the program told the person.
    case "info":
    case "error":
    case "warning":
      return "system";
    default:
      return type;
  }
}

function isFilled(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0;
}

/** What Gemini CLI tells the model in the person's place. */
const CONTEXT_TAGS = ["session_context", "hook_context", "state_snapshot"];

/** `parts`: a text, a part, or a list of both. */
function readParts(parts: unknown): Content {
  const texts: string[] = [];
  const read: Content = { texts, attachments: [], reasons: new Set() };
  for (const part of Array.isArray(parts) ? parts : [parts]) {
    const text = textOf(isObject(part) ? part["text"] : part);
    const own = withoutWrapping(text, CONTEXT_TAGS);
    if (isObject(part) && part["thought"] === true) read.reasons.add("reasoning");
    else if (own.trim() !== "") texts.push(own);
    else if (text.trim() !== "") read.reasons.add("hidden");
    else if (!isObject(part)) continue;
    else if (has(part, "functionCall") || has(part, "functionResponse")) read.reasons.add("tool");
    else if (isObject(part["inlineData"]) || isObject(part["fileData"])) {
      read.attachments.push({
        name: nameOf(part["inlineData"]) || nameOf(part["fileData"]) || "file",
      });
    }
  }
  return read;
}

function nameOf(media: unknown): string {
  return isObject(media) ? textOf(media["displayName"]) || textOf(media["mimeType"]) : "";
}

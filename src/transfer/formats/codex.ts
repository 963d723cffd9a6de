/**
 * Codex's rollout files: JSON lines, of which `response_item` is what the model was sent and answered. `event_msg` repeats that for
 * the screen and is read for one thing only: that the person took turns back.
 */
import {
  agentReading,
  readContent,
  sessionRecords,
  withoutWrapping,
  type Cleaning,
} from "./agent-session.ts";
import type { MessageReading } from "./conversation.ts";
import type { SequenceFormat, SequenceReader } from "./format.ts";
import { has, idOf, isObject } from "./json.ts";
import { textOf, timeFromIso } from "./text.ts";

export const codex = {
  kind: "sequence",
  name: "Codex session",
  source: "codex",
  elementKind: "message",
  repeatsMemories: false,
  matches,
  open,
} satisfies SequenceFormat;

/** Lines that are no messages; a compaction repeats in short what stands above it. */
const STRUCTURE = new Set(["session_meta", "turn_context", "event_msg", "compacted"]);
/** Likewise, among the response items. */
const STRUCTURE_ITEMS = new Set([
  "ghost_snapshot",
  "compaction",
  "compaction_summary",
  "compaction_trigger",
  "context_compaction",
]);

function matches(element: unknown): boolean {
  if (!isObject(element) || !has(element, "payload")) return false;
  const type = textOf(element["type"]);
  return type === "response_item" || STRUCTURE.has(type);
}

interface Session {
  id: string | null;
  cwd: string;
  model: string;
  readonly readings: MessageReading[];
}

function open(): SequenceReader {
  let session: Session = { id: null, cwd: "", model: "", readings: [] };
  const sessions = [session];

  /**
   * A session forked from another begins with a copy of it, whose description comes second: that one is not its name. A description
   * below messages begins another session, or goes on with an earlier one.
   */
  function enter(id: string | null): void {
    if (id === null || id === session.id) return;
    if (session.id === null) session.id = id;
    else if (session.readings.length > 0) {
      const known = sessions.find((other) => other.id === id);
      session = known ?? { id, cwd: "", model: "", readings: [] };
      if (known === undefined) sessions.push(session);
    }
  }

  return {
    take(line) {
      const payload = isObject(line) && isObject(line["payload"]) ? line["payload"] : {};
      const type = isObject(line) ? line["type"] : null;
      if (type === "session_meta") enter(idOf(textOf(payload["id"])));
      if (type === "session_meta" || type === "turn_context") {
        session.cwd ||= textOf(payload["cwd"]);
        session.model = textOf(payload["model"]) || session.model;
      }
      if (type === "event_msg" && payload["type"] === "thread_rolled_back") {
        rollBack(session.readings, payload["num_turns"]);
      }
      const reading = readLine(line, session.model);
      if (reading !== null) session.readings.push(reading);
      return [];
    },
    end: () =>
      sessions.flatMap(({ id, cwd, readings }) =>
        readings.length === 0
          ? []
          : sessionRecords({ source: "codex", originId: id, title: "", cwd }, readings),
      ),
  };
}

/** The person went back to before their last turns, and on from there. */
function rollBack(readings: MessageReading[], turns: unknown): void {
  let left = typeof turns === "number" ? turns : 0;
  for (let index = readings.length - 1; index >= 0 && left >= 1; index -= 1) {
    const reading = readings[index];
    if (reading?.outcome !== "message") continue;
    readings[index] = { outcome: "skipped", reason: "other_branch" };
    if (reading.message.role === "user") left -= 1;
  }
}

/** Null for a line that is no message. */
function readLine(line: unknown, model: string): MessageReading | null {
  if (!isObject(line) || typeof line["type"] !== "string") {
    return { outcome: "skipped", reason: "unreadable" };
  }
  if (STRUCTURE.has(line["type"])) return null;
  if (line["type"] !== "response_item") return { outcome: "skipped", reason: "unsupported" };
  const { payload } = line;
  if (!isObject(payload)) return { outcome: "skipped", reason: "unreadable" };
  const type = textOf(payload["type"]);
  if (STRUCTURE_ITEMS.has(type)) return null;
  if (type === "message") {
    const { id, role, content } = payload;
    // Instructions of the program, not of the person.
    if (role === "developer") return { outcome: "skipped", reason: "hidden" };
    return agentReading(
      // Older versions give no id; Cofio then knows the message by its text.
      { id: idOf(id), role, createdAt: timeFromIso(line["timestamp"]), model },
      readContent(content, role === "user" ? PROMPT : ANSWER),
    );
  }
  if (type === "reasoning") return { outcome: "skipped", reason: "reasoning" };
  // `function_call`, `custom_tool_call_output`, `web_search_call`, `tool_search_output` and more of that kind.
  const isTool = type.endsWith("_call") || type.endsWith("_output");
  return { outcome: "skipped", reason: isTool ? "tool" : "unsupported" };
}

const ANSWER: Cleaning = { clean: (text) => text, otherwise: "hidden" };
/** Each text of a prompt stands for itself: Codex puts its own beside the person's, in one message. */
const PROMPT: Cleaning = { clean: promptOf, otherwise: "hidden" };

const CONTEXT_TAGS = [
  "environment_context",
  "user_instructions",
  "INSTRUCTIONS",
  "turn_aborted",
  "user_shell_command",
  "subagent_notification",
  "skill",
];
const AGENTS_HEADING = "# AGENTS.md instructions";
const EDITOR_HEADING = "# Context from my IDE setup:";
const EDITOR_REQUEST = "## My request for Codex:";
/** Stands before and after each picture. */
const IMAGE_TAG = /^<\/?image(?: [^<>]*)?>$/;

/** What the person typed: without the folder's AGENTS.md, the environment, and what the editor extension puts before it. */
function promptOf(text: string): string {
  const trimmed = text.trim();
  if (IMAGE_TAG.test(trimmed)) return "";
  if (trimmed.startsWith(EDITOR_HEADING)) {
    const request = trimmed.indexOf(EDITOR_REQUEST);
    if (request !== -1) return trimmed.slice(request + EDITOR_REQUEST.length).trim();
  }
  if (!trimmed.startsWith(AGENTS_HEADING)) return withoutWrapping(text, CONTEXT_TAGS);
  const block = trimmed.indexOf("<INSTRUCTIONS>");
  const rest = block === -1 ? "" : trimmed.slice(block);
  const own = withoutWrapping(rest, CONTEXT_TAGS);
  // A block that does not end is AGENTS.md to the last line.
  return own === rest ? "" : own;
}

/**
 * DeepSeek's `conversations.json`, and the answer of the site's own route, as browser extensions save it: one tree, written as a
 * mapping or as a list. Who speaks stands on the fragments of a message.
 */
import type { ImportedAttachment, ImportRecord, SkipReason } from "../records.ts";
import { branchReadings, type MessageNode } from "./branch-readings.ts";
import { conversationRecords, skipped, type MessageReading } from "./conversation.ts";
import type { ElementFormat } from "./format.ts";
import { has, idOf, isObject, listOf, type JsonObject } from "./json.ts";
import { messageReading } from "./message-reading.ts";
import { textOf, timeFromIso, timeFromSeconds, trimmedTextOf } from "./text.ts";

export const deepseek = {
  kind: "elements",
  name: "DeepSeek export",
  source: "deepseek",
  elementKind: "conversation",
  repeatsMemories: false,
  matches,
  read,
} satisfies ElementFormat;

/** ChatGPT has a `mapping` too, but no `inserted_at`. */
function matches(element: unknown): boolean {
  if (!isObject(element)) return false;
  return (has(element, "mapping") && has(element, "inserted_at")) || answerOf(element) !== null;
}

/** What the site's route answers, out of its envelope. */
function answerOf(element: JsonObject): JsonObject | null {
  const envelope = element["data"];
  const answer = isObject(envelope) ? envelope["biz_data"] : null;
  return isObject(answer) && Array.isArray(answer["chat_messages"]) ? answer : null;
}

function read(element: unknown): readonly ImportRecord[] {
  if (!isObject(element)) return [skipped("conversation", "unreadable")];
  const answer = answerOf(element);
  const session = answer === null ? element : answer["chat_session"];
  const about = isObject(session) ? session : {};
  const title = trimmedTextOf(about["title"]);
  const nodes = answer === null ? treeNodes(element["mapping"]) : listNodes(answer);
  if (nodes === null) return [skipped("conversation", "unreadable", { example: title })];
  return conversationRecords(
    {
      source: "deepseek",
      originId: idOf(textOf(about["id"])),
      title,
      createdAt: timeOf(about["inserted_at"]),
      updatedAt: timeOf(about["updated_at"]),
    },
    // Only the route names the leaf.
    branchReadings(nodes, nodeIdOf(about["current_message_id"]), readMessage),
  );
}

function treeNodes(mapping: unknown): MessageNode[] | null {
  if (!isObject(mapping)) return null;
  return Object.entries(mapping).flatMap(([id, node]) => {
    if (!isObject(node)) return [];
    const message = node["message"] ?? null;
    return {
      id,
      parent: nodeIdOf(node["parent"]),
      children: listOf(node["children"])
        .map(nodeIdOf)
        .filter((child) => child !== null),
      time: isObject(message) ? timeOf(message["inserted_at"]) : null,
      message: message === null || isObject(message) ? message : "unreadable",
    };
  });
}

function listNodes(answer: JsonObject): MessageNode[] {
  return listOf(answer["chat_messages"]).map((message) => ({
    id: isObject(message) ? nodeIdOf(message["message_id"]) : null,
    parent: isObject(message) ? nodeIdOf(message["parent_id"]) : null,
    children: [],
    time: isObject(message) ? timeOf(message["inserted_at"]) : null,
    message: isObject(message) ? message : "unreadable",
  }));
}

/** The same small number is text in the export and a number in the route's answer; a message must keep its id between them. */
function nodeIdOf(value: unknown): string | null {
  return typeof value === "number" ? String(value) : idOf(value);
}

/** ISO 8601 in the export, seconds in the route's answer. */
function timeOf(value: unknown): number | null {
  return timeFromIso(value) ?? timeFromSeconds(value);
}

/** A node that holds both a request and a response is two messages, or one would be put into the other's mouth. */
function* readMessage(message: JsonObject, id: string | null): Generator<MessageReading> {
  const fragments = listOf(message["fragments"]);
  const turns = turnsOf(fragments);
  const common = {
    createdAt: timeOf(message["inserted_at"]),
    model: message["model"],
    instead: insteadOf(message, fragments),
  };
  const attachments = attachmentsOf(message);
  if (turns.length === 0) {
    // Older files have a role and a content. A node of thoughts and searches alone is the assistant's.
    const role = message["role"] ?? (Array.isArray(message["fragments"]) ? "assistant" : null);
    const text = textOf(message["content"]);
    yield messageReading({ ...common, id, role, text, attachments });
    return;
  }
  for (const [index, { role, texts }] of turns.entries()) {
    yield messageReading({
      ...common,
      id: index === 0 || id === null ? id : `${id}/${index}`,
      role,
      text: texts.filter((text) => text.trim() !== "").join("\n\n"),
      attachments: index === 0 ? attachments : [],
    });
  }
}

interface Turn {
  readonly role: "user" | "assistant";
  readonly texts: string[];
}

function turnsOf(fragments: readonly unknown[]): Turn[] {
  const turns: Turn[] = [];
  for (const fragment of fragments) {
    if (!isObject(fragment)) continue;
    const { type } = fragment;
    if (type !== "REQUEST" && type !== "RESPONSE") continue;
    const role = type === "REQUEST" ? "user" : "assistant";
    const text = textOf(fragment["content"]);
    const last = turns.at(-1);
    if (last?.role === role) last.texts.push(text);
    else turns.push({ role, texts: [text] });
  }
  return turns;
}

/** Fragments that nobody spoke: thoughts, and searches and the like. */
function insteadOf(message: JsonObject, fragments: readonly unknown[]): SkipReason | null {
  const types = new Set(
    fragments.filter(isObject).map(({ type }) => (typeof type === "string" ? type : null)),
  );
  if (textOf(message["thinking_content"]) !== "") types.add("THINK");
  const hasTool = [...types].some(
    (type) => type !== null && type !== "REQUEST" && type !== "RESPONSE" && type !== "THINK",
  );
  if (hasTool) return "tool";
  if (types.has("THINK")) return "reasoning";
  const isDamaged = types.has(null) || (types.size === 0 && fragments.length > 0);
  return isDamaged ? "unreadable" : null;
}

/** Names of uploads. The files themselves are not in the JSON. */
function attachmentsOf(message: JsonObject): ImportedAttachment[] {
  return listOf(message["files"])
    .filter(isObject)
    .map((file) => textOf(file["file_name"]) || textOf(file["name"]) || textOf(file["id"]))
    .filter((name) => name !== "")
    .map((name) => ({ name }));
}

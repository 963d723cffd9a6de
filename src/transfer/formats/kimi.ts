/**
 * Kimi has no export of its own. Browser extensions save what its site answers: the messages of one chat, or a shared chat with its
 * name. The answers are protobuf written as JSON, which leaves out every empty field.
 */
import type { ImportedConversation, ImportRecord, SkipReason } from "../records.ts";
import { branchReadings, type MessageNode } from "./branch-readings.ts";
import { conversationRecords, firstWords, skipped, type MessageReading } from "./conversation.ts";
import type { ElementFormat } from "./format.ts";
import { has, idOf, isObject, listOf, type JsonObject } from "./json.ts";
import { messageReading } from "./message-reading.ts";
import { textOf, timeFromIso, trimmedTextOf } from "./text.ts";

export const kimi = {
  kind: "elements",
  name: "Kimi conversation",
  source: "kimi",
  elementKind: "conversation",
  repeatsMemories: false,
  matches: (element) =>
    listOf(chatOf(element)["messages"]).some(
      (message) => isObject(message) && has(message, "blocks") && has(message, "createTime"),
    ),
  read,
} satisfies ElementFormat;

/** A shared chat stands one level deeper. Beside it stands who shared it, which is never read. */
function chatOf(element: unknown): JsonObject {
  if (!isObject(element)) return {};
  return isObject(element["share"]) ? element["share"] : element;
}

function read(element: unknown): readonly ImportRecord[] {
  const chat = chatOf(element);
  const about = isObject(chat["chat"]) ? chat["chat"] : {};
  const name = trimmedTextOf(about["name"]);
  if (!Array.isArray(chat["messages"])) {
    return [skipped("conversation", "unreadable", { example: name })];
  }
  const nodes = listOf(chat["messages"]).map(nodeOf);
  const readings = [...branchReadings(nodes, null, (message, id) => [readMessage(message, id)])];
  return conversationRecords(
    { title: name || firstWords(readings), ...known(about, nodes) },
    readings,
  );
}

function nodeOf(message: unknown): MessageNode {
  const isMessage = isObject(message);
  return {
    id: isMessage ? idOf(message["id"]) : null,
    parent: isMessage ? idOf(message["parentId"]) : null,
    children: [],
    time: isMessage ? timeFromIso(message["createTime"]) : null,
    message: isMessage ? message : "unreadable",
  };
}

/**
 * A chat's messages come without its id and its times. Its oldest message stays the same however the chat goes on, so that message's id
 * stands for the chat, and its newest message for when it was updated.
 */
function known(
  about: JsonObject,
  nodes: readonly MessageNode[],
): Omit<ImportedConversation, "messages" | "title"> {
  const times = nodes
    .flatMap(({ time }) => (time === null ? [] : [time]))
    .toSorted((one, other) => one - other);
  const first = times.at(0) ?? null;
  const last = times.at(-1) ?? null;
  const oldest =
    nodes.find(({ id, time }) => id !== null && time !== null && time === first) ??
    nodes.find(({ id }) => id !== null);
  const standIn = idOf(textOf(oldest?.id));
  return {
    source: "kimi",
    originId: idOf(textOf(about["id"])) ?? (standIn === null ? null : `first message ${standIn}`),
    createdAt: timeFromIso(about["createTime"]) ?? first,
    updatedAt: timeFromIso(about["updateTime"]) ?? last,
  };
}

function readMessage(message: JsonObject, id: string | null): MessageReading {
  const { text, instead } = readBlocks(listOf(message["blocks"]));
  return messageReading({
    id,
    role: message["role"],
    text,
    createdAt: timeFromIso(message["createTime"]),
    model: null,
    attachments: [],
    instead,
  });
}

/** When a message holds several kinds of blocks and no text, the first of these that occurs names it. */
const INSTEAD: readonly SkipReason[] = ["tool", "reasoning", "unsupported", "unreadable"];

function readBlocks(blocks: readonly unknown[]): { text: string; instead: SkipReason | null } {
  const texts: string[] = [];
  const reasons = new Set<SkipReason>();
  for (const block of blocks) {
    if (!isObject(block)) reasons.add("unreadable");
    else if (has(block, "text")) {
      const text = block["text"];
      texts.push(textOf(isObject(text) ? text["content"] : text));
    } else if (has(block, "think")) reasons.add("reasoning");
    else if (has(block, "tool")) reasons.add("tool");
    // The progress of an answer says nothing.
    else if (!has(block, "stage") && !has(block, "multiStage")) reasons.add("unsupported");
  }
  return {
    text: texts.filter((text) => text.trim() !== "").join("\n\n"),
    instead: INSTEAD.find((reason) => reasons.has(reason)) ?? null,
  };
}

/** Le Chat's export: one file per chat, a list of its messages. A chat has no title, and its branches are not told. */
import type { ImportedAttachment, ImportRecord, SkipReason } from "../records.ts";
import { branchReadings, type MessageNode } from "./branch-readings.ts";
import {
  conversationRecords,
  firstWords,
  skipped,
  timesOf,
  type MessageReading,
} from "./conversation.ts";
import type { SequenceFormat, SequenceReader } from "./format.ts";
import { has, idOf, isObject, listOf, type JsonObject } from "./json.ts";
import { messageReading } from "./message-reading.ts";
import { textOf, timeFromIso } from "./text.ts";

export const leChat = {
  kind: "sequence",
  name: "Le Chat export",
  source: "le_chat",
  elementKind: "message",
  repeatsMemories: false,
  matches: (element) =>
    isObject(element) && has(element, "chatId") && has(element, "contentChunks"),
  open,
} satisfies SequenceFormat;

function open(): SequenceReader {
  const chats = new Map<string | null, MessageNode[]>();
  return {
    take(element) {
      if (!isObject(element)) return [skipped("message", "unreadable")];
      const chatId = idOf(textOf(element["chatId"]));
      const messages = chats.get(chatId);
      if (messages === undefined) chats.set(chatId, [nodeOf(element)]);
      else messages.push(nodeOf(element));
      return [];
    },
    end: () => [...chats].flatMap(([chatId, messages]) => read(chatId, messages)),
  };
}

function nodeOf(message: JsonObject): MessageNode {
  return {
    id: idOf(textOf(message["id"])),
    parent: null,
    children: [],
    time: timeFromIso(message["createdAt"]),
    message,
  };
}

function read(originId: string | null, messages: readonly MessageNode[]): ImportRecord[] {
  const readings = [...branchReadings(messages, null, (message, id) => [readMessage(message, id)])];
  const title = firstWords(readings);
  return conversationRecords(
    { source: "le_chat", originId, title, ...timesOf(readings) },
    readings,
  );
}

function readMessage(message: JsonObject, id: string | null): MessageReading {
  const chunks = readChunks(listOf(message["contentChunks"]));
  const content = textOf(message["content"]);
  const files = listOf(message["files"])
    .filter(isObject)
    .map((file) => ({ name: textOf(file["name"]) || "file" }));
  return messageReading({
    id,
    role: message["role"],
    text: content.trim() === "" ? chunks.text : content,
    createdAt: timeFromIso(message["createdAt"]),
    model: null,
    attachments: [...files, ...chunks.attachments],
    instead: chunks.instead,
  });
}

interface Chunks {
  readonly text: string;
  readonly attachments: readonly ImportedAttachment[];
  readonly instead: SkipReason | null;
}

/** An answer with calls of tools or with sources in it comes in pieces, cut anywhere in its text. */
function readChunks(chunks: readonly unknown[]): Chunks {
  const attachments: ImportedAttachment[] = [];
  let text = "";
  let instead: SkipReason | null = null;
  for (const chunk of chunks) {
    if (!isObject(chunk)) {
      instead ??= "unreadable";
      continue;
    }
    switch (chunk["type"]) {
      case "text":
        text += textOf(chunk["text"]);
        break;
      case "tool_call":
        instead ??= "tool";
        break;
      case "image_url":
        attachments.push({ name: "image" });
        break;
      // Numbers of sources that the file does not name.
      case "reference":
        break;
      default:
        instead ??= "unsupported";
    }
  }
  return { text, attachments, instead };
}

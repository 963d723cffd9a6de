/** Open WebUI's export of chats: those of one person, or of everybody on the server when its administrator exports them. */
import type { ImportedAttachment, ImportRecord, SkipReason } from "../records.ts";
import { branchReadings, type MessageNode } from "./branch-readings.ts";
import { conversationRecords, skipped, type MessageReading } from "./conversation.ts";
import type { ElementFormat } from "./format.ts";
import { has, idOf, isObject, listOf, type JsonObject } from "./json.ts";
import { messageReading } from "./message-reading.ts";
import { textOf, timeFromSeconds, trimmedTextOf } from "./text.ts";
import { withoutPassages } from "./without-passages.ts";

export const openWebui = {
  kind: "elements",
  name: "Open WebUI export",
  source: "open_webui",
  elementKind: "conversation",
  repeatsMemories: false,
  matches: (element) => {
    const { history } = chatOf(element);
    return isObject(history) && has(history, "messages");
  },
  read,
  accountOf: (element) => (isObject(element) ? idOf(element["user_id"]) : null),
} satisfies ElementFormat;

function chatOf(element: unknown): JsonObject {
  return isObject(element) && isObject(element["chat"]) ? element["chat"] : {};
}

function read(element: unknown): readonly ImportRecord[] {
  const entry = isObject(element) ? element : {};
  const chat = chatOf(entry);
  const history = isObject(chat["history"]) ? chat["history"] : {};
  const title = trimmedTextOf(entry["title"]) || trimmedTextOf(chat["title"]);
  const nodes = nodesOf(history["messages"]) ?? nodesOf(chat["messages"]);
  if (nodes === null) return [skipped("conversation", "unreadable", { example: title })];

  const models = listOf(chat["models"]);
  const onlyModel = models.length === 1 ? models[0] : null;
  return conversationRecords(
    {
      source: "open_webui",
      originId: idOf(textOf(entry["id"])),
      title,
      createdAt: timeFromSeconds(entry["created_at"]),
      updatedAt: timeFromSeconds(entry["updated_at"]),
    },
    branchReadings(nodes, idOf(history["currentId"]), (message, id) => [
      readMessage(message, id, onlyModel),
    ]),
  );
}

/** The tree of a chat. `chat.messages` repeats its current branch as a list, and is read only where there is no tree. */
function nodesOf(messages: unknown): MessageNode[] | null {
  if (Array.isArray(messages)) {
    return listOf(messages).map((message) =>
      nodeOf(isObject(message) ? idOf(message["id"]) : null, message),
    );
  }
  return isObject(messages)
    ? Object.entries(messages).map(([id, message]) => nodeOf(id, message))
    : null;
}

function nodeOf(id: string | null, message: unknown): MessageNode {
  if (!isObject(message)) {
    return { id: null, parent: null, children: [], time: null, message: "unreadable" };
  }
  return {
    id,
    parent: idOf(message["parentId"]),
    children: listOf(message["childrenIds"]).filter((child) => typeof child === "string"),
    time: timeFromSeconds(message["timestamp"]),
    message,
  };
}

function readMessage(message: JsonObject, id: string | null, onlyModel: unknown): MessageReading {
  const { role } = message;
  const content = contentText(message["content"]);
  const { text, instead } = role === "user" ? { text: content, instead: null } : answerOf(content);
  return messageReading({
    id,
    role,
    text: text.trim() === "" ? outputText(message["output"]) : text,
    createdAt: timeFromSeconds(message["timestamp"]),
    model: textOf(message["model"]) || onlyModel,
    attachments: attachmentsOf(message),
    instead,
  });
}

/** Text, or a list of parts of which some are text. */
function contentText(content: unknown): string {
  if (typeof content === "string") return textOf(content);
  return listOf(content)
    .map((part) => (isObject(part) ? textOf(part["text"]) : ""))
    .filter((text) => text.trim() !== "")
    .join("\n\n");
}

/** Open WebUI writes what went before an answer into its text. Each passage begins a line or follows the one before. */
const DETAILS =
  /(?:^|(?<=<\/details>))[ \t]*<details\s+type="(?:reasoning|tool_calls|code_interpreter)"/gm;

function answerOf(content: string): { text: string; instead: SkipReason | null } {
  const { text, openings } = withoutPassages(content, DETAILS, "</details>");
  if (openings.length === 0) return { text, instead: null };
  const isReasoning = openings.every((opening) => opening.endsWith('"reasoning"'));
  return { text: text.trim(), instead: isReasoning ? "reasoning" : "tool" };
}

/** Later versions keep an answer in items as well, and some answers nowhere else. */
function outputText(output: unknown): string {
  return listOf(output)
    .filter((item) => isObject(item) && item["type"] === "message")
    .map((item) => contentText(isObject(item) ? item["content"] : null))
    .filter((text) => text !== "")
    .join("\n\n");
}

/** Of all documents of a message together: a whole book as an attachment would make the message too large to be kept. Arbitrary. */
const DOCUMENT_CHARS = 100_000;

/** Documents come with the text that was extracted from them. Pictures hold their bytes as an address, which is left. */
function attachmentsOf(message: JsonObject): ImportedAttachment[] {
  const attachments: ImportedAttachment[] = [];
  let room = DOCUMENT_CHARS;
  for (const upload of listOf(message["files"])) {
    if (!isObject(upload)) continue;
    const file = isObject(upload["file"]) ? upload["file"] : {};
    const text = isObject(file["data"]) ? textOf(file["data"]["content"]) : "";
    const name = textOf(upload["name"]) || textOf(file["filename"]) || textOf(upload["type"]);
    const isKept = text.trim() !== "" && text.length <= room;
    if (isKept) {
      room -= text.length;
      attachments.push({ name: name || "document", text });
    } else if (name !== "") attachments.push({ name });
  }
  return attachments;
}

/**
 * Portable AI Memory 1.0: a store of memories, and one conversation per file. Its files of embeddings are not read: they are made anew
 * from the text.
 *
 * Only an active memory is imported. One that was superseded, retracted, deprecated or archived would come back as current, since the
 * import knows a successor only by Cofio's own id; it is counted as unsupported. How sure the exporting system was is left out too.
 */
import { CATEGORIES, type Category } from "../../storage/closed-lists.ts";
import type { ImportedAttachment, ImportRecord } from "../records.ts";
import { branchReadings, type MessageNode } from "./branch-readings.ts";
import { conversationRecords, skipped, type MessageReading } from "./conversation.ts";
import type { ElementFormat } from "./format.ts";
import { has, idOf, isObject, listOf, type JsonObject } from "./json.ts";
import { memoryRecord } from "./memory-record.ts";
import { messageReading } from "./message-reading.ts";
import { tagsOf } from "./tags.ts";
import { textOf, timeFromIso, trimmedTextOf } from "./text.ts";

export const PAM_STORE_SCHEMA = "portable-ai-memory";
const CONVERSATION_SCHEMA = "portable-ai-memory-conversation";
export const PAM_EMBEDDINGS_SCHEMA = "portable-ai-memory-embeddings";

export const pamMemories = {
  kind: "elements",
  name: "Portable AI Memory store",
  source: "pam",
  elementKind: "memory",
  repeatsMemories: false,
  // With its keys sorted the store names its schema behind the memories, beyond the sample.
  matches: (element, members = {}) =>
    members["schema"] === PAM_STORE_SCHEMA ||
    (isObject(element) &&
      (element["schema"] === PAM_STORE_SCHEMA ||
        ["content", "content_hash", "temporal", "provenance"].every((key) => has(element, key)))),
  read: (element) => [readMemory(element)],
} satisfies ElementFormat;

export const pamConversation = {
  kind: "elements",
  name: "Portable AI Memory conversation",
  source: "pam",
  elementKind: "conversation",
  repeatsMemories: false,
  matches: (element) => isObject(element) && element["schema"] === CONVERSATION_SCHEMA,
  read: readConversation,
  accountOf: (element) => {
    const provider = isObject(element) ? element["provider"] : null;
    return isObject(provider) ? idOf(provider["account_id"]) : null;
  },
} satisfies ElementFormat;

/** What PAM's types are in Cofio; `context` and `custom` say too little. */
const CATEGORY_OF: ReadonlyMap<unknown, Category> = new Map<unknown, Category>([
  ["fact", "personal_facts"],
  ["identity", "personal_facts"],
  ["skill", "personal_facts"],
  ["environment", "personal_facts"],
  ["preference", "user_preferences"],
  ["relationship", "people"],
  ["goal", "goals"],
  ["instruction", "instructions"],
  ["project", "project_context"],
]);

/** The other way round, for exports. */
export const PAM_TYPE_OF: Readonly<Record<Category, string>> = {
  user_preferences: "preference",
  project_context: "project",
  personal_facts: "fact",
  people: "relationship",
  decisions: "custom",
  goals: "goal",
  events: "custom",
  instructions: "instruction",
  knowledge: "custom",
  other: "context",
};

function readMemory(memory: unknown): ImportRecord {
  if (!isObject(memory)) return skipped("memory", "unreadable");
  const content = trimmedTextOf(memory["content"]);
  const { status = "active", temporal } = memory;
  if (content !== "" && status !== "active" && status !== null) {
    return skipped("memory", "unsupported", { example: content });
  }
  const times = isObject(temporal) ? temporal : {};
  const customType = trimmedTextOf(memory["custom_type"]);
  const own = CATEGORIES.find((known) => known === customType);
  const category = own ?? CATEGORY_OF.get(memory["type"]);
  const { metadata } = memory;
  const cofio = isObject(metadata) && isObject(metadata["cofio"]) ? metadata["cofio"] : {};
  return memoryRecord(memory["content"], {
    source: "pam",
    originId: idOf(textOf(memory["id"])),
    // PAM's own are lower-case ASCII; Cofio writes them as they were beside it.
    tags: [...tagsOf(cofio["tags"] ?? memory["tags"]), own === undefined ? customType : ""],
    ...(category === undefined ? {} : { category }),
    createdAt: timeFromIso(times["created_at"]),
    updatedAt: timeFromIso(times["updated_at"]),
    expiresAt: timeFromIso(times["valid_until"]),
  });
}

function readConversation(element: unknown): readonly ImportRecord[] {
  const title = isObject(element) ? trimmedTextOf(element["title"]) : "";
  if (!isObject(element) || !Array.isArray(element["messages"])) {
    return [skipped("conversation", "unreadable", { example: title })];
  }
  const times = isObject(element["temporal"]) ? element["temporal"] : {};
  return conversationRecords(
    {
      source: "pam",
      originId: idOf(textOf(element["id"])),
      title,
      createdAt: timeFromIso(times["created_at"]),
      updatedAt: timeFromIso(times["updated_at"]),
    },
    // PAM names no current message: the branch is that of the newest leaf.
    branchReadings(listOf(element["messages"]).map(nodeOf), null, (message) => [
      readMessage(message, textOf(element["model"])),
    ]),
  );
}

function nodeOf(message: unknown): MessageNode {
  if (!isObject(message)) {
    return { id: null, parent: null, children: [], time: null, message: "unreadable" };
  }
  return {
    id: idOf(textOf(message["id"])),
    parent: idOf(textOf(message["parent_id"])),
    children: listOf(message["children_ids"]).map(textOf),
    time: timeFromIso(message["created_at"]),
    message,
  };
}

function readMessage(message: JsonObject, defaultModel: string): MessageReading {
  if (message["is_thought"] === true) return { outcome: "skipped", reason: "reasoning" };
  const parts = partsOf(message["content"]);
  return messageReading({
    id: idOf(textOf(message["id"])),
    role: message["role"],
    text: parts
      .map(textOfPart)
      .filter((part) => part.trim() !== "")
      .join("\n\n"),
    createdAt: timeFromIso(message["created_at"]),
    model: textOf(message["model"]) || defaultModel,
    attachments: attachmentsOf(parts, listOf(message["attachments"])),
    instead: listOf(message["tool_calls"]).length > 0 ? "tool" : null,
  });
}

/** A simple text is one part. */
function partsOf(content: unknown): readonly JsonObject[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (!isObject(content)) return [];
  const text = { type: "text", text: content["text"] };
  return [text, ...listOf(content["parts"]).filter(isObject)];
}

function textOfPart(part: JsonObject): string {
  const text = textOf(part["text"]);
  if (part["type"] === "text") return text;
  if (part["type"] !== "code" || text.trim() === "") return "";
  return `\`\`\`${textOf(part["language"])}\n${text}\n\`\`\``;
}

const MEDIA = ["image", "file", "audio", "video"];

/** A file in the text usually stands in the list too: where the list names files, the parts add nothing. */
function attachmentsOf(
  parts: readonly JsonObject[],
  listed: readonly unknown[],
): ImportedAttachment[] {
  const named = listed
    .filter(isObject)
    .map((attachment) => textOf(attachment["name"]) || textOf(attachment["type"]));
  const media = parts.map((part) => textOf(part["type"])).filter((type) => MEDIA.includes(type));
  return (named.length > 0 ? named : media).filter((name) => name !== "").map((name) => ({ name }));
}

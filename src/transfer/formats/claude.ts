/** Claude's chats and design chats, of the single zip of before August 2026 and of the split one since. */
import type { ImportedAttachment, ImportRecord, SkipReason } from "../records.ts";
import { conversationRecords, skipped, type MessageReading } from "./conversation.ts";
import type { ElementFormat } from "./format.ts";
import { has, idOf, isObject, listOf, type JsonObject } from "./json.ts";
import { textOf, timeFromIso, trimmedTextOf } from "./text.ts";
import { selectBranch, type TreeNode } from "./tree.ts";

export const claudeConversations = {
  kind: "elements",
  name: "Claude conversations",
  source: "claude",
  elementKind: "conversation",
  repeatsMemories: false,
  matches: (element) => isObject(element) && has(element, "chat_messages"),
  read: readConversation,
  accountOf: (element) => nestedId(element, "account"),
} satisfies ElementFormat;

export const claudeDesignChats = {
  kind: "elements",
  name: "Claude design chats",
  source: "claude",
  elementKind: "conversation",
  repeatsMemories: false,
  matches: (element) =>
    isObject(element) &&
    listOf(element["messages"]).some(
      (message) =>
        isObject(message) &&
        isObject(message["content"]) &&
        (has(message["content"], "contentBlocks") || has(message["content"], "content")),
    ),
  read: readDesignChat,
  accountOf: (element) => {
    const messages = isObject(element) ? listOf(element["messages"]) : [];
    for (const message of messages) {
      const account = isObject(message)
        ? nestedString(message, "content", "authorAccountUuid")
        : "";
      if (account !== "") return account;
    }
    return null;
  },
} satisfies ElementFormat;

function readConversation(element: unknown): readonly ImportRecord[] {
  const title = isObject(element) ? trimmedTextOf(element["name"]) : "";
  if (!isObject(element) || !Array.isArray(element["chat_messages"])) {
    return [skipped("conversation", "unreadable", { example: title })];
  }
  return conversationRecords(
    {
      source: "claude",
      originId: idOf(textOf(element["uuid"])),
      title,
      createdAt: timeFromIso(element["created_at"]),
      updatedAt: timeFromIso(element["updated_at"]),
    },
    chatReadings(
      listOf(element["chat_messages"]),
      idOf(element["current_leaf_message_uuid"]),
      textOf(element["model"]),
    ),
  );
}

/** `leaf` and `model` stand only in files from browser extensions. */
function* chatReadings(
  messages: readonly unknown[],
  leaf: string | null,
  defaultModel: string,
): Generator<MessageReading> {
  const byId = new Map<string, JsonObject>();
  const nodes: TreeNode[] = [];
  for (const [index, message] of messages.entries()) {
    if (!isObject(message)) {
      yield { outcome: "skipped", reason: "unreadable" };
      continue;
    }
    // No uuid has a space in it, so a message without one cannot be taken for another's parent.
    const id = idOf(message["uuid"]) ?? `message ${index}`;
    if (byId.has(id)) {
      yield { outcome: "skipped", reason: "duplicate_in_file" };
      continue;
    }
    byId.set(id, message);
    nodes.push({
      id,
      // The root's parent is an id that no message has.
      parent: idOf(message["parent_message_uuid"]),
      children: [],
      time: timeFromIso(message["created_at"]),
    });
  }
  for (const id of selectBranch(nodes, leaf)) {
    const message = byId.get(id);
    if (message === undefined) continue;
    byId.delete(id);
    yield readMessage(message, defaultModel);
  }
  for (let left = byId.size; left > 0; left -= 1) {
    yield { outcome: "skipped", reason: "other_branch" };
  }
}

function readMessage(message: JsonObject, defaultModel: string): MessageReading {
  const sender = message["sender"];
  if (sender !== "human" && sender !== "assistant") {
    return {
      outcome: "skipped",
      reason: typeof sender === "string" ? "unsupported" : "unreadable",
    };
  }
  const blocks = readBlocks(contentBlocks(message["content"]));
  const text =
    blocks.text.trim() === ""
      ? withoutPlaceholders(textOf(message["text"]), blocks.injected)
      : blocks.text;
  const attachments = [...attachmentsOf(message), ...blocks.attachments];
  // A pasted document or an artifact is worth a message even where nothing was written beside it.
  if (text.trim() === "" && !attachments.some((attachment) => attachment.text !== undefined)) {
    return {
      outcome: "skipped",
      reason: attachments.length > 0 ? "media_only" : (blocks.reason ?? "empty"),
    };
  }
  const model = textOf(message["model"]) || defaultModel;
  return {
    outcome: "message",
    message: {
      originId: idOf(textOf(message["uuid"])),
      role: sender === "human" ? "user" : "assistant",
      text,
      createdAt: timeFromIso(message["created_at"]),
      ...(sender === "assistant" && model !== "" ? { model } : {}),
      attachments,
    },
  };
}

/** `content` is a list of blocks, the JSON text of such a list, or plain text. */
function contentBlocks(content: unknown): readonly unknown[] {
  if (typeof content !== "string") return listOf(content);
  try {
    const parsed: unknown = JSON.parse(content);
    if (Array.isArray(parsed)) return parsed;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return [{ type: "text", text: content }];
}

interface BlockReading {
  readonly text: string;
  readonly attachments: readonly ImportedAttachment[];
  /** Why a message made of these blocks alone is left out; null when they say nothing about it. */
  readonly reason: SkipReason | null;
  /** Text that Claude put into the person's message. Never imported: it would come back as the person's words. */
  readonly injected: readonly string[];
}

/** When a message holds several kinds of blocks and nothing to keep, the first of these that occurs names it. */
const BLOCK_REASONS: readonly SkipReason[] = ["tool", "reasoning", "hidden", "unsupported"];

function readBlocks(blocks: readonly unknown[]): BlockReading {
  const texts: string[] = [];
  const attachments: ImportedAttachment[] = [];
  const reasons = new Set<SkipReason>();
  const injected: string[] = [];
  for (const block of blocks) {
    if (!isObject(block)) continue;
    switch (block["type"]) {
      case "text":
        texts.push(textOf(block["text"]));
        break;
      case "tool_use":
        attachments.push(...artifactOf(block));
        reasons.add("tool");
        break;
      case "tool_result":
        reasons.add("tool");
        break;
      case "thinking":
      case "redacted_thinking":
        reasons.add("reasoning");
        break;
      case "injected_prompt_block":
        injected.push(textOf(block["prompt"]));
        reasons.add("hidden");
        break;
      case "document":
      case "image":
      case "voice_note":
        attachments.push({
          name: textOf(block["title"]) || textOf(block["file_name"]) || block["type"],
        });
        break;
      case "token_budget":
      case "flag":
        break;
      default:
        reasons.add("unsupported");
    }
  }
  return {
    text: texts.filter((text) => text.trim() !== "").join("\n\n"),
    attachments,
    reason: BLOCK_REASONS.find((reason) => reasons.has(reason)) ?? null,
    injected: injected.filter((prompt) => prompt !== ""),
  };
}

/** What `text` says in place of blocks that the exporting device could not show. */
const PLACEHOLDER =
  /(?:```\s*)?This block is not supported on your current device yet\.(?:\s*```)?/g;

function withoutPlaceholders(text: string, injected: readonly string[]): string {
  const own = injected.reduce((rest, prompt) => rest.replaceAll(prompt, ""), text);
  return own.replaceAll(PLACEHOLDER, "").trim();
}

/** The person's documents in tool calls. Of an artifact's update only the text put in is known here. */
function artifactOf(block: JsonObject): ImportedAttachment[] {
  const input = block["input"];
  if (!isObject(input)) return [];
  const isFile = block["name"] === "create_file";
  if (!isFile && block["name"] !== "artifacts") return [];
  const name = isFile ? textOf(input["path"]) : textOf(input["title"]) || textOf(input["id"]);
  const text = isFile
    ? textOf(input["file_text"]) || textOf(input["content"])
    : textOf(input["content"]) || textOf(input["new_str"]);
  return text.trim() === "" ? [] : [{ name: name || "artifact", text }];
}

/** Pasted text and uploads; an upload whose text was extracted stands in both lists and is named once. */
function attachmentsOf(message: JsonObject): ImportedAttachment[] {
  const attachments: ImportedAttachment[] = [];
  for (const attachment of listOf(message["attachments"])) {
    if (!isObject(attachment)) continue;
    const text = textOf(attachment["extracted_content"]);
    const name = textOf(attachment["file_name"]) || "pasted text";
    attachments.push(text.trim() === "" ? { name } : { name, text });
  }
  for (const file of listOf(message["files"])) {
    if (!isObject(file)) continue;
    const name = textOf(file["file_name"]) || textOf(file["file_uuid"]);
    if (name !== "" && !attachments.some((known) => known.name === name))
      attachments.push({ name });
  }
  return attachments;
}

function readDesignChat(element: unknown): readonly ImportRecord[] {
  const title = isObject(element) ? trimmedTextOf(element["title"]) : "";
  if (!isObject(element) || !Array.isArray(element["messages"])) {
    return [skipped("conversation", "unreadable", { example: title })];
  }
  const project = nestedString(element, "project", "name").trim();
  return conversationRecords(
    {
      source: "claude",
      originId: idOf(textOf(element["uuid"])),
      title,
      createdAt: timeFromIso(element["created_at"]),
      updatedAt: timeFromIso(element["updated_at"]),
      ...(project === "" ? {} : { project }),
    },
    listOf(element["messages"]).map(readDesignMessage),
  );
}

function readDesignMessage(message: unknown): MessageReading {
  if (!isObject(message) || !isObject(message["content"])) {
    return { outcome: "skipped", reason: "unreadable" };
  }
  const { role, content } = message;
  if (role !== "user" && role !== "human" && role !== "assistant") {
    return { outcome: "skipped", reason: typeof role === "string" ? "unsupported" : "unreadable" };
  }
  const blocks = listOf(content["contentBlocks"]).filter(isObject);
  const text =
    blocks
      .map(designText)
      .filter((part) => part.trim() !== "")
      .join("\n\n") || textOf(content["content"]);
  if (text.trim() === "") {
    const types = new Set(blocks.map((block) => block["type"]));
    const reason = types.has("tool_call") ? "tool" : types.has("thinking") ? "reasoning" : "empty";
    return { outcome: "skipped", reason };
  }
  return {
    outcome: "message",
    message: {
      originId: idOf(textOf(message["uuid"])),
      role: role === "assistant" ? "assistant" : "user",
      text,
      createdAt: timeFromIso(content["timestamp"]),
      attachments: [],
    },
  };
}

/** What the person called in while Claude was answering stands inside the answer: quoted, so that it is not read as Claude's. */
function designText(block: JsonObject): string {
  if (block["type"] === "text") return textOf(block["text"]);
  if (block["type"] !== "user_interjection") return "";
  const said = nestedString(block, "message", "content");
  return said.trim() === "" ? "" : `> ${said.trim().replaceAll("\n", "\n> ")}`;
}

function nestedString(value: JsonObject, outer: string, inner: string): string {
  const nested = value[outer];
  return isObject(nested) ? textOf(nested[inner]) : "";
}

function nestedId(element: unknown, key: string): string | null {
  return isObject(element) ? idOf(nestedString(element, key, "uuid")) : null;
}

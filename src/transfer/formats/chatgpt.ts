/**
 * ChatGPT's `conversations.json`, its shards since 2026, and the slim variant without `children` and most metadata.
 *
 * Saved memories are not in the export, but their traces are: the custom instructions and the snapshot of memories that the model was
 * shown, and the assistant's own writes to its memory. All three stand on hidden nodes, also on branches the person left, so they are
 * looked for in the whole tree. Each of these nodes still counts as a skipped message.
 */
import type { ImportedAttachment, ImportedMemory, ImportRecord, SkipReason } from "../records.ts";
import { conversationRecords, exclude, skipped, type MessageReading } from "./conversation.ts";
import type { ElementFormat } from "./format.ts";
import { has, idOf, isObject, listOf, type JsonObject } from "./json.ts";
import { textOf, timeFromIso, timeFromSeconds, trimmedTextOf } from "./text.ts";
import { selectBranch } from "./tree.ts";

export const chatgpt = {
  kind: "elements",
  name: "ChatGPT export",
  source: "chatgpt",
  elementKind: "conversation",
  // Every conversation repeats the custom instructions and the snapshot.
  repeatsMemories: true,
  matches,
  read,
} satisfies ElementFormat;

/** DeepSeek has a `mapping` too, and tells its times as `inserted_at`. Feedback files have a `conversation_id` and nothing else. */
function matches(element: unknown): boolean {
  if (!isObject(element) || has(element, "inserted_at")) return false;
  return (
    has(element, "mapping") ||
    (has(element, "conversation_id") &&
      (has(element, "current_node") || has(element, "default_model_slug")))
  );
}

interface ChatgptNode {
  readonly id: string;
  readonly parent: string | null;
  readonly children: readonly string[];
  readonly time: number | null;
  /** Null on structural nodes. */
  readonly message: unknown;
}

function read(element: unknown): readonly ImportRecord[] {
  const title = isObject(element) ? trimmedTextOf(element["title"]) : "";
  // Some slim exports hold conversations without a mapping: a title, and nothing that could be read.
  if (!isObject(element) || !isObject(element["mapping"])) {
    return [skipped("conversation", "unreadable", { example: title })];
  }
  const nodes = nodesOf(element["mapping"]);
  const branch = selectBranch(nodes, idOf(element["current_node"]));
  const project = projectOf(element["gizmo_id"]);
  const records = conversationRecords(
    {
      source: "chatgpt",
      originId: idOf(textOf(element["conversation_id"])) ?? idOf(textOf(element["id"])),
      title,
      createdAt: timeFromSeconds(element["create_time"]),
      updatedAt: timeFromSeconds(element["update_time"]),
      ...(project === null ? {} : { project }),
    },
    readings(nodes, branch, textOf(element["default_model_slug"])),
  );
  // The person told ChatGPT to take nothing from this conversation; Cofio takes no more.
  if (element["is_do_not_remember"] === true) return exclude(records, "not_selected");
  for (const { message } of nodes) {
    if (!isObject(message)) continue;
    for (const memory of memoriesOf(message)) records.push({ type: "memory", memory });
  }
  return records;
}

function nodesOf(mapping: JsonObject): ChatgptNode[] {
  return Object.entries(mapping).flatMap(([id, node]) => {
    if (!isObject(node)) return [];
    const message = node["message"] ?? null;
    return {
      id,
      parent: idOf(node["parent"]),
      children: listOf(node["children"]).filter((child) => typeof child === "string"),
      time: isObject(message) ? timeFromSeconds(message["create_time"]) : null,
      message,
    };
  });
}

/** Custom GPTs are `g-…`, projects `g-p-…`. The export names neither, so the id stands for the project. */
function projectOf(gizmo: unknown): string | null {
  const id = textOf(gizmo);
  return id.startsWith("g-p-") ? id : null;
}

/** Every node with a message is an item; those of the branch come first and in its order. */
function* readings(
  nodes: readonly ChatgptNode[],
  branch: readonly string[],
  defaultModel: string,
): Generator<MessageReading> {
  const rest = new Map(nodes.map((node) => [node.id, node]));
  for (const id of branch) {
    const node = rest.get(id);
    rest.delete(id);
    if (node === undefined || node.message === null) continue;
    yield isObject(node.message)
      ? readMessage(node.id, node.message, defaultModel)
      : { outcome: "skipped", reason: "unreadable" };
  }
  for (const { message } of rest.values()) {
    if (message === null) continue;
    yield { outcome: "skipped", reason: isObject(message) ? "other_branch" : "unreadable" };
  }
}

const TOOL_CONTENT = new Set([
  "execution_output",
  "tether_quote",
  "tether_browsing_display",
  "tether_browsing_code",
  "computer_output",
  "system_error",
]);
const REASONING_CONTENT = new Set(["thoughts", "reasoning_recap"]);
const CONTEXT_CONTENT = new Set(["user_editable_context", "model_editable_context"]);

/** Why a message is not part of what the person saw; null when it is. */
function skipReason(message: JsonObject, role: unknown, contentType: string): SkipReason | null {
  const metadata = message["metadata"];
  const recipient = message["recipient"] ?? "all";
  if (role === "system") return "system";
  if (REASONING_CONTENT.has(contentType) || message["channel"] === "analysis") return "reasoning";
  if (role === "tool" || recipient !== "all" || TOOL_CONTENT.has(contentType)) return "tool";
  if (CONTEXT_CONTENT.has(contentType) || message["weight"] === 0) return "hidden";
  if (isObject(metadata) && metadata["is_visually_hidden_from_conversation"] === true) {
    return "hidden";
  }
  if (role === "user" || role === "assistant") return null;
  return typeof role === "string" ? "unsupported" : "unreadable";
}

/** `id`: of the node, which is the one that is unique; the message's own may differ. */
function readMessage(id: string, message: JsonObject, defaultModel: string): MessageReading {
  const author = message["author"];
  const role = isObject(author) ? author["role"] : null;
  const content = isObject(message["content"]) ? message["content"] : {};
  const contentType = textOf(content["content_type"]);
  const reason = skipReason(message, role, contentType);
  if (reason !== null) return { outcome: "skipped", reason };

  const written = writtenText(content, contentType);
  if (written === null) return { outcome: "skipped", reason: "unsupported" };
  const text = role === "assistant" ? withoutCitations(written) : written;
  const attachments = attachmentsOf(message, content);
  if (text.trim() === "") {
    return { outcome: "skipped", reason: attachments.length > 0 ? "media_only" : "empty" };
  }
  const metadata = message["metadata"];
  const model = (isObject(metadata) ? textOf(metadata["model_slug"]) : "") || defaultModel;
  return {
    outcome: "message",
    message: {
      originId: idOf(textOf(id)),
      role: role === "user" ? "user" : "assistant",
      text,
      createdAt: timeFromSeconds(message["create_time"]),
      ...(role === "assistant" && model !== "" ? { model } : {}),
      attachments,
    },
  };
}

/** What stands written in a message, spoken parts included; null for a content type that is not known. */
function writtenText(content: JsonObject, contentType: string): string | null {
  switch (contentType) {
    case "text":
    case "multimodal_text":
      return listOf(content["parts"])
        .map((part) => {
          const isSpeech = isObject(part) && part["content_type"] === "audio_transcription";
          return textOf(isSpeech ? part["text"] : part);
        })
        .filter((part) => part !== "")
        .join("\n");
    case "code": {
      const code = textOf(content["text"]);
      const language = textOf(content["language"]);
      if (code.trim() === "") return "";
      return `\`\`\`${language === "unknown" ? "" : language}\n${code}\n\`\`\``;
    }
    // A message whose content is null or has no type: there is nothing to misread.
    case "":
      return "";
    default:
      return null;
  }
}

/** Names of the files that came with a message. The files themselves are not in the JSON. */
function attachmentsOf(message: JsonObject, content: JsonObject): ImportedAttachment[] {
  const metadata = message["metadata"];
  const uploads = listOf(isObject(metadata) ? metadata["attachments"] : null).filter(isObject);
  const uploadIds = uploads.map((upload) => textOf(upload["id"])).filter((id) => id !== "");
  const names = uploads.map((upload) => textOf(upload["name"]) || textOf(upload["id"]));
  for (const part of listOf(content["parts"])) {
    if (!isObject(part)) continue;
    const pointer = pointerOf(part);
    // An uploaded image stands in both places: by name in the metadata, by its id in the pointer.
    if (pointer !== "" && !uploadIds.some((id) => pointer.includes(id))) names.push(pointer);
  }
  return names.filter((name) => name !== "").map((name) => ({ name }));
}

function pointerOf(part: JsonObject): string {
  if (part["content_type"] === "real_time_user_audio_video_asset_pointer") {
    const audio = part["audio_asset_pointer"];
    return (isObject(audio) ? textOf(audio["asset_pointer"]) : "") || "audio";
  }
  return textOf(part["asset_pointer"]);
}

/** `U+E200 kind U+E202 argument … U+E201`: a citation, a link, or a name that the site shows as a card. */
const MARK = /[ \t]?\uE200([^\uE200\uE201]*)\uE201/g;
/** Marks in older answers, and in texts whose private-use characters were lost on the way. */
const BARE_CITATION =
  /[ \t]?(?:\b(?:file)?cite(?:turn\d+[a-z]+\d+)+|【\d+(?::\d+)?†[^】\n]{0,200}】)/g;
const BARE_ENTITY = /\bentity\["[^"\n]{0,100}","([^"\n]{1,200})"[^\]\n]{0,500}\]/g;
const STRAY_MARKS = /[\uE200-\uE2FF]/g;

function withoutCitations(text: string): string {
  return text
    .replaceAll(MARK, (mark: string, body: string) => {
      const [kind, argument = ""] = body.split("\uE202");
      const space = mark.startsWith("\uE200") ? "" : mark.slice(0, 1);
      if (kind === "url") return `${space}${argument}`;
      return body.startsWith("entity") ? `${space}${entityName(body)}` : "";
    })
    .replaceAll(BARE_ENTITY, "$1")
    .replaceAll(STRAY_MARKS, "")
    .replaceAll(BARE_CITATION, "");
}

/** The second of `["city","Lisbon","Portugal"]`. */
function entityName(body: string): string {
  return /^entity\uE202?\["[^"]*","([^"]*)"/.exec(body)?.[1] ?? "";
}

function memoriesOf(message: JsonObject): ImportedMemory[] {
  const content = message["content"];
  if (!isObject(content)) return [];
  switch (content["content_type"]) {
    case "user_editable_context":
      return [
        ...memory(unwrapped(content["user_profile"]), { category: "personal_facts" }),
        ...memory(unwrapped(content["user_instructions"]), { category: "instructions" }),
      ];
    case "model_editable_context":
      return snapshotMemories(textOf(content["model_set_context"]));
    default: {
      const author = message["author"];
      const isWrite =
        message["recipient"] === "bio" && isObject(author) && author["role"] === "assistant";
      if (!isWrite) return [];
      const parts = listOf(content["parts"]).map(textOf).join("\n");
      const createdAt = timeFromSeconds(message["create_time"]);
      return memory(parts || textOf(content["text"]), createdAt === null ? {} : { createdAt });
    }
  }
}

/** One memory or, of an empty text, none. */
function memory(
  text: string,
  known: Pick<ImportedMemory, "category" | "createdAt">,
): ImportedMemory[] {
  const content = text.trim();
  if (content === "") return [];
  return [{ source: "chatgpt", originId: null, content, tags: [], ...known }];
}

/** ChatGPT wraps custom instructions into an explanation for the model; the person's own words stand in its code block. */
const WRAPPED = /^The user provided [^`]*```\n?([\s\S]*?)\n?```\s*$/;

function unwrapped(value: unknown): string {
  const text = textOf(value);
  return WRAPPED.exec(text)?.[1] ?? text;
}

const NUMBERED = /^\s*\d{1,4}\.\s+(?:\[(\d{4}-\d{2}-\d{2})\]\.?\s*)?(.*)$/;

/**
 * Older exports number the saved memories, one a line with its date. Later ones hold prose, a paragraph each.
 * Entries rather than the whole: the snapshot grows from conversation to conversation, and only equal entries collapse.
 */
function snapshotMemories(text: string): ImportedMemory[] {
  const lines = text.trim().split("\n");
  if (!NUMBERED.test(lines[0] ?? "")) {
    return text.split(/\n\s*\n/).flatMap((paragraph) => memory(paragraph, {}));
  }
  const entries: { text: string; createdAt: number | null }[] = [];
  for (const line of lines) {
    const [, date, rest] = NUMBERED.exec(line) ?? [];
    const last = entries.at(-1);
    if (rest !== undefined) {
      entries.push({ text: rest, createdAt: timeFromIso(`${date ?? ""}T00:00Z`) });
    } else if (last !== undefined) last.text += `\n${line}`;
  }
  return entries.flatMap((entry) =>
    memory(entry.text, entry.createdAt === null ? {} : { createdAt: entry.createdAt }),
  );
}

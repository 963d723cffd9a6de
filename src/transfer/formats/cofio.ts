/**
 * Cofio's own JSON export, from this or another deployment:
 * `{ format: "cofio", version: 1, exported_at, memories: [...], conversations: [...] }`, ids and sources kept, times in ISO 8601.
 * What was in the trash stays there: it is reported as trashed and not revived.
 */
import { isPath } from "../../memory/file-path.ts";
import { CATEGORIES, ROLES, SOURCES, type Source } from "../../storage/closed-lists.ts";
import type { ImportedAttachment, ImportedMemory, ImportRecord } from "../records.ts";
import { conversationRecords, skipped, type MessageReading } from "./conversation.ts";
import type { ElementFormat, ReadContext } from "./format.ts";
import { has, idOf, isObject, listOf, type JsonObject } from "./json.ts";
import { textOf, timeFromIso, trimmedTextOf } from "./text.ts";

export const COFIO_FORMAT = "cofio";
/** The version of the JSON export that this reads and `export` writes. */
export const COFIO_VERSION = 1;

export const cofio = {
  kind: "elements",
  name: "Cofio export",
  source: "cofio",
  elementKind: "conversation",
  repeatsMemories: false,
  matches: (element) =>
    isObject(element) &&
    (element["format"] === COFIO_FORMAT || isMemory(element) || isConversation(element)),
  read,
} satisfies ElementFormat;

function isMemory(element: JsonObject): boolean {
  return ["id", "content", "category", "status", "source"].every((key) => has(element, key));
}

function isConversation(element: JsonObject): boolean {
  return (
    ["id", "title", "source", "messages"].every((key) => has(element, key)) &&
    listOf(element["messages"]).every((message) => !isObject(message) || has(message, "role"))
  );
}

function read(element: unknown, { container }: ReadContext): readonly ImportRecord[] {
  if (container === "memories") return [readCofioMemory(element)];
  // An export of an account that holds nothing has no lists to split.
  if (container === null && isObject(element) && element["format"] === COFIO_FORMAT) return [];
  return readCofioConversation(element);
}

export function readCofioMemory(element: unknown): ImportRecord {
  if (!isObject(element) || typeof element["content"] !== "string") {
    return skipped("memory", "unreadable");
  }
  const path = pathOf(element);
  const isFile = path !== null;
  const content = isFile ? textOf(element["content"]) : trimmedTextOf(element["content"]);
  if (content === "" && !isFile) return skipped("memory", "empty");
  if (element["status"] === "trashed") return skipped("memory", "trashed", { example: content });
  return {
    type: "memory",
    memory: { ...importedMemory(element, content), ...(isFile ? { path } : {}) },
  };
}

/** Null: it is no memory file. */
function pathOf(element: JsonObject): string | null {
  const path = textOf(element["path"]);
  return isPath(path, trimmedTextOf(element["project"])) ? path : null;
}

function importedMemory(element: JsonObject, content: string): ImportedMemory {
  const { importance } = element;
  const category = CATEGORIES.find((known) => known === element["category"]);
  const project = trimmedTextOf(element["project"]);
  const createdAt = timeFromIso(element["created_at"]);
  const updatedAt = timeFromIso(element["updated_at"]);
  const expiresAt = timeFromIso(element["expires_at"]);
  const supersededBy = idOf(textOf(element["superseded_by"]));
  const supersedes = idOf(textOf(element["supersedes"]));
  const askedAs = textsOf(element["asked_as"]);
  const { origin, status } = element;
  return {
    source: SOURCES.find((known) => known === element["source"]) ?? "other",
    originPlatform: platformOf(element),
    ...originOf(element),
    content,
    tags: textsOf(element["tags"]),
    ...(project === "" ? {} : { project }),
    ...(category === undefined ? {} : { category }),
    ...(typeof importance === "number" ? { importance } : {}),
    ...(createdAt === null ? {} : { createdAt }),
    ...(updatedAt === null ? {} : { updatedAt }),
    ...(expiresAt === null ? {} : { expiresAt }),
    ...(supersededBy === null ? {} : { supersededBy }),
    ...(supersedes === null ? {} : { supersedes }),
    ...(element["user_asked"] === true ? { userAsked: true } : {}),
    ...(origin === "user" || origin === "assistant" ? { origin } : {}),
    ...(status === "active" || status === "pending" ? { status } : {}),
    ...(askedAs.length === 0 ? {} : { askedAs }),
  };
}

interface Origin {
  readonly originId: string | null;
  readonly originIsDerived?: true;
  readonly ownId?: string;
}

/** What an imported item was known by before it came to Cofio; for any other its own id. */
function originOf(item: JsonObject): Origin {
  const ownId = idOf(textOf(item["id"]));
  const own = ownId === null ? {} : { ownId };
  const provenance = provenanceOf(item);
  if (provenance === null) return { originId: ownId, ...own };
  return {
    originId: idOf(textOf(provenance["id"])),
    ...(provenance["derived"] === true ? { originIsDerived: true } : {}),
    ...own,
  };
}

/** Whose id it is. */
function platformOf(item: JsonObject): Source {
  const platform = provenanceOf(item)?.["platform"];
  return SOURCES.find((known) => known === platform) ?? "cofio";
}

function provenanceOf({ provenance }: JsonObject): JsonObject | null {
  return isObject(provenance) && idOf(textOf(provenance["id"])) !== null ? provenance : null;
}

function textsOf(value: unknown): string[] {
  return listOf(value)
    .map(trimmedTextOf)
    .filter((text) => text !== "");
}

export function readCofioConversation(element: unknown): readonly ImportRecord[] {
  const title = isObject(element) ? trimmedTextOf(element["title"]) : "";
  if (!isObject(element) || !Array.isArray(element["messages"])) {
    return [skipped("conversation", "unreadable", { example: title })];
  }
  const project = trimmedTextOf(element["project"]);
  return conversationRecords(
    {
      source: SOURCES.find((known) => known === element["source"]) ?? "other",
      originPlatform: platformOf(element),
      ...originOf(element),
      title,
      createdAt: timeFromIso(element["created_at"]),
      updatedAt: timeFromIso(element["updated_at"]),
      ...(project === "" ? {} : { project }),
    },
    listOf(element["messages"]).map(readMessage),
  );
}

function readMessage(message: unknown): MessageReading {
  if (!isObject(message)) return { outcome: "skipped", reason: "unreadable" };
  const role = ROLES.find((known) => known === message["role"]);
  if (role === undefined) return { outcome: "skipped", reason: "unreadable" };
  const text = textOf(message["text"]);
  const attachments = listOf(message["attachments"]).filter(isObject).map(readAttachment);
  if (text.trim() === "" && attachments.length === 0) {
    return { outcome: "skipped", reason: "empty" };
  }
  const model = textOf(message["model"]);
  const name = textOf(message["name"]);
  return {
    outcome: "message",
    message: {
      ...originOf(message),
      role,
      text,
      createdAt: timeFromIso(message["created_at"]),
      ...(name === "" ? {} : { name }),
      ...(model === "" ? {} : { model }),
      attachments,
    },
  };
}

function readAttachment(attachment: JsonObject): ImportedAttachment {
  const name = textOf(attachment["name"]);
  const text = textOf(attachment["text"]);
  return text === "" ? { name } : { name, text };
}

/** The registry of formats, and how a file is recognised: by structure, never by name, since three platforms share one file name. */
import { UserError } from "../../errors.ts";
import { aiStudio } from "./ai-studio.ts";
import { aimemory } from "./aimemory.ts";
import { claudeMemories, claudeProjects } from "./claude-memories.ts";
import { claudeCode } from "./claude-code.ts";
import { claudeConversations, claudeDesignChats } from "./claude.ts";
import { chatgpt } from "./chatgpt.ts";
import { cofio, COFIO_FORMAT, COFIO_VERSION } from "./cofio.ts";
import { cofioLines } from "./cofio-lines.ts";
import { codex } from "./codex.ts";
import { copilot } from "./copilot.ts";
import { cursor } from "./cursor.ts";
import { deepseek } from "./deepseek.ts";
import { doobidoo } from "./doobidoo.ts";
import type { ExportFormat } from "./format.ts";
import { geminiActivityHtml } from "./gemini-activity-html.ts";
import { geminiActivity } from "./gemini-activity.ts";
import { geminiCli } from "./gemini-cli.ts";
import { grok } from "./grok.ts";
import { has, isObject, listOf, type JsonObject } from "./json.ts";
import { kimi } from "./kimi.ts";
import { leChat } from "./le-chat.ts";
import { markdownNote, mem0Markdown } from "./markdown-note.ts";
import { mem0 } from "./mem0.ts";
import { openWebui } from "./open-webui.ts";
import { PAM_EMBEDDINGS_SCHEMA, pamConversation, pamMemories } from "./pam.ts";
import { perplexity } from "./perplexity.ts";
import { serverMemory } from "./server-memory.ts";
import { textOf } from "./text.ts";

/** In the order of detection. */
export const FORMATS: readonly ExportFormat[] = [
  pamMemories,
  pamConversation,
  cofioLines,
  cofio,
  claudeConversations,
  claudeMemories,
  claudeProjects,
  claudeDesignChats,
  deepseek,
  chatgpt,
  openWebui,
  grok,
  geminiCli,
  geminiActivity,
  aiStudio,
  leChat,
  kimi,
  perplexity,
  doobidoo,
  mem0,
  aimemory,
  serverMemory,
  codex,
  claudeCode,
  cursor,
  copilot,
  geminiActivityHtml,
  mem0Markdown,
  markdownNote,
];

/** What is looked at to recognise a file. */
export interface ExportSample {
  /** The first characters of the file, for files that are no JSON. */
  readonly head: string;
  /** Of a top-level object with lists: its other members. */
  readonly members: JsonObject;
  /** The first 20 elements that could be parsed; any of them may decide, since the first may be null or damaged. */
  readonly elements: readonly unknown[];
}

export const SAMPLE_ELEMENTS = 20;

export type Detection =
  | { readonly outcome: "format"; readonly format: ExportFormat }
  | {
      readonly outcome: "not_read";
      readonly reason: "personal_data" | "manifest" | "archive" | "empty";
      readonly message: string;
      readonly hint: string;
    };

/** @throws UserError unsupported_format, naming the known format that the file comes closest to. */
export function detectFormat(sample: ExportSample): Detection {
  const objects = sample.elements.filter(isObject);
  if (sample.members["format"] === COFIO_FORMAT || objects[0]?.["format"] === COFIO_FORMAT) {
    return cofioOf(sample.members["version"] ?? objects[0]?.["version"]);
  }
  // An export that holds nothing may still be known by its other members.
  const elements = sample.elements.length === 0 ? [null] : sample.elements;
  const format = FORMATS.find((known) =>
    known.kind === "text"
      ? sample.elements.length === 0 && known.matchesText(sample.head)
      : elements.some((element) => known.matches(element, sample.members)),
  );
  if (format !== undefined) return { outcome: "format", format };

  const manifest = objects.find(isManifest);
  if (manifest !== undefined) return manifestOf(manifest);
  if (objects.some(isPersonal)) {
    return {
      outcome: "not_read",
      reason: "personal_data",
      message: "This file holds account data (names, addresses, settings) and is never read.",
      hint: "Import the files with conversations, memories or projects.",
    };
  }
  if (sample.head.startsWith("PK\u0003\u0004")) {
    return {
      outcome: "not_read",
      reason: "archive",
      message: "This is a zip archive.",
      hint: "Unzip it and import the JSON files inside.",
    };
  }
  if (sample.head.trim() === "" || (objects.length === 0 && /^\s*\[\s*\]\s*$/.test(sample.head))) {
    return {
      outcome: "not_read",
      reason: "empty",
      message: "There is nothing in this file.",
      hint: "Check that the download is complete.",
    };
  }
  const closest = CLOSEST.find(({ isLike }) => isLike(sample, objects));
  throw new UserError(
    "unsupported_format",
    closest === undefined
      ? "This is no export that Cofio knows."
      : `This looks like ${closest.name}, which Cofio cannot read.`,
    `Cofio reads: ${FORMATS.map(({ name }) => name).join(", ")}.`,
  );
}

function cofioOf(version: unknown): Detection {
  if (version === undefined || version === COFIO_VERSION) {
    return { outcome: "format", format: cofio };
  }
  throw new UserError(
    "unsupported_format",
    "This looks like a Cofio export of another version, which this server cannot read.",
    `It reads version ${COFIO_VERSION}. Update the server, or export again from one of that version.`,
  );
}

function isManifest(object: JsonObject): boolean {
  return listOf(object["data_files"]).some(
    (file) => isObject(file) && has(file, "category") && has(file, "filename"),
  );
}

function manifestOf(manifest: JsonObject): Detection {
  const names = listOf(manifest["data_files"])
    .filter(isObject)
    .map((file) => textOf(file["filename"]).slice(0, 100))
    .filter((name) => name !== "")
    .slice(0, 50);
  return {
    outcome: "not_read",
    reason: "manifest",
    message: "This is the manifest of a Claude export: it only lists the files to download.",
    hint: `Download them with the links in the e-mail, then import what is in: ${names.join(", ")}.`,
  };
}

const PERSONAL_KEYS = ["email", "email_address", "phone_number", "verified_phone_number"];

function isPersonal(object: JsonObject): boolean {
  return (
    PERSONAL_KEYS.some((key) => has(object, key)) ||
    (has(object, "user_id") && has(object, "settings"))
  );
}

interface KnownFormat {
  /** With its article, to be put into a sentence. */
  readonly name: string;
  readonly isLike: (sample: ExportSample, objects: readonly JsonObject[]) => boolean;
}

/** Known but not read, in the order of detection: the first that fits is named. */
const CLOSEST: readonly KnownFormat[] = [
  {
    name: "a file of Portable AI Memory embeddings",
    isLike: (_, objects) => objects.some(({ schema }) => schema === PAM_EMBEDDINGS_SCHEMA),
  },
  { name: "a LibreChat export", isLike: anyHas("conversationId", "messages") },
  {
    name: "a list of ChatGPT's shared links or ratings",
    isLike: (sample, objects) =>
      anyHas("conversation_id", "is_anonymous")(sample, objects) ||
      anyHas("conversation_id", "rating")(sample, objects),
  },
];

function anyHas(...keys: readonly string[]): KnownFormat["isLike"] {
  return (_, objects) => objects.some((object) => keys.every((key) => has(object, key)));
}

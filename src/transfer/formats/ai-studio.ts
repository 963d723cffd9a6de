/** A prompt of Google AI Studio, as it lies in the person's Drive: one conversation per file, named like the file. */
import type { ImportedAttachment, ImportRecord, SkipReason } from "../records.ts";
import { conversationRecords, skipped, type MessageReading } from "./conversation.ts";
import type { ElementFormat, ReadContext } from "./format.ts";
import { has, idOf, isObject, listOf, type JsonObject } from "./json.ts";
import { textOf, timeFromIso, trimmedTextOf } from "./text.ts";

export const aiStudio = {
  kind: "elements",
  name: "Google AI Studio prompt",
  source: "gemini",
  elementKind: "conversation",
  repeatsMemories: false,
  matches: (element) => isObject(element) && has(element, "chunkedPrompt"),
  read,
} satisfies ElementFormat;

function read(element: unknown, { fileName }: ReadContext): readonly ImportRecord[] {
  // Files in Drive have no extension; a browser that downloads one adds it.
  const title = trimmedTextOf(fileName).replace(/\.(?:json|txt)$/i, "");
  const prompt = isObject(element) ? element["chunkedPrompt"] : null;
  if (!isObject(element) || !isObject(prompt) || !Array.isArray(prompt["chunks"])) {
    return [skipped("conversation", "unreadable", { example: title })];
  }
  return conversationRecords(
    // The file names no id and no time of its own.
    { source: "gemini", originId: null, title, createdAt: null, updatedAt: null },
    readings(element, prompt),
  );
}

function* readings(element: JsonObject, prompt: JsonObject): Generator<MessageReading> {
  if (textIn(element["systemInstruction"]).trim() !== "") {
    yield { outcome: "skipped", reason: "system" };
  }
  const settings = element["runSettings"];
  const model = isObject(settings) ? textOf(settings["model"]).replace(/^models\//, "") : "";
  for (const chunk of listOf(prompt["chunks"])) yield readChunk(chunk, model);
  // What stands in the input and was not sent. An empty one is always there.
  for (const draft of listOf(prompt["pendingInputs"])) {
    if (textIn(draft).trim() !== "") yield { outcome: "skipped", reason: "hidden" };
  }
}

function readChunk(chunk: unknown, model: string): MessageReading {
  if (!isObject(chunk)) return { outcome: "skipped", reason: "unreadable" };
  const { role } = chunk;
  if (role !== "user" && role !== "model") {
    return { outcome: "skipped", reason: typeof role === "string" ? "unsupported" : "unreadable" };
  }
  if (chunk["isThought"] === true) return { outcome: "skipped", reason: "reasoning" };
  const text = textIn(chunk);
  const attachments = attachmentsOf(chunk);
  if (text.trim() === "") {
    return { outcome: "skipped", reason: emptyReason(chunk, attachments) };
  }
  return {
    outcome: "message",
    message: {
      originId: null,
      role: role === "user" ? "user" : "assistant",
      text,
      createdAt: timeFromIso(chunk["createTime"]),
      ...(role === "model" && model !== "" ? { model } : {}),
      attachments,
    },
  };
}

/** `text`, or the texts of `parts`, which repeat it in pieces. */
function textIn(value: unknown): string {
  if (!isObject(value)) return "";
  const text = textOf(value["text"]);
  if (text.trim() !== "") return text;
  return listOf(value["parts"])
    .map((part) => (isObject(part) && part["thought"] !== true ? textOf(part["text"]) : ""))
    .join("");
}

function emptyReason(chunk: JsonObject, attachments: readonly ImportedAttachment[]): SkipReason {
  if (attachments.length > 0) return "media_only";
  const parts = [chunk, ...listOf(chunk["parts"]).filter(isObject)];
  if (parts.some((part) => has(part, "executableCode") || has(part, "codeExecutionResult"))) {
    return "tool";
  }
  return parts.some((part) => part["thought"] === true) ? "reasoning" : "empty";
}

/** Files of the person's Drive by their id, and files that stand in the chunk itself: both are named, neither is read. */
function attachmentsOf(chunk: JsonObject): ImportedAttachment[] {
  return Object.entries(chunk).flatMap(([key, value]) => {
    if (!/^(?:drive[A-Z]|inline[A-Z]|youtubeVideo$)/.test(key) || !isObject(value)) return [];
    const name =
      idOf(trimmedTextOf(value["name"])) ??
      idOf(trimmedTextOf(value["id"])) ??
      idOf(trimmedTextOf(value["mimeType"])) ??
      textOf(key);
    return [{ name }];
  });
}

/**
 * Grok's `prod-grok-backend.json`: its `conversations`. The account's sessions and billing stand in files of their own, which have
 * nothing of this shape and are never read.
 */
import type { ImportedAttachment, ImportRecord } from "../records.ts";
import { branchReadings, type MessageNode } from "./branch-readings.ts";
import { conversationRecords, skipped, type MessageReading } from "./conversation.ts";
import type { ElementFormat } from "./format.ts";
import { has, idOf, isObject, listOf, type JsonObject } from "./json.ts";
import { messageReading } from "./message-reading.ts";
import { plausible, textOf, timeFromIso, trimmedTextOf } from "./text.ts";
import { withoutPassages } from "./without-passages.ts";

export const grok = {
  kind: "elements",
  name: "Grok export",
  source: "grok",
  elementKind: "conversation",
  repeatsMemories: false,
  matches: (element) =>
    isObject(element) && has(element, "conversation") && has(element, "responses"),
  read,
  accountOf: (element) => {
    const about = isObject(element) ? element["conversation"] : null;
    return isObject(about) ? idOf(about["user_id"]) : null;
  },
} satisfies ElementFormat;

function read(element: unknown): readonly ImportRecord[] {
  const described = isObject(element) ? element["conversation"] : null;
  const about = isObject(described) ? described : {};
  const title = trimmedTextOf(about["title"]);
  if (!isObject(element) || !Array.isArray(element["responses"])) {
    return [skipped("conversation", "unreadable", { example: title })];
  }
  return conversationRecords(
    {
      source: "grok",
      originId: idOf(textOf(about["id"])),
      title,
      createdAt: timeOf(about["create_time"]),
      updatedAt: timeOf(about["modify_time"]),
    },
    // The export names no leaf.
    branchReadings(listOf(element["responses"]).map(nodeOf), null, (response, id) => [
      readResponse(response, id),
    ]),
  );
}

/** Some items are no objects at all, and some hold no response. */
function nodeOf(item: unknown): MessageNode {
  const response = isObject(item) ? item["response"] : null;
  if (!isObject(response)) {
    return { id: null, parent: null, children: [], time: null, message: "unreadable" };
  }
  return {
    id: idOf(response["_id"]),
    parent: idOf(response["parent_response_id"]),
    children: [],
    time: timeOf(response["create_time"]),
    message: response,
  };
}

function readResponse(response: JsonObject, id: string | null): MessageReading {
  const role = roleOf(response["sender"]);
  const message = textOf(response["message"]);
  return messageReading({
    id,
    role,
    text: role === "assistant" ? withoutCards(message) : message,
    createdAt: timeOf(response["create_time"]),
    model: response["model"],
    attachments: attachmentsOf(response),
    instead: textOf(response["thinking_trace"]) === "" ? null : "reasoning",
  });
}

/** The assistant signs as itself, in any case, or by the name of a model. */
function roleOf(sender: unknown): unknown {
  const name = textOf(sender).toLowerCase();
  if (name === "human" || name === "user") return "user";
  return name === "" || name === "system" ? sender : "assistant";
}

/** Citations stand in an answer as markup for cards, which the site draws from data that is not in the text. */
const CARD = /<grok:render\b/g;

function withoutCards(text: string): string {
  return withoutPassages(text, CARD, "</grok:render>").text;
}

/** ISO 8601 on conversations; extended JSON of a database, `{"$date": {"$numberLong": "…"}}`, on responses. */
function timeOf(value: unknown): number | null {
  const date = isObject(value) ? value["$date"] : value;
  const milliseconds = isObject(date) ? date["$numberLong"] : date;
  if (typeof milliseconds === "number") return plausible(milliseconds);
  const isNumber = typeof milliseconds === "string" && /^\d{1,15}$/.test(milliseconds);
  return isNumber ? plausible(Number(milliseconds)) : timeFromIso(milliseconds);
}

/** Uploads are named by their ids; neither they nor the pictures that Grok made are in the JSON. */
function attachmentsOf(response: JsonObject): ImportedAttachment[] {
  const uploads = listOf(response["file_attachments"])
    .map((upload) =>
      isObject(upload)
        ? textOf(upload["file_name"]) || textOf(upload["name"]) || textOf(upload["id"])
        : textOf(upload),
    )
    .filter((name) => name !== "");
  const pictures = listOf(response["generated_image_urls"]).map(() => "generated image");
  return [...uploads, ...pictures].map((name) => ({ name }));
}

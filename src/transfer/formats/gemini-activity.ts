/**
 * Google's My Activity as JSON, of which only Gemini's events are read: an array of events, in files of 2026 with an address of the
 * conversation on some of them, in others without. Older variants keep prompt and answer in `details` or in `userInteractions`.
 *
 * Of an event only title, time, answer and link are looked at: other fields hold places, accounts and names of files.
 */
import type { ImportRecord } from "../records.ts";
import { skipped } from "./conversation.ts";
import type { SequenceFormat, SequenceReader } from "./format.ts";
import {
  conversationIdIn,
  conversationsOf,
  emptyEvent,
  isGemini,
  promptIn,
  type Exchange,
  type GeminiEvent,
} from "./gemini-events.ts";
import { htmlToText } from "./html-text.ts";
import { has, isObject, listOf, type JsonObject } from "./json.ts";
import { textOf, timeFromIso, trimmedTextOf } from "./text.ts";

export const geminiActivity = {
  kind: "sequence",
  name: "Gemini activity (JSON)",
  source: "gemini",
  elementKind: "message",
  repeatsMemories: false,
  // Every product of Google writes its log in this shape, and one file may hold several.
  matches: (element) => isObject(element) && has(element, "header") && has(element, "time"),
  open,
} satisfies SequenceFormat;

/** Keeps the events as text: what follows an event in its conversation stands anywhere before it in the file. */
function open(): SequenceReader {
  const events: GeminiEvent[] = [];
  return {
    take(element): readonly ImportRecord[] {
      if (!isObject(element)) return [skipped("message", "unreadable")];
      const header = textOf(element["header"]);
      // What was searched for or watched elsewhere is none of Cofio's business, so the example names the product only.
      if (!isGemini([header, ...listOf(element["products"]).map(textOf)])) {
        return [skipped("message", "unsupported", { example: header })];
      }
      const exchanges = exchangesOf(element);
      if (exchanges === null) {
        return [skipped("message", "unsupported", { example: textOf(element["title"]) })];
      }
      const event = {
        time: timeFromIso(element["time"]),
        conversationId: conversationIdIn(textOf(element["titleUrl"])),
        exchanges,
      };
      const empty = emptyEvent(event);
      if (empty !== null) return [empty];
      events.push(event);
      return [];
    },
    end: () => conversationsOf(events),
  };
}

/** Null for an event that is no prompt. */
function exchangesOf(event: JsonObject): readonly Exchange[] | null {
  const interactions = listOf(event["userInteractions"]).flatMap((item): Exchange[] => {
    if (!isObject(item)) return [];
    const interaction = isObject(item["userInteraction"]) ? item["userInteraction"] : item;
    const prompt = writtenIn(interaction["request"]);
    const answer = writtenIn(interaction["response"]);
    if (prompt === "" && answer === "") return [];
    return [{ prompt, attachments: [], answer: answer === "" ? null : answer }];
  });
  if (interactions.length > 0) return interactions;

  const request = detailOf(event, "Request");
  const answer = answerOf(event);
  const prompt =
    request === ""
      ? promptIn(trimmedTextOf(event["title"]), { hasAnswer: answer !== null })
      : request;
  return prompt === null ? null : [{ prompt, attachments: [], answer }];
}

function answerOf(event: JsonObject): string | null {
  const html = listOf(event["safeHtmlItem"])
    .map((item) => (isObject(item) ? textOf(item["html"]) : ""))
    .filter((part) => part.trim() !== "");
  if (html.length > 0) return htmlToText(html.join("\n"));
  const response = detailOf(event, "Response");
  return response === "" ? null : response;
}

function detailOf(event: JsonObject, name: "Request" | "Response"): string {
  const detail = listOf(event["details"]).find(
    (candidate) => isObject(candidate) && candidate["name"] === name,
  );
  return isObject(detail) ? writtenIn(detail["value"]) : "";
}

/** Where the words stand when a value is an object. */
const TEXT_KEYS = ["text", "prompt", "html", "content", "value", "parts"];
/** How deep the words of one value are looked for; arbitrary, and deeper than any that was described. */
const MAX_STEPS = 20;

/** The first text in a value that may be text, the JSON of a value, or an object; its HTML as plain text. */
function writtenIn(value: unknown): string {
  let current: unknown = value;
  for (let step = 0; step < MAX_STEPS; step += 1) {
    if (typeof current === "string") {
      const parsed = parsedJson(current);
      if (parsed === null) return plain(textOf(current)).trim();
      current = parsed;
    } else if (Array.isArray(current)) {
      current = current.find((item) => typeof item === "string" || isObject(item));
    } else if (isObject(current)) {
      const object: JsonObject = current;
      current = object[TEXT_KEYS.find((key) => has(object, key)) ?? ""];
    } else break;
  }
  // JSON without words in it is what the person wrote.
  return trimmedTextOf(value);
}

/** Null for a text that is no JSON, as a prompt that only begins like it. */
function parsedJson(text: string): unknown {
  if (!/^\s{0,10}["{[]/.test(text)) return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}

/** These variants do not say whether a value is HTML, and in a prompt about code every "<" counts. */
function plain(text: string): string {
  return /<(?:br|\/(?:p|div|li|pre|h[1-6]))\s{0,3}\/?>/i.test(text) ? htmlToText(text) : text;
}

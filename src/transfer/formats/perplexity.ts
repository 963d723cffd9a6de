/**
 * Perplexity has no export of its own. Browser extensions save a thread a file: as questions with their answers beside what the thread is
 * called, or as the site's own `entries`. These need not name the thread's id, so it is known by its first entry in both.
 */
import type { ImportRecord } from "../records.ts";
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
import { textOf, timeFromIso, trimmedTextOf } from "./text.ts";

export const perplexity = {
  kind: "sequence",
  name: "Perplexity thread",
  source: "perplexity",
  elementKind: "message",
  repeatsMemories: false,
  matches: (element) =>
    isObject(element) &&
    ((has(element, "query") && has(element, "answer")) ||
      listOf(element["entries"]).some((entry) => isObject(entry) && has(entry, "query_str"))),
  open,
} satisfies SequenceFormat;

function open(): SequenceReader {
  const entries: unknown[] = [];
  let title = "";
  return {
    take(element) {
      const thread = isObject(element) ? element["entries"] : null;
      if (Array.isArray(thread)) return read(thread, "");
      entries.push(element);
      return [];
    },
    takeMembers({ metadata }) {
      if (isObject(metadata)) title = trimmedTextOf(metadata["thread_title"]);
    },
    end: () => (entries.length === 0 ? [] : read(entries, title)),
  };
}

/** @param title what the file calls the thread beside its entries, "" where it does not */
function read(entries: readonly unknown[], title: string): ImportRecord[] {
  const known = new Set<string>();
  const readings = entries.flatMap((entry) => readEntry(entry, known));
  if (!entries.some(isObject)) return [skipped("message", "unreadable", { count: entries.length })];
  const titles = [title, ...entries.map(titleOf)];
  const [first] = known;
  return conversationRecords(
    {
      source: "perplexity",
      originId: first === undefined ? null : `first entry ${first}`,
      title: titles.find((known) => known !== "") ?? firstWords(readings),
      ...timesOf(readings),
    },
    readings,
  );
}

function titleOf(entry: unknown): string {
  return isObject(entry) ? trimmedTextOf(entry["thread_title"]) : "";
}

/** A question, and the answer where there is one. `known`: the entries met before. */
function readEntry(entry: unknown, known: Set<string>): MessageReading[] {
  if (!isObject(entry)) return [{ outcome: "skipped", reason: "unreadable" }];
  const id = idOf(textOf(entry["uuid"]));
  const answer = answerOf(entry);
  if (id !== null && known.has(id)) {
    const repeated = { outcome: "skipped", reason: "duplicate_in_file" } as const;
    return answer === null ? [repeated] : [repeated, repeated];
  }
  if (id !== null) known.add(id);
  const said = (role: "user" | "assistant", text: string) =>
    messageReading({
      id: id === null ? null : `${id}/${role}`,
      role,
      text,
      createdAt: timeFromIso(entry["timestamp"]) ?? timeFromIso(entry["entry_created_datetime"]),
      model: entry["model"] ?? entry["display_model"],
      attachments: [],
      instead: null,
    });
  const question = said("user", textOf(entry["query"]) || textOf(entry["query_str"]));
  return answer === null ? [question] : [question, said("assistant", answer)];
}

/** Null where the entry holds none. */
function answerOf(entry: JsonObject): string | null {
  if (has(entry, "answer")) return textOf(entry["answer"]);
  if (!Array.isArray(entry["blocks"])) return null;
  const blocks = listOf(entry["blocks"]).flatMap((block) =>
    isObject(block) && isObject(block["markdown_block"]) ? [block["markdown_block"]] : [],
  );
  return blocks
    .map((block) => textOf(block["answer"]))
    .filter((text) => text.trim() !== "")
    .join("\n\n");
}

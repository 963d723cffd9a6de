/**
 * Microsoft Copilot's history, a CSV of the privacy dashboard: a message a row, or in one variant a prompt. Chats have a name and no id, and
 * several may have the same name, so each is put together by its name and the time.
 */
import type { ImportRecord } from "../records.ts";
import { counter, groupsByGap, oldestFirst } from "./activity-groups.ts";
import { conversationRecords, skipped, timesOf } from "./conversation.ts";
import { csvRows } from "./csv.ts";
import type { TextFormat } from "./format.ts";
import { messageReading } from "./message-reading.ts";
import { excerptOf, plausible, textOf, timeFromIso, trimmedTextOf } from "./text.ts";

export const copilot = {
  kind: "text",
  name: "Microsoft Copilot history",
  source: "copilot",
  elementKind: "message",
  repeatsMemories: false,
  matchesText: (head) =>
    /^\uFEFF?"?(?:Conversation"?,"?Time|CreatedAt"?,"?MessageContent|Timestamp"?,"?ClientApp)/.test(
      head,
    ),
  read,
} satisfies TextFormat;

interface Row {
  readonly chat: string;
  readonly time: number | null;
  readonly author: string;
  readonly text: string;
}

function read(text: string): readonly ImportRecord[] {
  const [head, ...lines] = csvRows(text.replace(/^\uFEFF/, ""));
  const columns = (head?.fields ?? []).map((name) => name.trim().toLowerCase());
  const chats = new Map<string, Row[]>();
  const records: ImportRecord[] = [];
  for (const { fields, isCutOff } of lines) {
    const row = rowOf(columns, fields);
    if (isCutOff || fields.length < columns.length) {
      const reason = isCutOff ? "truncated_file" : "unreadable";
      records.push(skipped("message", reason, { example: row.text }));
      continue;
    }
    const chat = chats.get(row.chat);
    if (chat === undefined) chats.set(row.chat, [row]);
    else chat.push(row);
  }
  for (const [name, rows] of chats) records.push(...conversationsOf(name, rows));
  return records;
}

/** The columns of all three variants. */
function rowOf(columns: readonly string[], fields: readonly string[]): Row {
  const valueOf = (...names: readonly string[]) =>
    textOf(fields[columns.findIndex((column) => names.includes(column))]);
  return {
    chat: trimmedTextOf(valueOf("conversation", "chatname", "clientapp")),
    time: timeOf(valueOf("time", "createdat", "timestamp").trim()),
    author: columns.includes("author") ? valueOf("author").trim().toLowerCase() : "user",
    text: valueOf("message", "messagecontent", "prompt"),
  };
}

const AMERICAN_TIME =
  /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{1,2}):(\d{2})(?::(\d{2}))?(?: ([+-])(\d{2}):?(\d{2}))?$/;

/** ISO 8601, or month/day/year with or without its distance from UTC; a time without is UTC. */
function timeOf(value: string): number | null {
  const parts = AMERICAN_TIME.exec(value);
  if (parts === null) return timeFromIso(value.replace(" ", "T"));
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0] = parts.slice(1, 6).map(Number);
  const second = Number(parts[6] ?? 0);
  const minutesAhead = Number(parts[8] ?? 0) * 60 + Number(parts[9] ?? 0);
  const offset = (parts[7] === "-" ? -1 : 1) * minutesAhead * 60_000;
  return plausible(Date.UTC(year, month - 1, day, hour, minute, second) - offset);
}

function conversationsOf(name: string, rows: readonly Row[]): ImportRecord[] {
  const numberOf = counter();
  return groupsByGap(oldestFirst(rows)).flatMap((group) => {
    const messages = group.map((row) => {
      const key = keyOf(row);
      return { row, id: `${numberOf(key)} ${key}` };
    });
    const readings = messages.map(({ row, id }) =>
      messageReading({
        id,
        role: ROLES.get(row.author) ?? row.author,
        text: row.text,
        createdAt: row.time,
        model: null,
        attachments: [],
        instead: null,
      }),
    );
    const originId = `reconstructed ${messages[0]?.id ?? ""}`;
    return conversationRecords(
      { source: "copilot", originId, title: excerptOf(name), ...timesOf(readings) },
      readings,
    );
  });
}

const ROLES = new Map([
  ["ai", "assistant"],
  ["copilot", "assistant"],
  ["human", "user"],
]);

/** All that a row has for an id. */
function keyOf({ chat, time, author, text }: Row): string {
  const at = time === null ? "untimed" : new Date(time).toISOString();
  return `${at} ${author} ${excerptOf(chat)} ${excerptOf(text)}`;
}

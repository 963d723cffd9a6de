/** Conversations and messages beside their texts, index entries, earlier states and operations. */
import {
  indexMessage,
  openConversationText,
  openMessageText,
  type ConversationText,
} from "../conversations/conversation.ts";
import { openIndexer, type Indexer } from "../conversations/indexer.ts";
import { TOKENIZER_VERSION } from "../search/tokenize.ts";
import type { Source } from "../storage/closed-lists.ts";
import { REMOVED_FROM } from "../storage/conversations.ts";
import type { IntegrityStore } from "../storage/integrity.ts";
import type { PageOf } from "../storage/integrity-pages.ts";
import type { MessageRepair } from "../storage/integrity-repairs.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { pageOf, type CheckedPage, type Damage, type Left, type Repaired } from "./damage.ts";
import { isEntryOf } from "./index-entry.ts";
import { opened } from "./opens.ts";
import { possibleTimeZones } from "./time-zones.ts";

type MessageRow = Awaited<ReturnType<IntegrityStore["messages"]>>[number];

/** A message's conversation, as far as its index entry needs it. */
interface Held {
  readonly title: string | null;
  readonly source: Source;
}

export async function checkConversations(at: OpenAccount, page: PageOf): Promise<CheckedPage> {
  const rows = await at.integrity.conversations(page);
  const [repaired, left]: [Damage<Repaired>[], Damage<Left>[]] = [[], []];
  for (const row of rows) {
    const { id } = row;
    const told = <What>(what: What) => ({ what, kind: "conversation" as const, id });
    if (row.hasOperations !== 1) left.push(told("operation_missing"));
    if (row.hasEarlier !== 1) left.push(told("earlier_missing"));
    if ((await opened(() => openConversationText(at.keys, row))) === null) {
      left.push(told("unreadable"));
    }
    if (row.isCounted !== 1) repaired.push(told("message_count"));
  }
  if (repaired.length > 0) await at.integrity.recountMessages(repaired.map(({ id }) => id));
  return pageOf(rows, page.limit, { keyOf: ({ id }) => [id], repaired, left });
}

export async function checkMessages(
  at: OpenAccount,
  page: PageOf,
  seed: number,
): Promise<CheckedPage> {
  const rows = await at.integrity.messages(page, seed);
  const indexer = openIndexer(at.keys);
  const [repaired, left]: [Damage<Repaired>[], Damage<Left>[]] = [[], []];
  const told = <What>({ conversation, id }: MessageRow, what: What) => ({
    what,
    kind: "message" as const,
    id: `${conversation}/${id}`,
  });
  const conversations = new Map<string, Promise<Held | null>>();
  const repairs: MessageRepair[] = [];
  const entries: string[] = [];
  for (const row of rows) {
    if (row.hasOperations !== 1) left.push(told(row, "operation_missing"));
    const { held: json } = row;
    if (json === null) left.push(told(row, "belongs_to_nothing"));
    const held =
      json === null ? null : (conversations.get(json) ?? openHeld(at, conversations, json));
    const words = await wordsOf(at, row, { held: await held, indexer });
    if (words === "unreadable") left.push(told(row, "unreadable"));
    else if (words !== null || row.sizeBytes !== row.bodyBytes) {
      const { tokens, dt, speaker, tokenCount } = words ?? row;
      const { originKey, version } = row;
      const tokenizerVersion = words === null ? null : TOKENIZER_VERSION;
      repairs.push({ originKey, version, tokens, dt, speaker, tokenCount, tokenizerVersion });
      repaired.push(told(row, "words"));
    }
    const isRemoved = row.conversation.startsWith(REMOVED_FROM);
    if (isRemoved ? row.sizes !== null : !isEntryOf(row)) {
      entries.push(row.originKey);
      repaired.push(told(row, "index_entry"));
    }
  }
  if (repairs.length + entries.length > 0) await at.integrity.repairMessages(repairs, entries);
  return pageOf(rows, page.limit, {
    keyOf: ({ conversation, position, seq }) => [conversation, position, seq],
    repaired,
    left,
  });
}

function openHeld(
  at: OpenAccount,
  conversations: Map<string, Promise<Held | null>>,
  json: string,
): Promise<Held | null> {
  const held = (async () => {
    // True because `json_object` was given exactly these.
    const row = JSON.parse(json) as {
      id: string;
      bodyVersion: number;
      body: string;
      source: Source;
    };
    const text = await opened<ConversationText>(() => openConversationText(at.keys, row));
    return text && { title: text.title, source: row.source };
  })();
  conversations.set(json, held);
  return held;
}

/** Null: they are those of the text, or nobody can tell: of a row of an earlier tokeniser, or without its conversation. */
async function wordsOf(
  at: OpenAccount,
  row: MessageRow,
  { held, indexer }: { readonly held: Held | null; readonly indexer: Indexer },
) {
  const text = await opened(() => openMessageText(at.keys, row));
  if (text === null) return "unreadable";
  const isRemoved = row.conversation.startsWith(REMOVED_FROM);
  if (held === null || isRemoved || row.tokenizerVersion !== TOKENIZER_VERSION) return null;
  const { source } = held;
  // The first message has the words of the title; and another one may have been the first when it was indexed.
  for (const title of [null, held.title]) {
    for (const timeZone of possibleTimeZones(at.timeZone)) {
      const words = await indexMessage(row, text, { title, source, timeZone, indexer });
      if (words.tokens !== row.tokens || words.speaker !== row.speaker) break;
      if (words.dt === row.dt && words.tokenCount === row.tokenCount) return null;
    }
  }
  const title = row.position === 0 ? held.title : null;
  return indexMessage(row, text, { title, source, timeZone: at.timeZone, indexer });
}

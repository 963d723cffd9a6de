/** The full-text index over messages of one user, with the turns around each as its context. */
import { and, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Match, SearchIndex } from "../search/candidates.ts";
import type { Candidate } from "../search/rank.ts";
import type { AccountRow } from "./accounts.ts";
import { messageConditions, OF_ACTIVE_CONVERSATION, type MessageFilter } from "./conversations.ts";
import { openIndex, type KnownCommonTerms } from "./full-text.ts";
import { conversations, messages } from "./schema.ts";

/** How far context reaches, in turns (bench/RESULTS.md, "Prototype": ±2 gives 8 to 10 points of R@10 over none). */
export const CONTEXT_TURNS = 2;
const PLACES_AROUND = Array.from({ length: CONTEXT_TURNS }, (_, at) => [-at - 1, at + 1]).flat();
/** Rows that are ranked again; up to seven are read for each. */
export const MESSAGE_CANDIDATES = 54;

/** Of a longer neighbour nothing counts: among so many words one says little, and each row may have four such neighbours each. */
const MAX_NEIGHBOUR_TOKENS = 1_000;
const TOKEN_AND_BLANK = 13;

export interface MessageCandidate extends Candidate {
  readonly conversation: string;
  readonly position: number;
}

export type MessageIndex = ReturnType<typeof openMessageIndex>;

export function openMessageIndex(d1: D1Database, account: AccountRow, known: KnownCommonTerms) {
  const db = drizzle(d1);
  const { userId } = account;
  const index = {
    index: "messages",
    userId,
    rows: account.messages,
    sampled: account.messagesSampled,
    known,
  } as const;
  /** `asksToken`: the blind token that marks a message that ends by asking. */
  return (filter: MessageFilter, asksToken: string): SearchIndex<MessageCandidate> => {
    // Place by place: a range would read the message itself once more.
    const neighbours = sql<string>`json_array(${sql.join(
      PLACES_AROUND.map(
        (
          offset,
        ) => sql`(SELECT json_array(${offset}, iif(length(n.tokens) <= ${MAX_NEIGHBOUR_TOKENS * TOKEN_AND_BLANK}, n.tokens, ''), n.speaker, instr(n.dt, ${asksToken}) > 0) FROM messages n
        WHERE n.user_id = ${messages.userId} AND n.conversation = ${messages.conversation}
          AND n.position = ${messages.position} + ${sql.raw(String(offset))})`,
      ),
      sql`, `,
    )})`;
    const query = ({ match, order, limit }: Match) =>
      db
        .select({ columns: FOUND, neighbours })
        .from(sql`messages_fts`)
        .innerJoin(messages, sql`${messages.seq} = messages_fts.rowid`)
        .innerJoin(conversations, OF_ACTIVE_CONVERSATION)
        .where(and(sql`messages_fts MATCH ${match}`, ...messageConditions(userId, filter)))
        .orderBy(order === "rank" ? sql`messages_fts.rank` : sql`messages_fts.rowid DESC`)
        .limit(limit)
        .getSQL();
    const foundOf = (rows: readonly unknown[][]) =>
      // True because they were asked for by `COLUMNS`.
      (rows as FoundValues[]).map((values) => candidateOf(values, asksToken));
    return {
      rows: account.messages,
      tokens: account.messageTokens,
      candidates: MESSAGE_CANDIDATES,
      rowsEach: 1 + PLACES_AROUND.length,
      ...openIndex(db, index, { query, width: WIDTH, rowsOf: foundOf }),
    };
  };
}

const COLUMNS = [
  "messages.id",
  "messages.conversation",
  "messages.position",
  "messages.created_at",
  "messages.token_count",
  "messages.tokens",
  "messages.dt",
  "messages.speaker",
] as const;
const FOUND = sql.raw(COLUMNS.join(", "));
/** With the neighbours. */
const WIDTH = COLUMNS.length + 1;

/** In the order of `COLUMNS`, and what stands around it. */
type FoundValues = [
  id: string,
  conversation: string,
  position: number,
  createdAt: number | null,
  tokenCount: number,
  tokens: string,
  dt: string,
  speaker: string,
  neighbours: string,
];

function candidateOf(
  [id, conversation, position, createdAt, tokenCount, tokens, dt, speaker, neighbours]: FoundValues,
  asksToken: string,
): MessageCandidate {
  // True because json_array was given exactly these.
  const near = JSON.parse(neighbours) as (
    | [offset: number, tokens: string, speaker: string, asks: number]
    | null
  )[];
  return {
    id,
    conversation,
    position,
    createdAt: createdAt ?? 0,
    tokenCount,
    tokens,
    dt,
    importance: 0,
    group: conversation,
    turn: {
      speaker,
      asks: dt.includes(asksToken),
      neighbours: near
        .filter((neighbour) => neighbour !== null)
        .map(([offset, tokens, by, asks]) => ({ offset, tokens, speaker: by, asks: asks === 1 })),
    },
  };
}

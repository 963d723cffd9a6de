/** The full-text index over memories of one user. */
import { and, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Match, SearchIndex } from "../search/candidates.ts";
import { openIndex, type KnownCommonTerms } from "./full-text.ts";
import type { MemoryRow, ReadableMemory } from "./memories.ts";
import { MEMORY_CANDIDATES } from "./memory-candidates.ts";
import { conditionsOf, type MemoryFilter } from "./memory-filter.ts";
import type { AccountRow } from "./accounts.ts";
import { memories } from "./schema.ts";

/** What a search ranks, and opens of the best. */
export type FoundMemory = Omit<ReadableMemory, "body"> &
  Pick<MemoryRow, "tokens" | "dt" | "tokenCount"> & {
    /** Null: so long that only those that are shown are worth reading. */
    readonly body: string | null;
  };

/** Of ciphertext; a text of some 1,000 characters. Arbitrary: with 96 of them a search takes a few milliseconds longer. */
const LONG_BODY_BYTES = 1_024;

export type MemoryIndex = ReturnType<typeof openMemoryIndex>;

export function openMemoryIndex(d1: D1Database, account: AccountRow, known: KnownCommonTerms) {
  const db = drizzle(d1);
  const { userId } = account;
  const index = {
    index: "memories",
    userId,
    rows: account.memoriesActive,
    sampled: account.memoriesSampled,
    known,
  } as const;

  /** Active memories that pass the filter. */
  return (filter: MemoryFilter): SearchIndex<FoundMemory> => {
    const query = ({ match, order, limit }: Match) =>
      db
        .select({ columns: FOUND })
        .from(sql`memories_fts`)
        .innerJoin(memories, sql`${memories.seq} = memories_fts.rowid`)
        .where(and(sql`memories_fts MATCH ${match}`, ...conditionsOf(userId, filter)))
        .orderBy(order === "rank" ? sql`memories_fts.rank` : sql`memories_fts.rowid DESC`)
        .limit(limit)
        .getSQL();
    return {
      rows: account.memoriesActive,
      tokens: account.memoryTokens,
      candidates: MEMORY_CANDIDATES,
      rowsEach: 1,
      ...openIndex(db, index, { query, width: WIDTH, rowsOf: foundOf }),
    };
  };
}

const COLUMNS = [
  "memories.id",
  "memories.version",
  "body_version",
  "category",
  "importance",
  "source",
  "origin",
  "user_asked",
  "client",
  "status",
  "created_at",
  "updated_at",
  "expires_at",
  "trashed_at",
  "superseded_by",
  "tokens",
  "memories.dt",
  "token_count",
  `iif(length(body) <= ${LONG_BODY_BYTES}, hex(body), NULL)`,
] as const;
const FOUND = sql.raw(COLUMNS.join(", "));
const WIDTH = COLUMNS.length;

/** In the order of `COLUMNS`. */
type FoundValues = [
  id: string,
  version: number,
  bodyVersion: number,
  category: FoundMemory["category"],
  importance: number,
  source: FoundMemory["source"],
  origin: FoundMemory["origin"],
  userAsked: number,
  client: string,
  status: FoundMemory["status"],
  createdAt: number,
  updatedAt: number,
  expiresAt: number | null,
  trashedAt: number | null,
  supersededBy: string | null,
  tokens: string,
  dt: string,
  tokenCount: number,
  body: string | null,
];

function foundOf(rows: readonly unknown[][]): FoundMemory[] {
  // True because they were asked for by `COLUMNS`.
  return (rows as FoundValues[]).map(memoryOf);
}

function memoryOf([
  id,
  version,
  bodyVersion,
  category,
  importance,
  source,
  origin,
  userAsked,
  client,
  status,
  createdAt,
  updatedAt,
  expiresAt,
  trashedAt,
  supersededBy,
  tokens,
  dt,
  tokenCount,
  body,
]: FoundValues): FoundMemory {
  return {
    id,
    version,
    bodyVersion,
    category,
    importance,
    source,
    origin,
    userAsked: userAsked === 1,
    client,
    status,
    createdAt,
    updatedAt,
    expiresAt,
    trashedAt,
    supersededBy,
    tokens,
    dt,
    tokenCount,
    body,
  };
}

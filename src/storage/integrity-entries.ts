/** Entries of the full-text indexes beside their rows, for the integrity check; and those that have no row. */
import { sql, type SQL } from "drizzle-orm";
import { runBatch } from "./batch.ts";
import { CONTEXT_TURNS } from "./message-index.ts";

/** An index entry beside its row. */
export interface Entry {
  /** Tokens in each column, as FTS5 keeps them, in hex; null: there is no entry. */
  readonly sizes: string | null;
  /** Tokens that there should be: `[text, dt, ctx]` as JSON. */
  readonly wantedSizes: string;
  /** Whether the entry holds a sample of the row's tokens. */
  readonly holds: number;
}

/** 12 letters and a blank (`vault/blind.ts`). */
const TOKEN_AND_BLANK = 13;
/** Of each column: each costs a look into the index. */
const SAMPLED_TOKENS = 5;

const tokensIn = (column: string) => `((length(${column}) + 1) / ${TOKEN_AND_BLANK})`;

/** Some of a column's tokens as a query that only an entry with all of them matches. Another `seed` takes others. */
function sampleOf(field: string, column: string, seed: string): string {
  const parts = Array.from({ length: SAMPLED_TOKENS }, (_, at) => {
    // A damaged column may be shorter than a token.
    const tokens = `max(1, ${tokensIn(column)})`;
    const place = `(${tokens} * ${at} / ${SAMPLED_TOKENS} + ${seed}) % ${tokens}`;
    const token = `substr(${column}, 1 + ${TOKEN_AND_BLANK} * (${place}), ${TOKEN_AND_BLANK - 1})`;
    // Quoted: in a damaged column anything may stand there, also what is syntax to FTS5.
    return `' AND ${field}:"' || replace(${token}, '"', '""') || '"'`;
  });
  return `iif(${column} = '', '', ${parts.join(" || ")})`;
}

/** Of a message: words of those around it. */
const CTX_SIZE = `(SELECT coalesce(sum(${tokensIn("n.tokens")}), 0) FROM messages n WHERE n.user_id = messages.user_id AND n.conversation = messages.conversation
  AND n.position BETWEEN messages.position - ${CONTEXT_TURNS} AND messages.position + ${CONTEXT_TURNS} AND n.position <> messages.position)`;

/** @param seed which tokens are looked up */
export function entryOf(table: "memories" | "messages", seed: number) {
  const fts = `${table}_fts`;
  const ctxSize = table === "messages" ? CTX_SIZE : "0";
  const [tokens, dt] = [`${table}.tokens`, `${table}.dt`];
  // Without the first AND.
  const query = `substr(${sampleOf("text", tokens, String(seed))} || ${sampleOf("dt", dt, String(seed))}, 6)`;
  return {
    sizes: sql.raw(`(SELECT hex(d.sz) FROM ${fts}_docsize d WHERE d.id = ${table}.seq)`) as SQL<
      string | null
    >,
    wantedSizes: sql.raw(
      `json_array(${tokensIn(tokens)}, ${tokensIn(dt)}, ${ctxSize})`,
    ) as SQL<string>,
    holds: sql.raw(
      `iif(${tokens} = '' AND ${dt} = '', 1, EXISTS (SELECT 1 FROM ${fts} WHERE ${fts} MATCH ${query} AND ${fts}.rowid = ${table}.seq))`,
    ) as SQL<number>,
  };
}

/** Entries of rows that are gone, whoever had them: numbers of rows are never used again, and a row is written together with its entry. */
const rowless = (table: "memories" | "messages") => `id > ?1 AND id <= ?2
  AND NOT EXISTS (SELECT 1 FROM ${table} t WHERE t.seq = ${table}_fts_docsize.id)`;

export function openIntegrityEntries(d1: D1Database) {
  return {
    /** Takes entries without a row out of a stretch of an index. @returns how many, the highest number of the index, and whether it is in the stretch */
    async dropRowless(
      index: "memories" | "messages",
      { after, upTo }: { readonly after: number; readonly upTo: number },
    ): Promise<{ readonly dropped: number; readonly highest: number; readonly isEnd: boolean }> {
      const found = await d1.batch<{ id: number | null }>([
        d1.prepare(`SELECT id FROM ${index}_fts_docsize WHERE ${rowless(index)}`).bind(after, upTo),
        d1.prepare(`SELECT max(id) AS id FROM ${index}_fts_docsize`),
      ]);
      const ids = (found[0]?.results ?? []).map(({ id }) => id);
      if (ids.length > 0) {
        await runBatch(d1, [
          d1
            .prepare(
              `DELETE FROM ${index}_fts WHERE rowid IN (SELECT value FROM json_each(?1)) AND rowid NOT IN (SELECT t.seq FROM json_each(?1) CROSS JOIN ${index} t ON t.seq = value)`,
            )
            .bind(JSON.stringify(ids)),
        ]);
      }
      const highest = found[1]?.results[0]?.id ?? 0;
      return { dropped: ids.length, highest, isEnd: highest <= upTo };
    },
  };
}

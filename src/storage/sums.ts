/** What the counters of an account are sums of. */
import { TOKENIZER_VERSION } from "../search/tokenize.ts";
import { isImporting } from "./import-under-way.ts";

/** Whether a conversation is in the trash and being taken out of it for good: its earlier states go first (`trash.ts`). An archive's come late. */
export function isBeingPurged(conversation: string): string {
  return `(${conversation}.status = 'trashed' AND NOT EXISTS (SELECT 1 FROM conversation_versions v WHERE v.user_id = ${conversation}.user_id AND v.id = ${conversation}.id)
    AND NOT ${isImporting(`${conversation}.user_id`)})`;
}

/** ?1 user. `mem`: all memories, `con`: conversations, `msg`: messages of active ones. As every write keeps them. */
export const SUMS = `(SELECT coalesce(sum(status = 'active'), 0) AS active, coalesce(sum(status = 'pending'), 0) AS pending, coalesce(sum(status = 'trashed'), 0) AS trashed,
    coalesce(sum(iif(status = 'active', token_count, 0)), 0) AS tokens, coalesce(sum(size_bytes), 0) AS bytes,
    coalesce(min(tokenizer_version), ${TOKENIZER_VERSION}) AS tokenizer FROM memories WHERE user_id = ?1) mem,
  (SELECT coalesce(sum(c.status = 'active'), 0) AS active, coalesce(sum(CASE WHEN c.status = 'trashed' AND NOT ${isBeingPurged("c")} THEN 1 ELSE 0 END), 0) AS trashed
    FROM conversations c WHERE c.user_id = ?1) con,
  (SELECT count(*) AS n, coalesce(sum(m.token_count), 0) AS tokens, coalesce(sum(m.size_bytes), 0) AS bytes, coalesce(min(m.tokenizer_version), ${TOKENIZER_VERSION}) AS tokenizer
    FROM conversations c JOIN messages m ON m.user_id = c.user_id AND m.conversation = c.id WHERE c.user_id = ?1 AND c.status = 'active') msg`;

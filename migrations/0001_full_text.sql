-- Contentless FTS5 over blind tokens, active rows only. The rowid is the row's seq. All language work is done before blinding,
-- so the tokenizer only splits at blanks (`ascii` neither stems nor splits base32).
CREATE VIRTUAL TABLE memories_fts USING fts5(text, dt, ctx, tokenize='ascii', content='', contentless_delete=1);
--> statement-breakpoint
-- Weights are persisted so that `ORDER BY rank` sorts inside FTS5.
INSERT INTO memories_fts(memories_fts, rank) VALUES ('rank', 'bm25(1.0, 1.0, 0.35)');
--> statement-breakpoint
CREATE VIRTUAL TABLE memories_vocab USING fts5vocab(memories_fts, 'row');
--> statement-breakpoint
CREATE VIRTUAL TABLE messages_fts USING fts5(text, dt, ctx, tokenize='ascii', content='', contentless_delete=1);
--> statement-breakpoint
INSERT INTO messages_fts(messages_fts, rank) VALUES ('rank', 'bm25(1.0, 1.0, 0.35)');
--> statement-breakpoint
CREATE VIRTUAL TABLE messages_vocab USING fts5vocab(messages_fts, 'row');

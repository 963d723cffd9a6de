ALTER TABLE `accounts` ADD `changes` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `conversations_by_beginning` ON `conversations` (`user_id`,`created_at`,`id`);--> statement-breakpoint
-- Bytes that wait in memory before they become a segment of the index. With the default of 1 MiB a batch of an import makes four or five,
-- which are merged again at once: half of the work of indexing.
INSERT INTO messages_fts(messages_fts, rank) VALUES ('hashsize', 8388608);

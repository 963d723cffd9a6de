CREATE TABLE `import_days` (
	`day` integer PRIMARY KEY NOT NULL,
	`rows_written` integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE `jobs` ADD `upload_key` text;--> statement-breakpoint
ALTER TABLE `jobs` ADD `verified_at` integer;
ALTER TABLE `conversation_versions` ADD `digest` text;--> statement-breakpoint
ALTER TABLE `conversations` ADD `digest` text;
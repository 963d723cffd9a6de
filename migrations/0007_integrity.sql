ALTER TABLE `accounts` ADD `integrity` text;--> statement-breakpoint
ALTER TABLE `users` ADD `wrapped_under` text;
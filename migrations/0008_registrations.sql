CREATE TABLE `registration_days` (
	`day` integer PRIMARY KEY NOT NULL,
	`clients` integer NOT NULL
);

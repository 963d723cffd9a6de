/** What SQLite itself takes for the same rows and questions: nothing encrypted, nobody signed in, no reasons, no other user. */
import { DatabaseSync } from "node:sqlite";

export interface RawFts5 {
  /** @returns the texts of the first ten */
  search(query: string): unknown[];
  close(): void;
}

export function openRawFts5(contents: readonly string[]): RawFts5 {
  const database = new DatabaseSync(":memory:");
  database.exec(
    "CREATE VIRTUAL TABLE memories USING fts5 (content, tokenize = 'porter unicode61')",
  );
  database.exec("BEGIN");
  const insert = database.prepare("INSERT INTO memories (content) VALUES (?)");
  for (const content of contents) insert.run(content);
  database.exec("COMMIT");
  const select = database.prepare(
    "SELECT content FROM memories WHERE memories MATCH ? ORDER BY rank LIMIT 10",
  );
  return {
    search: (query) =>
      select.all(
        query
          .split(" ")
          .map((word) => `"${word}"`)
          .join(" OR "),
      ),
    close: () => database.close(),
  };
}

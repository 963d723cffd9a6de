/** What was last counted of an account, in the storage of its object: counting walks two rows for each memory, and is asked for often. */
import { reportError } from "./log.ts";
import type { KeptTallies, Tallies } from "./storage/tallies.ts";

export function openKeptTallies(sql: SqlStorage): KeptTallies {
  sql.exec(
    "CREATE TABLE IF NOT EXISTS kept_tallies (one INTEGER PRIMARY KEY CHECK (one = 1), state TEXT NOT NULL, tallies TEXT NOT NULL)",
  );
  return {
    read(state) {
      const [row] = sql
        .exec<{ tallies: string }>("SELECT tallies FROM kept_tallies WHERE state = ?", state)
        .toArray();
      return row === undefined ? null : (JSON.parse(row.tallies) as Tallies); // as it was written
    },
    write(state, tallies) {
      try {
        sql.exec(
          "INSERT INTO kept_tallies VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state, tallies = excluded.tallies",
          state,
          JSON.stringify(tallies),
        );
      } catch (error) {
        // The day's writes may be spent: whoever asked has its answer all the same.
        reportError("keep tallies", error);
      }
    },
  };
}

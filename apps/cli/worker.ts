/**
 * The Worker of the program `cofio`: the very one that deployments run, behind a key that only the process that started it knows. That
 * process (`host.ts`) is the one way in; it says who asks.
 */
import server from "../../src/index.ts";
import { localUserId } from "../../src/auth/local-token.ts";
import { equalInConstantTime } from "../../src/vault/bytes.ts";
import { KEY_HEADER, PERSON_HEADER, PREPARE_PATH } from "./inner-door.ts";

export { BackupWorkflow, ExportWorkflow, ScratchDatabase, UserAgent } from "../../src/index.ts";

/** A type and not an interface, because it travels as JSON. */
export type Migration = { readonly name: string; readonly queries: string[] };

interface LocalEnv extends Env {
  readonly LOCAL_KEY: string;
  /** Whose memory this is, as `/local/token` names users. */
  readonly LOCAL_USER: string;
  readonly MIGRATIONS: Migration[];
}

export default {
  async fetch(request, env, ctx): Promise<Response> {
    if (!equalInConstantTime(request.headers.get(KEY_HEADER) ?? "", env.LOCAL_KEY)) {
      return new Response("Only the program cofio may ask here.", { status: 401 });
    }
    if (new URL(request.url).pathname === PREPARE_PATH) {
      await applyMigrations(env);
      return new Response(null, { status: 204 });
    }
    const isPerson = request.headers.get(PERSON_HEADER) === "1";
    const person = isPerson ? await localUserId(env.LOCAL_USER) : "";
    return server.fetch(request, { ...env, LOCAL_PERSON: person }, ctx);
  },
} satisfies ExportedHandler<LocalEnv>;

/** In the table where wrangler keeps them, so that either may apply the next one. */
const SQL_TABLE =
  "CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)";

/** Each with its line in the table, or not at all. */
async function applyMigrations({ DB, MIGRATIONS }: LocalEnv): Promise<void> {
  await DB.prepare(SQL_TABLE).run();
  const { results } = await DB.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  for (const { name, queries } of MIGRATIONS) {
    if (applied.has(name)) continue;
    await DB.batch([
      ...queries.map((query) => DB.prepare(query)),
      DB.prepare("INSERT INTO d1_migrations (name) VALUES (?1)").bind(name),
    ]);
  }
}

/**
 * The process that serves a folder. It belongs to no client: the first one that needs it starts it, all of them use it, and it ends by
 * itself when the last one has gone for a while. So a client that exits, or is killed, takes nothing from the others.
 */
import { randomBytes } from "node:crypto";
import { existsSync, statSync, truncateSync } from "node:fs";
import { parseArgs } from "node:util";
import * as z from "zod";
import { UserError } from "../../src/errors.ts";
import { END_SIGNALS } from "./end-signals.ts";
import { endEngine, type Engine, newToken, prepare, startEngine } from "./engine.ts";
import {
  type Folder,
  missingMigrations,
  openFolder,
  openKeys,
  parseJson,
  readIfThere,
  readStamp,
  writePrivately,
  writeStamp,
} from "./folder.ts";
import { type ClientTokens, type Front, openFront } from "./front.ts";
import { type LocalClient, mcpClient } from "./local-client.ts";
import { takeLock } from "./lock.ts";
import { readPlan } from "./plan.ts";
import { readServer, removeServer, writeServer } from "./server-file.ts";

/** A client that is started anew finds it, and so does the next command in a shell. Arbitrary. */
const IDLE_MS = 60_000;
const MAX_LOG_BYTES = 1_048_576;
/** A grant for each; clients that come with ever new names share one after so many. Arbitrary. */
const MAX_CLIENTS = 100;

/** What went wrong before it served, to the process that started it. */
export interface HostFailure {
  readonly failed: { readonly message: string; readonly hint: string };
}

/** @returns once it serves, or when another process serves the folder already */
export async function host(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      "db-path": { type: "string", default: "" },
      port: { type: "string", default: "0" },
    },
  });
  process.umask(0o077);
  try {
    await serveFolder(openFolder(values["db-path"]), Number(values.port));
  } catch (error) {
    console.error(error);
    const failure: HostFailure = { failed: inWords(error) };
    await new Promise((sent) => process.send?.(failure, sent) ?? sent(null));
    // Whatever the engine's libraries still hold open: nobody would find this process again.
    process.exit(1);
  }
  // The starter need not wait, and its end is none of ours.
  if (process.connected) process.disconnect();
  return 0;
}

async function serveFolder(folder: Folder, port: number): Promise<void> {
  const unlock = takeLock(folder.lock);
  if (unlock === null) return;
  shorten(folder.log);
  await endOrphan(folder);
  const plan = readPlan();
  const stamp = readStamp(folder);
  const names = plan.migrations.map(({ name }) => name);
  const missing = missingMigrations(folder, stamp, names);
  const keys = openKeys(folder, stamp);
  // Before there is any data: from now on the folder needs these keys.
  if (stamp === null) writeStamp(folder, keys, []);

  const token = randomBytes(32).toString("hex");
  const starting = Promise.withResolvers<Engine>();
  // Whoever waits for it is told; without anybody it must not end the process.
  starting.promise.catch(() => {});
  const quit = (code: number): never => {
    removeServer(folder);
    unlock();
    process.exit(code);
  };
  const end = once(async () => {
    front.close();
    await starting.promise.then((engine) => engine.stop()).catch(() => {});
    quit(0);
  });
  const front: Front = await openFront({
    token,
    port,
    build: plan.build,
    engine: starting.promise,
    tokens: rememberTokens(folder, starting.promise),
    idleMs: idleMs(),
    onIdle: end,
  });
  for (const signal of END_SIGNALS) process.once(signal, end);
  const entry = { pid: process.pid, port: front.port, token, build: plan.build, enginePid: null };
  // Clients that come now wait for it at the front, instead of starting another one.
  writeServer(folder, entry);
  let engine: Engine | null = null;
  try {
    engine = await startEngine(folder, {
      plan,
      keys,
      origin: `http://localhost:${front.port}`,
      onSpawn: (enginePid) => writeServer(folder, { ...entry, enginePid }),
      // Its clients start another one: nothing here is worth repairing.
      onCrash: () => quit(1),
    });
    if (missing.length > 0) {
      await prepare(engine);
      writeStamp(folder, keys, names);
    }
    starting.resolve(engine);
  } catch (error) {
    starting.reject(error);
    front.close();
    // Before anybody else may serve the folder: its files are open as long as it runs.
    await engine?.stop();
    removeServer(folder);
    unlock();
    throw error;
  }
}

function once(end: () => Promise<void>): () => void {
  let isEnding = false;
  return () => {
    if (isEnding) return;
    isEnding = true;
    void end();
  };
}

/** workerd goes on when the process that started it is killed, and would write to the same files. */
async function endOrphan(folder: Folder): Promise<void> {
  const pid = readServer(folder)?.enginePid ?? null;
  if (pid !== null) await endEngine(pid);
  removeServer(folder);
}

/** A client keeps its token over all starts, so that what it did can be told and undone by its name. */
function rememberTokens({ clients }: Folder, starting: Promise<Engine>): ClientTokens {
  const stored = z
    .record(z.string(), z.string())
    .safeParse(parseJson(readIfThere(clients) ?? "{}"));
  const tokens = new Map(Object.entries(stored.data ?? {}));
  const asked = new Map<string, Promise<string>>();
  const store = () => writePrivately(clients, JSON.stringify(Object.fromEntries(tokens)));
  const ask = async (client: LocalClient): Promise<string> => {
    const token = await newToken(await starting, client);
    tokens.set(client.name, token);
    store();
    return token;
  };
  return {
    async of(given) {
      const isOneTooMany = !given.trusted && !tokens.has(given.name) && tokens.size >= MAX_CLIENTS;
      const client = isOneTooMany ? mcpClient(null) : given;
      const known = tokens.get(client.name);
      if (known !== undefined) return known;
      const pending =
        asked.get(client.name) ?? ask(client).finally(() => asked.delete(client.name));
      asked.set(client.name, pending);
      return pending;
    },
    forget(name) {
      const isKnown = tokens.delete(name);
      if (isKnown) store();
      return isKnown;
    },
  };
}

function shorten(log: string): void {
  if (existsSync(log) && statSync(log).size > MAX_LOG_BYTES) truncateSync(log);
}

/** Tests wait for no minute. */
function idleMs(): number {
  const seconds = Number(process.env["COFIO_IDLE_SECONDS"]);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : IDLE_MS;
}

function inWords(error: unknown): HostFailure["failed"] {
  if (error instanceof UserError) return { message: error.message, hint: error.hint };
  const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
  return isTaken
    ? { message: "The port is taken by another program.", hint: "Choose another one with --port." }
    : { message: "The local Cofio cannot start.", hint: "server.log in its folder says why." };
}

/**
 * The server that is killed: the embedded engine of the program `cofio`. Killed is workerd, in which everything runs that reads or writes
 * (the Worker, D1, KV, R2 and the objects); miniflare in this process only starts it. So a start takes a third of what `npm start` takes,
 * which brings up wrangler and a watcher first.
 */
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { endEngine, type Engine, prepare, startEngine } from "../../../apps/cli/engine.ts";
import { openFolder, openKeys, readStamp, writeStamp } from "../../../apps/cli/folder.ts";
import { KEY_HEADER, TOKEN_PATH } from "../../../apps/cli/inner-door.ts";
import { readPlan } from "../../../apps/cli/plan.ts";

/** What the Worker takes for its address. Nobody listens there. */
const ORIGIN = "http://localhost:26346";
/** Arbitrary: on a machine that does much else a call takes a second. */
const ANSWER_TIMEOUT_MS = 60_000;

export interface KilledServer {
  readonly token: (user: string, client: string) => Promise<string>;
  /** @throws Error of the connection once it was killed, and when no answer comes */
  readonly ask: (method: string, path: string, asked?: Asked) => Promise<Answered>;
  readonly kill: () => Promise<void>;
  /** On the same data. */
  readonly start: () => Promise<void>;
  /** Ends everything and removes the data. */
  readonly remove: () => Promise<void>;
}

export interface Asked {
  readonly token?: string;
  readonly body?: unknown;
}

/** All of it: what breaks off is no answer. */
export interface Answered {
  readonly status: number;
  readonly text: string;
}

export async function startKilledServer(): Promise<KilledServer> {
  const path = await mkdtemp(join(tmpdir(), "cofio-kill-"));
  const folder = openFolder(path);
  const plan = readPlan();
  const keys = openKeys(folder, readStamp(folder));
  writeStamp(folder, keys, []);
  const agent = new Agent({ keepAlive: true });
  let running: Engine | null = null;
  /** Of workerd, from its first moment; null once it has ended. */
  let pid: number | null = null;

  async function start(): Promise<void> {
    running = await startEngine(folder, {
      plan,
      keys,
      origin: ORIGIN,
      onSpawn: (spawned) => (pid = spawned),
      // Its number may be another's from now on.
      onCrash: () => (pid = null),
    });
  }
  function engine(): Engine {
    if (running === null) throw new Error("The server is not running");
    return running;
  }
  function ask(method: string, askPath: string, { token, body }: Asked = {}): Promise<Answered> {
    const { port, key } = engine();
    return new Promise((done, fail) => {
      const asked = request({
        host: "127.0.0.1",
        port,
        method,
        path: askPath,
        agent,
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
        headers: {
          // Each start has another port, and a token is for one address. `fetch` lets nobody choose it.
          host: new URL(ORIGIN).host,
          "content-type": "application/json",
          "mcp-protocol-version": "2025-06-18",
          [KEY_HEADER]: key,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
      });
      asked.on("response", (response) => {
        readText(response).then((text) => done({ status: response.statusCode ?? 0, text }), fail);
      });
      asked.on("error", fail).end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
  async function kill(): Promise<void> {
    const killed = running;
    running = null;
    if (pid !== null) await endEngine(pid);
    pid = null;
    await killed?.stop();
  }
  // A test run that ends too early leaves nothing behind.
  const endNow = (): void => {
    try {
      // Before it first waits it has killed what has this number, if that is workerd.
      if (pid !== null) endEngine(pid).catch(() => {});
    } finally {
      rmSync(path, REMOVAL);
    }
  };
  process.once("exit", endNow);
  async function remove(): Promise<void> {
    try {
      await kill();
    } finally {
      agent.destroy();
      await rm(path, REMOVAL);
    }
    process.off("exit", endNow);
  }

  try {
    await start();
    await prepare(engine());
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    start,
    kill,
    ask,
    async token(user, client) {
      const { status, text } = await ask("POST", TOKEN_PATH, {
        body: { user, client, trusted: true },
      });
      if (status !== 200) throw new Error(`No token: ${status} ${text}`);
      return (JSON.parse(text) as { token: string }).token; // the route's own answer
    },
    remove,
  };
}

/** What was killed this moment may still write. */
const REMOVAL = { recursive: true, force: true, maxRetries: 10 } as const;

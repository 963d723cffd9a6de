/** A real server for a test: `npm start`'s own script, on a free port, with data and secrets of its own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const root = resolve(import.meta.dirname, "../../..");
/** A first start takes some 8 s on two idle cores. */
const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 10_000;
/** Names, in the environment, a data folder as a first start leaves it: each further first start would take 3 s longer. */
export const MIGRATED_STATE = "COFIO_MIGRATED_STATE";
/** The last line that `start` prints. */
const READY = "Ctrl+C stops it.";

export interface Server {
  readonly origin: string;
  readonly mcpUrl: string;
  readonly port: number;
  /** The data folder. A temporary one is removed by `stop`. */
  readonly state: string;
  /** The file in the form of .dev.vars. */
  readonly secrets: string;
  /** A personal access token of this user, who is created if needed. */
  token(user: string, scopes?: readonly string[]): Promise<string>;
  /** Ids of its processes, the start script's first. */
  processes(): number[];
  /** All that the server printed so far, over all its restarts. */
  logs(): string;
  /** Ends it as Ctrl+C does, and removes a temporary data folder. */
  stop(): Promise<void>;
  /** SIGKILL to every process at once, as when the machine fails. The data stays. */
  kill(): Promise<void>;
  /** On the same port and data, after `kill` or instead of it. */
  restart(): Promise<void>;
}

export interface StartOptions {
  /** Default: a new temporary folder. */
  readonly state?: string;
  /** Nothing is in the new folder yet: `start` itself makes secrets and tables. Otherwise they are there (before-all.ts). */
  readonly isFirst?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export async function startServer({
  state: givenState,
  isFirst = false,
  env = {},
}: StartOptions = {}): Promise<Server> {
  const state = givenState ?? (await mkdtemp(join(tmpdir(), "cofio-")));
  const migrated = process.env[MIGRATED_STATE];
  // Data is wrapped under the key beside it, so secrets of one's own go with data of one's own.
  const isOwn = givenState !== undefined || isFirst || env.COFIO_SECRETS !== undefined;
  if (migrated !== undefined && !isOwn) await cp(migrated, state, { recursive: true });
  const port = await freePort();
  const secrets = env.COFIO_SECRETS ?? join(state, ".dev.vars");
  const origin = `http://localhost:${port}`;
  let logs = "";
  let running = await launch();
  leftRunning.add(stopNow);

  function launch(): Promise<ChildProcess> {
    const started = spawnStart({
      PORT: String(port),
      COFIO_STATE: state,
      COFIO_SECRETS: secrets,
      COFIO_VERBOSE: "1",
      ...env,
    });
    return untilReady(started, (text) => {
      logs += text;
    });
  }
  function stopNow(): void {
    killTree(running);
  }
  async function kill(): Promise<void> {
    killTree(running);
    await untilClosed(running);
    // Until then workerd may still hold the port.
    while (processesOf(running).length > 0) await sleep(10);
  }
  return {
    origin,
    port,
    state,
    secrets,
    mcpUrl: `${origin}/mcp`,
    processes: () => processesOf(running),
    logs: () => logs,
    kill,
    async token(user, scopes) {
      const response = await fetch(`${origin}/local/token`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ user, scopes }),
      });
      if (!response.ok)
        throw new Error(
          `No token for ${user}: ${response.status} ${await response.text()}\n${logs}`,
        );
      return ((await response.json()) as { token: string }).token; // the route's own answer
    },
    async stop() {
      await end(running);
      leftRunning.delete(stopNow);
      if (givenState === undefined) await rm(state, { recursive: true, force: true });
    },
    async restart() {
      await kill();
      running = await launch();
    },
  };
}

/** Runs `start` to its end, for starts that fail. */
export async function runStart(
  env: Readonly<Record<string, string>>,
): Promise<{ code: number | null; output: string }> {
  const child = spawnStart(env);
  let output = "";
  child.stdout?.on("data", (chunk) => (output += String(chunk)));
  child.stderr?.on("data", (chunk) => (output += String(chunk)));
  const timer = setTimeout(() => killTree(child), START_TIMEOUT_MS);
  await untilClosed(child);
  clearTimeout(timer);
  return { code: child.exitCode, output };
}

/** A port that nobody uses now. Another process may take it before the server does; that start then fails, and says so. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((listening) => probe.listen(0, "localhost", listening));
  const address = probe.address();
  await promisify(probe.close.bind(probe))();
  if (address === null || typeof address === "string")
    throw new Error("A TCP server has an address with a port");
  return address.port;
}

/** What a test run that ends too early would leave behind. */
const leftRunning = new Set<() => void>();
process.on("exit", () => {
  for (const stopNow of leftRunning) stopNow();
});

function spawnStart(env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [join(root, "scripts/start.ts")], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function untilReady(child: ChildProcess, log: (text: string) => void): Promise<ChildProcess> {
  return new Promise((ready, fail) => {
    let output = "";
    const failWith = (why: string): void => {
      clearTimeout(timer);
      killTree(child);
      fail(new Error(`The server ${why}. It printed:\n${output}`));
    };
    const timer = setTimeout(
      () => failWith(`was not ready after ${START_TIMEOUT_MS / 1000} s`),
      START_TIMEOUT_MS,
    );
    const read = (chunk: unknown): void => {
      const text = String(chunk);
      output += text;
      log(text);
      if (!output.includes(READY)) return;
      clearTimeout(timer);
      child.removeAllListeners("exit");
      // Asked once while `start` lives, so that its group is known afterwards.
      processesOf(child);
      ready(child);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("exit", (code) => failWith(`ended with code ${code}`));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => killTree(child), STOP_TIMEOUT_MS);
  await untilClosed(child);
  clearTimeout(timer);
}

async function untilClosed(child: ChildProcess): Promise<void> {
  if (child.stdout?.closed === true && child.stderr?.closed === true) return;
  await new Promise((closed) => child.once("close", closed));
}

function killTree(child: ChildProcess): void {
  for (const pid of processesOf(child)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      // It ended between the listing and the signal.
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
}

/** The process group that `start` puts wrangler into: it stays when `start` is gone. */
const groups = new WeakMap<ChildProcess, number>();

/** The start script first, if it still runs, then wrangler and its children. */
function processesOf(start: ChildProcess): number[] {
  const listing = execFileSync("ps", ["-A", "-o", "pid=,ppid=,pgid=,stat="], { encoding: "utf8" });
  const alive = listing
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    // Zombies have ended; whoever started them has not looked yet.
    .filter(([, , , state = "Z"]) => !state.startsWith("Z"))
    .map(([pid, parent, group]) => ({
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
    }));
  const hasEnded = start.exitCode !== null || start.signalCode !== null;
  const leader = hasEnded
    ? undefined
    : alive.find((one) => one.parent === start.pid && one.pid === one.group);
  if (leader !== undefined) groups.set(start, leader.pid);
  const group = groups.get(start);
  return [
    ...alive.filter(({ pid }) => pid === start.pid && !hasEnded),
    ...alive.filter((one) => one.group === group),
  ].map(({ pid }) => pid);
}

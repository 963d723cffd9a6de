/** The program `cofio` as a person and an MCP client run it: real processes, with a data folder of their own. */
import { Client as ClientV2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as TransportV2 } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { execFile, execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text as readText } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { callsOf, type Call } from "./all-tools.ts";

const root = resolve(import.meta.dirname, "../../..");
export const programFile = join(root, "apps/cli/cofio.js");
/** Between two commands of a test nobody is there for longer than this only when the test is over. */
const IDLE_SECONDS = 20;
const STOP_TIMEOUT_MS = 30_000;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StdioClient {
  readonly call: Call;
  readonly tools: () => Promise<string[]>;
  readonly close: () => Promise<void>;
  /** SIGKILL, as when the client's machine takes it away. */
  readonly kill: () => void;
}

export interface ServedFolder {
  readonly path: string;
  /** What `server.json` says. */
  readonly server: () => { pid: number; port: number; token: string; enginePid: number };
  /** Processes that serve it, however many there are. */
  readonly hosts: () => number[];
  /** All processes that were ever started for it and live, workerd too. Known on Linux alone; elsewhere those of `hosts`. */
  readonly processes: () => number[];
  /** By which `processes` knows them, for those that a test starts itself. */
  readonly env: Readonly<Record<string, string>>;
  /** To its end. @param input what comes over stdin */
  readonly run: (args: readonly string[], input?: string | Uint8Array) => Promise<Finished>;
  readonly connectV1: (name: string) => Promise<StdioClient>;
  readonly connectV2: (name: string) => Promise<StdioClient>;
  /** Ends the server as the system would when it shuts down. */
  readonly stop: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** What is tested is what `npm ci` builds. */
export async function buildProgram(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(root, "scripts/build-cli.ts")], { cwd: root });
}

/** @param within where below a new folder it is: `.cofio/memory` is the default of one whose HOME that is */
export async function newFolder(within = "memory"): Promise<ServedFolder> {
  const parent = await mkdtemp(join(tmpdir(), "cofio-cli-"));
  const path = join(parent, within);
  const args = ["--db-path", path];
  const env = { COFIO_TEST_FOLDER: path };
  const server: ServedFolder["server"] = () =>
    JSON.parse(readFileSync(join(path, "server.json"), "utf8")); // in the shape of server-file.ts
  const hosts = () => processesWith(`host --db-path ${path} `);
  async function stop(): Promise<void> {
    for (const pid of hosts()) process.kill(pid, "SIGTERM");
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (hosts().length > 0 && Date.now() < deadline) await sleep(20);
    if (hosts().length > 0) throw new Error(`The server of ${path} does not end`);
  }
  const processes = () =>
    process.platform === "linux" ? processesInEnvironment(`COFIO_TEST_FOLDER=${path}\0`) : hosts();
  return {
    path,
    server,
    hosts,
    processes,
    env,
    stop,
    run: (command, input) => runProgram([...command, ...args], { input, env }),
    async connectV1(name) {
      const transport = new TransportV1({ ...program(args, env), stderr: "inherit" });
      const client = new ClientV1({ name, version: "1.0.0" });
      await client.connect(transport);
      return {
        call: callsOf(client),
        tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
        close: () => client.close(),
        kill: () => killProcess(transport.pid),
      };
    },
    async connectV2(name) {
      const transport = new TransportV2({ ...program(args, env), stderr: "inherit" });
      const client = new ClientV2(
        { name, version: "1.0.0" },
        { versionNegotiation: { mode: { pin: "2026-07-28" } } },
      );
      await client.connect(transport);
      return {
        call: callsOf(client),
        tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
        close: () => client.close(),
        kill: () => killProcess(transport.pid),
      };
    },
    async remove() {
      await stop();
      const left = processes();
      if (left.length > 0) throw new Error(`Left behind by ${path}: ${left.join(", ")}`);
      await rm(parent, { recursive: true, force: true });
    },
  };
}

/** Runs the program to its end, without a folder of its own. */
export async function runProgram(
  args: readonly string[],
  { input = "", env = {}, cwd = tmpdir(), file = programFile, user }: RunOptions = {},
): Promise<Finished> {
  const child = spawn(process.execPath, [file, ...args], {
    cwd,
    ...(user === undefined ? {} : { uid: user, gid: user }),
    env: { ...process.env, ...ownEnv, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // It may end without having read.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const ended = new Promise<number | null>((done) => child.once("exit", done));
  const [stdout, stderr] = await Promise.all([readText(child.stdout), readText(child.stderr)]);
  return { code: await ended, stdout, stderr };
}

interface RunOptions {
  readonly input?: string | Uint8Array | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Another one than that of this checkout. */
  readonly file?: string;
  /** Another one than the tests', which then are root's. */
  readonly user?: number | undefined;
}

const ownEnv = { COFIO_IDLE_SECONDS: String(IDLE_SECONDS) };

function program(args: readonly string[], folderEnv: Readonly<Record<string, string>>) {
  const env = Object.fromEntries(
    Object.entries({ ...process.env, ...ownEnv, ...folderEnv }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
  return { command: process.execPath, args: [programFile, ...args], env };
}

/** Living processes whose command line holds the text. */
function processesWith(text: string): number[] {
  const listing = execFileSync("ps", ["-A", "-o", "pid=,stat=,args="], {
    encoding: "utf8",
    maxBuffer: 16 * 1_048_576,
  });
  return listing
    .split("\n")
    .filter((line) => line.includes(text))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, state = "Z"]) => !state.startsWith("Z"))
    .map(([pid]) => Number(pid));
}

/** Processes that were started with this in their environment. One that has ended and waits for its parent has none. */
function processesInEnvironment(entry: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").includes(entry);
      } catch {
        // It has just ended, or is another user's.
        return false;
      }
    })
    .map(Number);
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request to this machine under any Host: `fetch` lets nobody choose it, and Node finds names in `.localhost` on some systems only. */
export function ask(
  address: string,
  { headers, body, ...options }: AskOptions = {},
): Promise<Answered> {
  const { host, port, pathname, search } = new URL(address);
  return new Promise((done, fail) => {
    const asked = request(
      {
        ...options,
        host: "127.0.0.1",
        port,
        path: `${pathname}${search}`,
        headers: { host, ...headers },
        agent: false,
      },
      (response) => {
        readText(response).then(
          (text) => done({ status: response.statusCode ?? 0, headers: response.headers, text }),
          fail,
        );
      },
    );
    asked.on("error", fail).end(body);
  });
}

export function isRunning(pid: number): boolean {
  return processesWith("").includes(pid);
}

/** A process that was killed may hold its sockets for a moment longer. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => done(false));
  });
}

function killProcess(pid: number | null): void {
  if (pid !== null) process.kill(pid, "SIGKILL");
}

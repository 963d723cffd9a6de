/** The Worker on workerd, on this machine. miniflare plays what Cloudflare offers beside it (D1, R2, KV, Workflows), as it does for wrangler. */
import { type ChildProcess, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { END_SIGNALS } from "./end-signals.ts";
import { type Folder, type Keys, readIfThere } from "./folder.ts";
import { KEY_HEADER, PREPARE_PATH, TOKEN_PATH } from "./inner-door.ts";
import type { LocalClient } from "./local-client.ts";
import { assetsFolder, type Plan, workerFile } from "./plan.ts";

/** Whose memory it is: of one folder, one person. The id of an account follows from it, the same in every folder. */
const LOCAL_USER = "owner";

export interface Engine {
  /** Of workerd, on 127.0.0.1. Its Worker answers to `key` alone. */
  readonly port: number;
  readonly key: string;
  /** Ends workerd at once. Nothing is lost: what was answered is on the disk. */
  stop(): Promise<void>;
}

/** A process that was killed is gone within milliseconds, unless the system has no time for it. */
const KILL_TIMEOUT_MS = 10_000;
const POLL_MS = 10;

interface EngineOptions {
  readonly plan: Plan;
  readonly keys: Keys;
  /** What the Worker takes for its address. */
  readonly origin: string;
  /** workerd is there, which outlives this process if that is killed. */
  readonly onSpawn: (pid: number) => void;
  /** workerd ended by itself. */
  readonly onCrash: () => void;
}

/** Leaves no process behind when it fails. */
export async function startEngine(
  { data }: Folder,
  { plan, keys, origin, onSpawn, onCrash }: EngineOptions,
): Promise<Engine> {
  // Loaded here because it takes half a second, and most commands run no engine.
  const { convertV4MiniflareOptions, Log, LogLevel, Miniflare } = await import("miniflare");
  const key = randomBytes(32).toString("hex");
  const sameName = (bindings: readonly string[]) =>
    Object.fromEntries(bindings.map((name) => [name, { id: name }]));
  const options = convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    log: new Log(LogLevel.ERROR),
    // No request leaves the machine, and nothing shows or records what is stored.
    cf: false,
    telemetry: { enabled: false },
    unsafeLocalExplorer: false,
    unsafeObservability: false,
    resourcePersistencePath: data,
    workers: [
      {
        // Names a folder of the objects' data.
        name: "cofio",
        modules: [{ type: "ESModule", path: workerFile }],
        // Else names within the Worker would depend on the folder in which this process was started.
        modulesRoot: dirname(workerFile),
        compatibilityDate: plan.compatibilityDate,
        compatibilityFlags: plan.compatibilityFlags,
        bindings: {
          ...plan.vars,
          ...keys,
          // Asked for anywhere but on loopback.
          SETUP_CODE: "",
          PUBLIC_ORIGIN: origin,
          SIGN_UP: "owner",
          LOCAL_TOKENS: "1",
          // Nothing on this machine is metered, and nobody else waits for it.
          PLAN: "paid",
          LIMITS: "none",
          LOCAL_KEY: key,
          LOCAL_USER,
          MIGRATIONS: plan.migrations,
        },
        durableObjects: Object.fromEntries(
          plan.objects.map(([name, className]) => [name, { className, useSQLite: true }]),
        ),
        workflows: Object.fromEntries(
          plan.workflows.map(([binding, name, className]) => [binding, { name, className }]),
        ),
        kvNamespaces: sameName(plan.kv),
        r2Buckets: sameName(plan.r2),
        d1Databases: sameName(plan.d1),
        assets: {
          directory: assetsFolder,
          binding: plan.assets.binding,
          routerConfig: {
            has_user_worker: true,
            static_routing: {
              user_worker: plan.assets.workerPaths,
              asset_worker: plan.assets.filePaths,
            },
          },
        },
      },
    ],
  });
  let workerd: ChildProcess | undefined;
  const seen = (message: unknown) => {
    const { process: child } = message as { process: ChildProcess }; // as Node documents this channel
    child.once("spawn", () => {
      if (child.pid === undefined || !child.spawnfile.includes("workerd")) return;
      workerd = child;
      onSpawn(child.pid);
    });
  };
  subscribe("child_process", seen);
  const handlers = END_SIGNALS.map((signal) => [signal, process.listeners(signal)] as const);
  const miniflare = new Miniflare(options);
  // It would end the process at once on a signal, in the middle of what the host does then.
  for (const [signal, own] of handlers) {
    for (const handler of process.listeners(signal)) {
      if (!own.includes(handler)) process.off(signal, handler);
    }
  }
  try {
    const { port } = await miniflare.ready;
    workerd?.once("exit", onCrash);
    return {
      port: Number(port),
      key,
      stop: () => {
        workerd?.off("exit", onCrash);
        return miniflare.dispose();
      },
    };
  } catch (error) {
    // It ends what it began, and then fails for the same reason.
    await miniflare.dispose().catch(() => {});
    throw error;
  } finally {
    unsubscribe("child_process", seen);
  }
}

/** Ends a workerd that outlived its process, and returns when it writes no more. */
export async function endEngine(pid: number): Promise<void> {
  if (!isEngine(pid)) return;
  process.kill(pid, "SIGKILL");
  for (const deadline = Date.now() + KILL_TIMEOUT_MS; isEngine(pid); await sleep(POLL_MS)) {
    if (Date.now() > deadline) throw new Error(`workerd (process ${pid}) does not end`);
  }
}

/** Whether this process is workerd and lives: the number of one that ended may be another's by now. */
function isEngine(pid: number): boolean {
  return /workerd(?:\S* serve |\.exe)/u.test(commandOf(pid));
}

/** Empty: there is no such process. */
function commandOf(pid: number): string {
  // Small images have no `ps`.
  if (process.platform === "linux") {
    return (readIfThere(`/proc/${pid}/cmdline`) ?? "").replaceAll("\0", " ");
  }
  const [program, ...args] =
    process.platform === "win32"
      ? (["tasklist", "/NH", "/FI", `PID eq ${pid}`] as const)
      : (["ps", "-p", String(pid), "-o", "args="] as const);
  const { stdout, error } = spawnSync(program, args, { encoding: "utf8" });
  if (error !== undefined) throw error;
  return stdout;
}

/** Brings the database up to date. */
export async function prepare(engine: Engine): Promise<void> {
  const response = await ask(engine, PREPARE_PATH, {});
  if (!response.ok) {
    throw new Error(`The database could not be brought up to date: ${await response.text()}`);
  }
}

/** The Worker's own token for a client, in whose name it acts from now on. */
export async function newToken(engine: Engine, { name, trusted }: LocalClient): Promise<string> {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const body = { user: LOCAL_USER, client: name, trusted, timeZone };
  const response = await ask(engine, TOKEN_PATH, body);
  if (!response.ok) throw new Error(`No token for a client: ${await response.text()}`);
  return ((await response.json()) as { token: string }).token; // the route's own answer
}

function ask({ port, key }: Engine, path: string, body: unknown): Promise<Response> {
  return fetch(`http://localhost:${port}${path}`, {
    method: "POST",
    headers: { [KEY_HEADER]: key, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

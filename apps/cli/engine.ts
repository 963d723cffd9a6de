/** The Worker on workerd, on this machine. miniflare plays what Cloudflare offers beside it (D1, R2, KV, Workflows), as it does for wrangler. */
import { type ChildProcess, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { dirname } from "node:path";
import type { Folder, Keys } from "./folder.ts";
import { KEY_HEADER, PREPARE_PATH, TOKEN_PATH } from "./inner-door.ts";
import { assetsFolder, type Plan, workerFile } from "./plan.ts";

/** Whose memory it is: of one folder, one person. The id of an account follows from it, the same in every folder. */
const LOCAL_USER = "owner";

export interface Engine {
  /** Of workerd, on 127.0.0.1. Its Worker answers to `key` alone. */
  readonly port: number;
  readonly key: string;
  /** Of workerd, which outlives this process if that is killed. */
  readonly pid: number | null;
  /** Ends workerd at once. Nothing is lost: what was answered is on the disk. */
  stop(): Promise<void>;
}

interface EngineOptions {
  readonly plan: Plan;
  readonly keys: Keys;
  /** What the Worker takes for its address. */
  readonly origin: string;
  /** workerd ended by itself. */
  readonly onCrash: () => void;
}

export async function startEngine(
  { data }: Folder,
  { plan, keys, origin, onCrash }: EngineOptions,
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
          // Nothing on this machine is metered.
          PLAN: "paid",
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
  const children: ChildProcess[] = [];
  const seen = (message: unknown) => {
    children.push((message as { process: ChildProcess }).process); // as Node documents this channel
  };
  subscribe("child_process", seen);
  const miniflare = new Miniflare(options);
  const { port } = await miniflare.ready;
  unsubscribe("child_process", seen);
  const workerd = children.find(({ spawnfile }) => spawnfile.includes("workerd"));
  workerd?.once("exit", onCrash);
  return {
    port: Number(port),
    key,
    pid: workerd?.pid ?? null,
    stop: () => {
      workerd?.off("exit", onCrash);
      return miniflare.dispose();
    },
  };
}

/** Whether this process is workerd: the number of one that ended may be another's by now. */
export function isEngine(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-p", String(pid), "-o", "args="], { encoding: "utf8" });
  return /workerd\S* serve /u.test(stdout ?? "");
}

/** Brings the database up to date. */
export async function prepare(engine: Engine): Promise<void> {
  const response = await ask(engine, PREPARE_PATH, {});
  if (!response.ok) {
    throw new Error(`The database could not be brought up to date: ${await response.text()}`);
  }
}

/** The Worker's own token for a client, in whose name it acts from now on. */
export async function newToken(
  engine: Engine,
  { client, trusted }: { readonly client: string; readonly trusted: boolean },
): Promise<string> {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const response = await ask(engine, TOKEN_PATH, { user: LOCAL_USER, client, trusted, timeZone });
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

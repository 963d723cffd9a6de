/** How every script calls wrangler: without questions, metrics or a look at the network. */
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "..");
export const wranglerBin = join(root, "node_modules/wrangler/bin/wrangler.js");

/** For commands that talk to Cloudflare. */
export const onlineEnv = {
  ...process.env,
  // Hides the banner, and with it the question to npm whether a newer wrangler exists.
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  // Debug logs would land in the home directory, and they quote what the Worker prints.
  WRANGLER_WRITE_LOGS: "false",
};

/** For commands that work on this machine alone. */
export const offlineEnv = {
  ...onlineEnv,
  // Miniflare otherwise fetches a sample of `request.cf` at each start.
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  // A page of wrangler's that shows the local databases to whoever opens it.
  X_LOCAL_EXPLORER: "false",
  // And the record of requests and log lines that it would keep.
  X_LOCAL_OBSERVABILITY: "false",
};

export interface Finished {
  readonly code: number;
  /** Both streams, in the order in which they came. */
  readonly output: string;
  readonly stdout: string;
}

/** Runs a wrangler command to its end. Without a terminal wrangler asks nothing and takes its defaults. */
export function wrangler(
  args: readonly string[],
  { env = offlineEnv, echo = false }: { env?: NodeJS.ProcessEnv; echo?: boolean } = {},
): Promise<Finished> {
  const child = spawn(process.execPath, [wranglerBin, ...args], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    stdout += text;
    if (echo) process.stdout.write(text);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (echo) process.stderr.write(text);
  });
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code) => {
      done({ code: code ?? 1, output, stdout });
    });
  });
}

/**
 * `npm run clients [-- --online] [FILE…]`: the programs of test/clients/, which nobody here wrote, against a local server.
 * They are installed there, 2 GB, and run where nothing but this machine can be reached. `--online`: where no such network can be made,
 * with only a proxy variable that keeps them from their makers' servers.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./wrangler.ts";

const folder = join(root, "test/clients");

const isOnline = process.argv.includes("--online");
/** A network of its own, in which there is only the loopback: Linux, where a user may make one. */
const ALONE = ["--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
const canBeAlone = spawnSync("unshare", [...ALONE, "true"]).status === 0;
if (!canBeAlone && !isOnline) {
  console.error(
    "No network of its own can be made here. Programs that nobody here wrote would reach the internet: `npm run clients -- --online` lets them.",
  );
  process.exit(1);
}

// As the lockfile says, which lacks some clients' programs for other systems than Linux: `npm ci` would refuse it.
run("npm", ["install", "--no-save", "--no-audit", "--no-fund"], folder);
run(process.execPath, ["scripts/chromium.ts"]);
const vitest = [
  process.execPath,
  join(root, "node_modules/vitest/vitest.mjs"),
  "run",
  "--config",
  join(folder, "vitest.config.ts"),
  ...process.argv.slice(2).filter((given) => given !== "--online"),
];
if (canBeAlone) {
  run("unshare", [...ALONE, ...vitest]);
} else {
  const [command = "", ...args] = vitest;
  run(command, args);
}

function run(command: string, args: readonly string[], cwd: string = root): void {
  const { status, error } = spawnSync(command, args, { cwd, stdio: "inherit" });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

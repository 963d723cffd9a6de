/**
 * `npm run deploy` without Cloudflare: a copy of the checkout whose wrangler only notes what it is told, and whose deployed address is answered
 * by a real local server.
 */
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text as readText } from "node:stream/consumers";
import type { Server } from "./server.ts";

const root = resolve(import.meta.dirname, "../../..");
export const DEPLOYED_ORIGIN = "https://cofio.someone.workers.dev";

/** What the account holds. */
export interface Account {
  readonly isDeployed: boolean;
  readonly secrets: Readonly<Record<string, string>>;
  readonly vars: readonly string[];
}

export interface Checkout {
  readonly path: string;
  /** What wrangler was told in the last run: its first words, and variables. */
  readonly told: () => Promise<string[]>;
  readonly account: () => Promise<Account>;
  readonly setAccount: (account: Account) => Promise<void>;
  readonly deploy: (
    args?: readonly string[],
    env?: Readonly<Record<string, string>>,
  ) => Promise<{ code: number | null; stdout: string; stderr: string }>;
  readonly remove: () => Promise<void>;
}

const WRANGLER = `
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
const args = process.argv.slice(2);
const account = JSON.parse(readFileSync("account.json", "utf8"));
const after = (name) => args.flatMap((arg, index) => (arg === name ? [args[index + 1]] : []));
const options = args.findIndex((arg) => arg.startsWith("-"));
appendFileSync("told.txt", [...args.slice(0, options === -1 ? args.length : options), ...after("--var")].join(" ") + "\\n");
if (args[0] === process.env.FAILING) { console.error("It did not work."); process.exit(1); }
if (args[0] === "secret") {
  if (!account.isDeployed) { console.error('Worker "cofio" not found.'); process.exit(1); }
  console.log(JSON.stringify(Object.keys(account.secrets).map((name) => ({ name, type: "secret_text" }))));
}
if (args[0] === "deploy") {
  const [file] = after("--secrets-file");
  const secrets = file === undefined ? {} : JSON.parse(readFileSync(file, "utf8"));
  const next = { isDeployed: true, secrets: { ...account.secrets, ...secrets }, vars: after("--var") };
  writeFileSync("account.json", JSON.stringify(next));
  const line = { type: "deploy", targets: ["${DEPLOYED_ORIGIN}"] };
  writeFileSync(process.env.WRANGLER_OUTPUT_FILE_PATH, JSON.stringify(line) + "\\n");
}
`;

/** Offline the server cannot read the documents of clients that are known by one; deployed it can. */
const NETWORK = (origin: string): string => `
const [deployed, local] = ["${DEPLOYED_ORIGIN}", "${origin}"];
const rename = (text, from, to) => text.replaceAll(from, to).replaceAll(encodeURIComponent(from), encodeURIComponent(to));
const unguarded = globalThis.fetch;
globalThis.fetch = async (input, init = {}) => {
  const url = String(input);
  if (new URL(url).origin !== deployed) throw new TypeError("fetch failed");
  if (url.includes("client_id=https")) return new Response(null, { status: 302, headers: { location: "/sign-in" } });
  const body = typeof init.body === "string" ? rename(init.body, deployed, local) : undefined;
  const response = await unguarded(rename(url, deployed, local), { ...init, body });
  const headers = [...response.headers].map(([name, value]) => [name, rename(value, local, deployed)]);
  const isEmpty = [204, 304].includes(response.status);
  return new Response(isEmpty ? null : rename(await response.text(), local, deployed), { status: response.status, headers });
};
`;

export async function newCheckout(server: Server): Promise<Checkout> {
  const path = await mkdtemp(join(tmpdir(), "cofio-checkout-"));
  for (const part of ["scripts", "apps", "src", "package.json"]) {
    await cp(join(root, part), join(path, part), { recursive: true });
  }
  await mkdir(join(path, "node_modules/wrangler/bin"), { recursive: true });
  await symlink(join(root, "node_modules/zod"), join(path, "node_modules/zod"));
  await writeFile(join(path, "node_modules/wrangler/package.json"), '{"type":"module"}');
  await writeFile(join(path, "node_modules/wrangler/bin/wrangler.js"), WRANGLER);
  const network = join(path, "network.mjs");
  await writeFile(network, NETWORK(server.origin));
  const accountFile = join(path, "account.json");
  const setAccount = (account: Account) => writeFile(accountFile, JSON.stringify(account));
  await setAccount({ isDeployed: false, secrets: {}, vars: [] });
  const toldFile = join(path, "told.txt");

  return {
    path,
    setAccount,
    account: async () => JSON.parse(await readFile(accountFile, "utf8")), // in the shape that the double writes
    told: async () => (await readFile(toldFile, "utf8")).trim().split("\n"),
    async deploy(args = [], env = {}) {
      await rm(toldFile, { force: true });
      const script = join(path, "scripts/deploy.ts");
      const child = spawn(process.execPath, ["--import", network, script, ...args], {
        cwd: path,
        env: { ...process.env, WORKERS_CI: "", COFIO_ORIGIN: "", ...env },
      });
      const ended = new Promise<number | null>((done) => child.once("exit", done));
      const [stdout, stderr] = await Promise.all([readText(child.stdout), readText(child.stderr)]);
      return { code: await ended, stdout, stderr };
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

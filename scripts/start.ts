/** `npm start`: Cofio on this machine, with its data in a folder. Needs no account and no network. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { providerProblems } from "../src/auth/identity/providers.ts";
import {
  fail,
  isDefaultSecretsFile,
  origin,
  port,
  secretsFile,
  type Stamp,
  stampFile,
  stateFolder,
  vaultKeyHashOf,
} from "./local.ts";
import {
  addSecrets,
  generateSecret,
  OPTIONAL_SECRET_NAMES,
  readSecrets,
  SECRET_NAMES,
} from "./secrets.ts";
import { offlineEnv, root, wrangler, wranglerBin } from "./wrangler.ts";

/** Arbitrary: ten times what a first start takes on two cores. */
const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 50;
/** How long wrangler may take to end by itself. It takes 0.1 s. */
const STOP_TIMEOUT_MS = 3_000;
/** A first answer took 2 s on two cores. */
const ANSWER_TIMEOUT_MS = 5_000;
/** An error's lines come one after the other. Arbitrary. */
const ERROR_LINES_MS = 200;

const isVerbose = process.env.COFIO_VERBOSE === "1";
const migrationsFolder = join(root, "migrations");

let isReady = false;
let startLog = "";

prepareStateFolder();
const vaultKeyHash = prepareSecrets();
await refuseTakenPort();
await applyMigrations();
const server = serve();
await waitUntilReady();
console.log(nextSteps());

function prepareStateFolder(): void {
  try {
    mkdirSync(stateFolder, { recursive: true });
    accessSync(stateFolder, constants.W_OK | constants.X_OK);
  } catch (error) {
    fail(
      `The data folder ${stateFolder} cannot be written (${codeOf(error)}). Choose another one: COFIO_STATE=/some/folder npm start`,
    );
  }
}

/** Makes the secrets that .dev.vars lacks. @returns the hash of the key that the data is wrapped under */
function prepareSecrets(): string {
  const secrets = readSecrets(secretsFile);
  const stamp = readStamp();
  const shown = relative(root, secretsFile);
  if (stamp !== null && !secrets.has("VAULT_KEY")) {
    // A fresh key would start, and then fail at each memory that is already there.
    fail(
      `VAULT_KEY is missing in ${shown}, but ${stateFolder} holds data encrypted under it. Put the key back, or start afresh: COFIO_STATE=/some/folder npm start`,
    );
  }
  const missing = new Map<string, string>(
    SECRET_NAMES.filter((name) => !secrets.has(name)).map((name) => [name, generateSecret(name)]),
  );
  if (!secrets.has("LOCAL_TOKENS")) missing.set("LOCAL_TOKENS", "1");
  try {
    addSecrets(secretsFile, missing);
  } catch (error) {
    fail(
      `${secretsFile} cannot be written (${codeOf(error)}): it keeps the secrets of the local server.`,
    );
  }
  // A deployment goes on without a provider that is half set up; here whoever set it up is looking.
  const [problem] = providerProblems({ PUBLIC_ORIGIN: origin, ...Object.fromEntries(secrets) });
  if (problem !== undefined) fail(`${shown}: ${problem}.`);
  const vaultKey = missing.get("VAULT_KEY") ?? secrets.get("VAULT_KEY") ?? "";
  // While it is changed there are two: the new one, and the one before.
  const [hash = "", ...others] = vaultKey.split(",").map(vaultKeyHashOf);
  if (stamp === null || stamp.vaultKeyHash === hash) return hash;
  if (!others.includes(stamp.vaultKeyHash)) {
    fail(
      `The data in ${stateFolder} is encrypted under another VAULT_KEY than the one in ${shown}. Put that key back, or start afresh: COFIO_STATE=/some/folder npm start`,
    );
  }
  // Until `npm run rotate` finds nobody left under it.
  return stamp.vaultKeyHash;
}

function refuseTakenPort(): Promise<void> {
  return new Promise((free) => {
    const probe = createServer();
    probe.once("error", (error) => {
      fail(
        `Port ${port} cannot be used (${codeOf(error)}). Stop what listens there, or choose another: PORT=26347 npm start`,
      );
    });
    probe.listen(port, "localhost", () => probe.close(() => free()));
  });
}

/** wrangler takes two seconds to find that nothing is to be done: the stamp knows it at once. */
async function applyMigrations(): Promise<void> {
  const migrations = readdirSync(migrationsFolder)
    .filter((name) => name.endsWith(".sql"))
    .sort();
  const applied = readStamp()?.migrations;
  if (applied?.join() === migrations.join()) return;
  const { code, output } = await wrangler([
    "d1",
    "migrations",
    "apply",
    "DB",
    "--local",
    "--persist-to",
    stateFolder,
  ]);
  if (code !== 0)
    fail(
      `${output}\nThe database in ${stateFolder} could not be brought up to date; the lines above say why.`,
    );
  writeFileSync(stampFile, JSON.stringify({ migrations, vaultKeyHash } satisfies Stamp));
}

function serve(): ChildProcess {
  const args = ["dev", "--local", "--persist-to", stateFolder, "--port", String(port)];
  // Port 0 is any free one: two servers run side by side.
  args.push("--inspector-port", "0", "--show-interactive-dev-session=false");
  // Nothing on this machine is metered, and nobody else waits for it.
  args.push("--var", "PLAN:paid", "--var", "LIMITS:none");
  args.push("--var", `PUBLIC_ORIGIN:${origin}`, "--log-level", isVerbose ? "log" : "error");
  if (!isDefaultSecretsFile) args.push("--env-file", secretsFile);
  args.push(...configOfOptionalSecrets());
  const preload = join(import.meta.dirname, "end-with-parent.ts");
  const child = spawn(process.execPath, ["--import", preload, wranglerBin, ...args], {
    cwd: root,
    // Its registry of running Workers is for several that call each other; two Cofios must not meet there.
    env: { ...offlineEnv, WRANGLER_REGISTRY_PATH: join(stateFolder, "registry") },
    // stdin is the line that end-with-parent.ts watches.
    stdio: ["pipe", "pipe", "pipe"],
    // A group of its own, so that ending it reaches workerd and not the shell.
    detached: true,
  });
  pass(child.stdout, process.stdout);
  pass(child.stderr, process.stderr);
  child.on("exit", (code) => {
    fail(`${isReady ? "" : startLog}\nThe server ended by itself (exit code ${code}).`);
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => void stop(child, 0));
  return child;
}

/**
 * wrangler hands on only those lines of .dev.vars that its configuration requires, and what it requires no deployment could do without.
 * So a server that is given more reads a copy of the configuration, beside it because paths in it are relative.
 */
function configOfOptionalSecrets(): string[] {
  const given = readSecrets(secretsFile);
  const names = OPTIONAL_SECRET_NAMES.filter((name) => (given.get(name) ?? "") !== "");
  if (names.length === 0) return [];
  const config = readFileSync(join(root, "wrangler.jsonc"), "utf8");
  const required = [...SECRET_NAMES, ...names];
  const copy = join(root, `.wrangler-${port}.jsonc`);
  writeFileSync(
    copy,
    config.replace(/"required": \[[^\]]*\]/, `"required": ${JSON.stringify(required)}`),
  );
  process.once("exit", () => rmSync(copy, { force: true }));
  return ["--config", copy];
}

/** Before the server is ready its output is kept back, and shown only if that never happens. */
function pass(from: Readable, to: Writable): void {
  from.setEncoding("utf8").on("data", (text: string) => {
    if (!isReady) startLog += text;
    if (isReady || isVerbose) to.write(text);
  });
}

async function waitUntilReady(): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline) {
    // After a failed build wrangler keeps a request waiting for the next build.
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    // Else an error comes as a page that takes seconds to make.
    const headers = { accept: "text/plain" };
    const response = await fetch(`${origin}/healthz`, { signal, headers }).catch(() => null);
    if (response?.ok === true) {
      isReady = true;
      return;
    }
    if (response !== null) {
      // wrangler answers for a Worker that throws. The first line is the message, such as that of a malformed secret.
      const [message] = (await response.text()).split("\n");
      await giveUp(`Cofio cannot start: ${message}`);
    }
    if (stripVTControlCharacters(startLog).includes("[ERROR]")) {
      await sleep(ERROR_LINES_MS);
      await giveUp(`${startLog}\nCofio cannot start; the lines above say why.`);
    }
    await sleep(POLL_MS);
  }
  await giveUp(
    `${startLog}\nCofio did not answer on ${origin} within ${READY_TIMEOUT_MS / 1000} s.`,
  );
}

function giveUp(sentence: string): Promise<never> {
  console.error(sentence);
  return stop(server, 1);
}

async function stop(child: ChildProcess, exitCode: number): Promise<never> {
  child.removeAllListeners("exit");
  const ended = new Promise((done) => child.once("exit", done));
  signalGroup(child, "SIGTERM");
  await Promise.race([ended, sleep(STOP_TIMEOUT_MS)]);
  signalGroup(child, "SIGKILL");
  process.exit(exitCode);
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // The group is gone already.
    if (codeOf(error) !== "ESRCH") throw error;
  }
}

function nextSteps(): string {
  const portPrefix = process.env.PORT === undefined ? "" : `PORT=${port} `;
  return `
Cofio is running. Its data is in ${stateFolder}

  Page      ${origin}
  MCP URL   ${origin}/mcp

Connect Claude Code:
  claude mcp add --transport http --scope user cofio ${origin}/mcp

A token for scripts, without a browser (Authorization: Bearer …), of a local user apart from the account on the page:
  ${portPrefix}npm run --silent token -- --user test

Ctrl+C stops it.`;
}

function readStamp(): Stamp | null {
  // Without databases there is nothing that the stamp could speak of.
  if (!existsSync(stampFile) || !existsSync(join(stateFolder, "v3/d1"))) return null;
  return JSON.parse(readFileSync(stampFile, "utf8")) as Stamp; // written by applyMigrations and rotate alone
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

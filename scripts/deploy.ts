/**
 * `npm run deploy`: a Cofio of one's own on Cloudflare, and every later version of it. Safe to repeat: what exists is kept.
 * `npm run deploy -- --dry-run` builds and checks without an account or a network.
 *
 * Only the dry run has been run so far. What talks to Cloudflare follows wrangler's documentation and source, and is unconfirmed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { fail } from "./local.ts";
import {
  addSecrets,
  generateSecret,
  readSecrets,
  SECRET_NAMES,
  type SecretName,
} from "./secrets.ts";
import { onlineEnv, root, wrangler } from "./wrangler.ts";

/** Both are git-ignored. The origin must stay the same, because every grant is bound to it. */
const originFile = join(root, ".cofio-deploy.json");
/** Kept until the person deletes it: a deployment that stops half-way must not lose the key. */
const madeSecretsFile = join(root, ".cofio-deploy.secrets");
/** A new workers.dev name takes a while until it answers. Arbitrary. */
const HEALTH_TIMEOUT_MS = 120_000;
const HEALTH_POLL_MS = 2_000;

const { values: options } = parseArgs({
  options: {
    origin: { type: "string" },
    move: { type: "boolean", default: false },
    "dry-run": { type: "boolean", default: false },
  },
});
const chosenOrigin = options.origin === undefined ? readOrigin() : checkOrigin(options.origin);

const knownOrigin = readOrigin();
if (
  knownOrigin !== null &&
  chosenOrigin !== null &&
  knownOrigin !== chosenOrigin &&
  !options.move
) {
  fail(
    `This Cofio lives at ${knownOrigin}. At ${chosenOrigin} no passkey of it would work, and every client would have to connect again. If that is meant, add --move.`,
  );
}

if (options["dry-run"]) await dryRun();
else await deploy();

async function dryRun(): Promise<void> {
  const { code } = await wrangler(deployArgs(chosenOrigin, ["--dry-run"]), { echo: true });
  if (code !== 0) fail("The Worker does not build; the lines above say why.");
  console.log(`
A deployment would now
  - create the D1 database, the R2 bucket and the KV namespace, if they are missing
  - make the secrets that the Worker lacks, of ${SECRET_NAMES.join(", ")}
  - upload the Worker, with PUBLIC_ORIGIN ${chosenOrigin ?? "as its workers.dev address turns out"}
  - apply the migrations, ask /healthz, and print the address and the set-up code`);
}

async function deploy(): Promise<void> {
  await requireSignIn();
  const present = await listSecrets();
  if (present !== null && chosenOrigin === null) {
    return fail(
      "A Cofio is deployed already, and this folder does not know its address. Say it: npm run deploy -- --origin https://…",
    );
  }
  const missing = SECRET_NAMES.filter((name) => present?.has(name) !== true);
  const made = makeSecrets(missing);
  // Migrations only add, so the running version works on the newer tables, and not the other way round.
  // Before the first deployment there is no database to apply them to.
  if (present !== null) await migrate();
  const address = await upload(chosenOrigin, made);
  const origin = chosenOrigin ?? address;
  if (origin === null) {
    return fail(
      "The Worker is uploaded, but it has no workers.dev address. Add a route to wrangler.jsonc, then: npm run deploy -- --origin https://…",
    );
  }
  writeFileSync(originFile, JSON.stringify({ origin }));
  // Until now it was told no address and refused every request.
  if (chosenOrigin === null) await upload(origin, made);
  if (present === null) await migrate();
  await untilHealthy(origin);
  console.log(nextSteps(origin, made));
}

async function requireSignIn(): Promise<void> {
  const { code } = await wrangler(["whoami", "--json"], { env: onlineEnv });
  if (code !== 0)
    fail(
      "wrangler is not signed in to Cloudflare: run `npm exec wrangler login`, or set CLOUDFLARE_API_TOKEN.",
    );
}

/** @returns null before the first deployment */
async function listSecrets(): Promise<ReadonlySet<string> | null> {
  const { code, output, stdout } = await wrangler(["secret", "list", "--format", "json"], {
    env: onlineEnv,
  });
  if (code === 0) {
    const secrets = JSON.parse(stdout) as { name: string }[]; // what --format json prints
    return new Set(secrets.map(({ name }) => name));
  }
  // Any other failure must not look like "no secrets": a second VAULT_KEY would make all data unreadable.
  if (/Worker ".*" not found/.test(output)) return null;
  return fail(`${output}\nThe deployment's secrets could not be listed; the lines above say why.`);
}

/** One that an interrupted deployment made is used again. */
function makeSecrets(missing: readonly SecretName[]): ReadonlyMap<string, string> {
  const kept = readSecrets(madeSecretsFile);
  const made = new Map(missing.map((name) => [name, kept.get(name) ?? generateSecret(name)]));
  addSecrets(madeSecretsFile, new Map([...made].filter(([name]) => !kept.has(name))));
  return made;
}

/** @returns the Worker's https address on workers.dev, or null if it has none */
async function upload(
  origin: string | null,
  secrets: ReadonlyMap<string, string>,
): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), "cofio-deploy-"));
  try {
    const report = join(folder, "report.ndjson");
    // JSON, because wrangler would let a variable of the shell win over a .env line.
    const secretsFile = join(folder, "secrets.json");
    writeFileSync(secretsFile, JSON.stringify(Object.fromEntries(secrets)), { mode: 0o600 });
    const args = deployArgs(origin, secrets.size > 0 ? ["--secrets-file", secretsFile] : []);
    const env = { ...onlineEnv, WRANGLER_OUTPUT_FILE_PATH: report };
    const { code } = await wrangler(args, { env, echo: true });
    if (code !== 0)
      fail(
        "The deployment failed; the lines above say why. (R2 must be enabled once per account, in Cloudflare's dashboard.)",
      );
    return workersDevAddress(readFileSync(report, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function deployArgs(origin: string | null, more: readonly string[]): string[] {
  const vars = origin === null ? [] : ["--var", `PUBLIC_ORIGIN:${origin}`];
  return ["deploy", "--minify", ...vars, ...more];
}

/** `report`: one JSON object a line, of which wrangler's `deploy` line names where the Worker answers. */
function workersDevAddress(report: string): string | null {
  for (const line of report.trim().split("\n")) {
    const { type, targets = [] } = JSON.parse(line) as { type: string; targets?: string[] }; // wrangler's documented format
    const found =
      type === "deploy" ? targets.find((target) => target.endsWith(".workers.dev")) : undefined;
    if (found !== undefined) return new URL(found).origin;
  }
  return null;
}

async function migrate(): Promise<void> {
  const { code } = await wrangler(["d1", "migrations", "apply", "DB", "--remote"], {
    env: onlineEnv,
    echo: true,
  });
  if (code !== 0)
    fail(
      "The migrations could not be applied; the lines above say why. Repeat with: npm run deploy",
    );
}

async function untilHealthy(origin: string): Promise<void> {
  const deadline = Date.now() + HEALTH_TIMEOUT_MS;
  let last = "no answer";
  while (Date.now() < deadline) {
    // A name that does not resolve yet is the usual case just after the first deployment.
    const response = await fetch(`${origin}/healthz`).catch(() => null);
    if (response?.ok === true) return;
    if (response !== null) last = `status ${response.status}`;
    await sleep(HEALTH_POLL_MS);
  }
  fail(
    `It is deployed, but ${origin}/healthz does not say ok (${last}). \`npm exec wrangler tail\` shows what the Worker says.`,
  );
}

function nextSteps(origin: string, made: ReadonlyMap<string, string>): string {
  const code = made.get("SETUP_CODE");
  const lines = [
    "",
    `Cofio is deployed.`,
    "",
    `  Page          ${origin}`,
    `  MCP URL       ${origin}/mcp`,
    `  Set-up code   ${code ?? "the one of the first deployment; a new one: npm exec wrangler secret put SETUP_CODE"}`,
    "",
    "Open the page and create your account with the set-up code. Then connect an assistant:",
    `  claude mcp add --transport http --scope user cofio ${origin}/mcp`,
  ];
  if (existsSync(madeSecretsFile)) {
    lines.push(
      "",
      `Keep a copy of VAULT_KEY where you keep passwords: it is in ${madeSecretsFile}.`,
      "Without it nothing that was saved can be read again, and Cloudflare does not show it. Then delete that file.",
    );
  }
  return lines.join("\n");
}

function readOrigin(): string | null {
  if (!existsSync(originFile)) return null;
  const { origin } = JSON.parse(readFileSync(originFile, "utf8")) as { origin: string }; // written by deploy alone
  return checkOrigin(origin);
}

function checkOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === "https:" && (url.pathname === "/" || url.pathname === ""))
    return url.origin;
  return fail(`--origin must look like https://cofio.example.com, not "${text}".`);
}

/**
 * `npm run deploy`: a Cofio of one's own on Cloudflare, and every later version of it. Safe to repeat: what exists is kept.
 * `npm run deploy -- --dry-run` builds and checks without an account or a network.
 *
 * Only the dry run has been run so far, and the rest against a stand-in for wrangler. What talks to Cloudflare follows wrangler's
 * documentation and source, and is unconfirmed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { askServer } from "../apps/cli/ask-server.ts";
import { adviceOf, linesOf } from "../apps/cli/examination-lines.ts";
import { examine } from "../apps/doctor/examine.ts";
import type { FaultCode } from "../apps/doctor/faults.ts";
import { fail } from "./local.ts";
import {
  addSecrets,
  generateSecret,
  madeSecretsFile,
  readSecrets,
  SECRET_NAMES,
  type SecretName,
} from "./secrets.ts";
import { onlineEnv, root, wrangler } from "./wrangler.ts";

/** Git-ignored. The origin must stay the same, because every grant is bound to it. */
const originFile = join(root, ".cofio-deploy.json");
/** A new workers.dev name takes a while until it answers. Arbitrary. */
const HEALTH_TIMEOUT_MS = 120_000;
const HEALTH_POLL_MS = 2_000;
const ANSWER_TIMEOUT_MS = 10_000;
/** What the examination finds beside the deployment: this machine's clock, and another site that is away. */
const NOT_OF_THE_DEPLOYMENT: ReadonlySet<FaultCode> = new Set([
  "clock_differs",
  "cimd_unreachable",
]);

const { values: options } = parseArgs({
  options: {
    origin: { type: "string" },
    move: { type: "boolean", default: false },
    "new-vault-key": { type: "boolean", default: false },
    "dry-run": { type: "boolean", default: false },
  },
});
/** Cloudflare's own builds, which the button in the README sets up: nothing that is written here outlives them. */
const isCloudflareBuild = process.env["WORKERS_CI"] === "1";
const givenOrigin = options.origin ?? (process.env["COFIO_ORIGIN"] || undefined);
const knownOrigin = readOrigin();
const chosenOrigin = givenOrigin === undefined ? knownOrigin : checkOrigin(givenOrigin);

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
  - apply the migrations, ask /healthz, walk the way of the clients there (cofio doctor), and print the address and the set-up code
An earlier version comes back with: npm exec wrangler rollback`);
}

async function deploy(): Promise<void> {
  await requireSignIn();
  const present = await listSecrets();
  if (present !== null && chosenOrigin === null && !isCloudflareBuild) {
    return fail(
      "A Cofio is deployed already, and this folder does not know its address. Say it (Cloudflare's dashboard has it on the Worker's page): npm run deploy -- --origin https://…",
    );
  }
  const missing = SECRET_NAMES.filter((name) => present?.has(name) !== true);
  const made = isCloudflareBuild ? givenSecrets(missing) : makeSecrets(missing, present !== null);
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
  if (!isCloudflareBuild) writeFileSync(originFile, JSON.stringify({ origin }));
  // Until now it was told no address and refused every request.
  if (chosenOrigin === null) await upload(origin, made);
  if (present === null) await migrate();
  await untilHealthy(origin);
  const isSound = await smokeTest(origin);
  console.log(nextSteps(origin, made));
  // It is deployed, and somebody has to look: a build in CI turns red.
  if (!isSound) process.exitCode = 1;
}

/** As far as a stranger gets, from outside: what a client would meet first. */
async function smokeTest(origin: string): Promise<boolean> {
  console.log("\nThe way of the clients:");
  const steps = await examine({
    origin,
    ask: askServer(origin),
    access: null,
    now: Date.now,
    onStep: (step) => console.log(linesOf(step)),
  });
  const faults = steps.flatMap((step) => step.faults);
  if (faults.length > 0) console.log(adviceOf(steps, false));
  return faults.every(({ code }) => NOT_OF_THE_DEPLOYMENT.has(code));
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

/** The build's container is thrown away with what is made in it, and its log is no place for a key: the person gives them. */
function givenSecrets(missing: readonly SecretName[]): ReadonlyMap<string, string> {
  const given = new Map(missing.map((name) => [name, process.env[name] ?? ""]));
  const lacking = missing.filter((name) => given.get(name) === "");
  if (lacking.length === 0) return given;
  return fail(
    `The Worker lacks ${lacking.join(", ")}. Set them in Cloudflare's dashboard (the Worker → Settings → Variables and Secrets, or before there is a Worker as secrets of the build; .dev.vars.example says how each is made), then build again.`,
  );
}

/**
 * One that an interrupted deployment made is used again, but for a Worker that has lost its `VAULT_KEY`: that may have been another one since.
 * @param isDeployed there is a Worker. Where there was one its database may be there still, which wrangler finds by its name.
 */
function makeSecrets(
  missing: readonly SecretName[],
  isDeployed: boolean,
): ReadonlyMap<string, string> {
  const kept = readSecrets(madeSecretsFile);
  const isKeyLost = isDeployed || (knownOrigin !== null && !kept.has("VAULT_KEY"));
  if (missing.includes("VAULT_KEY") && isKeyLost && !options["new-vault-key"]) {
    const copy = kept.has("VAULT_KEY")
      ? ` ${madeSecretsFile} has the one of the first deployment, which is right if it was never changed.`
      : "";
    fail(
      `${isDeployed ? "The deployed Worker has no VAULT_KEY." : "There was a deployment, and its Worker is gone."} If anything was saved there, only its own key reads it: npm exec wrangler secret put VAULT_KEY.${copy} If nothing was: npm run deploy -- --new-vault-key`,
    );
  }
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
    const response = await fetch(`${origin}/healthz`, {
      // A sign-in page in front of it is not the server.
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    }).catch(() => null);
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
  const keptCode = isCloudflareBuild ? "the one that you gave" : "the one of the first deployment";
  const lines = [
    "",
    `Cofio is deployed.`,
    "",
    `  Page          ${origin}`,
    `  MCP URL       ${origin}/mcp`,
    `  Set-up code   ${code ?? `${keptCode}; a new one: npm exec wrangler secret put SETUP_CODE`}`,
    "",
    "Open the page and create your account with the set-up code. Then connect an assistant:",
    `  claude mcp add --transport http --scope user cofio ${origin}/mcp`,
  ];
  if (isCloudflareBuild && givenOrigin === undefined) {
    lines.push(
      "",
      `Set the build variable COFIO_ORIGIN to ${origin}: later builds then never have to find the address out.`,
    );
  }
  if (made.has("VAULT_KEY")) {
    lines.push(
      "",
      `Keep a copy of VAULT_KEY where you keep passwords: it is in ${madeSecretsFile}.`,
      "Without it nothing that was saved can be read again, and Cloudflare does not show it. Then delete that file.",
    );
  } else if (existsSync(madeSecretsFile)) {
    lines.push(
      "",
      `${madeSecretsFile} has VAULT_KEY as it was made at first. Unless you changed it since, keep a copy of it where you keep passwords. Then delete that file.`,
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

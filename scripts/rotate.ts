/**
 * `npm run rotate [-- --url https://…]`: after VAULT_KEY was made "NEW,OLD", wraps every user's key under the new one and says how many
 * are left. Without --url it is about the local server and .dev.vars. A VAULT_KEY in the environment wins; with --url it has to be there. Can be run again.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { operatorProof } from "../src/vault/keys.ts";
import { fail, origin, secretsFile, type Stamp, stampFile, vaultKeyHashOf } from "./local.ts";
import { madeSecretsFile, readSecrets } from "./secrets.ts";

/** As the Worker wants it (`src/vault/keys.ts`). */
const MIN_KEY_BYTES = 32;

interface Part {
  readonly rewrapped: number;
  readonly unreadable: readonly string[];
  /** Null: there is more. */
  readonly left: number | null;
  readonly next: string | null;
}

const { url } = readOptions();
const vaultKey = process.env.VAULT_KEY ?? (url === undefined ? readLocalKey() : "");
const server = url === undefined ? origin : readOrigin(url);
const proof = await proofOf(vaultKey);

let rewrapped = 0;
const unreadable: string[] = [];
let part: Part;
let after = "";
do {
  part = await rewrapPart(after);
  rewrapped += part.rewrapped;
  unreadable.push(...part.unreadable);
  after = part.next ?? "";
} while (part.next !== null);

const left = part.left ?? 0;
console.log(`Wrapped anew: ${rewrapped}. Left: ${left}.`);
if (unreadable.length > 0) {
  console.log(
    `Neither key of VAULT_KEY opens ${unreadable.length} of them; they stay as they are: ${unreadable.join(", ")}`,
  );
}
if (left > unreadable.length) {
  fail("Keep the earlier key in VAULT_KEY, and run this again.");
}
if (url === undefined) stampNewKey();
console.log(`${unreadable.length === 0 ? "Done" : "Done but for those"}: VAULT_KEY may be the new key alone.
Keep a copy of the new key. Keep the earlier one as well, apart from the server: for 30 days (D1's Time Travel) and as long as you keep exports of the database, which only it opens.`);
if (url !== undefined && isEarlierKeyKept()) {
  console.log(
    `${madeSecretsFile} holds the VAULT_KEY of the first deployment, which is not the one of now: move what you keep of it elsewhere, and delete that file.`,
  );
}

function isEarlierKeyKept(): boolean {
  const kept = readSecrets(madeSecretsFile).get("VAULT_KEY");
  return kept !== undefined && kept !== vaultKey.split(",")[0]?.trim();
}

async function rewrapPart(from: string): Promise<Part> {
  const response = await fetch(`${server}/operator/rewrap-keys`, {
    method: "POST",
    redirect: "error",
    headers: { authorization: `Bearer ${proof}`, "content-type": "application/json" },
    body: JSON.stringify({ after: from }),
  }).catch(() => fail(`No Cofio answers on ${server}.`));
  if (response.status === 404) {
    fail(
      `The first key of this VAULT_KEY is not the first one of ${server}, or that is no Cofio of this version.`,
    );
  }
  if (!response.ok) fail(`${server} refused: ${response.status} ${await response.text()}`);
  return (await response.json()) as Part; // the route's own answer
}

/** What the folder's data is wrapped under from now on: `npm start` refuses another key. */
function stampNewKey(): void {
  if (!existsSync(stampFile)) return;
  const stamp = JSON.parse(readFileSync(stampFile, "utf8")) as Stamp; // written by start and here alone
  const [current = ""] = vaultKey.split(",");
  writeFileSync(stampFile, JSON.stringify({ ...stamp, vaultKeyHash: vaultKeyHashOf(current) }));
}

function readLocalKey(): string {
  return readSecrets(secretsFile).get("VAULT_KEY") ?? "";
}

/** @returns the proof that whoever runs this holds the key of now */
function proofOf(text: string): Promise<string> {
  const [current = ""] = text.split(",");
  const key = Buffer.from(current.trim(), "base64");
  if (key.length >= MIN_KEY_BYTES) return operatorProof(new Uint8Array(key));
  return fail(
    url === undefined
      ? `There is no VAULT_KEY in ${secretsFile}.`
      : `Give the deployment's key: VAULT_KEY=NEW npm run rotate -- --url ${url}`,
  );
}

function readOrigin(text: string): string {
  const given = URL.canParse(text) ? new URL(text) : null;
  if (given?.protocol === "https:" || given?.hostname === "localhost") return given.origin;
  return fail(`--url must look like https://cofio.example.com, not "${text}".`);
}

function readOptions() {
  try {
    return parseArgs({ options: { url: { type: "string" } } }).values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return fail(`${error.message}\nUse: npm run rotate [-- --url https://cofio.example.com]`);
  }
}

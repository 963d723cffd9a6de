/** Where the local server is: `start` and `token` must agree. */
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { root } from "./wrangler.ts";

/** COFIO on a telephone. 8787, wrangler's own default, is a callback port of some clients. */
const DEFAULT_PORT = 26346;

export const port = readPort();
export const origin = `http://localhost:${port}`;
export const stateFolder = resolve(root, process.env.COFIO_STATE ?? ".wrangler/state");
/** What `start` knows about a state folder: which migrations it has had, and which key its data is wrapped under. */
export const stampFile = join(stateFolder, "cofio.json");

export interface Stamp {
  readonly migrations: readonly string[];
  readonly vaultKeyHash: string;
}

/** The key is 32 random bytes, so its hash gives nothing away. */
export function vaultKeyHashOf(vaultKey: string): string {
  return createHash("sha256").update(vaultKey.trim()).digest("hex");
}

/** COFIO_SECRETS is for tests, which must not depend on the secrets of whoever runs them. */
export const secretsFile = resolve(root, process.env.COFIO_SECRETS ?? ".dev.vars");
export const isDefaultSecretsFile = secretsFile === join(root, ".dev.vars");

/** Ends the script with a sentence instead of a stack. */
export function fail(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}

function readPort(): number {
  const text = process.env.PORT;
  if (text === undefined || text === "") return DEFAULT_PORT;
  const number = Number(text);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  return fail(`PORT must be a number from 1 to 65535, not "${text}".`);
}

/** The secrets that a Cofio needs, and their file for local use. */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./wrangler.ts";

/** Of `npm run deploy`; git-ignored. Kept until the person deletes it: a deployment that stops half-way must not lose the key. */
export const madeSecretsFile = join(root, ".cofio-deploy.secrets");

/** 32 bytes each: an AES-256 key, and an HMAC key as long as its SHA-256. */
const KEY_BYTES = 32;
/** 80 bits, short enough to type from another screen. */
const SETUP_CODE_BYTES = 10;

const generators = {
  VAULT_KEY: () => randomBytes(KEY_BYTES).toString("base64"),
  AUTH_SECRET: () => randomBytes(KEY_BYTES).toString("base64"),
  SETUP_CODE: () => randomBytes(SETUP_CODE_BYTES).toString("hex"),
} as const;

export type SecretName = keyof typeof generators;
export const SECRET_NAMES = Object.keys(generators) as SecretName[]; // its keys are exactly SecretName

/** Of identity providers, which a Cofio does without (`src/auth/identity/providers.ts`). */
export const OPTIONAL_SECRET_NAMES = [
  "GITHUB_CLIENT_ID",
  "GITHUB_CLIENT_SECRET",
  "GOOGLE_CLIENT_ID",
  "GOOGLE_CLIENT_SECRET",
  "OIDC_ISSUER",
  "OIDC_CLIENT_ID",
  "OIDC_CLIENT_SECRET",
  "OIDC_NAME",
] as const;

export function generateSecret(name: SecretName): string {
  return generators[name]();
}

/** `KEY=value` lines. Comments and quotes as in .env files; nothing is expanded. */
export function readSecrets(file: string): Map<string, string> {
  const secrets = new Map<string, string>();
  if (!existsSync(file)) return secrets;
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const match = /^\s*(?:export\s+)?([A-Z_]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (match?.[1] !== undefined)
      secrets.set(match[1], match[2]?.replace(/^(["'])(.*)\1$/, "$2") ?? "");
  }
  return secrets;
}

/** Adds lines for what is missing and leaves the others as they are. */
export function addSecrets(file: string, added: ReadonlyMap<string, string>): void {
  if (added.size === 0) return;
  const before = existsSync(file) ? readFileSync(file, "utf8") : "";
  const lines = [...added].map(([name, value]) => `${name}=${value}\n`).join("");
  const gap = before === "" || before.endsWith("\n") ? "" : "\n";
  writeFileSync(file, before + gap + lines, { mode: 0o600 });
  // `mode` counts only for a file that did not exist.
  chmodSync(file, 0o600);
}

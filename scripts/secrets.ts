/** The secrets that a Cofio needs, and their file for local use. */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";

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

/** What the bridge keeps between its runs: for each server a file that only its owner can read, and a lock for those who would change it. */
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StoredOAuthClientInformation, StoredOAuthTokens } from "@modelcontextprotocol/client";
import { parseJson, readIfThere, writePrivately } from "./folder.ts";
import { takeLock } from "./lock.ts";

/** Client and tokens carry the issuer that gave them, and the SDK sends them to no other. */
export interface Credentials {
  /** The server's address, so that a file says what it is for. */
  readonly url: string;
  /** Where the client registered itself to be called back. */
  readonly port?: number;
  readonly client?: StoredOAuthClientInformation;
  readonly tokens?: StoredOAuthTokens;
}

export interface CredentialFile {
  read(): Credentials;
  write(credentials: Credentials): void;
  /** Runs one at a time among all processes of this user. */
  locked<T>(work: () => Promise<T>): Promise<T>;
}

const POLL_MS = 200;
/** A renewal is over by then; what takes longer is a person at another program's sign-in page. Arbitrary. */
const QUIET_MS = 3_000;

/** @param warn of what this process waits for */
export function credentialFile(url: URL, warn: (sentence: string) => void): CredentialFile {
  const folder = join(configFolder(), "cofio", "connections");
  const hash = createHash("sha256").update(url.href).digest("hex").slice(0, 16);
  const name = `${url.hostname.replaceAll(/[^\w.-]/g, "_")}-${hash}`;
  const file = join(folder, `${name}.json`);
  const makeFolder = () => mkdirSync(folder, { recursive: true, mode: 0o700 });

  return {
    read: () => credentialsOf(readIfThere(file), url),
    write(credentials) {
      makeFolder();
      writePrivately(file, JSON.stringify(credentials));
    },
    async locked(work) {
      makeFolder();
      const unlock = await waitForLock(join(folder, `${name}.lock`), () =>
        warn(`Another program is signing in to ${url.host}, or examines it: waiting for it.`),
      );
      try {
        return await work();
      } finally {
        unlock();
      }
    },
  };
}

async function waitForLock(file: string, onWait: () => void): Promise<() => void> {
  for (let waited = 0; ; waited += POLL_MS) {
    const unlock = takeLock(file);
    if (unlock !== null) return unlock;
    if (waited === QUIET_MS) onWait();
    await sleep(POLL_MS);
  }
}

function configFolder(): string {
  const { XDG_CONFIG_HOME, APPDATA } = process.env;
  if (XDG_CONFIG_HOME !== undefined && XDG_CONFIG_HOME !== "") return XDG_CONFIG_HOME;
  if (process.platform === "win32" && APPDATA !== undefined) return APPDATA;
  return join(homedir(), ".config");
}

/** A file that is none of ours, or of another server, is as good as none: the person signs in again. */
function credentialsOf(text: string | null, { href }: URL): Credentials {
  const value = text === null ? null : parseJson(text);
  const isOurs =
    typeof value === "object" && value !== null && "url" in value && value.url === href;
  // True because only `write` makes files with this address in them.
  return isOurs ? (value as Credentials) : { url: href };
}

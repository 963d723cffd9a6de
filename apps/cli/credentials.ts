/** What the bridge keeps between its runs: for each server a file that only its owner can read, and a lock for those who would change it. */
import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StoredOAuthClientInformation, StoredOAuthTokens } from "@modelcontextprotocol/client";

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
  read(): Promise<Credentials>;
  write(credentials: Credentials): Promise<void>;
  /** Runs one at a time among all processes of this user. */
  locked<T>(work: () => Promise<T>): Promise<T>;
}

const POLL_MS = 200;

export function credentialFile(url: URL): CredentialFile {
  const folder = join(configFolder(), "cofio", "connections");
  const hash = createHash("sha256").update(url.href).digest("hex").slice(0, 16);
  const file = join(folder, `${url.hostname.replaceAll(/[^\w.-]/g, "_")}-${hash}.json`);
  const lock = `${file}.lock`;
  const makeFolder = () => mkdir(folder, { recursive: true, mode: 0o700 });

  return {
    async read() {
      const text = await readFile(file, "utf8").catch(unlessMissing);
      return text === null ? { url: url.href } : parse(text, url);
    },
    async write(credentials) {
      await makeFolder();
      // In one step, so that another process never reads half of it.
      const draft = `${file}.${process.pid}`;
      await writeFile(draft, JSON.stringify(credentials), { mode: 0o600 });
      await rename(draft, file);
    },
    async locked(work) {
      await makeFolder();
      while (!(await take(lock))) await sleep(POLL_MS);
      try {
        return await work();
      } finally {
        await rm(lock, { force: true });
      }
    },
  };
}

function configFolder(): string {
  const { XDG_CONFIG_HOME, APPDATA } = process.env;
  if (XDG_CONFIG_HOME !== undefined && XDG_CONFIG_HOME !== "") return XDG_CONFIG_HOME;
  if (process.platform === "win32" && APPDATA !== undefined) return APPDATA;
  return join(homedir(), ".config");
}

/** A file that is none of ours, or of another server, is as good as none: the person signs in again. */
function parse(text: string, { href }: URL): Credentials {
  try {
    const value: unknown = JSON.parse(text);
    // True because only `write` makes files with this address in them.
    if (typeof value === "object" && value !== null && "url" in value && value.url === href) {
      return value as Credentials;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { url: href };
}

/** False: another process that is alive holds it. */
async function take(lock: string): Promise<boolean> {
  try {
    const handle = await open(lock, "wx", 0o600);
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
  const holder = Number(await readFile(lock, "utf8").catch(unlessMissing));
  // Empty: its holder is about to write it.
  if (holder > 0 && !isAlive(holder)) await rm(lock, { force: true });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
}

function unlessMissing(error: unknown): null {
  if (codeOf(error) === "ENOENT") return null;
  throw error;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

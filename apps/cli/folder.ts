/** The data folder of a local Cofio: where its files are, who may read them, which format they have, and the keys. */
import { createHash } from "node:crypto";
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import * as z from "zod";
import { generateSecret, readSecrets } from "../../scripts/secrets.ts";
import { UserError } from "../../src/errors.ts";
import { WrongUse } from "./arguments.ts";

/** Of the layout of the folder. A larger one in `cofio.json` was written by a newer Cofio. */
const FORMAT = 1;
const DEFAULT_FOLDER = "~/.cofio/memory";
/** Where a build from before the first release keeps its data: found as long as there is none at the default. */
const EARLIER_DEFAULT_FOLDER = "~/.cofio";
const KEY_NAMES = ["VAULT_KEY", "AUTH_SECRET"] as const;

export interface Folder {
  readonly path: string;
  /** What workerd writes: databases, objects, archives. */
  readonly data: string;
  /** In the form of .dev.vars. */
  readonly keys: string;
  readonly stamp: string;
  /** Held by the process that serves the folder (`lock.ts`). */
  readonly lock: string;
  /** How to reach that process (`server-file.ts`). */
  readonly server: string;
  /** A token for each MCP client that has been here, by name. */
  readonly clients: string;
  readonly log: string;
}

const stampSchema = z.object({
  format: z.number().int(),
  migrations: z.array(z.string()),
  vaultKeyHash: z.string(),
});
export type Stamp = z.infer<typeof stampSchema>;

export type Keys = Readonly<Record<(typeof KEY_NAMES)[number], string>>;

/** @throws WrongUse */
export function folderOf(given: string | undefined): string {
  // Of a variable of the shell that is not set. It would be the folder in which the program was started.
  if (given === "") throw new WrongUse("--db-path needs a folder.");
  // Clients leave an empty one in the environment where the person gave none.
  return given ?? (process.env["COFIO_DB_PATH"] || defaultFolder());
}

/** `~` is the shell's, and no shell reads the configuration of an MCP client. */
export function expandHome(path: string): string {
  return resolve(/^~(?=$|[/\\])/u.test(path) ? join(homedir(), path.slice(1)) : path);
}

/** Makes the folder where it is missing. @throws UserError forbidden, invalid_input, unsupported_format */
export function openFolder(path: string): Folder {
  const folder = folderAt(expandHome(path));
  makePrivate(folder);
  const stamp = readStamp(folder);
  if (stamp === null) refuseForeign(folder);
  else if (stamp.format > FORMAT) throw newer(folder);
  return folder;
}

/** Null: nothing was ever stored here. */
export function readStamp({ path, stamp }: Folder): Stamp | null {
  const text = readIfThere(stamp);
  if (text === null) return null;
  const parsed = stampSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new UserError(
    "unsupported_format",
    `${stamp} is not as Cofio wrote it.`,
    `Restore it from a copy of ${path}, or choose another folder with --db-path.`,
  );
}

/** The migrations that this program knows and the folder lacks. @throws UserError unsupported_format */
export function missingMigrations(
  folder: Folder,
  stamp: Stamp | null,
  known: readonly string[],
): string[] {
  const applied = stamp?.migrations ?? [];
  if (applied.some((name) => !known.includes(name))) throw newer(folder);
  return known.filter((name) => !applied.includes(name));
}

export function writeStamp(folder: Folder, keys: Keys, migrations: readonly string[]): void {
  const stamp: Stamp = {
    format: FORMAT,
    migrations: [...migrations],
    vaultKeyHash: hashOf(keys.VAULT_KEY),
  };
  writePrivately(folder.stamp, JSON.stringify(stamp));
}

/** Made once, before there is any data: `openFolder` has looked. @throws UserError invalid_input: these are other keys */
export function openKeys(folder: Folder, stamp: Stamp | null): Keys {
  const found = keysOf(readSecrets(folder.keys));
  if (found === null && stamp === null) {
    const made = KEY_NAMES.map((name) => `${name}=${generateSecret(name)}\n`);
    writePrivately(folder.keys, made.join(""));
    return openKeys(folder, stamp);
  }
  if (found === null || (stamp !== null && hashOf(found.VAULT_KEY) !== stamp.vaultKeyHash)) {
    throw otherKeys(folder);
  }
  return found;
}

/** In one step, so that a reader never meets half of it. Readable by its owner alone. */
export function writePrivately(file: string, text: string): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text, { mode: 0o600, flush: true });
  renameSync(draft, file);
}

export function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    // ESRCH: of a process in /proc that has just ended.
    if (["ENOENT", "ESRCH"].includes(codeOf(error))) return null;
    throw error;
  }
}

/** Null: not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function defaultFolder(): string {
  const isUsed = (path: string) => existsSync(folderAt(expandHome(path)).stamp);
  const isEarlierAlone = !isUsed(DEFAULT_FOLDER) && isUsed(EARLIER_DEFAULT_FOLDER);
  return isEarlierAlone ? EARLIER_DEFAULT_FOLDER : DEFAULT_FOLDER;
}

function folderAt(path: string): Folder {
  return {
    path,
    data: join(path, "data"),
    keys: join(path, "keys"),
    stamp: join(path, "cofio.json"),
    lock: join(path, "lock"),
    server: join(path, "server.json"),
    clients: join(path, "clients.json"),
    log: join(path, "server.log"),
  };
}

function makePrivate({ path }: Folder): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = codeOf(error);
    if (["EEXIST", "ENOTDIR"].includes(code)) {
      throw new UserError(
        "invalid_input",
        `The data folder ${path} cannot be written (${code}).`,
        "A file stands there, or above it: choose another one with --db-path.",
      );
    }
    throw new UserError(
      "forbidden",
      `The data folder ${path} cannot be written (${code}).`,
      "Choose another one with --db-path, or make it yours.",
    );
  }
  const { uid, mode } = statSync(path);
  // Its owner could read the keys. Windows has no such ids, and no such modes.
  if (process.getuid !== undefined && uid !== process.getuid()) {
    throw new UserError(
      "forbidden",
      `The data folder ${path} belongs to another user.`,
      "Choose another one with --db-path.",
    );
  }
  if (existsSync(join(path, "cofio.json")) && (mode & 0o077) !== 0) chmodSync(path, 0o700);
}

/** What the program writes before the stamp; a folder with anything else in it is somebody's. */
function refuseForeign(folder: Folder): void {
  const { path, ...files } = folder;
  const own = Object.values(files).map((file) => basename(file));
  const foreign = readdirSync(path).find((name) => {
    // Drafts go on with a process id, SQLite's journal with its kind; Finder leaves its file everywhere.
    const plain = name.replace(/(?:\.\d+|-journal)$/u, "");
    return !own.includes(plain) && name !== ".DS_Store";
  });
  if (foreign !== undefined) {
    throw new UserError(
      "invalid_input",
      `${path} holds other files (${foreign}) and no data of Cofio.`,
      `Choose an empty or a new folder with --db-path, such as ${DEFAULT_FOLDER}.`,
    );
  }
  // New keys would open nothing of this data, and replace a file that is none of ours.
  const isStarted = existsSync(folder.data) || existsSync(folder.keys);
  if (isStarted && keysOf(readSecrets(folder.keys)) === null) throw otherKeys(folder);
  chmodSync(path, 0o700);
}

function otherKeys({ path, keys }: Folder): UserError {
  return new UserError(
    "invalid_input",
    `The keys of ${path} are missing: ${keys} is not the file that its data was encrypted with.`,
    "Put that file back from a copy; without it nothing in the folder can be read. Or choose another folder with --db-path.",
  );
}

function newer({ path }: Folder): UserError {
  return new UserError(
    "unsupported_format",
    `${path} was written by a newer Cofio than this one.`,
    "Update Cofio, or choose another folder with --db-path.",
  );
}

function keysOf(found: ReadonlyMap<string, string>): Keys | null {
  const [vaultKey, authSecret] = KEY_NAMES.map((name) => found.get(name));
  if (vaultKey === undefined || authSecret === undefined) return null;
  return { VAULT_KEY: vaultKey, AUTH_SECRET: authSecret };
}

/** A key is 32 random bytes, so its hash gives nothing away. */
function hashOf(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

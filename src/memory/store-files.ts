/** The files of a memory store, by id. */
import { UserError } from "../errors.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import { utf8 } from "../vault/bytes.ts";
import { problemOf, ROOT } from "./file-path.ts";
import { operationOf } from "./change.ts";
import { filesUnder, openFile, type Blocked, type MemoryFile } from "./files.ts";
import { changeFile, createFile, trashFiles, untilDone, type WrittenFile } from "./write-files.ts";
import { requireWritableStore, type MemoryStore } from "./stores.ts";

/** A file, or in place of those in it a directory, whose path ends with /. */
export interface StoreEntry {
  readonly path: string;
  /** Of the file; null: a directory. */
  readonly id: string | null;
}

export interface StoreFileChanges {
  readonly content?: string | undefined;
  readonly path?: string | undefined;
  /** SHA-256 that the content has, in hex. */
  readonly ifSha256?: string | undefined;
}

/** As many as `getMany` takes. */
const READ_AT_ONCE = 64;

/** @throws UserError not_found, invalid_input, too_large, limit_reached, forbidden */
export async function createStoreFile(
  at: OpenAccount,
  storeId: string,
  { path, content }: { readonly path: string; readonly content: string },
  caller: Caller,
): Promise<WrittenFile | Blocked> {
  const store = await requireWritableStore(at, storeId);
  requirePath(path);
  return createFile(at, { project: store.name, path }, { content }, caller);
}

/** @throws UserError not_found */
export async function getStoreFile(
  at: OpenAccount,
  store: MemoryStore,
  id: string,
): Promise<MemoryFile> {
  const row = await at.memories.get(id);
  const file =
    row === null || row.status !== "active" || row.pathToken === null
      ? null
      : await openFile(at, row);
  if (file !== null && file.text.project === store.name && file.text.path !== ROOT) return file;
  throw new UserError(
    "not_found",
    "There is no memory with this id in this store.",
    "List the memories of the store.",
  );
}

/** @throws UserError not_found, invalid_input, too_large, version_conflict */
export async function updateStoreFile(
  at: OpenAccount,
  storeId: string,
  id: string,
  { content, path, ifSha256 }: StoreFileChanges,
  caller: Caller,
): Promise<WrittenFile | Blocked> {
  const store = await requireWritableStore(at, storeId);
  if (path !== undefined) requirePath(path);
  return changeFile(
    at,
    () => getStoreFile(at, store, id),
    async ({ text }) => {
      const wanted = { content: content ?? text.content, path: path ?? text.path };
      const isSo = wanted.content === text.content && wanted.path === text.path;
      if (!isSo) await requireSha256(text.content, ifSha256);
      return wanted;
    },
    caller,
  );
}

/** Moves it to the trash. @throws UserError not_found, version_conflict */
export async function deleteStoreFile(
  at: OpenAccount,
  store: MemoryStore,
  { id, ifSha256 }: { readonly id: string; readonly ifSha256?: string | undefined },
  caller: Caller,
): Promise<void> {
  await untilDone(async () => {
    const file = await getStoreFile(at, store, id);
    await requireSha256(file.text.content, ifSha256);
    return (await trashFiles(at, [file.row], operationOf(caller))) > 0 ? file : null;
  });
}

/** By path. @param prefix a directory, with a / at its end @param depth 1: directories stand for what is in them */
export async function listStoreFiles(
  at: OpenAccount,
  store: MemoryStore,
  { prefix, depth }: { readonly prefix: string; readonly depth: 0 | 1 },
): Promise<StoreEntry[]> {
  const path = prefix === ROOT ? ROOT : prefix.slice(0, -1);
  const entries = new Map<string, StoreEntry>();
  for await (const { row, text } of filesUnder(at, { project: store.name, path })) {
    const below = depth === 1 ? text.path.indexOf("/", prefix.length) : -1;
    const entry =
      below < 0
        ? { path: text.path, id: row.id }
        : { path: text.path.slice(0, below + 1), id: null };
    entries.set(entry.path, entry);
  }
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Files of a listing by id. One that went away since it was listed is absent. */
export async function openStoreFiles(
  at: OpenAccount,
  entries: readonly StoreEntry[],
): Promise<Map<string, MemoryFile>> {
  const ids = entries.flatMap(({ id }) => (id === null ? [] : [id]));
  const files = new Map<string, MemoryFile>();
  for (let from = 0; from < ids.length; from += READ_AT_ONCE) {
    const rows = await at.memories.getMany(ids.slice(from, from + READ_AT_ONCE));
    for (const row of rows.filter(({ status }) => status === "active")) {
      files.set(row.id, await openFile(at, row));
    }
  }
  return files;
}

/** Of its bytes in UTF-8, in hex. */
export async function sha256Of(content: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(content))).toHex();
}

async function requireSha256(content: string, wanted: string | undefined): Promise<void> {
  if (wanted === undefined || wanted === (await sha256Of(content))) return;
  throw new UserError(
    "version_conflict",
    "The memory's content has another SHA-256 than the precondition names.",
    "Retrieve the memory, then try again.",
    { precondition: "content_sha256" },
  );
}

function requirePath(path: string): void {
  const problem = problemOf(path);
  if (problem === null) return;
  throw new UserError(
    "invalid_input",
    `This path cannot be used: ${problem}.`,
    "Send a path such as /notes/todo.md.",
  );
}

/** The files of a memory store, by id. */
import { UserError } from "../errors.ts";
import { ROWS_A_PAGE } from "../storage/export-rows.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import { utf8 } from "../vault/bytes.ts";
import { operationOf } from "./change.ts";
import { problemOf, ROOT } from "./file-path.ts";
import { filesUnder, livingFile, openFile, type Blocked, type MemoryFile } from "./files.ts";
import { directoryToken } from "./memory.ts";
import { getStore, isSameStore, requireWritableStore, type MemoryStore } from "./stores.ts";
import { changeFile, createFile, trashFiles, untilDone, type WrittenFile } from "./write-files.ts";

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

/** Files are opened in parts, so that not all of their ciphertexts are held at once. Arbitrary. */
const READ_AT_ONCE = 64;

/** @throws UserError not_found, invalid_input, too_large, limit_reached, forbidden */
export async function createStoreFile(
  at: OpenAccount,
  storeId: string,
  { path, content }: { readonly path: string; readonly content: string },
  caller: Caller,
): Promise<WrittenFile | Blocked> {
  requirePath(path);
  const where = async () => {
    const { name, root } = await requireWritableStore(at, storeId);
    return { project: name, path, root };
  };
  return createFile(at, where, { content }, caller);
}

/** @throws UserError not_found */
export async function getStoreFile(
  at: OpenAccount,
  store: MemoryStore,
  id: string,
): Promise<MemoryFile> {
  const file = await livingFile(at, id);
  if (file !== null && file.text.path !== ROOT && isSameStore(file.text.project, store)) {
    return file;
  }
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
  if (path !== undefined) requirePath(path);
  const edit = {
    find: async () => {
      const store = await requireWritableStore(at, storeId);
      return { file: await getStoreFile(at, store, id), root: store.root };
    },
    change: () => ({
      ...(content === undefined ? {} : { content }),
      ...(path === undefined ? {} : { path }),
    }),
    require: (text: { readonly content: string }) => requireSha256(text.content, ifSha256),
  };
  return changeFile(at, edit, caller);
}

/** Moves it to the trash, also from an archived store: that takes nothing new. @throws UserError not_found, version_conflict */
export async function deleteStoreFile(
  at: OpenAccount,
  storeId: string,
  { id, ifSha256 }: { readonly id: string; readonly ifSha256?: string | undefined },
  caller: Caller,
): Promise<void> {
  await untilDone(async () => {
    const file = await getStoreFile(at, await getStore(at, storeId), id);
    await requireSha256(file.text.content, ifSha256);
    return (await trashFiles(at, [file.row], operationOf(caller))).size > 0 ? file : null;
  });
}

/**
 * A page of its files in the order in which they were made.
 * @param prefix a directory, with a / at its end @param after the place that the page before it ended at, 0 for the first
 * @param answerOf is called with one after the other, so that many texts are never held at once
 */
export async function readStoreFiles<Answer>(
  at: OpenAccount,
  { name }: MemoryStore,
  {
    prefix,
    after,
    limit,
  }: { readonly prefix: string; readonly after: number; readonly limit: number },
  answerOf: (file: MemoryFile) => Promise<Answer>,
): Promise<{ readonly answers: readonly Answer[]; readonly next: number | null }> {
  const directory = await directoryToken(at.keys, name, directoryIn(prefix));
  const answers: Answer[] = [];
  for (let place = after; ;) {
    // One more, by which it is known whether there is another page.
    const wanted = Math.min(limit - answers.length + 1, ROWS_A_PAGE);
    const { rows, isLast } = await at.memoryFiles.under(directory, place, wanted);
    for (const row of rows) {
      if (answers.length === limit) return { answers, next: place };
      answers.push(await answerOf(await openFile(at, row)));
      place = row.seq;
    }
    if (isLast || rows.length === 0) return { answers, next: null };
  }
}

/** What is directly in a directory, by path. @param prefix with a / at its end */
export async function listStoreEntries(
  at: OpenAccount,
  store: MemoryStore,
  prefix: string,
): Promise<StoreEntry[]> {
  const entries = new Map<string, StoreEntry>();
  const address = { project: store.name, path: directoryIn(prefix) };
  for await (const { row, text } of filesUnder(at, address)) {
    const below = text.path.indexOf("/", prefix.length);
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

function directoryIn(prefix: string): string {
  return prefix === ROOT ? ROOT : prefix.slice(0, -1);
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

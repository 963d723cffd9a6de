/**
 * Memory stores. A store is a project: its name is the project's, and its files are those of the project that have a path. That there is
 * a store says the file at the project's root, whose content is the store's description; so stores are searched, versioned, undone,
 * exported and kept apart as all memories are. Memories of the project without a path are none of the store's.
 */
import { UserError } from "../errors.ts";
import { ANYWHERE } from "../storage/file-place.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import { ABOVE_ROOTS, ROOT } from "./file-path.ts";
import {
  blockerOf,
  filesUnder,
  openFile,
  placeOf,
  type FileAddress,
  type FileText,
  type MemoryFile,
} from "./files.ts";
import {
  checkFile,
  createFile,
  deletePath,
  rewriteFiles,
  rewritesOf,
  untilDone,
} from "./write-files.ts";

export interface MemoryStore {
  /** Of the memory at its root. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Milliseconds UTC. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly archivedAt: number | null;
}

export interface StoreDraft {
  readonly name: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Fields that are not there stay as they are. */
export interface StoreChanges {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  /** Null drops a key. */
  readonly metadata?: Readonly<Record<string, string | null>> | undefined;
  readonly isArchived?: true | undefined;
}

/** What makes room trashes it last. */
const STORE_IMPORTANCE = 5;

/** @throws UserError version_conflict (a store of this name), too_large, invalid_input, limit_reached, forbidden */
export async function createStore(
  at: OpenAccount,
  { name, description, metadata }: StoreDraft,
  caller: Caller,
): Promise<MemoryStore> {
  const draft = { content: description, store: { metadata }, importance: STORE_IMPORTANCE };
  const made = await createFile(at, rootOf(name), draft, caller);
  if (made.outcome !== "written") throw nameTaken(name);
  return storeOf(made.file);
}

/** Newest first. */
export async function listStores(at: OpenAccount): Promise<MemoryStore[]> {
  const stores: MemoryStore[] = [];
  for await (const root of filesUnder(at, { project: null, path: ABOVE_ROOTS })) {
    stores.push(storeOf(root));
  }
  return stores.sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
}

/** @throws UserError not_found */
export async function getStore(at: OpenAccount, id: string): Promise<MemoryStore> {
  return storeOf(await requireRoot(at, id));
}

/** @throws UserError not_found, forbidden (archived) */
export async function requireWritableStore(at: OpenAccount, id: string): Promise<MemoryStore> {
  const store = await getStore(at, id);
  refuseArchived(store);
  return store;
}

/**
 * A new name is given to all of its files, as one operation.
 * @throws UserError not_found, forbidden (archived), version_conflict, too_large, invalid_input
 */
export function updateStore(
  at: OpenAccount,
  id: string,
  changes: StoreChanges,
  caller: Caller,
): Promise<MemoryStore> {
  return untilDone(async () => {
    const root = await requireRoot(at, id);
    const store = storeOf(root);
    if (changes.isArchived === true && store.archivedAt !== null) return store;
    refuseArchived(store);
    const { text } = await checkFile(at, changedRoot(root.text, changes, caller.now));
    if (JSON.stringify(text) === JSON.stringify(root.text)) return store;
    const name = text.project ?? store.name;
    const renamed =
      name === store.name
        ? []
        : await rewritesOf(filesUnder(at, rootOf(store.name)), (file) => ({
            ...file.text,
            project: name,
          }));
    const isElsewhere = !isSameProject(name, store.name);
    if (isElsewhere && (await blockerOf(at, rootOf(name))) !== null) throw nameTaken(name);
    const place = isElsewhere ? await placeOf(at, rootOf(name)) : ANYWHERE;
    const rewrites = [{ file: root, text }, ...renamed];
    return (await rewriteFiles(at, rewrites, place, caller)) ? getStore(at, id) : null;
  });
}

/** Moves the store and its files to the trash, as one operation. @throws UserError not_found */
export async function deleteStore(at: OpenAccount, id: string, caller: Caller): Promise<void> {
  const { name } = await getStore(at, id);
  await deletePath(at, rootOf(name), caller);
}

function rootOf(name: string): FileAddress {
  return { project: name, path: ROOT };
}

async function requireRoot(at: OpenAccount, id: string): Promise<MemoryFile> {
  const row = await at.memories.get(id);
  const root =
    row === null || row.status !== "active" || row.pathToken === null
      ? null
      : await openFile(at, row);
  if (root !== null && root.text.path === ROOT) return root;
  throw new UserError(
    "not_found",
    "There is no memory store with this id.",
    "List the memory stores.",
  );
}

function storeOf({ row, text }: MemoryFile): MemoryStore {
  const { metadata = {}, archivedAt = null } = text.store ?? {};
  return {
    id: row.id,
    name: text.project ?? "",
    description: text.content,
    metadata,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    archivedAt,
  };
}

function changedRoot(
  text: FileText,
  { name, description, metadata = {}, isArchived }: StoreChanges,
  now: number,
): FileText {
  const { archivedAt = isArchived === true ? now : undefined, ...store } = text.store ?? {
    metadata: {},
  };
  const merged = Object.entries({ ...store.metadata, ...metadata }).flatMap(([key, value]) =>
    value === null ? [] : [[key, value] as const],
  );
  return {
    ...text,
    ...(name === undefined ? {} : { project: name }),
    content: description ?? text.content,
    store: {
      metadata: Object.fromEntries(merged),
      ...(archivedAt === undefined ? {} : { archivedAt }),
    },
  };
}

/** Names of projects are folded for their tokens. */
function isSameProject(one: string, other: string): boolean {
  return one.normalize("NFC").toLowerCase() === other.normalize("NFC").toLowerCase();
}

function refuseArchived({ archivedAt }: MemoryStore): void {
  if (archivedAt === null) return;
  throw new UserError(
    "invalid_input",
    "This memory store is archived: nothing is written to it any more.",
    "Make another one.",
  );
}

function nameTaken(name: string): UserError {
  return new UserError(
    "version_conflict",
    `There is a memory store called ${JSON.stringify(name)} already: a store is a project, and names of projects are unique.`,
    "Use that one, or choose another name.",
  );
}

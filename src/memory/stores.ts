/**
 * Memory stores. A store is a project: its name is the project's, and its files are those of the project that have a path. That there is
 * a store says the file at the project's root, whose content is the store's description; so stores are searched, versioned, undone,
 * exported and kept apart as all memories are. Memories of the project without a path are none of the store's.
 */
import { UserError } from "../errors.ts";
import { ANYWHERE, type FilePlace, type RootVersion } from "../storage/file-place.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import { foldName } from "../vault/blind.ts";
import { operationOf } from "./change.ts";
import { ABOVE_ROOTS, ROOT } from "./file-path.ts";
import {
  blockerOf,
  filesUnder,
  livingFile,
  placeOf,
  placeToken,
  type FileAddress,
  type FileText,
  type MemoryFile,
} from "./files.ts";
import type { RuleNote } from "./rules.ts";
import {
  checkSent,
  cleanFile,
  createFile,
  rewriteFiles,
  rewritesOf,
  trashFiles,
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
  /** By which a write says which state of the store it is for. */
  readonly root: RootVersion;
}

export interface WrittenStore {
  readonly store: MemoryStore;
  /** What the person's rules did to it. */
  readonly rules: readonly RuleNote[];
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

/** It stands for all of its files. */
const STORE_IMPORTANCE = 5;
/** As in Anthropic's API. */
const MAX_PAIRS = 16;

/**
 * Files that the project has already are the store's from then on.
 * @throws UserError version_conflict (a store of this name), too_large, invalid_input, limit_reached, forbidden
 */
export async function createStore(
  at: OpenAccount,
  { name, description, metadata }: StoreDraft,
  caller: Caller,
): Promise<WrittenStore> {
  requireFewPairs(metadata);
  const draft = { content: description, store: { metadata }, importance: STORE_IMPORTANCE };
  const made = await createFile(at, async () => rootAddress(name), draft, caller);
  if (made.outcome !== "written") throw nameTaken(name);
  return { store: storeOf(made.file), rules: made.rules };
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

/** @throws UserError not_found, invalid_input (archived) */
export async function requireWritableStore(at: OpenAccount, id: string): Promise<MemoryStore> {
  const store = await getStore(at, id);
  refuseArchived(store);
  return store;
}

/**
 * A new name is given to all of its files, as one operation.
 * @throws UserError not_found, invalid_input (archived too), version_conflict, too_large
 */
export function updateStore(
  at: OpenAccount,
  id: string,
  changes: StoreChanges,
  caller: Caller,
): Promise<WrittenStore> {
  return untilDone(async () => {
    const root = await requireRoot(at, id);
    const store = storeOf(root);
    if (changes.isArchived === true && store.archivedAt !== null) return { store, rules: [] };
    refuseArchived(store);
    const { sent, rules } = await checkSent(at, sentOf(changes));
    const text = cleanFile(changedRoot(root.text, changes, { sent, now: caller.now }));
    if (JSON.stringify(text) === JSON.stringify(root.text)) return { store, rules };
    const name = text.project ?? store.name;
    const renamed =
      name === store.name
        ? []
        : await rewritesOf(
            filesUnder(at, rootAddress(store.name)),
            (file) => ({ ...file.text, project: name }),
            "A larger store keeps its name: make another one, and move the files there.",
          );
    const rewrites = [{ file: root, text }, ...renamed];
    const place = isSameStore(name, store) ? ANYWHERE : await placeForStore(at, root, name);
    const written = await rewriteFiles(at, rewrites, place, operationOf(caller));
    return written === null ? null : { store: storeOf(written[0] ?? root), rules };
  });
}

/** Moves the store and its files to the trash, as one operation; itself last, so that one that failed half-way is there to be deleted again. @throws UserError not_found */
export async function deleteStore(at: OpenAccount, id: string, caller: Caller): Promise<void> {
  const operation = operationOf(caller);
  let trashed = 0;
  await untilDone(async () => {
    const root = await findRoot(at, id);
    if (root === null && trashed > 0) return "done";
    if (root === null) throw noSuchStore();
    const place = await placeToken(at, rootAddress(storeOf(root).name));
    const files = await at.memoryFiles.versionsUnder(place);
    trashed += (await trashFiles(at, [...files, root.row], operation, trashed)).size;
    return null;
  });
}

/** Whether a project is the store's: names that differ only by case or form are one. */
export function isSameStore(project: string | undefined, { name }: MemoryStore): boolean {
  return project !== undefined && foldName(project) === foldName(name);
}

function rootAddress(name: string): FileAddress {
  return { project: name, path: ROOT };
}

/**
 * For a store that gets another name: files that the project of that name has are not its own, and it leaves none behind.
 * @throws UserError version_conflict
 */
async function placeForStore(at: OpenAccount, root: MemoryFile, name: string): Promise<FilePlace> {
  const address = rootAddress(name);
  const placing = { mayHoldFiles: false };
  const blocker = await blockerOf(at, address, placing);
  if (blocker?.outcome === "exists") throw nameTaken(name);
  if (blocker !== null) throw projectTaken(name, blocker.file.text.path);
  const { noFilesIn, ...place } = await placeOf(at, address, placing);
  const left = await placeToken(at, rootAddress(storeOf(root).name));
  return { ...place, noFilesIn: [...noFilesIn, left] };
}

async function findRoot(at: OpenAccount, id: string): Promise<MemoryFile | null> {
  const file = await livingFile(at, id);
  return file?.text.path === ROOT ? file : null;
}

async function requireRoot(at: OpenAccount, id: string): Promise<MemoryFile> {
  const root = await findRoot(at, id);
  if (root === null) throw noSuchStore();
  return root;
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
    root: { id: row.id, version: row.version },
  };
}

/** What the rules about secrets look at. */
function sentOf({ name, description, metadata }: StoreChanges) {
  const pairs = Object.entries(metadata ?? {}).flatMap(([key, value]) =>
    value === null ? [] : [[key, value] as const],
  );
  return {
    ...(name === undefined ? {} : { project: name }),
    ...(description === undefined ? {} : { content: description }),
    store: { metadata: Object.fromEntries(pairs) },
  };
}

/** @param sent what the rules left of the changes */
function changedRoot(
  text: FileText,
  changes: StoreChanges,
  { sent, now }: { readonly sent: ReturnType<typeof sentOf>; readonly now: number },
): FileText {
  const { metadata = {}, archivedAt = changes.isArchived === true ? now : undefined } =
    text.store ?? {};
  const dropped = Object.entries(changes.metadata ?? {}).flatMap(([key, value]) =>
    value === null ? [key] : [],
  );
  const kept = Object.entries(metadata).filter(([key]) => !dropped.includes(key));
  const merged = { ...Object.fromEntries(kept), ...sent.store.metadata };
  requireFewPairs(merged);
  return {
    ...text,
    ...sent,
    store: { metadata: merged, ...(archivedAt === undefined ? {} : { archivedAt }) },
  };
}

/** @throws UserError invalid_input */
function requireFewPairs(metadata: StoreDraft["metadata"]): void {
  if (Object.keys(metadata).length <= MAX_PAIRS) return;
  throw new UserError("invalid_input", `metadata: a store has at most ${MAX_PAIRS} pairs.`, "");
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

function projectTaken(name: string, path: string): UserError {
  return new UserError(
    "version_conflict",
    `The project ${JSON.stringify(name)} has files already, ${path} for one.`,
    "Choose another name.",
  );
}

function noSuchStore(): UserError {
  return new UserError(
    "not_found",
    "There is no memory store with this id.",
    "List the memory stores.",
  );
}

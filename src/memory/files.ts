/**
 * Memory files: memories that stand at a path of their project. Claude's memory tool and the memory stores are two ways to them;
 * `write-files.ts` changes them.
 */
import type { FilePlace, RootVersion } from "../storage/file-place.ts";
import type { FileRow } from "../storage/memory-files.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { pathToken } from "../vault/blind.ts";
import { directoriesOf, isBelow, ROOT } from "./file-path.ts";
import { directoryToken, openText, type MemoryText } from "./memory.ts";

/** A place for a file, or a directory. */
export interface FileAddress {
  /** Null: of no project. */
  readonly project: string | null;
  readonly path: string;
  /** Of the store that it is in, as it was read. */
  readonly root?: RootVersion;
}

export type FileText = MemoryText & { readonly path: string };

export interface MemoryFile {
  readonly row: Omit<FileRow, "seq" | "userId">;
  readonly text: FileText;
}

/** What stands in the way of a file. */
export type Blocked =
  | { readonly outcome: "exists"; readonly file: MemoryFile }
  /** The path is a directory, and this one of the files in it. */
  | { readonly outcome: "directory"; readonly file: MemoryFile }
  /** One of the directories above it is this file. */
  | { readonly outcome: "below_file"; readonly file: MemoryFile };

/** Who is asked for a place. */
export interface Placing {
  /** Id of a file that is to move there: it is not in its own way. */
  readonly mover?: string;
  /** Whether there may be files below it: only the root of a store is a directory as well as a file. */
  readonly mayHoldFiles?: boolean;
}

/** The file that an active memory is; null: it is none, or there is none of this id. */
export async function livingFile(at: OpenAccount, id: string): Promise<MemoryFile | null> {
  const row = await at.memories.get(id);
  return row === null || row.status !== "active" || row.pathToken === null
    ? null
    : openFile(at, row);
}

export async function findFile(at: OpenAccount, address: FileAddress): Promise<MemoryFile | null> {
  const [row] = await at.memoryFiles.at([await placeToken(at, address)]);
  return row === undefined ? null : openFile(at, row);
}

/** Files in a directory, at any depth, in no particular order. They come page by page, so that their texts are never held all at once. */
export async function* filesUnder(
  at: OpenAccount,
  { project, path }: FileAddress,
): AsyncGenerator<MemoryFile> {
  const directory = await directoryToken(at.keys, project ?? "", path);
  for (let after = 0; ;) {
    const { rows, isLast } = await at.memoryFiles.under(directory, after);
    yield* await Promise.all(rows.map((row) => openFile(at, row)));
    const last = rows.at(-1);
    if (isLast || last === undefined) return;
    after = last.seq;
  }
}

/** A file, and what is in the directory of the same name: an undo or an import may have made both. */
export async function* filesAt(at: OpenAccount, address: FileAddress): AsyncGenerator<MemoryFile> {
  const file = await findFile(at, address);
  if (file !== null) yield file;
  yield* filesUnder(at, address);
}

export async function isDirectory(at: OpenAccount, address: FileAddress): Promise<boolean> {
  return (
    address.path === ROOT ||
    (await at.memoryFiles.firstUnder(await placeToken(at, address))) !== null
  );
}

/** What stands in the way of a file at this place; null: nothing. */
export async function blockerOf(
  at: OpenAccount,
  address: FileAddress,
  placing: Placing = {},
): Promise<Blocked | null> {
  const own = await placeToken(at, address);
  const { noFiles, noFilesIn } = await placeOf(at, address, placing);
  const [standing, inside] = await Promise.all([
    at.memoryFiles.at(noFiles),
    Promise.all(noFilesIn.map((directory) => at.memoryFiles.firstUnder(directory, placing.mover))),
  ]);
  const files = standing.filter(({ id }) => id !== placing.mover);
  const same = files.find((row) => row.pathToken === own);
  if (same !== undefined) return { outcome: "exists", file: await openFile(at, same) };
  const [ancestor] = files;
  if (ancestor !== undefined) return { outcome: "below_file", file: await openFile(at, ancestor) };
  const child = inside.find((row) => row !== null);
  return child == null ? null : { outcome: "directory", file: await openFile(at, child) };
}

/** Where a file at this address may stand. */
export async function placeOf(
  at: OpenAccount,
  address: FileAddress,
  { mayHoldFiles = address.path === ROOT }: Placing = {},
): Promise<FilePlace> {
  const { project, path, root = null } = address;
  const own = await placeToken(at, address);
  const above = directoriesOf(path).filter((directory) => isBelow(directory, ROOT));
  const tokens = await Promise.all(
    above.map((directory) => placeToken(at, { project, path: directory })),
  );
  return {
    noFiles: [own, ...tokens],
    noFilesIn: mayHoldFiles ? [] : [own],
    root,
  };
}

export async function openFile(at: OpenAccount, row: MemoryFile["row"]): Promise<MemoryFile> {
  // True because only the text of a file gives its row the token of a path.
  return { row, text: (await openText(at.keys, row)) as FileText };
}

export function placeToken(at: OpenAccount, { project, path }: FileAddress): Promise<string> {
  return pathToken(at.keys, project ?? "", path);
}

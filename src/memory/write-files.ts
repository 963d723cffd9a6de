/**
 * Writing memory files. Every write says in its batch what it has read and which places are to be free, so that of two clients that change
 * the same file none overwrites the other: the slower one tries again with what the faster one left.
 */
import { UserError } from "../errors.ts";
import { ANYWHERE, type FilePlace } from "../storage/file-place.ts";
import type { Rewrite } from "../storage/memory-files.ts";
import type { OperationInput } from "../storage/memories.ts";
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import { newId } from "../vault/ids.ts";
import { operationOf } from "./change.ts";
import { createWithinLimit, trashedNote } from "./create-within-limit.ts";
import { isBelow, problemOf, ROOT, shownPath } from "./file-path.ts";
import {
  blockerOf,
  filesAt,
  placeOf,
  type Blocked,
  type FileAddress,
  type FileText,
  type MemoryFile,
} from "./files.ts";
import { describeFull, limitRefusal } from "./limit.ts";
import {
  cleanText,
  DEFAULT_IMPORTANCE,
  labelChanges,
  sealLabels,
  sealMemory,
  type MemoryText,
} from "./memory.ts";
import {
  allowed,
  checkSecrets,
  expiryByRule,
  expiryNote,
  mustWait,
  type RuleNote,
} from "./rules.ts";
import { chunksOf, MEMORIES_AT_ONCE } from "./undo.ts";

export interface WrittenFile {
  readonly outcome: "written";
  readonly file: MemoryFile;
  /** Null when it was so already. */
  readonly operationId: string | null;
  /** What the person's rules did to it. */
  readonly rules: readonly RuleNote[];
}

/** What a change of one file may give it. */
export type FileChanges = Partial<Pick<FileText, "content" | "path">>;

export interface FileRewrite {
  readonly file: MemoryFile;
  readonly text: FileText;
}

/** Each client at one file loses at most as often as others win. Arbitrary. */
const ATTEMPTS = 8;
/** What one rename may take with it: each file is sealed again, and all of them are written in one batch. Arbitrary, far below 128 MB. */
const MAX_MOVED = 1_000;
const MAX_MOVED_BYTES = 8_000_000;

/** @throws UserError forbidden, limit_reached, too_large, invalid_input */
export async function createFile(
  at: OpenAccount,
  address: FileAddress,
  draft: Pick<MemoryText, "content" | "store"> & { readonly importance?: number },
  caller: Caller,
): Promise<WrittenFile | Blocked> {
  const { importance = DEFAULT_IMPORTANCE, ...written } = draft;
  refuseUnasked(at, caller);
  const blocker = await blockerOf(at, address);
  if (blocker !== null) return blocker;
  const { text, rules } = await checkFile(at, {
    ...written,
    tags: [],
    path: address.path,
    ...(address.project === null ? {} : { project: address.project }),
  });
  const operation = operationOf(caller);
  const expiry = expiryByRule(at.rules, "other", caller.now);
  const [row, labels, place] = await Promise.all([
    sealMemory(
      at.keys,
      at.timeZone,
      {
        id: newId(),
        version: 1,
        status: "active",
        category: "other",
        source: caller.source,
        origin: "assistant",
        userAsked: false,
        grantId: caller.grantId,
        client: caller.client,
        importance,
        originKey: null,
        supersededBy: null,
        createdAt: caller.now,
        updatedAt: caller.now,
        lastUsedAt: caller.now,
        expiresAt: expiry,
        trashedAt: null,
        createdOp: operation.id,
        changedOp: operation.id,
        trashedOp: null,
      },
      text,
    ),
    sealLabels(at.keys, text),
    placeOf(at, address),
  ]);
  // A file at the place itself is met by its fingerprint, and is this one where the first answer of the batch got lost.
  const noFiles = place.noFiles.filter((token) => token !== row.pathToken);
  const input = { row, labels, supersedes: null, claim: null, place: { ...place, noFiles } };
  const made = await createWithinLimit(at, input, operation.id, caller);
  if (made.outcome !== "created") {
    const faster = await blockerOf(at, address);
    if (faster !== null) return faster;
    throw limitRefusal(await describeFull(at, caller.now), { mayRead: false });
  }
  return {
    outcome: "written",
    file: { row, text },
    operationId: operation.id,
    rules: [
      ...rules,
      ...(expiry === null ? [] : [expiryNote(at.rules, "other")]),
      ...(made.trashed === null ? [] : [await trashedNote(at, made.trashed)]),
    ],
  };
}

/**
 * Changes one file. `find` and `change` are asked again where another client was faster, so they see what it left.
 * @throws UserError version_conflict, too_large, invalid_input, and what `find` and `change` throw
 */
export function changeFile(
  at: OpenAccount,
  find: () => Promise<MemoryFile>,
  change: (file: MemoryFile) => FileChanges | Promise<FileChanges>,
  caller: Caller,
): Promise<WrittenFile | Blocked> {
  return untilDone(async () => {
    const file = await find();
    const { text, rules } = await checkFile(at, { ...file.text, ...(await change(file)) });
    const isMoved = text.path !== file.text.path;
    if (!isMoved && JSON.stringify(text) === JSON.stringify(file.text)) {
      return { outcome: "written", file, operationId: null, rules };
    }
    const address = { project: text.project ?? null, path: text.path };
    const blocker = isMoved ? await blockerOf(at, address) : null;
    if (blocker !== null) return blocker;
    const operation = operationOf(caller);
    const place = isMoved ? await placeOf(at, address) : ANYWHERE;
    const rewrite = await rewriteOf(at, { file, text }, operation);
    if (!(await at.memoryFiles.rewrite([rewrite], place, operation))) return null;
    const written = { row: rewrite.row, text };
    return { outcome: "written", file: written, operationId: operation.id, rules };
  });
}

/**
 * Moves a file or a directory with all that is in it, as one operation.
 * @throws UserError invalid_input, too_large, version_conflict
 */
export function movePath(
  at: OpenAccount,
  from: FileAddress,
  path: string,
  caller: Caller,
): Promise<{ readonly outcome: "moved" | "missing" } | Blocked> {
  const to = { ...from, path };
  return untilDone(async () => {
    const blocker = await blockerOf(at, to);
    if (blocker !== null) return blocker;
    const moved = await rewritesOf(filesAt(at, from), ({ text }) => ({
      ...text,
      path: `${path}${text.path.slice(from.path.length)}`,
    }));
    if (moved.length === 0) return { outcome: "missing" };
    if (isBelow(path, from.path)) throw invalid(`Cannot move ${shown(from)} into itself`);
    const isDone = await rewriteFiles(at, moved, await placeOf(at, to), caller);
    return isDone ? { outcome: "moved" } : null;
  });
}

/** What to write so that each of these files gets another text. @throws UserError too_large, invalid_input */
export async function rewritesOf(
  files: AsyncIterable<MemoryFile>,
  change: (file: MemoryFile) => FileText,
): Promise<FileRewrite[]> {
  const rewrites: FileRewrite[] = [];
  let bytes = 0;
  for await (const file of files) {
    const text = change(file);
    bytes += file.row.sizeBytes;
    if (rewrites.push({ file, text }) > MAX_MOVED || bytes > MAX_MOVED_BYTES) {
      throw new UserError(
        "too_large",
        `More than ${MAX_MOVED} files, or 8 MB of them, cannot be moved at once.`,
        "Move the directories in it one by one.",
      );
    }
    const problem = text.path === ROOT ? null : problemOf(text.path);
    if (problem !== null) throw invalid(`${text.path} cannot be used: ${problem}.`);
  }
  return rewrites;
}

/** As one operation, all of them or none. False: another client was faster. */
export async function rewriteFiles(
  at: OpenAccount,
  rewrites: readonly FileRewrite[],
  place: FilePlace,
  caller: Caller,
): Promise<boolean> {
  const operation = operationOf(caller);
  const sealed = await Promise.all(rewrites.map((rewrite) => rewriteOf(at, rewrite, operation)));
  return at.memoryFiles.rewrite(sealed, place, operation);
}

/** Moves a file or a directory with all that is in it to the trash, as one operation. False: there is neither. @throws UserError version_conflict */
export function deletePath(
  at: OpenAccount,
  address: FileAddress,
  caller: Caller,
): Promise<boolean> {
  const operation = operationOf(caller);
  let trashed = 0;
  return untilDone(async () => {
    const rows: TrashedFile[] = [];
    for await (const { row } of filesAt(at, address)) {
      rows.push({ id: row.id, version: row.version });
    }
    if (rows.length === 0) return trashed > 0;
    trashed += await trashFiles(at, rows, operation, trashed);
    return null;
  });
}

type TrashedFile = Pick<MemoryFile["row"], "id" | "version">;

/** Those that are still as they were read. @param before trashed by the same operation already @returns how many */
export async function trashFiles(
  at: OpenAccount,
  files: readonly TrashedFile[],
  operation: OperationInput,
  before = 0,
): Promise<number> {
  const items = files.map(({ id, version }) => ({ id, version, earlier: null }));
  let trashed = 0;
  for (const leaving of chunksOf(items, MEMORIES_AT_ONCE)) {
    const done = await at.operations.bringBack(
      { leaving, returning: [], conversations: [] },
      { kind: "delete", undoes: null },
      operation,
    );
    trashed += done.size;
  }
  if (trashed > 0) await at.operations.finish(operation.id, { memories: before + trashed });
  return trashed;
}

/** What the person's rules leave of the text of a file. @throws UserError invalid_input, too_large */
export async function checkFile(
  at: OpenAccount,
  text: FileText,
): Promise<{ readonly text: FileText; readonly rules: readonly RuleNote[] }> {
  const sent = await checkSecrets(at.rules, { content: text.content });
  if (sent.refusal !== null) throw sent.refusal;
  const clean = cleanText({ ...text, content: sent.text.content });
  return { text: { ...clean, path: text.path }, rules: sent.notes };
}

/** Tries again while another client was faster. @param attempt null: it was @throws UserError version_conflict */
export async function untilDone<T>(attempt: () => Promise<T | null>): Promise<T> {
  for (let left = ATTEMPTS; left > 0; left--) {
    const done = await attempt();
    if (done !== null) return done;
  }
  throw new UserError(
    "version_conflict",
    "Other clients are changing the same files.",
    "Look at them, then try again.",
  );
}

async function rewriteOf(
  at: OpenAccount,
  { file: { row, text }, text: changed }: FileRewrite,
  { id: op, now }: OperationInput,
): Promise<Rewrite> {
  const isElsewhere = changed.path !== text.path || changed.project !== text.project;
  const [sealed, labels] = await Promise.all([
    sealMemory(
      at.keys,
      at.timeZone,
      { ...row, version: row.version + 1, updatedAt: now, changedOp: op },
      changed,
    ),
    isElsewhere ? labelChanges(at.keys, text, changed) : null,
  ]);
  return { row: sealed, ...(labels === null ? {} : { labels }) };
}

/** A file that waited could not be read by who wrote it, so it is not made. @throws UserError forbidden */
function refuseUnasked(at: OpenAccount, caller: Caller): void {
  const { autoSave } = at.rules;
  const isWaiting = mustWait(at.rules, { category: "other", userAsked: false }, caller);
  if (!isWaiting || caller.trusted) return;
  throw new UserError(
    "forbidden",
    `The user's rules let assistants save on their own only ${allowed(autoSave)}, and files are in other.`,
    "Ask the user: they change that in the rule auto_save.",
  );
}

function invalid(message: string): UserError {
  return new UserError("invalid_input", message, "");
}

function shown({ project, path }: FileAddress): string {
  return shownPath({ path, ...(project === null ? {} : { project }) }) ?? path;
}

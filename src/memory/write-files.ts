/**
 * Writing memory files. Every write says in its batch what it has read and which places are to be free, so that of two clients that change
 * the same file none overwrites the other: the slower one tries again with what the faster one left.
 */
import { UserError } from "../errors.ts";
import { ANYWHERE, type FilePlace } from "../storage/file-place.ts";
import { requireSpace } from "../storage/limits.ts";
import type { FileVersion, Rewrite } from "../storage/memory-files.ts";
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
  placeToken,
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
  rootsToken,
  sealLabels,
  sealMemory,
  type MemoryText,
} from "./memory.ts";
import {
  allowed,
  checkSecrets,
  mustWait,
  refusePath,
  type RuleNote,
  type SentText,
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

/** A change of one file. All of it is asked again where another client was faster, and so sees what that one left. */
export interface FileEdit {
  /** `root`: of the store that it is in. */
  readonly find: () => Promise<{
    readonly file: MemoryFile;
    readonly root?: FileAddress["root"];
  }>;
  readonly change: (text: FileText) => FileChanges;
  /** What has to be so where anything changes. */
  readonly require?: (text: FileText) => Promise<void>;
}

export interface FileRewrite {
  readonly file: MemoryFile;
  readonly text: FileText;
}

/** Each client at one file loses at most as often as others win. Arbitrary. */
const ATTEMPTS = 8;
/** What one rename may take with it: each file is sealed again, and all of them are written in one batch. Arbitrary, far below 128 MB. */
const MAX_MOVED = 1_000;
const MAX_MOVED_BYTES = 8_000_000;

/**
 * @param where asked again where another client was faster
 * @throws UserError forbidden, limit_reached, too_large, invalid_input, version_conflict, and what `where` throws
 */
export function createFile(
  at: OpenAccount,
  where: () => Promise<FileAddress>,
  draft: Pick<MemoryText, "content" | "store"> & { readonly importance?: number },
  caller: Caller,
): Promise<WrittenFile | Blocked> {
  const { importance = DEFAULT_IMPORTANCE, ...written } = draft;
  refuseUnasked(at, caller);
  requireSpace(at);
  return untilDone(async () => {
    const { project, path, root } = await where();
    // The name of a store that is there is nobody's to send.
    const isNamed = path === ROOT && project !== null;
    const { sent, rules } = await checkSent(at, {
      ...written,
      path,
      ...(isNamed ? { project } : {}),
    });
    const text = cleanFile({ tags: [], ...(project === null ? {} : { project }), ...sent });
    const address = { project: text.project ?? null, path, ...(root && { root }) };
    const blocker = await blockerOf(at, address);
    if (blocker !== null) return blocker;
    const operation = operationOf(caller);
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
          // Whatever the rules say of memories: a file is there until somebody deletes it.
          expiresAt: null,
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
    const input = { row, labels, supersedes: null, claim: null, place };
    const made = await createWithinLimit(at, input, operation.id, caller);
    if (made.outcome === "full") {
      throw limitRefusal(await describeFull(at, caller.now), { mayRead: false });
    }
    // Another client was faster with this place, or with the store.
    if (made.outcome !== "created") return null;
    return {
      outcome: "written",
      file: { row, text },
      operationId: operation.id,
      rules: [...rules, ...(made.trashed === null ? [] : [await trashedNote(at, made.trashed)])],
    };
  });
}

/** Changes one file. @throws UserError version_conflict, too_large, limit_reached, invalid_input, and what the edit throws */
export function changeFile(
  at: OpenAccount,
  { find, change, require }: FileEdit,
  caller: Caller,
): Promise<WrittenFile | Blocked> {
  return untilDone(async () => {
    const { file, root } = await find();
    const { content, path } = { ...file.text, ...change(file.text) };
    const { sent, rules } = await checkSent(at, {
      ...(content === file.text.content ? {} : { content }),
      ...(path === file.text.path ? {} : { path }),
    });
    const text = cleanFile({ ...file.text, ...sent });
    const isMoved = text.path !== file.text.path;
    if (!isMoved && JSON.stringify(text) === JSON.stringify(file.text)) {
      return { outcome: "written", file, operationId: null, rules };
    }
    await require?.(file.text);
    if (text.content.length > file.text.content.length) requireSpace(at);
    const address = { project: text.project ?? null, path: text.path, ...(root && { root }) };
    const blocker = isMoved ? await blockerOf(at, address, { mover: file.row.id }) : null;
    if (blocker !== null) return blocker;
    const place = isMoved ? await placeOf(at, address) : { ...ANYWHERE, root: root ?? null };
    const operation = operationOf(caller);
    const written = await rewriteFiles(at, [{ file, text }], place, operation);
    if (written === null) return null;
    const [changed = file] = written;
    return { outcome: "written", file: changed, operationId: operation.id, rules };
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
    const moved = await rewritesOf(
      filesAt(at, from),
      ({ text }) => ({ ...text, path: `${path}${text.path.slice(from.path.length)}` }),
      "Move the directories in it one by one.",
    );
    if (moved.length === 0) return { outcome: "missing" };
    if (isBelow(path, from.path)) throw invalid(`Cannot move ${shown(from)} into itself`);
    await checkSent(at, { path });
    const written = await rewriteFiles(at, moved, await placeOf(at, to), operationOf(caller));
    return written === null ? null : { outcome: "moved" };
  });
}

/** What to write so that each of these files gets another text. @param hint where they are too many @throws UserError too_large, invalid_input */
export async function rewritesOf(
  files: AsyncIterable<MemoryFile>,
  change: (file: MemoryFile) => FileText,
  hint: string,
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
        hint,
      );
    }
    const problem = text.path === ROOT ? null : problemOf(text.path);
    if (problem !== null) throw invalid(`${text.path} cannot be used: ${problem}.`);
  }
  return rewrites;
}

/** As one operation, all of them or none. Null: another client was faster. */
export async function rewriteFiles(
  at: OpenAccount,
  rewrites: readonly FileRewrite[],
  place: FilePlace,
  operation: OperationInput,
): Promise<MemoryFile[] | null> {
  const sealed = await Promise.all(rewrites.map((rewrite) => rewriteOf(at, rewrite, operation)));
  const isDone = await at.memoryFiles.rewrite(sealed, place, operation);
  return isDone ? sealed.map(({ row, text }) => ({ row, text })) : null;
}

export interface DeletedPath {
  readonly wasFile: boolean;
  /** Files that were in the directory of this name. */
  readonly inside: number;
}

/** Moves a file or a directory with all that is in it to the trash, as one operation. @throws UserError version_conflict */
export async function deletePath(
  at: OpenAccount,
  address: FileAddress,
  caller: Caller,
): Promise<DeletedPath> {
  const operation = operationOf(caller);
  const place = await placeToken(at, address);
  let wasFile = false;
  let inside = 0;
  return untilDone(async () => {
    const [standing, below] = await Promise.all([
      at.memoryFiles.at([place]),
      at.memoryFiles.versionsUnder(place),
    ]);
    const rows = [...standing, ...below];
    if (rows.length === 0) return { wasFile, inside };
    const trashed = await trashFiles(at, rows, operation, Number(wasFile) + inside);
    wasFile ||= standing.some(({ id }) => trashed.has(id));
    inside += below.filter(({ id }) => trashed.has(id)).length;
    return null;
  });
}

/**
 * Those that are still as they were read, in their order, except for the root of a store that would leave files behind.
 * @param before how many were trashed by the same operation already @returns their ids
 */
export async function trashFiles(
  at: OpenAccount,
  files: readonly FileVersion[],
  operation: OperationInput,
  before = 0,
): Promise<ReadonlySet<string>> {
  const items = files.map(({ id, version }) => ({ id, version, earlier: null }));
  const roots = await rootsToken(at.keys);
  const trashed = new Set<string>();
  for (const leaving of chunksOf(items, MEMORIES_AT_ONCE)) {
    const done = await at.operations.bringBack(
      { leaving, returning: [], conversations: [] },
      { kind: "delete", undoes: null, roots, before: { memories: before + trashed.size } },
      operation,
    );
    for (const id of done) trashed.add(id);
  }
  return trashed;
}

/** What the person's rules leave of what someone sends of a file. @throws UserError invalid_input */
export async function checkSent<Sent extends SentText & { readonly path?: string }>(
  { rules }: OpenAccount,
  given: Sent,
): Promise<{ readonly sent: Sent; readonly rules: readonly RuleNote[] }> {
  const { text: sent, notes, refusal } = await checkSecrets(rules, given);
  const refused =
    refusal ?? (given.path === undefined ? null : await refusePath(rules, given.path));
  if (refused !== null) throw refused;
  return { sent, rules: notes };
}

/** @throws UserError invalid_input, too_large */
export function cleanFile(text: FileText): FileText {
  return { ...cleanText(text), path: text.path };
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
): Promise<Rewrite & { readonly text: FileText }> {
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
  return { row: sealed, text: changed, ...(labels === null ? {} : { labels }) };
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

import type { Category } from "../storage/closed-lists.ts";
import { UserError } from "../errors.ts";
import { requireSpace } from "../storage/limits.ts";
import type { OpenAccount, Caller } from "../storage/open-account.ts";
import { nextStatus } from "./approve.ts";
import {
  operationOf,
  requireMemory,
  requireVersion,
  rootRefusal,
  statusFacts,
  writeChange,
  type ChangeResult,
} from "./change.ts";
import {
  cleanTag,
  cleanTags,
  cleanText,
  openMemory,
  labelChanges,
  openText,
  sealMemory,
} from "./memory.ts";
import type { MemoryText } from "./memory.ts";
import { ROOT } from "./file-path.ts";
import { placeOf } from "./files.ts";
import { isSameStatement } from "./own-fingerprint.ts";
import { checkSecrets, refuseTags, waitingNote, type RuleNote } from "./rules.ts";

export interface MemoryChanges {
  readonly content?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly addTags?: readonly string[] | undefined;
  readonly removeTags?: readonly string[] | undefined;
  /** "" takes the memory out of its project. */
  readonly project?: string | undefined;
  readonly askedAs?: readonly string[] | undefined;
  readonly category?: Category | undefined;
  readonly importance?: number | undefined;
  /** Milliseconds UTC; null: never expires. */
  readonly expiresAt?: number | null | undefined;
  readonly status?: "active" | "trashed" | undefined;
}

/**
 * Changes any fields; the earlier state stays in the history.
 * @throws UserError not_found, version_conflict, invalid_input, too_large, limit_reached (of a longer text), forbidden (approving a pending memory)
 */
export async function updateMemory(
  at: OpenAccount,
  id: string,
  changes: MemoryChanges,
  caller: Caller,
  ifVersion?: number,
): Promise<ChangeResult> {
  const row = await requireMemory(at, id);
  await requireVersion(at, row, ifVersion);
  const text = await openText(at.keys, row);
  refuseOnFiles(text, changes);
  const { status, isApproval } = await nextStatus(at, row, changes.status, caller);
  const sent = await checkChanges(at, changes);
  const clean = changeText(text, sent.changes);
  const refused = refuseTags(
    at.rules,
    clean.tags.filter((tag) => !text.tags.includes(tag)),
  );
  if (refused !== null) throw refused;
  const { supersedes } = text;
  const changedText = supersedes === undefined || isApproval ? clean : { ...clean, supersedes };
  const facts = {
    ...row,
    category: changes.category ?? row.category,
    importance: changes.importance ?? row.importance,
    expiresAt: changes.expiresAt === undefined ? row.expiresAt : changes.expiresAt,
  };
  const notes = [
    ...sent.notes,
    ...(status === "pending" && row.status !== "pending" ? [waitingNote(at.rules)] : []),
  ];
  if (
    JSON.stringify(changedText) === JSON.stringify(text) &&
    facts.category === row.category &&
    facts.importance === row.importance &&
    facts.expiresAt === row.expiresAt &&
    status === row.status
  ) {
    return { memory: await openMemory(at.keys, row), operationId: null, rules: notes };
  }

  if (changedText.content.length > text.content.length) requireSpace(at);
  const operation = operationOf(caller);
  const [sealed, labels] = await Promise.all([
    sealMemory(
      at.keys,
      at.timeZone,
      {
        ...facts,
        version: row.version + 1,
        updatedAt: caller.now,
        changedOp: operation.id,
        ...statusFacts(row, status, operation.id, caller.now),
      },
      changedText,
    ),
    labelChanges(at.keys, text, changedText),
  ]);
  const { project = null, path } = changedText;
  const isElsewhere = row.status !== "active" || row.pathToken !== sealed.pathToken;
  const comesToStand = sealed.pathToken !== null && status === "active" && isElsewhere;
  return writeChange(
    at,
    row,
    {
      id,
      expectedVersion: row.version,
      // The same statement stays whose it is, even where another memory says it too.
      row: isSameStatement(text, changedText)
        ? { ...sealed, fingerprint: row.fingerprint }
        : sealed,
      kind: row.status === "trashed" && status !== "trashed" ? "restore" : "update",
      ...(isApproval && supersedes !== undefined ? { supersedes } : {}),
      labels,
      ...(comesToStand && path !== undefined
        ? { place: await placeOf(at, { project, path }) }
        : {}),
    },
    { operation, text: changedText, notes },
  );
}

/** What the rules about secrets leave of the fields that were sent. @throws UserError invalid_input */
async function checkChanges(
  { rules }: OpenAccount,
  changes: MemoryChanges,
): Promise<{ readonly changes: MemoryChanges; readonly notes: readonly RuleNote[] }> {
  const { content, tags, project, askedAs, addTags } = changes;
  const sent = await checkSecrets(rules, { content, tags, project, askedAs });
  const added = await checkSecrets(rules, { tags: addTags });
  const refusal = sent.refusal ?? added.refusal;
  if (refusal !== null) throw refusal;
  return {
    changes: { ...changes, ...sent.text, addTags: added.text.tags },
    notes: [...sent.notes, ...added.notes],
  };
}

/** @throws UserError invalid_input, too_large */
export function changeText(text: MemoryText, changes: MemoryChanges): MemoryText {
  const dropped = new Set(cleanTags(changes.removeTags ?? []).map((tag) => tag.toLowerCase()));
  const project = changes.project ?? text.project;
  const askedAs = changes.askedAs ?? text.askedAs;
  return cleanText({
    content: changes.content ?? text.content,
    tags: [...(changes.tags ?? text.tags), ...(changes.addTags ?? [])].filter(
      (tag) => !dropped.has(cleanTag(tag).toLowerCase()),
    ),
    ...(project === undefined ? {} : { project }),
    ...(askedAs === undefined ? {} : { askedAs }),
    ...(text.provenance === undefined ? {} : { provenance: text.provenance }),
    ...(text.path === undefined ? {} : { path: text.path }),
    ...(text.store === undefined ? {} : { store: text.store }),
  });
}

/** @throws UserError invalid_input, expired */
function refuseOnFiles(
  { path, redacted }: MemoryText,
  { project, status, expiresAt = null }: MemoryChanges,
): void {
  if (redacted !== undefined) {
    throw new UserError(
      "expired",
      "The text of this memory was taken out for good.",
      "Save what is still known of it as a new memory.",
    );
  }
  const leaves = project !== undefined || status === "trashed" || expiresAt !== null;
  if (path === ROOT && leaves) throw rootRefusal();
}

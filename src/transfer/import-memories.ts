/** Compares read memories with what is stored and seals what is new. */
import { UserError } from "../errors.ts";
import { pathBeside, ROOT } from "../memory/file-path.ts";
import {
  cleanText,
  DEFAULT_IMPORTANCE,
  sealLabels,
  sealMemory,
  textFingerprint,
  type MemoryText,
} from "../memory/memory.ts";
import { ownFingerprint } from "../memory/own-fingerprint.ts";
import {
  checkSecrets,
  expiryByRule,
  refusePath,
  refuseTags,
  type SentText,
} from "../memory/rules.ts";
import { maskSecrets } from "../memory/secrets.ts";
import type { SealedLabel, SealedMemory } from "../storage/memories.ts";
import { isId, newId } from "../vault/ids.ts";
import { itemKey } from "../vault/provenance.ts";
import { retireExpired } from "../memory/trash.ts";
import type { KnownMemory } from "../storage/imports.ts";
import type { IdentifiedMemory } from "./identify.ts";
import type { ImportRun } from "./import-run.ts";
import { revive } from "./revive.ts";
import type { SkipReason } from "./records.ts";

export interface PreparedMemory {
  readonly row: SealedMemory;
  readonly labels: readonly SealedLabel[];
}

interface ReadableMemory {
  readonly memory: IdentifiedMemory;
  readonly text: MemoryText;
  /** Identity by the platform's id, and by the text. */
  readonly key: string;
  readonly print: string;
  readonly isMasked: boolean;
}

/**
 * What is stored already stays as it is, whatever the file says: the person may have corrected it since, and their word
 * wins over an older copy.
 */
export async function prepareMemories(
  run: ImportRun,
  found: readonly IdentifiedMemory[],
): Promise<PreparedMemory[]> {
  const { at, tally, room } = run;
  const { deduplication } = at.rules;
  const readable: ReadableMemory[] = [];
  for (const memory of found) {
    const read = await readMemory(run, memory);
    if ("reason" in read) {
      tally.skip("memory", read.reason, 1, [await exampleOf(run, memory.content)]);
    } else readable.push(read);
  }

  const known = await at.imports.knownMemories(
    readable.map(({ key }) => key),
    readable.flatMap(({ memory }) => ownIdOf(memory) ?? []),
    readable.map(({ print }) => print),
  );
  const byKey = new Map(known.map((row) => [row.originKey, row]));
  const byId = new Map(known.map((row) => [row.id, row]));
  const living = await livingTexts(run, known);
  // Of those that say the same one comes back, as only one may live.
  const revivable = known.filter(
    ({ isTrashedByUndo, fingerprint: print }) => isTrashedByUndo && !living.has(print),
  );
  const byPrint = new Map(revivable.map((row) => [row.fingerprint, row]));
  const revived = await revive(
    run,
    "memories",
    [...byPrint.values()].slice(0, Math.max(0, room.left)),
  );
  room.left -= revived.size;
  for (const row of revivable) if (revived.has(row.id)) living.add(row.fingerprint);

  const prepared: PreparedMemory[] = [];
  const taken = new Set<string>();
  const takenIds = new Set(known.map(({ id }) => id));
  for (const one of readable) {
    const { memory, text, key, print } = one;
    // A superseded memory may say what a living one says: Vercel, Railway, Vercel again.
    const lives = !isId(memory.supersededBy);
    const ofId = byId.get(ownIdOf(memory) ?? "");
    // A file may give an id to several: what this import made under it is another one.
    const stored = byKey.get(key) ?? (ofId?.createdOp === run.operationId ? undefined : ofId);
    const isKnownText = lives && living.has(print);
    const isTakenText = lives && taken.has(print);
    // Another file stands there: both are kept. What makes a project a store says no more than that it is one.
    const isTakenPlace = text.path !== undefined && (isKnownText || isTakenText);
    const isTwin = !isTakenPlace && (isKnownText || isTakenText);
    if (stored !== undefined && revived.has(stored.id)) {
      tally.add("memory", "updated");
    } else if (stored?.status === "trashed") {
      tally.skip("memory", "trashed", 1, [await exampleOf(run, text.content)]);
    } else if (
      stored !== undefined ||
      (isKnownText && isTwin && deduplication === "on") ||
      (isTakenPlace && text.path === ROOT)
    ) {
      tally.add("memory", "unchanged");
    } else if (taken.has(key) || (isTakenText && isTwin && deduplication === "on")) {
      tally.skip("memory", "duplicate_in_file", 1, [await exampleOf(run, text.content)]);
    } else if (room.left <= 0) {
      tally.skip("memory", "limit_reached", 1, [await exampleOf(run, text.content)]);
    } else {
      taken.add(key);
      if (lives) taken.add(print);
      room.left -= 1;
      const ownId = ownIdOf(memory);
      const id = ownId === null || takenIds.has(ownId) ? newId() : ownId;
      takenIds.add(id);
      const placed = isTakenPlace ? { ...text, path: pathBeside(text.path, newId()) } : text;
      prepared.push({
        row: await sealNew(run, { ...one, text: placed }, { id, isTwin }),
        labels: await sealLabels(at.keys, placed),
      });
    }
  }
  return prepared;
}

/** Fingerprints of what is stored and living. What has expired is retired, as it is by a save. */
async function livingTexts(
  { at, caller, isTrial }: ImportRun,
  known: readonly KnownMemory[],
): Promise<Set<string>> {
  const living = new Set<string>();
  for (const { id, status, expiresAt, supersededBy, fingerprint: print } of known) {
    if (status === "trashed" || supersededBy !== null) continue;
    if (expiresAt === null || expiresAt > caller.now) {
      living.add(print);
      continue;
    }
    if (!isTrial) await retireExpired(at, id, caller);
  }
  return living;
}

/** @param isTwin whether another memory says the same, and both are kept */
async function sealNew(
  run: ImportRun,
  { memory, text, key, isMasked }: ReadableMemory,
  { id, isTwin }: { readonly id: string; readonly isTwin: boolean },
): Promise<SealedMemory> {
  const { at, caller, operationId, tally } = run;
  const { rules } = at;
  // A time to come is a mistake of the file. What was changed at a time was there by then.
  const createdAt = Math.min(memory.createdAt ?? memory.updatedAt ?? caller.now, caller.now);
  const category = memory.category ?? "other";
  // Counted from the import: an old event would otherwise have expired before anyone saw it.
  const byRule = text.path === undefined ? expiryByRule(rules, category, caller.now) : null;
  const expiry = text.path === ROOT ? null : (memory.expiresAt ?? byRule);
  const status = rules.imports === "pending" ? "pending" : (memory.status ?? "active");
  const { supersedes } = memory;
  const sealed = await sealMemory(
    at.keys,
    at.timeZone,
    {
      id,
      version: 1,
      status,
      category,
      source: memory.source,
      origin: memory.origin ?? "user",
      userAsked: memory.userAsked ?? false,
      grantId: caller.grantId,
      client: caller.client,
      importance: Math.min(5, Math.max(1, Math.round(memory.importance ?? DEFAULT_IMPORTANCE))),
      originKey: key,
      supersededBy: isId(memory.supersededBy) ? memory.supersededBy : null,
      createdAt,
      updatedAt: memory.updatedAt ?? createdAt,
      lastUsedAt: createdAt,
      expiresAt: expiry,
      trashedAt: null,
      createdOp: operationId,
      changedOp: operationId,
      trashedOp: null,
    },
    status === "pending" && isId(supersedes) ? { ...text, supersedes } : text,
  );
  if (isMasked) tally.act("masked");
  if (rules.imports === "pending") tally.act("pending");
  if (memory.expiresAt === undefined && expiry !== null) tally.act("expires");
  if (isTwin && rules.deduplication === "report") tally.act("reported");
  return isTwin
    ? { ...sealed, fingerprint: await ownFingerprint(at.keys, text, sealed.id) }
    : sealed;
}

async function readMemory(
  run: ImportRun,
  memory: IdentifiedMemory,
): Promise<ReadableMemory | { readonly reason: SkipReason }> {
  const { keys, rules } = run.at;
  const { content, tags, project, askedAs } = memory;
  // Before anything is cut: half a secret would not be recognised.
  const checked = await checkSecrets(rules, { content, tags, project, askedAs });
  const refusedPath = memory.path === undefined ? null : await refusePath(rules, memory.path);
  const isRefused =
    checked.refusal !== null || (refusedPath !== null && rules.secrets === "refuse");
  if (isRefused) return { reason: "secret" };
  const isWaiting = rules.imports === "pending" || memory.status === "pending";
  // What waits would keep its place from others, who could not see why.
  const { path, ...pathless } = { ...memory, ...checked.text };
  const isPlaced = path !== undefined && !isWaiting && refusedPath === null;
  const text = readText(isPlaced ? { ...pathless, path } : pathless);
  if ("reason" in text) return text;
  if (refuseTags(rules, text.tags) !== null) return { reason: "blocked_tag" };
  const [key, print] = await Promise.all([
    itemKey(keys, "memory", memory.provenance),
    textFingerprint(keys, text),
  ]);
  return {
    memory,
    text: { ...text, provenance: memory.provenance },
    key,
    print,
    isMasked: checked.notes.length > 0,
  };
}

function readText({
  content,
  tags,
  project,
  askedAs,
  path,
}: SentText & Pick<IdentifiedMemory, "content" | "tags" | "path">):
  | MemoryText
  | { readonly reason: "too_large" | "empty" | "unreadable" } {
  try {
    return cleanText({
      content,
      // A foreign file may have more or longer tags than Cofio keeps; they must not cost the memory.
      tags: tags.map((tag) => tag.slice(0, 60).toWellFormed()).slice(0, 20),
      ...(project === undefined ? {} : { project: project.slice(0, 100).toWellFormed() }),
      ...(askedAs === undefined ? {} : { askedAs }),
      ...(path === undefined ? {} : { path }),
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (error.code === "too_large") return { reason: "too_large" };
    return { reason: content.trim() === "" ? "empty" : "unreadable" };
  }
}

function ownIdOf({ ownId }: IdentifiedMemory): string | null {
  return isId(ownId) ? ownId : null;
}

/** For the report, which is kept: it shows no secret that the memory itself may not hold. */
export async function exampleOf({ at }: ImportRun, content: string): Promise<string> {
  const beginning = content.slice(0, MASKED_CHARS).toWellFormed();
  const { text } =
    at.rules.secrets === "allow" ? { text: beginning } : await maskSecrets(beginning);
  return text.slice(0, 120).toWellFormed();
}

/** Enough for a secret that begins within an example to end in it. */
const MASKED_CHARS = 4_000;

/** Compares read memories with what is stored and seals what is new. */
import { UserError } from "../errors.ts";
import { canonicalText } from "../memory/canonical.ts";
import {
  cleanText,
  DEFAULT_IMPORTANCE,
  sealLabels,
  sealMemory,
  type MemoryText,
} from "../memory/memory.ts";
import type { SealedLabel, SealedMemory } from "../storage/memories.ts";
import { fingerprint, originKey } from "../vault/blind.ts";
import { newId } from "../vault/ids.ts";
import { retireExpired } from "../memory/update.ts";
import type { KnownMemory } from "../storage/imports.ts";
import type { ImportRun } from "./import.ts";
import type { ImportedMemory } from "./records.ts";

export interface PreparedMemory {
  readonly row: SealedMemory;
  readonly labels: readonly SealedLabel[];
}

/**
 * What is stored already stays as it is, whatever the file says: the person may have corrected it since, and their word
 * wins over an older copy.
 */
export async function prepareMemories(
  run: ImportRun,
  found: readonly ImportedMemory[],
): Promise<PreparedMemory[]> {
  const { at, tally } = run;
  const readable: { memory: ImportedMemory; text: MemoryText; key: string; print: string }[] = [];
  for (const memory of found) {
    const text = readText(memory);
    if ("reason" in text) {
      tally.skip("memory", text.reason, 1, exampleOf(memory));
      continue;
    }
    const canonical = canonicalText(text.content);
    const [key, print] = await Promise.all([
      keyOf(run, memory, canonical),
      fingerprint(at.keys, canonical, text.project ?? ""),
    ]);
    readable.push({ memory, text, key, print });
  }

  const known = await at.imports.knownMemories(
    readable.map(({ key }) => key),
    readable.flatMap(({ memory }) => ownIdOf(memory) ?? []),
    readable.map(({ print }) => print),
  );
  const byKey = new Map(known.map((row) => [row.originKey, row]));
  const byId = new Map(known.map((row) => [row.id, row]));
  const living = await livingTexts(run, known);

  const prepared: PreparedMemory[] = [];
  const taken = new Set<string>();
  for (const { memory, text, key, print } of readable) {
    // A superseded memory may say what a living one says: Vercel, Railway, Vercel again.
    const lives = !isCofioId(memory.supersededBy);
    const stored = byKey.get(key) ?? byId.get(ownIdOf(memory) ?? "");
    if (stored?.status === "trashed") {
      tally.skip("memory", "trashed", 1, exampleOf(memory));
    } else if (stored !== undefined || (lives && living.has(print))) {
      tally.add("memory", "unchanged");
    } else if (taken.has(key) || (lives && taken.has(print))) {
      tally.skip("memory", "duplicate_in_file", 1, exampleOf(memory));
    } else {
      taken.add(key);
      if (lives) taken.add(print);
      prepared.push({
        row: await sealNew(run, memory, text, key),
        labels: await sealLabels(at.keys, text),
      });
      tally.add("memory", "new");
    }
  }
  return prepared;
}

/** Fingerprints of what is stored and living. What has expired is retired, as it is by a save. */
async function livingTexts(
  { at, caller }: ImportRun,
  known: readonly KnownMemory[],
): Promise<Set<string>> {
  const living = new Set<string>();
  for (const { id, status, expiresAt, supersededBy, fingerprint: print } of known) {
    if (status === "trashed" || supersededBy !== null) continue;
    if (expiresAt === null || expiresAt > caller.now) {
      living.add(print);
      continue;
    }
    await retireExpired(at, id, caller);
  }
  return living;
}

function sealNew(
  run: ImportRun,
  memory: ImportedMemory,
  text: MemoryText,
  key: string,
): Promise<SealedMemory> {
  const { at, caller, operationId } = run;
  const createdAt = memory.createdAt ?? caller.now;
  return sealMemory(
    at.keys,
    at.timeZone,
    {
      id: ownIdOf(memory) ?? newId(),
      version: 1,
      status: memory.status ?? "active",
      category: memory.category ?? "other",
      source: memory.source,
      origin: memory.origin ?? "user",
      grantId: caller.grantId,
      client: caller.client,
      importance: Math.min(5, Math.max(1, Math.round(memory.importance ?? DEFAULT_IMPORTANCE))),
      originKey: key,
      pathToken: null,
      supersededBy: isCofioId(memory.supersededBy) ? memory.supersededBy : null,
      createdAt,
      updatedAt: memory.updatedAt ?? createdAt,
      lastUsedAt: createdAt,
      expiresAt: memory.expiresAt ?? null,
      trashedAt: null,
      createdOp: operationId,
      changedOp: operationId,
      trashedOp: null,
    },
    text,
  );
}

function readText(
  memory: ImportedMemory,
): MemoryText | { readonly reason: "too_large" | "empty" | "unreadable" } {
  try {
    return cleanText({
      content: memory.content,
      // A foreign file may have more or longer tags than Cofio keeps; they must not cost the memory.
      tags: memory.tags.map((tag) => tag.slice(0, 60).toWellFormed()).slice(0, 20),
      ...(memory.project === undefined
        ? {}
        : { project: memory.project.slice(0, 100).toWellFormed() }),
      ...(memory.askedAs === undefined ? {} : { askedAs: memory.askedAs }),
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (error.code === "too_large") return { reason: "too_large" };
    return { reason: memory.content.trim() === "" ? "empty" : "unreadable" };
  }
}

/** Platform and its id; a memory without one is its text. */
function keyOf(run: ImportRun, memory: ImportedMemory, canonical: string): Promise<string> {
  const { source, originPlatform = source, originId } = memory;
  return originKey(
    run.at.keys,
    originId === null
      ? ["memory", originPlatform, "", memory.project ?? "", canonical]
      : ["memory", originPlatform, originId],
  );
}

function ownIdOf(memory: ImportedMemory): string | null {
  const isOwn = memory.originPlatform === "cofio" && isCofioId(memory.originId);
  return isOwn ? memory.originId : null;
}

/** Ids stand in rows in the clear, so nothing else that a file calls an id may. */
function isCofioId(id: string | null | undefined): id is string {
  return id != null && /^[a-z2-7]{12}$/.test(id);
}

function exampleOf({ content }: ImportedMemory): string {
  return content.slice(0, 120).toWellFormed();
}

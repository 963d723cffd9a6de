/** Memories beside their texts, index entries, labels, earlier states and operations. */
import { ownFingerprint } from "../memory/own-fingerprint.ts";
import {
  indexMemory,
  labelsOf,
  openText,
  sealLabel,
  textFingerprint,
  type MemoryText,
} from "../memory/memory.ts";
import { TOKENIZER_VERSION } from "../search/tokenize.ts";
import type { IntegrityStore } from "../storage/integrity.ts";
import type { PageOf } from "../storage/integrity-pages.ts";
import type { MemoryRepair } from "../storage/integrity-repairs.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { pathToken } from "../vault/blind.ts";
import { pageOf, type CheckedPage, type Damage, type Left, type Repaired } from "./damage.ts";
import { isEntryOf } from "./index-entry.ts";
import { opened } from "./opens.ts";
import { possibleTimeZones } from "./time-zones.ts";

type Row = Awaited<ReturnType<IntegrityStore["memories"]>>[number];

export async function checkMemories(
  at: OpenAccount,
  page: PageOf,
  { seed, now }: { readonly seed: number; readonly now: number },
): Promise<CheckedPage> {
  const rows = await at.integrity.memories(page, seed);
  const [repaired, left]: [Damage<Repaired>[], Damage<Left>[]] = [[], []];
  const told = <What>(row: Row, what: What) => ({ what, kind: "memory" as const, id: row.id });
  const repairs: (Repair & { readonly row: Row })[] = [];
  const entries: string[] = [];
  const labels = [];
  for (const row of rows) {
    if (row.hasOperations !== 1) left.push(told(row, "operation_missing"));
    if (row.hasEarlier !== 1) left.push(told(row, "earlier_missing"));
    const text = await opened(() => openText(at.keys, row));
    const repair = text === null ? null : await repairOf(at, row, text);
    if (text === null) left.push(told(row, "unreadable"));
    // What a redacted text was labelled with followed from what it said.
    else if (text.redacted === undefined) {
      const { id, version, seq } = row;
      const given = await labelsOf(at.keys, text);
      labels.push(...given.map((label) => ({ ...label, id, version, seq })));
    }
    if (repair !== null) repairs.push({ row, ...repair });
    // An entry of rows whose tokens were wrong is made anew with them.
    const isIndexed = row.status === "active" ? isEntryOf(row) : row.sizes === null;
    if (!isIndexed) {
      entries.push(row.id);
      repaired.push(told(row, "index_entry"));
    }
  }
  if (repairs.length + entries.length > 0) {
    const columns = repairs.map((one) => one.columns);
    const placeless = new Set(await at.integrity.repairMemories(columns, entries));
    for (const { row, what, isPlaceAlone } of repairs) {
      const isLeft = placeless.has(row.id);
      if (isLeft) left.push(told(row, "place_taken"));
      const done = isLeft && isPlaceAlone ? what.filter((one) => one !== "identity") : what;
      repaired.push(...done.map((one) => told(row, one)));
    }
  }
  for (const id of await addMissing(at, labels, now)) {
    repaired.push(
      id === null
        ? { what: "label_name", kind: "account", id: "labels" }
        : { what: "label", kind: "memory", id },
    );
  }
  return pageOf(rows, page.limit, { keyOf: ({ id }) => [id], repaired, left });
}

type AskedLabel = Awaited<ReturnType<typeof labelsOf>>[number] &
  Pick<Row, "id" | "version" | "seq">;

/** A sound account has them all: none is sealed for nothing. */
async function addMissing(
  at: OpenAccount,
  labels: readonly AskedLabel[],
  now: number,
): Promise<(string | null)[]> {
  const missing = await at.integrity.missingLabels(labels);
  if (missing.length === 0) return [];
  const rows = await Promise.all(
    missing.map(async ({ id, version, ...label }) => ({
      id,
      version,
      labels: [await sealLabel(at.keys, label)],
    })),
  );
  return at.integrity.addLabels(rows, now);
}

interface Repair {
  readonly columns: MemoryRepair;
  readonly what: readonly Repaired[];
  /** Of its identity nothing else is wrong. */
  readonly isPlaceAlone: boolean;
}

/** Null: all that follows from the text is as it is. */
async function repairOf(at: OpenAccount, row: Row, text: MemoryText): Promise<Repair | null> {
  const what: Repaired[] = [];
  const words = await wordsOf(at, row, text);
  if (words !== null || row.sizeBytes !== row.bodyBytes) what.push("words");
  const [common, own, place] = await Promise.all([
    textFingerprint(at.keys, text),
    ownFingerprint(at.keys, text, row.id),
    text.path === undefined || row.supersededBy !== null
      ? null
      : pathToken(at.keys, text.project ?? "", text.path),
  ]);
  const isKnown = row.fingerprint === common || row.fingerprint === own;
  if (!isKnown || row.pathToken !== place) what.push("identity");
  if (what.length === 0) return null;
  const columns = {
    id: row.id,
    version: row.version,
    ...(words ?? {
      tokens: row.tokens,
      dt: row.dt,
      tokenCount: row.tokenCount,
      tokenizerVersion: null,
    }),
    fingerprint: isKnown ? row.fingerprint : common,
    ownFingerprint: own,
    pathToken: place,
  };
  return { columns, what, isPlaceAlone: isKnown };
}

/** Null: they are those of the text. Rows of an earlier tokeniser are `upkeep.ts`'s. */
async function wordsOf(at: OpenAccount, row: Row, text: MemoryText) {
  if (row.tokenizerVersion !== TOKENIZER_VERSION) return null;
  for (const timeZone of possibleTimeZones(at.timeZone)) {
    const { tokens, dt, tokenCount } = await indexMemory(at.keys, timeZone, row, text);
    if (tokens !== row.tokens || tokenCount !== row.tokenCount) break;
    if (dt === row.dt) return null;
  }
  return indexMemory(at.keys, at.timeZone, row, text);
}

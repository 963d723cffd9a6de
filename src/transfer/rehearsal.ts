/**
 * Rehearsals: a backup is restored into a scratch database and read back from there, table by table. It is verified when every chunk
 * has its hash, every table its rows and its hash, every body its length and its header, and nothing in it stands against writing it back.
 */
import { logProblem } from "../log.ts";
import type { BackupChunk, BackupManifest, Damage } from "../storage/backup-files.ts";
import type { BackupStores } from "../storage/open-account.ts";
import type { ScratchTable } from "../storage/scratch-tables.ts";
import { requireBackup, tableHash, type Step } from "./backup.ts";

/** A database of its own that is thrown away afterwards. */
export interface Scratch {
  /** Empties it and makes the tables. */
  begin(tables: readonly ScratchTable[]): Promise<void>;
  /** Repeating it changes nothing. */
  load(table: string, lines: string): Promise<void>;
  /** Hash of `rows` rows in the table's order, as they stand in a chunk; and where the next ones begin. */
  hash(
    table: string,
    place: { readonly after: readonly (string | number)[] | null; readonly rows: number },
  ): Promise<{ readonly sha256: string; readonly last: readonly (string | number)[] | null }>;
  count(table: string): Promise<number>;
  /** What would stand against writing the rows back, as sentences. */
  faults(isSettled: boolean): Promise<readonly string[]>;
  clear(): Promise<void>;
}

/** Chunks of a few MB each in one step; an object is read and a call made for each. */
export const CHUNKS_READ_A_STEP = 10;

/** @returns what is wrong, or null. Failing to rehearse at all throws, and says nothing about the backup. */
export async function rehearse(
  step: Step,
  stores: BackupStores,
  { scratch, jobId }: { readonly scratch: Scratch; readonly jobId: string },
): Promise<Damage | null> {
  const { backups } = stores;
  await step("rehearsal begins", () =>
    backups.setRehearsal(jobId, { state: "running", at: Date.now() }),
  );
  let damage: Damage | null;
  try {
    damage = await findDamage(step, stores, { scratch, jobId });
  } finally {
    await step("clear", () => scratch.clear());
  }
  await step("rehearsal ends", async () => {
    const at = Date.now();
    if (damage === null) return backups.setRehearsal(jobId, { state: "passed", at });
    logProblem("rehearsal of a backup", damage.problem);
    await backups.setRehearsal(jobId, { state: "failed", at, problem: damage.problem });
  });
  return damage;
}

async function findDamage(
  step: Step,
  stores: BackupStores,
  { scratch, jobId }: { readonly scratch: Scratch; readonly jobId: string },
): Promise<Damage | null> {
  const read = await readManifest(step, stores, jobId);
  if ("problem" in read) return read;
  const { manifest } = read;
  const groups = groupsOf(manifest.chunks, CHUNKS_READ_A_STEP * stores.stepSize);
  await step("scratch", () =>
    scratch.begin(manifest.tables.map(({ name, columns }) => ({ name, columns }))),
  );
  for (const group of groups) {
    const damage = await step(`load ${group.first}`, async () => {
      for (const [index, chunk] of group.chunks.entries()) {
        const stored = await stores.files.readChunk(jobId, group.first + index, chunk);
        if ("problem" in stored) return stored;
        await scratch.load(chunk.table, stored.lines);
      }
      return null;
    });
    if (damage !== null) return damage;
  }
  const hashes = new Map<string, string[]>();
  let after: readonly (string | number)[] | null = null;
  for (const group of groups) {
    const from: readonly (string | number)[] | null = after;
    const found: {
      pages: (readonly [table: string, hash: string])[];
      last: readonly (string | number)[] | null;
    } = await step(`compare ${group.first}`, async () => {
      const pages: (readonly [string, string])[] = [];
      let last = from;
      for (const { table, rows, last: end } of group.chunks) {
        const page = await scratch.hash(table, { after: last, rows });
        pages.push([table, page.sha256]);
        // The next chunk of the same table goes on there; after its last one another table begins.
        last = end === null ? null : page.last;
      }
      return { pages, last };
    });
    for (const [table, hash] of found.pages) {
      hashes.set(table, [...(hashes.get(table) ?? []), hash]);
    }
    after = found.last;
  }
  return step("tables", async () => {
    for (const { name, rows, sha256 } of manifest.tables) {
      const count = await scratch.count(name);
      if (count !== rows) return { problem: `${name} has ${count} rows instead of ${rows}.` };
      if ((await tableHash(hashes.get(name) ?? [])) !== sha256) {
        return { problem: `${name} is not what was backed up.` };
      }
    }
    const faults = await scratch.faults(manifest.settled);
    return faults.length === 0 ? null : { problem: faults.join(" ") };
  });
}

/** What a step returns may be 1 MiB: some 300 characters a chunk. */
const CHUNKS_A_RESULT = 2_000;

/** @throws UserError not_found */
export async function readManifest(
  step: Step,
  { backups, files }: BackupStores,
  jobId: string,
): Promise<{ readonly manifest: BackupManifest } | Damage> {
  const read = async () => files.readManifest(jobId, (await requireBackup(backups, jobId)).sha256);
  const first = await step("manifest", async () => {
    const found = await read();
    if ("problem" in found) return found;
    const { chunks, ...manifest } = found.manifest;
    return { manifest, count: chunks.length };
  });
  if ("problem" in first) return first;
  const chunks: BackupChunk[] = [];
  while (chunks.length < first.count) {
    const from = chunks.length;
    const part = await step(`manifest ${from}`, async () => {
      const found = await read();
      if ("problem" in found) return found;
      return { chunks: found.manifest.chunks.slice(from, from + CHUNKS_A_RESULT) };
    });
    if ("problem" in part) return part;
    chunks.push(...part.chunks);
  }
  return { manifest: { ...first.manifest, chunks } };
}

export function groupsOf(
  chunks: readonly BackupChunk[],
  size: number,
): { readonly first: number; readonly chunks: readonly BackupChunk[] }[] {
  return Array.from({ length: Math.ceil(chunks.length / size) }, (_, at) => ({
    first: at * size,
    chunks: chunks.slice(at * size, (at + 1) * size),
  }));
}

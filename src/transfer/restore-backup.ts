/**
 * Restoring a backup. As a `merge`, rows that are missing come back as they were and what is there stays. As a `whole`, the account
 * becomes what the backup held: what is not in it, or was otherwise, goes first. Before either everything in the backup is compared with
 * its hashes, and the account as it is now is backed up: that is the way back, because an undo cannot bring back what was taken away.
 */
import { UserError } from "../errors.ts";
import type { BackupManifest, Damage } from "../storage/backup-files.ts";
import { rowsOf, type BackupRow } from "../storage/backup-tables.ts";
import type { BackupJob, BackupMaker, BackupStore } from "../storage/backups.ts";
import type { BackupStores } from "../storage/open-account.ts";
import {
  unknownColumns,
  type RestoredTable,
  type BackupRestoreStore,
  type RowRange,
  type SkipReason,
} from "../storage/backup-restore.ts";
import { newJobId, newOperationId } from "../vault/ids.ts";
import {
  createSafetyBackup,
  refuseWhileRestoring,
  requireFinished,
  silentSince,
  stepsOf,
  writeBackup,
  type Step,
} from "./backup.ts";
import { CHUNKS_READ_A_STEP, groupsOf, readManifest } from "./rehearsal.ts";

export const RESTORE_MODES = ["whole", "merge"] as const;
export type RestoreMode = (typeof RESTORE_MODES)[number];

/** What `counts` of a restore's job says. */
export interface RestoreCounts {
  readonly backup: string;
  /** Whoever asked for it may not change the rules. */
  readonly keepsRules?: true;
  /** The backup of the account as it was before. */
  readonly safety?: string;
  /** Rows by table: written, there already, and not written with the reason. Together those of the backup. */
  readonly restored?: Readonly<Record<string, number>>;
  readonly kept?: Readonly<Record<string, number>>;
  readonly skipped?: readonly SkippedRows[];
  readonly problem?: string;
}

export interface SkippedRows {
  readonly table: string;
  readonly reason: SkipReason;
  readonly count: number;
}

export interface WantedRestore {
  /** Of the job. */
  readonly id?: string;
  readonly backupId: string;
  readonly mode: RestoreMode;
  /** Whoever asks for it is trusted with the memory rules. */
  readonly mayChangeRules: boolean;
  /** Milliseconds UTC. */
  readonly now: number;
}

export interface RestoreStores extends BackupStores {
  readonly restores: BackupRestoreStore;
}

/** The way back is kept as long as the trash. */
const SAFETY_KEPT_MS = 30 * 86_400_000;
/** An object and at most 12 statements each, so that a step stays below the 50 of an invocation on the free plan. */
const INSERTED_A_STEP = 3;
/** An object and at most 9 statements each. */
const REMOVALS_A_STEP = 4;
/**
 * Chunks that the 1,024 steps of a Workflow can restore, where steps are of this size: comparing, removing and writing 1,000 takes 700,
 * and the rest is for the backup before it and for what has to be removed besides.
 */
const MAX_CHUNKS = 1_000;

/** @throws UserError not_found, invalid_input, version_conflict */
export async function createRestore(
  backups: BackupStore,
  maker: BackupMaker,
  wanted: WantedRestore,
): Promise<BackupJob> {
  const { id = newJobId(), backupId, mode, mayChangeRules, now } = wanted;
  const backup = await requireFinished(backups, backupId);
  const counts: RestoreCounts = {
    backup: backup.id,
    ...(mayChangeRules ? {} : { keepsRules: true }),
  };
  const isCreated = await backups.create(
    {
      id,
      kind: "restore",
      format: mode,
      counts: JSON.stringify(counts),
      createdAt: now,
      expiresAt: null,
    },
    maker,
    { rivals: ["restore"], silentSince: silentSince(now), backup: backup.id },
  );
  if (isCreated) return requireRestore(backups, id);
  await refuseWhileRestoring(backups, now);
  // What stood against it has just ended.
  return createRestore(backups, maker, wanted);
}

/**
 * Backups that a restore reads or that are its way back. One that was interrupted is finished by running it again, so it needs both
 * as long as its safety backup is kept. @returns ids
 */
export async function backupsOfRestores(
  backups: BackupStore,
  now: number,
): Promise<ReadonlySet<string>> {
  const unfinished = (await backups.list("restore")).filter(
    ({ state, createdAt }) => state !== "finished" && createdAt > now - SAFETY_KEPT_MS,
  );
  return new Set(
    unfinished.flatMap((job) => {
      const { backup, safety } = restoreCountsOf(job);
      return safety === undefined ? [backup] : [backup, safety];
    }),
  );
}

/** @throws UserError not_found */
export async function requireRestore(backups: BackupStore, id: string): Promise<BackupJob> {
  const job = await backups.get("restore", id);
  if (job !== null) return job;
  throw new UserError(
    "not_found",
    "There is no restore with this id.",
    "POST /api/backups/:id/restore starts one and gives its id.",
  );
}

export function restoreCountsOf({ counts }: BackupJob): RestoreCounts {
  // True because only this file writes them.
  return JSON.parse(counts) as RestoreCounts;
}

/** Every step can be run again, and a restore that gave up in the middle is finished by running it again. */
export async function restoreBackup(
  step: Step,
  stores: RestoreStores,
  restoreId: string,
): Promise<void> {
  const { backups } = stores;
  const job = await step("job", () => requireRestore(backups, restoreId));
  const workStep = stepsOf(step, backups, restoreId);
  let counts = restoreCountsOf(job);
  const { backup, keepsRules } = counts;
  let operationId: string | null = null;
  const end = (state: "finished" | "failed", found: RestoreCounts) =>
    backups.end(restoreId, {
      state,
      counts: JSON.stringify(found),
      operationId,
      now: Date.now(),
    });
  try {
    const read = await findWhole(workStep, stores, backup);
    if ("problem" in read) {
      await step("refuse", () =>
        end("failed", { backup, problem: `${read.problem} Nothing was changed.` }),
      );
      return;
    }
    const safety = await workStep("job of the way back", async () => {
      const now = Date.now();
      return createSafetyBackup(backups, job, { now, keptUntil: now + SAFETY_KEPT_MS });
    });
    counts = { ...counts, safety };
    await writeBackup(workStep, stores, safety);
    const operation = await workStep("operation", async () => {
      const now = Date.now();
      return { id: newOperationId(now), now };
    });
    operationId = operation.id;
    const { grantId, client } = job;
    await workStep("begin", () =>
      stores.restores.begin({ ...operation, grantId, client }, restoreId),
    );
    const { manifest } = read;
    const pass = { backup, manifest, operationId: operation.id };
    if (job.format === "whole") {
      await workStep("imports", () => stores.restores.forgetImports());
      await removeOthers(workStep, stores, pass);
    }
    counts = { ...counts, ...(await insertMissing(workStep, stores, pass)) };
    await workStep("recount", async () => {
      const { memories = 0, conversations = 0, messages = 0 } = counts.restored ?? {};
      await stores.restores.recount(operation.id, { memories, conversations, messages });
    });
    if (job.format === "whole") {
      await workStep("account", () => restoreAccount(stores, pass, keepsRules === true));
      // Those too that began meanwhile.
      await workStep("imports of meanwhile", () => stores.restores.forgetImports());
    }
    await step("finish", () => end("finished", counts));
  } catch (error) {
    const problem =
      operationId === null
        ? "It gave up before it changed anything. Start it again."
        : "It was interrupted. Start it again to finish it, or restore the backup that was made before it.";
    await step("give up", () => end("failed", { ...counts, problem }));
    throw error;
  }
}

interface Pass {
  readonly backup: string;
  readonly manifest: BackupManifest;
  readonly operationId: string;
}

/** Compares everything with its hash before anything is changed. */
async function findWhole(
  step: Step,
  stores: RestoreStores,
  backup: string,
): Promise<{ readonly manifest: BackupManifest } | Damage> {
  const read = await readManifest(step, stores, backup);
  if ("problem" in read) return read;
  if (read.manifest.chunks.length > MAX_CHUNKS * stores.stepSize) {
    return { problem: "This backup is too large for what the server's Workers plan does at once." };
  }
  const [unknown] = unknownColumns(read.manifest.tables);
  if (unknown !== undefined) {
    return { problem: `A later version of Cofio wrote this backup: ${unknown} is not known here.` };
  }
  for (const { first, chunks } of groupsOf(
    read.manifest.chunks,
    CHUNKS_READ_A_STEP * stores.stepSize,
  )) {
    const damage = await step(`check ${first}`, async () => {
      for (const [index, chunk] of chunks.entries()) {
        const stored = await stores.files.readChunk(backup, first + index, chunk);
        if ("problem" in stored) return stored;
      }
      return null;
    });
    if (damage !== null) return damage;
  }
  return read;
}

/** Backwards, so that what belongs to something goes before it. */
async function removeOthers(step: Step, stores: RestoreStores, pass: Pass): Promise<void> {
  const { manifest, operationId } = pass;
  let next: number | null = manifest.chunks.length - 1;
  for (let round = 0; next !== null; round++) {
    const from: number = next;
    next = await step<number | null>(`remove ${round}`, async () => {
      let at = from;
      for (let removal = 0; removal < REMOVALS_A_STEP * stores.stepSize && at >= 0; removal++) {
        const table = tableOf(manifest, at);
        if (table.name === "accounts") return null;
        const isMore = await stores.restores.removeOthers(table, {
          range: rangeOf(manifest, at),
          rows: await readRows(stores, pass, at),
          spared: operationId,
        });
        if (!isMore) at -= 1;
      }
      return at < 0 ? null : at;
    });
  }
}

async function insertMissing(
  step: Step,
  stores: RestoreStores,
  pass: Pass,
): Promise<Required<Pick<RestoreCounts, "restored" | "kept" | "skipped">>> {
  const { manifest } = pass;
  const restored: Record<string, number> = {};
  const kept: Record<string, number> = {};
  const skipped = new Map<string, SkippedRows>();
  for (const { first, chunks } of groupsOf(manifest.chunks, INSERTED_A_STEP * stores.stepSize)) {
    const results = await step(`insert ${first}`, async () => {
      const done: {
        table: string;
        rows: number;
        inserted: number;
        skipped: readonly { reason: SkipReason; count: number }[];
      }[] = [];
      for (const [index, { rows }] of chunks.entries()) {
        const table = tableOf(manifest, first + index);
        if (table.name === "accounts") continue;
        const result = await stores.restores.insertMissing(
          table,
          await readRows(stores, pass, first + index),
        );
        done.push({ table: table.name, rows, ...result });
      }
      return done;
    });
    for (const { table, rows, inserted, skipped: reasons } of results) {
      restored[table] = (restored[table] ?? 0) + inserted;
      const left = reasons.reduce((sum, { count }) => sum + count, 0);
      kept[table] = (kept[table] ?? 0) + rows - inserted - left;
      for (const { reason, count } of reasons) {
        const key = `${table} ${reason}`;
        skipped.set(key, { table, reason, count: (skipped.get(key)?.count ?? 0) + count });
      }
    }
  }
  return { restored, kept, skipped: [...skipped.values()] };
}

/** Rules and samples; what is summed up is counted again, and what is said of exports and backups is about today. */
async function restoreAccount(
  stores: RestoreStores,
  pass: Pass,
  keepsRules: boolean,
): Promise<void> {
  const at = pass.manifest.chunks.findIndex(({ table }) => table === "accounts");
  const [row] = await readRows(stores, pass, at);
  await stores.restores.restoreAccount(tableOf(pass.manifest, at), row ?? null, { keepsRules });
}

function tableOf({ chunks, tables }: BackupManifest, at: number): RestoredTable {
  const table = tables.find(({ name }) => name === chunks[at]?.table);
  if (table === undefined) throw new Error("A chunk belongs to no table of its manifest");
  return table;
}

/** The first chunk of a table begins at its first row, the last one ends at its last. */
function rangeOf({ chunks }: BackupManifest, at: number): RowRange {
  const before = chunks[at - 1];
  return {
    after: before?.table === chunks[at]?.table ? (before?.last ?? null) : null,
    upTo: chunks[at]?.last ?? null,
  };
}

async function readRows(
  { files }: RestoreStores,
  { backup, manifest }: Pass,
  at: number,
): Promise<BackupRow[]> {
  const chunk = manifest.chunks[at];
  if (chunk === undefined) throw new Error("A restore is beyond the chunks of its backup");
  const stored = await files.readChunk(backup, at, chunk);
  // It was whole when the restore began.
  if ("problem" in stored) throw new Error(stored.problem);
  return rowsOf(stored.lines);
}

/** Backups of the account: making one, rehearsing it, restoring it. All of them take a while: the answer is a job to ask for again. */
import { Hono } from "hono";
import * as z from "zod";
import { UserError } from "../errors.ts";
import { iso } from "../mcp/answers.ts";
import { countsOf, type BackupJob } from "../storage/backups.ts";
import {
  createBackup,
  isRehearsing,
  refuseWhileRestoring,
  removeBackup,
  requireBackup,
  requireFinished,
  stateOf,
} from "../transfer/backup.ts";
import {
  createRestore,
  requireRestore,
  RESTORE_MODES,
  restoreCountsOf,
} from "../transfer/restore-backup.ts";
import { newJobId } from "../vault/ids.ts";
import type { ApiContext } from "./api.ts";
import { readJson } from "./read-json.ts";
import { refuseReadOnly, requireScope } from "./require-scope.ts";
import { takesJson } from "./takes.ts";

/** A restore writes, takes away, and brings data in. */
const RESTORE_SCOPES = ["data:import", "memories:write", "memories:delete"] as const;
/** Text that was deleted stands in backups until they are gone: who may delete it may delete them. */
const DELETE_SCOPES = ["data:export", "memories:delete"] as const;
const WANTED =
  'Send {"mode": "merge"} to bring back what is missing, or {"mode": "whole"} to make the account what the backup holds.';
export const restoreSchema = z.object({ mode: z.enum(RESTORE_MODES) });

export function backups(context: ApiContext) {
  const { account, caller, scopes, startBackup } = context;
  const { backups: store, backupFiles } = account;
  return new Hono()
    .get("/", async (c) => {
      requireScope(scopes, "data:export");
      const jobs = await store.list("backup");
      return c.json({
        backups: jobs.map((job) => backupAnswer(job, caller.now)),
        last_verified_at: iso(account.row.lastVerifiedBackupAt),
      });
    })
    .get("/:id", async (c) => {
      requireScope(scopes, "data:export");
      return c.json({
        backup: backupAnswer(await requireBackup(store, c.req.param("id")), caller.now),
      });
    })
    .post("/", async (c) => {
      requireScope(scopes, "data:export");
      refuseReadOnly(context);
      const jobId = newJobId();
      const { job } = await startBackup({ do: "back up", jobId, rehearse: false }, () =>
        createBackup(store, caller, caller.now, jobId),
      );
      return c.json({ backup: backupAnswer(job, caller.now) }, 202);
    })
    .delete("/:id", async (c) => {
      for (const scope of DELETE_SCOPES) requireScope(scopes, scope);
      const { id } = await requireBackup(store, c.req.param("id"));
      if (!(await removeBackup({ backups: store, files: backupFiles }, id, caller.now))) {
        await refuseWhileRestoring(store, caller.now);
        throw new UserError(
          "version_conflict",
          "This backup is being written.",
          `Wait for it: GET /api/backups/${id}.`,
        );
      }
      return c.json({ deleted: id });
    })
    .post("/:id/rehearse", async (c) => {
      requireScope(scopes, "data:export");
      refuseReadOnly(context);
      const job = await requireFinished(store, c.req.param("id"));
      if (!isRehearsing(job, caller.now)) {
        await startBackup({ do: "rehearse", jobId: job.id }, async () => {
          await store.setRehearsal(job.id, { state: "running", at: caller.now });
          return { isNew: true };
        });
      }
      return c.json({ backup: backupAnswer(await requireBackup(store, job.id), caller.now) }, 202);
    })
    .post("/:id/restore", takesJson<z.input<typeof restoreSchema>>(), async (c) => {
      for (const scope of RESTORE_SCOPES) requireScope(scopes, scope);
      const parsed = restoreSchema.safeParse(await readJson(c, WANTED));
      if (!parsed.success) {
        throw new UserError("invalid_input", "`mode` is neither whole nor merge.", WANTED);
      }
      const wanted = {
        id: newJobId(),
        backupId: c.req.param("id"),
        mode: parsed.data.mode,
        mayChangeRules: caller.trusted,
        now: caller.now,
      };
      const { job } = await startBackup({ do: "restore", jobId: wanted.id }, async () => ({
        job: await createRestore(store, caller, wanted),
        isNew: true,
      }));
      return c.json({ restore: restoreAnswer(job, caller.now) }, 202);
    });
}

export function restores({ account, caller, scopes }: ApiContext) {
  return new Hono().get("/:id", async (c) => {
    requireScope(scopes, "data:import");
    return c.json({
      restore: restoreAnswer(await requireRestore(account.backups, c.req.param("id")), caller.now),
    });
  });
}

function backupAnswer(job: BackupJob, now: number) {
  const { rows, rehearsal } = countsOf(job);
  return {
    id: job.id,
    state: stateOf(job, now),
    made_by: job.client,
    created_at: iso(job.createdAt),
    ...(rows === undefined ? {} : { rows, size_bytes: job.sizeBytes }),
    ...(job.expiresAt === null ? {} : { kept_until: iso(job.expiresAt) }),
    verified_at: iso(job.verifiedAt),
    ...(rehearsal === undefined ? {} : { rehearsal: { ...rehearsal, at: iso(rehearsal.at) } }),
  };
}

function restoreAnswer(job: BackupJob, now: number) {
  const { backup, safety, keepsRules, restored, kept, skipped, problem } = restoreCountsOf(job);
  return {
    id: job.id,
    state: stateOf(job, now),
    mode: job.format,
    backup_id: backup,
    created_at: iso(job.createdAt),
    ...(safety === undefined ? {} : { backup_before: safety }),
    ...(job.operationId === null ? {} : { operation_id: job.operationId }),
    ...(restored === undefined ? {} : { restored, kept, skipped }),
    ...(keepsRules === true && job.format === "whole" ? { rules_kept: true } : {}),
    ...(problem === undefined ? {} : { problem }),
  };
}

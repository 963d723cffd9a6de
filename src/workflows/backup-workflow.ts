/** Backups, rehearsals and restores, step by step. No key is opened: everything is rows as they are. */
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { openBackupStores, type BackupStores } from "../storage/open-account.ts";
import { openBackupRestore } from "../storage/backup-restore.ts";
import { readPlan } from "../storage/plan.ts";
import {
  removeOldBackups,
  requireBackup,
  rowCount,
  writeBackup,
  type BackupWork,
  type Step,
} from "../transfer/backup.ts";
import { rehearse } from "../transfer/rehearsal.ts";
import { backupsOfRestores, restoreBackup } from "../transfer/restore-backup.ts";

/** Ids only: the platform keeps parameters. */
export interface BackupOrder {
  readonly userId: string;
  readonly work: BackupWork;
}

export class BackupWorkflow extends WorkflowEntrypoint<Env, BackupOrder> {
  override async run(
    { instanceId, payload: { userId, work } }: Readonly<WorkflowEvent<BackupOrder>>,
    workflowStep: WorkflowStep,
  ): Promise<void> {
    // The platform's own type asks for serializable results: every one here is plain JSON.
    const step: Step = (name, work) => workflowStep.do(name, work as () => Promise<never>);
    const stores = openBackupStores(this.env, userId, readPlan(this.env.PLAN).stepSize);
    switch (work.do) {
      case "back up": {
        await writeBackup(step, stores, work.jobId);
        if (work.rehearse)
          await this.#rehearseIfSmall(step, stores, { jobId: work.jobId, instanceId });
        await step("remove old", async () => {
          const now = Date.now();
          await removeOldBackups(stores, {
            now,
            spared: await backupsOfRestores(stores.backups, now),
          });
        });
        return;
      }
      case "rehearse": {
        await this.#rehearse(step, stores, { jobId: work.jobId, instanceId });
        return;
      }
      case "restore": {
        const restores = openBackupRestore(this.env.DB, userId);
        await restoreBackup(step, { ...stores, restores }, work.jobId);
      }
    }
  }

  async #rehearseIfSmall(step: Step, stores: BackupStores, at: RehearsalPlace): Promise<void> {
    const rows = await step("rows", async () =>
      rowCount(await requireBackup(stores.backups, at.jobId)),
    );
    if (rows <= Number(this.env.REHEARSED_ROWS)) await this.#rehearse(step, stores, at);
  }

  async #rehearse(step: Step, stores: BackupStores, at: RehearsalPlace): Promise<void> {
    const scratch = this.env.SCRATCH.getByName(at.instanceId);
    await rehearse(step, stores, { scratch, jobId: at.jobId });
  }
}

/** Each rehearsal has a scratch database of its own. */
interface RehearsalPlace {
  readonly jobId: string;
  readonly instanceId: string;
}

/** Writes an archive chunk by chunk. Each step returns a cursor only, so a restart goes on at the chunk it was at. */
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import type { ExportCursor, ExportPlan } from "../transfer/export.ts";
import {
  addCounts,
  failExport,
  finishArchive,
  removeExpiredArchives,
  writeArchiveChunk,
  type ExportCounts,
} from "../transfer/export-job.ts";
import { openUser } from "../user.ts";

/** Ids and names of formats only: the platform keeps parameters. */
export interface ExportJob {
  readonly userId: string;
  readonly jobId: string;
  readonly plan: ExportPlan;
}

export class ExportWorkflow extends WorkflowEntrypoint<Env, ExportJob> {
  override async run(event: Readonly<WorkflowEvent<ExportJob>>, step: WorkflowStep): Promise<void> {
    const { userId, jobId } = event.payload;
    try {
      await this.#write(event.payload, step);
    } catch (error) {
      // A step gave up after its retries: the person must not wait for ever.
      await step.do("fail", async () => failExport(await this.#open(userId), jobId, Date.now()));
      throw error;
    }
    await step.do("remove expired", async () =>
      removeExpiredArchives(await this.#open(userId), Date.now()),
    );
  }

  async #write({ userId, jobId, plan }: ExportJob, step: WorkflowStep): Promise<void> {
    let counts: ExportCounts = { memories: 0, conversations: 0, messages: 0 };
    let cursor: ExportCursor | null = { at: "start" };
    let chunk = 0;
    while (cursor !== null) {
      const here: ExportCursor = cursor;
      const written: { next: ExportCursor | null; counts: ExportCounts } = await step.do(
        `chunk ${chunk}`,
        async () =>
          writeArchiveChunk(await this.#open(userId), plan, { jobId, chunk, cursor: here }),
      );
      counts = addCounts(counts, written.counts);
      cursor = written.next;
      chunk += 1;
    }
    await step.do("finish", async () => {
      await finishArchive(await this.#open(userId), jobId, {
        chunks: chunk,
        counts,
        now: Date.now(),
      });
    });
  }

  async #open(userId: string) {
    const account = await openUser(this.env, userId);
    if (account === null) throw new Error("The account of an export is gone");
    return account;
  }
}

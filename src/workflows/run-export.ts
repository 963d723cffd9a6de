/** The steps of an export. Each returns a place only, so a restart goes on where it was. */
import type { OpenAccount } from "../storage/open-account.ts";
import {
  beginExport,
  checkFiles,
  describeArchive,
  failExport,
  finishExport,
  removeExpiredArchives,
  sumExport,
  writeChunks,
  type ExportPlan,
  type ExportProgress,
} from "../transfer/export-job.ts";

/** Ids and names of formats only: the platform keeps parameters. */
export interface ExportJob {
  readonly userId: string;
  readonly jobId: string;
  readonly plan: ExportPlan;
}

/** Runs a step, or gives what it returned before a restart. */
export type RunStep = <T extends Rpc.Serializable<T>>(
  name: string,
  work: () => Promise<T>,
) => Promise<T>;

/** @param open the account, anew for every step: keys live no longer */
export async function runExport(
  job: ExportJob,
  runStep: RunStep,
  open: () => Promise<OpenAccount>,
): Promise<void> {
  try {
    await write(job, runStep, open);
  } catch (error) {
    // A step gave up after its retries: the person must not wait for ever.
    await runStep("fail", async () => failExport(await open(), job.jobId, Date.now()));
    throw error;
  }
  await runStep("remove expired", async () => removeExpiredArchives(await open(), Date.now()));
}

async function write(
  { jobId, plan }: ExportJob,
  runStep: RunStep,
  open: () => Promise<OpenAccount>,
): Promise<void> {
  let progress: ExportProgress = beginExport(plan);
  for (let number = 0; progress.cursor !== null; number++) {
    const here: ExportProgress = progress;
    progress = await runStep(`write ${number}`, async () =>
      writeChunks(await open(), plan, { jobId, progress: here }),
    );
  }
  const written = progress;
  if (plan.format === "cofio") {
    const rounds = await inRounds(runStep, "check", async (round) =>
      checkFiles(await open(), { jobId, progress: written, round }),
    );
    await runStep("describe", async () =>
      describeArchive(await open(), plan, { jobId, progress: written, rounds }),
    );
  }
  const sums = await inRounds(runStep, "sum", async (round) =>
    sumExport(await open(), plan, { jobId, progress: written, round }),
  );
  await runStep("finish", async () =>
    finishExport(await open(), plan, {
      jobId,
      progress: written,
      rounds: sums,
      now: Date.now(),
    }),
  );
}

/** A step a round, until one says that there is no more. @returns how many it took */
async function inRounds(
  runStep: RunStep,
  name: string,
  work: (round: number) => Promise<boolean>,
): Promise<number> {
  let rounds = 0;
  while (await runStep(`${name} ${rounds}`, () => work(rounds))) rounds += 1;
  return rounds + 1;
}

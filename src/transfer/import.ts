/** Imports a reading that is in the server's hands, in one go: the text of a tool call, or a small upload. */
import type { Caller, OpenAccount } from "../storage/open-account.ts";
import { LARGE_BATCH } from "../storage/plan.ts";
import { batchesOf } from "./batches.ts";
import { identified } from "./identify.ts";
import { beginImport, checkRecords, endImport, importBatch, type ImportJob } from "./import-job.ts";
import type { ExportReading } from "./read.ts";
import { emptyReport, type ImportReport } from "./report.ts";

/**
 * It waits for quota where the day's is spent: then the same data is imported again on the next day, which adds what is missing.
 * @throws whatever a batch throws: batches before it stay, and importing the same again continues
 */
export function importReading(
  at: OpenAccount,
  reading: ExportReading,
  caller: Caller,
): Promise<ImportJob> {
  return at.oneAtATime(async () => {
    const upload = { files: reading.recognised, totals: reading.totals };
    let job = await beginImport(at, upload, caller, { limits: LARGE_BATCH, isWhole: true });
    try {
      for await (const records of batchesOf(identified(reading.records()), job.limits)) {
        job = await importBatch(at, job.id, { number: job.nextBatch, records }, caller);
        if (job.state === "waiting_quota") return job;
      }
      return await endImport(at, job.id, "finished", caller.now);
    } catch (error) {
      // Where the database refuses this too, it stays `running` in the list, and counts as under way for an hour (`import-under-way.ts`).
      await endImport(at, job.id, "failed", caller.now).catch(() => {});
      throw error;
    }
  });
}

/** The report that the import would give. Nothing is written. */
export async function checkReading(
  at: OpenAccount,
  reading: ExportReading,
  caller: Caller,
): Promise<ImportReport> {
  let report = emptyReport(reading.totals, reading.recognised);
  for await (const records of batchesOf(identified(reading.records()), LARGE_BATCH)) {
    ({ report } = await checkRecords(at, records, { soFar: report, caller }));
  }
  return report;
}

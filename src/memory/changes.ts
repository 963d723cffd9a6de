import type { OpenAccount } from "../storage/open-account.ts";
import type { OperationRow } from "../storage/operations.ts";

/** What one look back reads; between two requests there are a few. */
const MAX_OPERATIONS = 50;

/** Operations since a time, the latest ones. @param since milliseconds UTC */
export async function operationsSince(at: OpenAccount, since: number): Promise<OperationRow[]> {
  const latest = await at.operations.list(null, MAX_OPERATIONS);
  return latest.filter(({ createdAt }) => createdAt >= since);
}

/** Ids of the memories that these operations made, changed, trashed or brought back, each once. */
export async function changedMemories(
  at: OpenAccount,
  operations: readonly OperationRow[],
): Promise<string[]> {
  const touched = await Promise.all(
    operations.map((operation) => at.operations.touchedMemories(operation)),
  );
  return [...new Set(touched.flat().map(({ id }) => id))];
}

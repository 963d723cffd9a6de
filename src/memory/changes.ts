import type { OpenAccount } from "../storage/open-account.ts";
import type { OperationRow } from "../storage/operations.ts";

/** What one look back reads; between two requests there are a few. */
const MAX_OPERATIONS = 50;

/** Operations since a time, the latest ones. @param since milliseconds UTC */
export async function operationsSince(at: OpenAccount, since: number): Promise<OperationRow[]> {
  const latest = await at.operations.list(null, MAX_OPERATIONS);
  return latest.filter(({ createdAt }) => createdAt >= since);
}

import type { ImportRun } from "./import-run.ts";

interface TrashedRow {
  readonly id: string;
  readonly version: number;
}

/**
 * What an undo put into the trash comes back as it was when a file brings it again. What a person or an assistant trashed stays there.
 * @returns the ids of those that came back: not of a memory whose text another one says by now
 */
export async function revive(
  { at, caller: { grantId, client, now }, operationId, isTrial }: ImportRun,
  kind: "memories" | "conversations",
  rows: readonly TrashedRow[],
): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set();
  if (isTrial) return new Set(rows.map(({ id }) => id));
  // The trash was one version more.
  const items = rows.map(({ id, version }) => ({ id, version, earlier: version - 1 }));
  const batch = { leaving: [], returning: [], conversations: [] };
  return at.operations.bringBack(
    kind === "memories" ? { ...batch, returning: items } : { ...batch, conversations: items },
    { kind: "import", undoes: null, before: null },
    { id: operationId, grantId, client, now },
  );
}

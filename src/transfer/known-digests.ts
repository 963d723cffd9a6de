/** Whether a conversation that the sender only names is there as it says. */
import type { OpenAccount } from "../storage/open-account.ts";
import { contentHash } from "../vault/blind.ts";
import { itemKey } from "../vault/provenance.ts";
import type { BatchRecord } from "./batches.ts";

/**
 * @param operationId what this import has changed itself is no unchanged one
 * @returns the places of the records that must be sent as they are
 */
export async function wantedOf(
  { imports, keys }: OpenAccount,
  records: readonly BatchRecord[],
  operationId: string,
): Promise<number[]> {
  const named = await Promise.all(
    records.flatMap(async (record, place) => {
      if (record.type !== "unchanged") return [];
      const { provenance, digest } = record;
      return { place, digest, key: await itemKey(keys, "conversation", provenance) };
    }),
  );
  const asked = named.flat();
  if (asked.length === 0) return [];
  const known = await imports.digests(asked.map(({ key }) => key));
  const places = await Promise.all(
    asked.map(async ({ place, digest, key }) => {
      const row = known.get(key);
      const isThere =
        row !== undefined &&
        row.changedOp !== operationId &&
        row.digest === (await contentHash(keys, digest));
      return isThere ? [] : place;
    }),
  );
  return places.flat();
}

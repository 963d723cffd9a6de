/** Which stored row is that of a conversation of a file. */
import type { KnownConversation } from "../storage/imports.ts";
import { newId } from "../vault/ids.ts";
import { ownIdOf, type KeyedConversation } from "./find-known.ts";
import type { ImportRun } from "./import-run.ts";

export interface MatchedConversation extends KeyedConversation {
  readonly stored: KnownConversation | null;
  readonly conversationId: string;
}

/** With the row that is theirs, by origin or, of Cofio's own, by id. A file may give an id to several: each but the first gets another one. */
export function matched(
  { operationId }: ImportRun,
  keyed: readonly KeyedConversation[],
  known: readonly KnownConversation[],
): MatchedConversation[] {
  const byKey = new Map(known.map((row) => [row.originKey, row]));
  const byId = new Map(known.map((row) => [row.id, row]));
  const taken = new Set(keyed.flatMap(({ key }) => byKey.get(key)?.id ?? []));
  return keyed.map((one) => {
    const { key, conversation } = one;
    const ownId = ownIdOf(conversation);
    const ofId = ownId === null || taken.has(ownId) ? undefined : byId.get(ownId);
    // What this import made is another one of its file.
    const stored = byKey.get(key) ?? (ofId?.createdOp === operationId ? undefined : ofId) ?? null;
    const isFree = ownId !== null && !taken.has(ownId) && ofId === undefined;
    const conversationId = stored?.id ?? (isFree ? ownId : newId());
    taken.add(conversationId);
    return { ...one, stored, conversationId };
  });
}

/** Under which its row is found: of Cofio's own that were matched by id another than the file's. */
export function storedKeyOf({ stored, key }: MatchedConversation): string {
  return stored?.originKey ?? key;
}

/**
 * What an imported item is known by. It is kept inside the ciphertext, so that the key can be derived again under other keys:
 * after a restore into another account an import of the same file still changes nothing.
 */
import type { Source } from "../storage/closed-lists.ts";
import { originKey } from "./blind.ts";
import type { Keys } from "./keys.ts";

export interface Provenance {
  /** Whose id it is. */
  readonly platform: Source;
  readonly id: string;
  /** The platform gave no id, and the reader made one of what the item says. */
  readonly isDerived?: true;
}

/** Unique within its conversation only, as platforms' ids of messages are. */
export type MessageProvenance = Omit<Provenance, "platform">;

export function itemKey(
  keys: Keys,
  kind: "conversation" | "memory",
  { platform, id, isDerived }: Provenance,
): Promise<string> {
  return originKey(keys, [kind, platform, ...idParts(id, isDerived)]);
}

export function messageKey(
  keys: Keys,
  conversationKey: string,
  { id, isDerived }: MessageProvenance,
): Promise<string> {
  return originKey(keys, ["message", conversationKey, ...idParts(id, isDerived)]);
}

/** A derived id can never be mistaken for a platform's. */
function idParts(id: string, isDerived: true | undefined): string[] {
  return isDerived === true ? ["", id] : [id];
}

/** As Cofio's own exports write it. */
export function provenanceLine({ platform, ...provenance }: Provenance) {
  return { platform, ...messageProvenanceLine(provenance) };
}

export function messageProvenanceLine({ id, isDerived }: MessageProvenance) {
  return { id, ...(isDerived === true ? { derived: true as const } : {}) };
}

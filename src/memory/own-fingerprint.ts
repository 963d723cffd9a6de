import { fingerprint, foldName } from "../vault/blind.ts";
import type { Keys } from "../vault/keys.ts";
import { canonicalText } from "./canonical.ts";
import type { MemoryText } from "./memory.ts";

/**
 * A fingerprint that no other memory has, for a text that is stored beside an equal one. Only the second of two equal memories gets
 * it: the first keeps the common one, so that it is recognised again once duplicates are.
 */
export function ownFingerprint(keys: Keys, text: MemoryText, id: string): Promise<string> {
  // No text holds a NUL, so no other text has this fingerprint either.
  return fingerprint(keys, `${canonicalText(text.content)}\0${id}`, text.project ?? "");
}

/** Whether two texts have the same common fingerprint. */
export function isSameStatement(one: MemoryText, other: MemoryText): boolean {
  return (
    one.path === other.path &&
    canonicalText(one.content) === canonicalText(other.content) &&
    foldName(one.project ?? "") === foldName(other.project ?? "")
  );
}

/** Names of labels, and which memories have them. */
import { labelsOf, openLabel, openText } from "../memory/memory.ts";
import type { PageOf } from "../storage/integrity-pages.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { labelToken } from "../vault/blind.ts";
import { pageOf, type CheckedPage } from "./damage.ts";
import { opened } from "./opens.ts";

/** A name that does not open, or stands for another token, goes: the memories that have the label bring it back. */
export async function checkLabelNames(at: OpenAccount, page: PageOf): Promise<CheckedPage> {
  const rows = await at.integrity.labelNames(page);
  const wrong = [];
  for (const row of rows) {
    const name = await opened(() => openLabel(at.keys, row));
    // A directory's token depends on its project, which its name does not tell.
    const isRight =
      name !== null &&
      (row.kind === "directory" || (await labelToken(at.keys, row.kind, name)) === row.label);
    if (!isRight) wrong.push(row);
  }
  const dropped = wrong.length > 0 ? await at.integrity.dropNames(wrong) : [];
  const repaired = dropped.map((id) => ({ what: "label_name", kind: "label", id }) as const);
  return pageOf(rows, page.limit, { keyOf: ({ label }) => [label], repaired, left: [] });
}

/** A label of a memory that is gone, or that its text does not give it, goes. What one lacks is found with the memory. */
export async function checkLabelled(at: OpenAccount, page: PageOf): Promise<CheckedPage> {
  const rows = await at.integrity.labelled(page);
  const known = new Map<number, ReadonlySet<string> | null>();
  const wrong = [];
  for (const row of rows) {
    const { label, seq, id, version, bodyVersion } = row;
    if (id === null || version === null || bodyVersion === null) {
      wrong.push({ label, seq, version: null, id: label, kind: "label" as const });
      continue;
    }
    if (!known.has(seq)) {
      const text = await opened(() => openText(at.keys, { ...row, id, bodyVersion }));
      // What a redacted text was labelled with followed from what it said.
      const isKnown = text !== null && text.redacted === undefined;
      const given = isKnown ? await labelsOf(at.keys, text) : null;
      known.set(seq, given && new Set(given.map((one) => one.label)));
    }
    // What cannot be read is named with the memory, and keeps what it has.
    if (known.get(seq)?.has(label) === false) {
      wrong.push({ label, seq, version, id, kind: "memory" as const });
    }
  }
  const dropped = wrong.length > 0 ? await at.integrity.dropLabels(wrong) : [];
  const repaired = dropped.map(({ kind, id }) => ({ what: "label", kind, id }) as const);
  return pageOf(rows, page.limit, { keyOf: ({ label, seq }) => [label, seq], repaired, left: [] });
}

/** What was changed from one text to another, by words. */

export interface DiffPart {
  readonly kind: "same" | "gone" | "added";
  readonly text: string;
}

/** Words, blanks, and each other character for itself. */
const PIECES = /[\p{L}\p{N}\p{M}_]+|\s+|[^]/gu;
/** Cells of the table: 16 MB. Beyond, what lies between the equal ends counts as replaced. */
const MAX_CELLS = 4_000_000;

export function wordDiff(before: string, after: string): readonly DiffPart[] {
  const a = before.match(PIECES) ?? [];
  const b = after.match(PIECES) ?? [];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (
    end < a.length - start &&
    end < b.length - start &&
    a[a.length - 1 - end] === b[b.length - 1 - end]
  ) {
    end++;
  }
  return joined([
    { kind: "same", text: a.slice(0, start).join("") },
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    { kind: "same", text: a.slice(a.length - end).join("") },
  ]);
}

/** By the longest common subsequence. */
function middle(a: readonly string[], b: readonly string[]): DiffPart[] {
  const width = b.length + 1;
  if (a.length === 0 || b.length === 0 || (a.length + 1) * width > MAX_CELLS) {
    return [
      { kind: "gone", text: a.join("") },
      { kind: "added", text: b.join("") },
    ];
  }
  const common = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] =
        a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const parts: DiffPart[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      parts.push({ kind: "same", text: a[i] ?? "" });
      i++;
      j++;
    } else if (i < a.length && (j === b.length || at(i + 1, j) >= at(i, j + 1))) {
      parts.push({ kind: "gone", text: a[i] ?? "" });
      i++;
    } else {
      parts.push({ kind: "added", text: b[j] ?? "" });
      j++;
    }
  }
  return parts;
}

function joined(parts: readonly DiffPart[]): DiffPart[] {
  const all: DiffPart[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    if (part.text === "") continue;
    if (last?.kind === part.kind) all[all.length - 1] = { ...part, text: last.text + part.text };
    else all.push(part);
  }
  return all;
}

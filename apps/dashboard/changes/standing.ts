/** How operations stand to each other: what is undone, what is in force again, and what undoing each of them would bring about. */

export interface Standing {
  readonly isUndone: boolean;
  /** For the button; null: it is not undone so, as the restoring of a backup. Undoing an undo brings back what that took away, and undoing this takes it away again. */
  readonly action: "Undo" | "Redo" | null;
}

/** Of an operation, as the API answers it. */
interface Linked {
  readonly id: string;
  readonly kind: string;
  readonly undoes?: string | undefined;
  readonly subject?: string | undefined;
}

/** Longer than the ids of memories and conversations. */
const JOB_ID_CHARS = 26;

/** What the restore of a backup or an archive is about. */
export function isJob(subject: string | undefined): boolean {
  return subject?.length === JOB_ID_CHARS;
}

/** @param operations the latest first; of an undo of an earlier one than these it is taken that it undid no undo */
export function standingsOf(operations: readonly Linked[]): (of: Linked) => Standing {
  const takingAway = new Set<string>();
  for (const { id, kind, undoes } of operations.toReversed()) {
    if (kind === "undo" && !takingAway.has(undoes ?? "")) takingAway.add(id);
  }
  const undone = new Set<string>();
  for (const { id, undoes } of operations) {
    // An undo that was itself undone counts no more.
    if (undoes !== undefined && !undone.has(id)) undone.add(undoes);
  }
  return ({ id, kind, subject }) => ({
    isUndone: undone.has(id),
    action: kind === "restore" && isJob(subject) ? null : takingAway.has(id) ? "Redo" : "Undo",
  });
}

/** Where a memory file may stand, as a condition of the batch that puts it there: files and directories exclude each other. */

/** Tokens of paths (`vault/blind.ts`). */
export interface FilePlace {
  /** Where no file may stand: the directories above it. */
  readonly noFiles: readonly string[];
  /** What may be no directory: the place itself. Null: it may be one. */
  readonly noDirectory: string | null;
}

export const ANYWHERE: FilePlace = { noFiles: [], noDirectory: null };

/** ?1 user. @param files SQL of a JSON list of tokens @param directory SQL of a token or NULL */
export function isFree(files: string, directory: string): string {
  return `NOT EXISTS (SELECT 1 FROM json_each(${files}) t CROSS JOIN memories f ON f.user_id = ?1 AND f.path_token = t.value AND f.status = 'active')
  AND NOT EXISTS (SELECT 1 FROM memory_labels d CROSS JOIN memories f ON f.seq = d.seq AND f.status = 'active' AND f.path_token IS NOT NULL
    WHERE d.user_id = ?1 AND d.label = ${directory})`;
}

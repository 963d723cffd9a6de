/** Where memory files may stand, as a condition of the batch that puts them there: files and directories exclude each other. */

/** Tokens of paths (`vault/blind.ts`). */
export interface FilePlace {
  /** Where no other file may stand: the place itself, and the directories above it. */
  readonly noFiles: readonly string[];
  /** Directories in which no other file may be. */
  readonly noFilesIn: readonly string[];
  /** Of the store that it is in; null: of none. */
  readonly root: RootVersion | null;
}

/** The root of a store as it was read: by any other version the store may have another name, be archived or be gone. */
export interface RootVersion {
  readonly id: string;
  readonly version: number;
}

export const ANYWHERE: FilePlace = { noFiles: [], noFilesIn: [], root: null };

/** The parameter of `isFree`. @param files ids of those that the batch writes: they are in nobody's way */
export function placeParameter(place: FilePlace, files: readonly string[]): string {
  return JSON.stringify({ ...place, files });
}

/** ?1 user. @param place SQL of a `placeParameter` */
export function isFree(place: string): string {
  const isOther = `f.status = 'active' AND f.id NOT IN (SELECT value FROM json_each(${place}, '$.files'))`;
  return `NOT EXISTS (SELECT 1 FROM json_each(${place}, '$.noFiles') t CROSS JOIN memories f ON f.user_id = ?1 AND f.path_token = t.value AND ${isOther})
  AND NOT EXISTS (SELECT 1 FROM json_each(${place}, '$.noFilesIn') t CROSS JOIN memory_labels d ON d.user_id = ?1 AND d.label = t.value
    CROSS JOIN memories f ON f.seq = d.seq AND f.path_token IS NOT NULL AND ${isOther})
  AND (${place}->'root' = 'null' OR EXISTS (SELECT 1 FROM memories r WHERE r.user_id = ?1 AND r.id = ${place}->'root'->>'id'
    AND r.version = ${place}->'root'->>'version' AND r.status = 'active'))`;
}

/** ?1 user. Whether a memory is the root of a store. @param seq SQL of its number, with the table's name @param roots SQL of the label that all roots have, or NULL */
export function isRoot(seq: string, roots: string): string {
  return `EXISTS (SELECT 1 FROM memory_labels r WHERE r.user_id = ?1 AND r.label = ${roots} AND r.seq = ${seq})`;
}

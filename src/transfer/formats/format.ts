import type { Source } from "../../storage/closed-lists.ts";
import type { ImportRecord, ItemKind } from "../records.ts";

/** One kind of export file. An element is read alone, so that a damaged one costs itself and nothing else. */
export interface ExportFormat {
  /** As people call it, for reports and errors. */
  readonly name: string;
  readonly source: Source;
  /** What an element that cannot be read counts as. */
  readonly elementKind: ItemKind;
  /** True where the platform repeats one memory in many places of its export: those are one item, not an item and its duplicates. */
  readonly repeatsMemories: boolean;
  /** By structure, never by name. */
  matches(element: unknown): boolean;
  /** Never throws on anything that JSON can say: what cannot be read is a record too. */
  read(element: unknown, context: ReadContext): readonly ImportRecord[];
  /** The platform's id of the account that the element belongs to, where the format says so. */
  accountOf?(element: unknown): string | null;
  /** A project's id and name, where the element is one: other files name the project by its id only. */
  projectOf?(element: unknown): { readonly id: string; readonly name: string } | null;
}

export interface ReadContext {
  /** The key of the list that held the element, as the splitter reports it. */
  readonly container: string | null;
  /** Names of the projects in the whole upload, by the platform's id. */
  readonly projectNames: ReadonlyMap<string, string>;
}

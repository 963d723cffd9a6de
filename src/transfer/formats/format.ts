import type { Source } from "../../storage/closed-lists.ts";
import type { ImportRecord, ItemKind } from "../records.ts";
import type { JsonObject } from "./json.ts";

/** One kind of export file. */
export type ExportFormat = ElementFormat | SequenceFormat | TextFormat;

interface AnyFormat {
  /** As people call it, for reports and errors. */
  readonly name: string;
  readonly source: Source;
  /** What an element that cannot be read counts as. */
  readonly elementKind: ItemKind;
  /** True where the platform repeats one memory in many places of its export: those are one item, not an item and its duplicates. */
  readonly repeatsMemories: boolean;
}

/** An element is read alone, so that a damaged one costs itself and nothing else. */
export interface ElementFormat extends AnyFormat {
  readonly kind: "elements";
  /**
   * By structure, never by name. `members`: what stands beside the lists of a top-level object, as far as the sample goes; then `element`
   * is null where the lists are empty.
   */
  matches(element: unknown, members?: JsonObject): boolean;
  /** Never throws on anything that JSON can say: what cannot be read is a record too. */
  read(element: unknown, context: ReadContext): readonly ImportRecord[];
  /** The platform's id of the account that the element belongs to, where the format says so. */
  accountOf?(element: unknown): string | null;
  /** A project's id and name, where the element is one: other files name the project by its id only. */
  projectOf?(element: unknown): { readonly id: string; readonly name: string } | null;
}

/** Elements make sense only together: the lines of a session, the events of an activity log. */
export interface SequenceFormat extends AnyFormat {
  readonly kind: "sequence";
  /** By structure, never by name. */
  matches(element: unknown): boolean;
  /** Begins a file. */
  open(context: ReadContext): SequenceReader;
}

/** Keeps what it needs of the elements, and never throws on anything that JSON can say. */
export interface SequenceReader {
  /** The next element; what it is sure of already. */
  take(element: unknown): readonly ImportRecord[];
  /** What stands beside the lists of a top-level object. It may come before the elements, after them, or in two pieces. */
  takeMembers?(members: JsonObject): void;
  /** What was left for the end of the file. */
  end(): readonly ImportRecord[];
}

/** A file that is no JSON, read as one text of at most 64 MiB. */
export interface TextFormat extends AnyFormat {
  readonly kind: "text";
  /** @param head the first 4 KiB */
  matchesText(head: string): boolean;
  /** Never throws. */
  read(text: string, context: ReadContext): readonly ImportRecord[];
}

export interface ReadContext {
  /** As the person's device calls it, without folders: a title where the file has none. Never looked at to recognise a format. */
  readonly fileName: string;
  /** The key of the list that held the element, as the splitter reports it. */
  readonly container: string | null;
  /** Names of the projects in the whole upload, by the platform's id. */
  readonly projectNames: ReadonlyMap<string, string>;
}

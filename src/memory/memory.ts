/** A memory as the domain knows it, and its way into a sealed row and back. */
import { UserError } from "../errors.ts";
import { dateTokens, tokenizeText, TOKENIZER_VERSION } from "../search/tokenize.ts";
import type { Category, Source } from "../storage/closed-lists.ts";
import type { LabelChanges } from "../storage/findable.ts";
import type { ReadableMemory, SealedLabel, SealedMemory } from "../storage/memories.ts";
import type { MemoryStatus } from "../storage/schema.ts";
import { blindColumn, blindTokens, fingerprint, labelToken, pathToken } from "../vault/blind.ts";
import { utf8 } from "../vault/bytes.ts";
import type { Keys } from "../vault/keys.ts";
import { openJson, sealJson } from "../vault/seal.ts";
import type { Provenance } from "../vault/provenance.ts";
import { canonicalText } from "./canonical.ts";
import { ABOVE_ROOTS, directoriesOf, isPath, ROOT } from "./file-path.ts";

/** 64 KiB of UTF-8: some 16,000 tokens, more than any one fact needs. */
const MAX_CONTENT_BYTES = 65_536;
/** As much as a memory of Anthropic's memory stores holds. */
const MAX_FILE_BYTES = 102_400;
export const MAX_TAGS = 20;
const MAX_TAG_CHARS = 64;
const MAX_PROJECT_CHARS = 100;
export const MAX_ASKED_AS = 5;
const MAX_ASKED_AS_CHARS = 200;
export const DEFAULT_IMPORTANCE = 3;
/** How long a trashed memory can be restored. */
export const TRASH_DAYS = 30;

/** What a person or an assistant wrote: the part of a row that is sealed. */
export interface MemoryText {
  readonly content: string;
  readonly tags: readonly string[];
  readonly project?: string;
  /** Short questions that the memory answers: indexed, never shown. */
  readonly askedAs?: readonly string[];
  /** Of a memory that waits for approval: the one that it will then supersede. */
  readonly supersedes?: string;
  /** Of an imported memory. */
  readonly provenance?: Provenance;
  /** Of a memory file: where it stands among those of its project, beginning with /. Its content is kept to the letter. */
  readonly path?: string;
  /** Of the memory at the path /: it makes its project a memory store, which it describes. */
  readonly store?: StoreFacts;
  /** Of an earlier state whose text was taken out for good; its project and where it came from stay, by which it is known. */
  readonly redacted?: Redaction;
}

export interface Redaction {
  /** Milliseconds UTC. */
  readonly at: number;
  readonly grantId: string;
}

export interface StoreFacts {
  readonly metadata: Readonly<Record<string, string>>;
  /** Milliseconds UTC: from then on nothing is written to it. */
  readonly archivedAt?: number;
}

export interface Memory extends MemoryText {
  readonly id: string;
  readonly version: number;
  readonly category: Category;
  readonly importance: number;
  readonly source: Source;
  readonly origin: "user" | "assistant";
  readonly userAsked: boolean;
  readonly client: string;
  readonly status: MemoryStatus;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number | null;
  readonly trashedAt: number | null;
  readonly supersededBy: string | null;
}

/** Everything of a row that is not derived from the text. */
export type MemoryFacts = Omit<
  SealedMemory,
  | "body"
  | "bodyVersion"
  | "fingerprint"
  | "pathToken"
  | "sizeBytes"
  | "tokenCount"
  | "tokenizerVersion"
  | "keyVersion"
  | "tokens"
  | "dt"
>;

/**
 * Cleans what a person or a model typed.
 * @throws UserError invalid_input, too_large
 */
export function cleanText(text: MemoryText): MemoryText {
  const project = text.project === undefined ? "" : cleanString(text.project).trim();
  const place = placeIn(project, text);
  const isFile = place.path !== undefined;
  const content = isFile ? text.content.toWellFormed() : cleanString(text.content).trim();
  if (content === "" && !isFile) {
    throw new UserError(
      "invalid_input",
      "The content is empty.",
      "Send the statement to remember in `content`.",
    );
  }
  if (utf8(content).length > (isFile ? MAX_FILE_BYTES : MAX_CONTENT_BYTES)) {
    throw isFile
      ? new UserError(
          "too_large",
          "The file is larger than 100 KiB.",
          "Divide it into several files.",
        )
      : new UserError(
          "too_large",
          "The content is larger than 64 KiB.",
          "Save one fact per memory, or import longer texts with import_data.",
        );
  }
  const tags = cleanTags(text.tags);
  if (project.length > MAX_PROJECT_CHARS) {
    throw new UserError(
      "invalid_input",
      "The project name is longer than 100 characters.",
      "Send a shorter `project`.",
    );
  }
  const askedAs = (text.askedAs ?? [])
    .map((question) => cleanString(question).trim().slice(0, MAX_ASKED_AS_CHARS).toWellFormed())
    .filter((question) => question !== "")
    .slice(0, MAX_ASKED_AS);
  return {
    content,
    tags,
    ...(project === "" ? {} : { project }),
    ...(askedAs.length === 0 ? {} : { askedAs }),
    ...(text.provenance === undefined ? {} : { provenance: text.provenance }),
    ...place,
  };
}

/** What is left of a place that was read from somewhere: where no file can stand there is none. */
export function placeIn(
  project: string | undefined,
  { path, store }: Pick<MemoryText, "path" | "store">,
): Pick<MemoryText, "path" | "store"> {
  if (path === undefined || !isPath(path, project)) return {};
  return { path, ...(store === undefined || path !== ROOT ? {} : { store }) };
}

/** Distinct without regard to case, in the order given. @throws UserError invalid_input */
export function cleanTags(tags: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const tag of tags) {
    const name = cleanTag(tag);
    if (name === "") continue;
    if (name.length > MAX_TAG_CHARS) {
      throw new UserError(
        "invalid_input",
        "A tag is longer than 64 characters.",
        "Send short words as `tags`.",
      );
    }
    const key = name.toLowerCase();
    if (!byName.has(key)) byName.set(key, name);
  }
  if (byName.size > MAX_TAGS) {
    throw new UserError(
      "invalid_input",
      `A memory has at most ${MAX_TAGS} tags.`,
      "Send fewer `tags`.",
    );
  }
  return [...byName.values()];
}

/** As it is stored and looked for: single blanks, and no # before it. Cleaning it twice changes nothing more. */
export function cleanTag(text: string): string {
  return cleanString(text)
    .replaceAll(/\s+/gu, " ")
    .replace(/^[# ]+/u, "")
    .trimEnd();
}

/** D1 stores a lone surrogate as U+FFFD, and SQLite's length() stops at NUL. */
export function cleanString(text: string): string {
  return text.toWellFormed().replaceAll("\0", "");
}

/** Seals the text and derives its tokens. `facts.version` becomes the version that the body is bound to. */
export async function sealMemory(
  keys: Keys,
  timeZone: string,
  facts: MemoryFacts,
  text: MemoryText,
): Promise<SealedMemory> {
  const { path, project = "" } = text;
  const [sealed, indexed, place] = await Promise.all([
    sealText(keys, facts, text),
    indexMemory(keys, timeZone, facts, text),
    path === undefined || facts.supersededBy !== null ? null : pathToken(keys, project, path),
  ]);
  return { ...facts, ...indexed, ...sealed, pathToken: place };
}

/** What a row holds of a text, apart from its place in indexes. */
export async function sealText(
  keys: Keys,
  { id, version }: Pick<MemoryFacts, "id" | "version">,
  text: MemoryText,
): Promise<
  Pick<SealedMemory, "body" | "bodyVersion" | "fingerprint" | "sizeBytes" | "keyVersion">
> {
  const [body, print] = await Promise.all([
    sealJson(keys, { id, version, kind: "memory" }, text),
    textFingerprint(keys, text),
  ]);
  return {
    body,
    bodyVersion: version,
    fingerprint: print,
    sizeBytes: body.length / 2,
    keyVersion: keys.version,
  };
}

/**
 * What a text is recognised by: a memory by what it says within its project, a file by its place alone, so that two files may hold
 * the same text and none of them is taken for a memory that says it.
 */
export function textFingerprint(keys: Keys, text: MemoryText): Promise<string> {
  const { content, path, project = "" } = text;
  // No memory's text holds a NUL, so none has the fingerprint of a file.
  return fingerprint(keys, path === undefined ? canonicalText(content) : `\0${path}`, project);
}

export type IndexedMemory = Pick<SealedMemory, "tokens" | "dt" | "tokenCount" | "tokenizerVersion">;

/** What the full-text index holds of a memory. `dt`: words of its day, and tokens by which filters find it. */
export async function indexMemory(
  keys: Keys,
  timeZone: string,
  { createdAt, category, source }: Pick<MemoryFacts, "createdAt" | "category" | "source">,
  text: MemoryText,
): Promise<IndexedMemory> {
  // Nothing of it is to be found, nor told from its tokens.
  if (text.redacted !== undefined) {
    return { tokens: "", dt: "", tokenCount: 0, tokenizerVersion: TOKENIZER_VERSION };
  }
  const { content, project = "", askedAs = [], path = "" } = text;
  const words = tokenizeText([content, ...text.tags, project, ...askedAs, path].join("\n"));
  const dateWords = dateTokens(createdAt, timeZone);
  const [tokens, dt, labels] = await Promise.all([
    blindColumn(keys, words),
    blindTokens(keys, [...dateWords, categoryToken(category), sourceToken(source)]),
    labelTokens(keys, text),
  ]);
  return {
    tokens,
    dt: [...dt, ...labels].sort().join(" "),
    tokenCount: words.length + dateWords.length,
    tokenizerVersion: TOKENIZER_VERSION,
  };
}

/** For filters, beside the words: no text gives a token that begins with @. */
export function categoryToken(category: Category): string {
  return `@category=${category}`;
}

export function sourceToken(source: Source): string {
  return `@source=${source}`;
}

export async function openText(
  keys: Keys,
  row: { readonly id: string; readonly bodyVersion: number; readonly body: string },
): Promise<MemoryText> {
  return openJson<MemoryText>(
    keys,
    { id: row.id, version: row.bodyVersion, kind: "memory" },
    row.body,
  );
}

export async function openMemory(keys: Keys, row: ReadableMemory): Promise<Memory> {
  const text = await openText(keys, row);
  return {
    ...text,
    id: row.id,
    version: row.version,
    category: row.category,
    importance: row.importance,
    source: row.source,
    origin: row.origin,
    userAsked: row.userAsked,
    client: row.client,
    status: row.status,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    expiresAt: row.expiresAt,
    trashedAt: row.trashedAt,
    supersededBy: row.supersededBy,
  };
}

/** A label by its token, with the name that it stands for. */
interface NamedLabel {
  readonly label: string;
  readonly kind: SealedLabel["kind"];
  readonly name: string;
}

/** The labels that a text gives: of its tags and project, and of the directories that a file is in. */
export async function labelsOf(keys: Keys, text: MemoryText): Promise<NamedLabel[]> {
  const { tags, project, path, redacted } = text;
  // Of a redacted file it is still known in which store it was.
  const directories =
    path !== undefined
      ? directoriesOf(path)
      : redacted !== undefined && project !== undefined
        ? [ROOT]
        : [];
  return Promise.all([
    ...tags.map((tag) => namedLabel(keys, "tag", tag)),
    ...(project === undefined ? [] : [namedLabel(keys, "project", project)]),
    ...directories.map(async (directory) => ({
      label: await directoryToken(keys, project ?? "", directory),
      kind: "directory" as const,
      name: directory,
    })),
  ]);
}

export async function sealLabels(keys: Keys, text: MemoryText): Promise<SealedLabel[]> {
  const named = await labelsOf(keys, text);
  return Promise.all(named.map((label) => sealLabel(keys, label)));
}

/** What to change where one text takes the place of another. */
export async function labelChanges(
  keys: Keys,
  before: MemoryText,
  after: MemoryText,
): Promise<LabelChanges> {
  const [had, gets] = await Promise.all([sealLabels(keys, before), sealLabels(keys, after)]);
  const kept = new Set(gets.map(({ label }) => label));
  const drop = had.map(({ label }) => label).filter((label) => !kept.has(label));
  // Names that differ only by case or form are one label. The store's own decides how it is written, and not whatever is in it.
  const isRespelt = after.path === ROOT && after.project !== before.project;
  const add = gets.map((label) =>
    isRespelt && label.kind === "project" ? { ...label, isRespelt } : label,
  );
  return { drop, add };
}

function labelTokens(keys: Keys, { tags, project }: MemoryText): Promise<string[]> {
  return Promise.all([
    ...tags.map((tag) => labelToken(keys, "tag", tag)),
    ...(project === undefined ? [] : [labelToken(keys, "project", project)]),
  ]);
}

async function namedLabel(keys: Keys, kind: "tag" | "project", name: string): Promise<NamedLabel> {
  return { label: await labelToken(keys, kind, name), kind, name };
}

/** What lies above all roots holds the stores, whatever their project. */
export function directoryToken(keys: Keys, project: string, path: string): Promise<string> {
  return pathToken(keys, path === ABOVE_ROOTS ? "" : project, path);
}

/** The label that the roots of all stores have. */
export function rootsToken(keys: Keys): Promise<string> {
  return directoryToken(keys, "", ABOVE_ROOTS);
}

export async function sealLabel(
  keys: Keys,
  { label, kind, name }: NamedLabel,
): Promise<SealedLabel> {
  return {
    label,
    kind,
    keyVersion: keys.version,
    body: await sealJson(keys, { id: label, version: 1, kind: "label" }, name),
  };
}

export async function openLabel(
  keys: Keys,
  row: { readonly label: string; readonly body: string },
): Promise<string> {
  return openJson<string>(keys, { id: row.label, version: 1, kind: "label" }, row.body);
}

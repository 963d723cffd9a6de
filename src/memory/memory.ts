/** A memory as the domain knows it, and its way into a sealed row and back. */
import { UserError } from "../errors.ts";
import { dateTokens, tokenizeText, TOKENIZER_VERSION } from "../search/tokenize.ts";
import type { Category, Source } from "../storage/closed-lists.ts";
import type { ReadableMemory, SealedLabel, SealedMemory } from "../storage/memories.ts";
import type { MemoryStatus } from "../storage/schema.ts";
import { blindColumn, blindTokens, fingerprint, labelToken } from "../vault/blind.ts";
import { utf8 } from "../vault/bytes.ts";
import type { Keys } from "../vault/keys.ts";
import { openJson, sealJson } from "../vault/seal.ts";
import type { Provenance } from "../vault/provenance.ts";
import { canonicalText } from "./canonical.ts";

/** 64 KiB of UTF-8: some 16,000 tokens, more than any one fact needs. */
const MAX_CONTENT_BYTES = 65_536;
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
  const content = cleanString(text.content).trim();
  if (content === "") {
    throw new UserError(
      "invalid_input",
      "The content is empty.",
      "Send the statement to remember in `content`.",
    );
  }
  if (utf8(content).length > MAX_CONTENT_BYTES) {
    throw new UserError(
      "too_large",
      "The content is larger than 64 KiB.",
      "Save one fact per memory, or import longer texts with import_data.",
    );
  }
  const tags = cleanTags(text.tags);
  const project = text.project === undefined ? "" : cleanString(text.project).trim();
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
  };
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
  const [body, indexed, print] = await Promise.all([
    sealJson(keys, { id: facts.id, version: facts.version, kind: "memory" }, text),
    indexMemory(keys, timeZone, facts, text),
    fingerprint(keys, canonicalText(text.content), text.project ?? ""),
  ]);
  return {
    ...facts,
    ...indexed,
    bodyVersion: facts.version,
    fingerprint: print,
    sizeBytes: body.length / 2,
    keyVersion: keys.version,
    body,
  };
}

export type IndexedMemory = Pick<SealedMemory, "tokens" | "dt" | "tokenCount" | "tokenizerVersion">;

/** What the full-text index holds of a memory. `dt`: words of its day, and tokens by which filters find it. */
export async function indexMemory(
  keys: Keys,
  timeZone: string,
  { createdAt, category, source }: Pick<MemoryFacts, "createdAt" | "category" | "source">,
  text: MemoryText,
): Promise<IndexedMemory> {
  const words = tokenizeText(
    [text.content, ...text.tags, text.project ?? "", ...(text.askedAs ?? [])].join("\n"),
  );
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

/** The sealed names of a memory's tags and project. */
export async function sealLabels(keys: Keys, text: MemoryText): Promise<SealedLabel[]> {
  return Promise.all([
    ...text.tags.map((tag) => sealLabel(keys, "tag", tag)),
    ...(text.project === undefined ? [] : [sealLabel(keys, "project", text.project)]),
  ]);
}

function labelTokens(keys: Keys, { tags, project }: MemoryText): Promise<string[]> {
  return Promise.all([
    ...tags.map((tag) => labelToken(keys, "tag", tag)),
    ...(project === undefined ? [] : [labelToken(keys, "project", project)]),
  ]);
}

async function sealLabel(keys: Keys, kind: "tag" | "project", name: string): Promise<SealedLabel> {
  const label = await labelToken(keys, kind, name);
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

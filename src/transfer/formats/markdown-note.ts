/**
 * Markdown with front matter: basic-memory's notes, one memory each, and the files of mem0's plugin, where one front matter and its
 * text follow the other.
 *
 * Of YAML only what these tools write is read: `key: value`, `key: [a, b]`, and a key with `- item` lines below it. Anything else in
 * the front matter is passed over.
 */
import type { ImportRecord } from "../records.ts";
import { skipped } from "./conversation.ts";
import type { TextFormat } from "./format.ts";
import { idOf } from "./json.ts";
import { memoryRecord } from "./memory-record.ts";
import { tagsOf } from "./tags.ts";
import { textOf, timeFromIso, trimmedTextOf } from "./text.ts";

/** A note has a title or a permalink, mem0 knows its memories by ids alone. */
export const mem0Markdown = {
  kind: "text",
  name: "mem0 Markdown file",
  source: "mem0",
  elementKind: "memory",
  repeatsMemories: false,
  matchesText: (head) => {
    const fields = fieldsOfHead(head);
    return isMem0(fields) && !fields.has("title") && !fields.has("permalink");
  },
  read: (text) => readMem0(linesOf(text)),
} satisfies TextFormat;

export const markdownNote = {
  kind: "text",
  name: "Markdown note with front matter",
  source: "basic_memory",
  elementKind: "memory",
  repeatsMemories: false,
  matchesText: (head) => fieldsOfHead(head).size > 0,
  read: (text) => [readNote(linesOf(text))],
} satisfies TextFormat;

type Fields = ReadonlyMap<string, string | readonly string[]>;

interface FrontMatter {
  readonly fields: Fields;
  /** The line behind it. */
  readonly end: number;
}

const NO_FIELDS: Fields = new Map();

/** The head may end inside a long front matter. */
function fieldsOfHead(head: string): Fields {
  return frontMatterAt(linesOf(`${head}\n---`), 0)?.fields ?? NO_FIELDS;
}

function readNote(lines: readonly string[]): ImportRecord {
  const found = frontMatterAt(lines, 0);
  if (found === null && isCutFrontMatter(lines, 0, KEYS)) {
    return skipped("memory", "truncated_file");
  }
  const { fields, end } = found ?? { fields: NO_FIELDS, end: 0 };
  const title = trimmedTextOf(fields.get("title"));
  const body = lines.slice(end).join("\n").trim();
  // What a note's lines are about often stands in its title alone.
  const isTitled = title === "" || body === "" || headingOf(body) === title;
  return memoryRecord(isTitled ? body : `# ${title}\n\n${body}`, {
    source: "basic_memory",
    originId: idOf(textOf(fields.get("permalink"))),
    tags: tagsOf(fields.get("tags")),
    createdAt: timeFromIso(fields.get("created_at") ?? fields.get("created")),
    updatedAt: timeFromIso(fields.get("updated_at") ?? fields.get("modified")),
  });
}

/** The text of the heading that the note begins with. */
function headingOf(body: string): string {
  const [first = ""] = body.split("\n", 1);
  return first.startsWith("#") ? first.replace(/^#+/, "").trim() : "";
}

/** A rule in a memory's text is no front matter: that has an id. */
function readMem0(lines: readonly string[]): ImportRecord[] {
  const records: ImportRecord[] = [];
  let fields: Fields | null = null;
  let text: string[] = [];
  const endMemory = (): void => {
    const content = text.join("\n");
    text = [];
    if (fields === null && content.trim() === "") return;
    records.push(
      memoryRecord(content, {
        source: "mem0",
        originId: idOf(textOf(fields?.get("id"))),
        tags: tagsOf(fields?.get("categories")),
        createdAt: timeFromIso(fields?.get("created_at")),
        updatedAt: timeFromIso(fields?.get("updated_at")),
      }),
    );
  };
  for (let index = 0; index < lines.length; index += 1) {
    const found = frontMatterAt(lines, index);
    if (found !== null && isMem0(found.fields)) {
      endMemory();
      fields = found.fields;
      index = found.end - 1;
    } else if (found === null && isCutFrontMatter(lines, index, MEM0_KEYS)) {
      endMemory();
      return [...records, skipped("memory", "truncated_file")];
    } else text.push(lines[index] ?? "");
  }
  // The fence of a front matter that is missing is no text.
  text = text
    .join("\n")
    .replace(/(?:^|\n)-{1,3}\s*$/u, "")
    .split("\n");
  endMemory();
  return records;
}

function isMem0(fields: Fields): boolean {
  return fields.has("id") || fields.has("categories");
}

/** Null where none begins at the line, or none ends. */
function frontMatterAt(lines: readonly string[], start: number): FrontMatter | null {
  if (!isFence(lines[start])) return null;
  const fields = new Map<string, string | string[]>();
  let items: string[] = [];
  for (let index = start + 1; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    if (isFence(line)) return { fields, end: index + 1 };
    const item = line.trim();
    if (item.startsWith("- ")) {
      items.push(unquoted(item.slice(2)));
      continue;
    }
    const colon = line.indexOf(":");
    const key = line.slice(0, colon);
    if (colon < 0 || !/^[A-Za-z_][\w-]*$/.test(key)) continue;
    const value = line.slice(colon + 1).trim();
    items = [];
    fields.set(key, value === "" ? items : valueOf(value));
  }
  return null;
}

/** What these tools write into front matter. */
const KEYS = ["id", "categories", "title", "permalink", "type", "tags", "created_at", "updated_at"];
/** Behind a rule in a memory's text may stand "type:" or "tags:" as well. */
const MEM0_KEYS = ["id", "categories"];
const FIELD = /^[A-Za-z_][\w-]*:(?:\s.*)?$/u;
/** What may stand below a key without a value. */
const ITEM = /^(?:\s*-\s.*|\s+\S.*)$/u;

/**
 * Whether the file ends inside of a front matter that begins at the line, which has no end: with nothing but fields behind the fence, and
 * one of the `keys` among them. In doubt it is text, which would be lost: these tools write no empty lines between fields.
 */
function isCutFrontMatter(
  lines: readonly string[],
  start: number,
  keys: readonly string[],
): boolean {
  if (!isFence(lines[start])) return false;
  const inside = lines.slice(start + 1);
  const last = inside.pop() ?? "";
  let takesItems = false;
  for (const line of inside) {
    if (FIELD.test(line)) takesItems = line.trimEnd().endsWith(":");
    else if (!takesItems || !ITEM.test(line)) return false;
  }
  const isKnown = (line: string) => keys.some((key) => line.startsWith(`${key}:`));
  if (isKnown(last)) return true;
  if (inside.length === 0) return last !== "" && keys.some((key) => key.startsWith(last));
  if (!inside.some(isKnown)) return false;
  // The last line may be the beginning of a key, of an item, or of the fence that ends it all.
  return (
    FIELD.test(last) ||
    (takesItems && (ITEM.test(last) || /^\s*-?$/u.test(last))) ||
    /^-{0,2}$/.test(last) ||
    KEYS.some((key) => key.startsWith(last))
  );
}

function valueOf(value: string): string | string[] {
  if (!value.startsWith("[") || !value.endsWith("]")) return unquoted(value);
  return value.slice(1, -1).split(",").map(unquoted);
}

function unquoted(value: string): string {
  const text = value.trim();
  const quote = text[0];
  const isQuoted = text.length > 1 && (quote === '"' || quote === "'") && text.endsWith(quote);
  return isQuoted ? text.slice(1, -1) : text;
}

function isFence(line: string | undefined): boolean {
  return line?.trimEnd() === "---";
}

/** Without a byte order mark. */
function linesOf(text: string): string[] {
  return text.replace(/^\uFEFF/, "").split(/\r?\n/);
}

/**
 * Reads an upload: several files of any known format, in any subset and order.
 *
 * Every file is read twice. The survey recognises it, counts its items and learns what only the whole upload tells: which copy of a
 * conversation is the latest, what the projects are called, whose accounts there are. It keeps ids, times and short names. The second
 * pass yields the records. So a file must open twice: give a large one as a function that opens it (`() => blob.stream()`); a stream that
 * can be read only once is kept in memory, which is fine for a few MiB.
 */
import { UserError } from "../errors.ts";
import type { Source } from "../storage/closed-lists.ts";
import { exclude, skipped } from "./formats/conversation.ts";
import type { ExportFormat } from "./formats/format.ts";
import { detectFormat, SAMPLE_ELEMENTS, type Detection } from "./formats/index.ts";
import { isObject, type JsonObject } from "./formats/json.ts";
import type { ImportedConversation, ImportedMemory, ImportRecord, ItemKind } from "./records.ts";
import { SPLIT_LIMITS, splitElements, type SplitItem } from "./split.ts";
import { utf8Of } from "./utf8-of.ts";

export interface ExportFile {
  readonly name: string;
  readonly bytes:
    | string
    | Uint8Array
    | AsyncIterable<Uint8Array>
    | (() => AsyncIterable<Uint8Array>);
}

export type RecognisedFile =
  | {
      readonly outcome: "read";
      readonly name: string;
      readonly format: string;
      readonly source: Source;
      /** The file ended in the middle: what came before the end is read. */
      readonly truncated: boolean;
    }
  | {
      readonly outcome: "not_read";
      readonly name: string;
      readonly reason: "personal_data" | "manifest" | "archive" | "empty" | "unsupported";
      readonly message: string;
      readonly hint: string;
    };

export type ItemCounts = Readonly<Record<ItemKind, number>>;

export interface ExportReading {
  /** One per file, in the order given. */
  readonly recognised: readonly RecognisedFile[];
  /** Items in all files; the counts of all records add up to it. */
  readonly totals: ItemCounts;
  /** Elements (conversations, memory files, projects) per platform account. With more than one, ask whose to import. */
  readonly accounts: ReadonlyMap<string, number>;
  /**
   * Reads the files again and yields every item once, in the order of the files. `account`: the only one to import; elements that
   * name another are skipped as `other_account`.
   */
  records(options?: { readonly account?: string }): AsyncGenerator<ImportRecord>;
}

/**
 * @param onFound told with every element what was found so far
 * @param as how to read files that nobody can recognise: only the person knows of a text that it is a list of memories
 * @throws UserError unsupported_format when no file is recognised */
export async function readExport(
  files: readonly ExportFile[],
  {
    as = null,
    onFound,
  }: {
    readonly as?: ExportFormat | null;
    readonly onFound?: (soFar: ItemCounts) => void;
  } = {},
): Promise<ExportReading> {
  const upload: Upload = {
    latest: new Map(),
    projectNames: new Map(),
    accounts: new Map(),
    totals: { conversation: 0, message: 0, memory: 0 },
    repeated: new Set(),
  };
  const surveyed: SurveyedFile[] = [];
  for (const [index, file] of files.entries()) {
    surveyed.push(await survey(file, { index, as, onFound }, upload));
  }

  const recognised = surveyed.map((file) => file.recognised);
  const readable = surveyed.flatMap((file) => (file.readable === null ? [] : [file.readable]));
  if (readable.length === 0) throw nothingRecognised(recognised);
  return {
    recognised,
    totals: upload.totals,
    accounts: upload.accounts,
    records: ({ account } = {}) => records(readable, upload, account ?? null),
  };
}

/** How many items of each kind a record stands for. */
export function countItems(record: ImportRecord): ItemCounts {
  const counts = { conversation: 0, message: 0, memory: 0 };
  switch (record.type) {
    case "conversation":
      counts.conversation = 1;
      counts.message = record.conversation.messages.length;
      break;
    case "memory":
      counts.memory = 1;
      break;
    case "skipped":
      counts[record.kind] = record.count;
      break;
  }
  return counts;
}

/** Opens a file, as often as asked. */
export type Open = () => AsyncIterable<Uint8Array>;

interface ReadableFile {
  readonly index: number;
  readonly name: string;
  readonly open: Open;
  readonly format: ExportFormat;
}

interface SurveyedFile {
  readonly recognised: RecognisedFile;
  readonly readable: ReadableFile | null;
}

/** What the survey learns about the upload as a whole. */
interface Upload {
  /** Per conversation the copy to import. */
  readonly latest: Map<string, { readonly place: string; readonly updatedAt: number }>;
  readonly projectNames: Map<string, string>;
  readonly accounts: Map<string, number>;
  readonly totals: Record<ItemKind, number>;
  /** Memories met before, of formats that repeat theirs. */
  readonly repeated: Set<string>;
}

async function survey(
  file: ExportFile,
  {
    index,
    as,
    onFound,
  }: {
    readonly index: number;
    readonly as: ExportFormat | null;
    readonly onFound: ((soFar: ItemCounts) => void) | undefined;
  },
  upload: Upload,
): Promise<SurveyedFile> {
  const stored = await reopenable(file.bytes);
  const open = () => utf8Of(stored());
  const detection: Recognition =
    as === null ? await recognise(open) : { outcome: "format", format: as };
  if (detection.outcome === "not_read") {
    return { recognised: { ...detection, name: file.name }, readable: null };
  }
  const { format } = detection;
  const readable = { index, name: file.name, open, format };
  let truncated = false;
  for await (const { place, item, read } of elements(readable, upload)) {
    if (item.type === "truncated") truncated = true;
    if (item.type === "element" && format.kind === "elements") {
      const account = format.accountOf?.(item.value) ?? null;
      if (account !== null) upload.accounts.set(account, (upload.accounts.get(account) ?? 0) + 1);
      const project = format.projectOf?.(item.value) ?? null;
      if (project !== null) upload.projectNames.set(project.id, project.name);
    }
    for (const record of withoutRepeats(read, format, upload.repeated)) {
      if (record.type === "conversation") noteCopy(record.conversation, place, upload);
      const counts = countItems(record);
      upload.totals.conversation += counts.conversation;
      upload.totals.message += counts.message;
      upload.totals.memory += counts.memory;
    }
    onFound?.(upload.totals);
  }
  return {
    recognised: {
      outcome: "read",
      name: file.name,
      format: format.name,
      source: format.source,
      truncated,
    },
    readable,
  };
}

async function* records(
  files: readonly ReadableFile[],
  upload: Upload,
  account: string | null,
): AsyncGenerator<ImportRecord> {
  const repeated = new Set<string>();
  const memories = new Set<string>();
  for (const file of files) {
    const { format } = file;
    for await (const { place, item, read } of elements(file, upload)) {
      const owner =
        item.type === "element" && format.kind === "elements"
          ? (format.accountOf?.(item.value) ?? null)
          : null;
      const isForeign = account !== null && owner !== null && owner !== account;
      for (const record of withoutRepeats(read, format, repeated)) {
        if (isForeign) yield* exclude([record], "other_account");
        else if (isDuplicate(record, place, upload, memories)) {
          yield* exclude([record], "duplicate_in_file");
        } else yield record;
      }
    }
  }
}

interface ReadElement {
  /** Tells one element of the upload from every other. */
  readonly place: string;
  /** `end`: of a file whose elements, or whose text, are read together. */
  readonly item: SplitItem | { readonly type: "end" };
  readonly read: readonly ImportRecord[];
}

async function* elements(
  { index, name, open, format }: ReadableFile,
  { projectNames }: Upload,
): AsyncGenerator<ReadElement> {
  const fileName = name.split(/[/\\]/u).at(-1) ?? "";
  const end = { place: `${index}/end`, item: { type: "end" } } as const;
  if (format.kind === "text") {
    const text = await wholeText(open);
    const context = { fileName, container: null, projectNames };
    const tooLarge = [skipped(format.elementKind, "too_large", { example: fileName })];
    yield { ...end, read: text === null ? tooLarge : format.read(text, context) };
    return;
  }
  const sequence =
    format.kind === "sequence" ? format.open({ fileName, container: null, projectNames }) : null;
  const read = (value: unknown, container: string | null) =>
    format.kind === "elements"
      ? format.read(value, { fileName, container, projectNames })
      : (sequence?.take(value) ?? []);
  let position = 0;
  for await (const item of splitElements(open())) {
    const place = `${index}/${position}`;
    position += 1;
    switch (item.type) {
      case "element": {
        yield { place, item, read: read(item.value, item.container) };
        break;
      }
      case "skipped": {
        const kind = item.container === "memories" ? "memory" : format.elementKind;
        const example = item.example ?? "";
        yield { place, item, read: [skipped(kind, item.reason, { example })] };
        break;
      }
      case "members":
        if (isObject(item.value)) sequence?.takeMembers?.(item.value);
        yield { place, item, read: [] };
        break;
      case "truncated":
        yield { place, item, read: [] };
        break;
    }
  }
  if (sequence !== null) yield { ...end, read: sequence.end() };
}

/** Null where the file is larger than one conversation may be. */
async function wholeText(open: Open): Promise<string | null> {
  const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: false });
  let text = "";
  let sizeBytes = 0;
  for await (const chunk of open()) {
    sizeBytes += chunk.length;
    if (sizeBytes > SPLIT_LIMITS.elementBytes) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function conversationKey(conversation: ImportedConversation): string | null {
  const { originPlatform, source, originId } = conversation;
  return originId === null ? null : `${originPlatform ?? source} ${originId}`;
}

/** Of several copies the one updated last is imported; of equally old ones the first. A copy that could not be read is none. */
function noteCopy(conversation: ImportedConversation, place: string, { latest }: Upload): void {
  const key = conversationKey(conversation);
  if (key === null) return;
  const updatedAt = conversation.updatedAt ?? 0;
  const known = latest.get(key);
  if (known === undefined || updatedAt > known.updatedAt) latest.set(key, { place, updatedAt });
}

/** A memory with a platform's id is known by it, any other by its text within its project. */
function memoryKey({ originPlatform, source, originId, project, content }: ImportedMemory): string {
  return JSON.stringify(
    originId === null ? [project ?? null, content] : [originPlatform ?? source, originId, null],
  );
}

function isDuplicate(
  record: ImportRecord,
  place: string,
  { latest }: Upload,
  memories: Set<string>,
): boolean {
  switch (record.type) {
    case "conversation": {
      const key = conversationKey(record.conversation);
      return key !== null && latest.get(key)?.place !== place;
    }
    case "memory": {
      const key = memoryKey(record.memory);
      if (memories.has(key)) return true;
      memories.add(key);
      return false;
    }
    case "skipped":
      return false;
  }
}

/** Where a platform repeats a memory in every conversation, the repetitions are no items: they are dropped before counting. */
function withoutRepeats(
  read: readonly ImportRecord[],
  format: ExportFormat,
  repeated: Set<string>,
): readonly ImportRecord[] {
  if (!format.repeatsMemories) return read;
  return read.filter((record) => {
    if (record.type !== "memory") return true;
    const key = memoryKey(record.memory);
    if (repeated.has(key)) return false;
    repeated.add(key);
    return true;
  });
}

type Recognition = Detection | Omit<Extract<RecognisedFile, { outcome: "not_read" }>, "name">;

async function recognise(open: Open): Promise<Recognition> {
  const head = await headOf(open);
  let members: JsonObject = {};
  const found: unknown[] = [];
  // Only what begins like JSON is split: in anything else each line would be a damaged element.
  if (/^\uFEFF?\s*(?:["[{\dtfn]|-\d)/.test(head)) {
    let seen = 0;
    for await (const item of splitElements(open())) {
      if (item.type === "members" && isObject(item.value)) members = { ...members, ...item.value };
      if (item.type === "element") found.push(item.value);
      if (item.type === "element" || item.type === "skipped") seen += 1;
      if (seen >= SAMPLE_ELEMENTS) break;
    }
  }
  try {
    return detectFormat({ head, members, elements: found });
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "unsupported_format") throw error;
    const { message, hint } = error;
    return { outcome: "not_read", reason: "unsupported", message, hint };
  }
}

/** Enough for the first line of a CSV or the beginning of an HTML page; arbitrary. */
const HEAD_BYTES = 4_096;

async function headOf(open: Open): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
  let head = "";
  let sizeBytes = 0;
  for await (const chunk of open()) {
    const part = chunk.subarray(0, HEAD_BYTES - sizeBytes);
    head += decoder.decode(part, { stream: true });
    sizeBytes += part.length;
    if (sizeBytes >= HEAD_BYTES) break;
  }
  return head;
}

export async function reopenable(bytes: ExportFile["bytes"]): Promise<Open> {
  if (typeof bytes === "function") return bytes;
  if (typeof bytes === "string") return reopenable(new TextEncoder().encode(bytes));
  const chunks: Uint8Array[] = [];
  if (bytes instanceof Uint8Array) chunks.push(bytes);
  else for await (const chunk of bytes) chunks.push(chunk);
  return async function* () {
    yield* chunks;
  };
}

/** What the person is told when there is nothing to import at all: about the first file, as the likeliest to be the one they meant. */
function nothingRecognised(recognised: readonly RecognisedFile[]): UserError {
  const files = recognised.flatMap((file) => (file.outcome === "not_read" ? [file] : []));
  const first = files.find(({ reason }) => reason === "unsupported") ?? files[0];
  return new UserError(
    "unsupported_format",
    first?.message ?? "There are no files to import.",
    first?.hint ?? "Give at least one file of an export.",
    { files },
  );
}

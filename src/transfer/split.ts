/**
 * Splits an export into its elements without ever holding the whole of it: exports of hundreds of megabytes are ordinary, and a
 * phone's browser or a Worker has no room to parse one at once. Bytes are only counted here (string, escape, depth); each element
 * is parsed alone, so a damaged one costs itself and nothing else.
 */

export interface SplitLimits {
  /** Levels of nesting, counted from the top of the file. */
  readonly depth: number;
  readonly elementBytes: number;
}

/** Limits of imports: 64 levels, because `structuredClone` and RPC overflow where `JSON.parse` does not; 64 MiB for one conversation. */
export const SPLIT_LIMITS: SplitLimits = { depth: 64, elementBytes: 64 * 1024 * 1024 };

export type SplitItem =
  /** `container`: the key of the list that held it in a top-level object; null in a top-level array, in JSON lines, or when it is the whole file. */
  | { readonly type: "element"; readonly container: string | null; readonly value: unknown }
  /** The other members of a top-level object with lists: those before the first list come before its elements, the rest at the end. */
  | { readonly type: "members"; readonly value: unknown }
  | {
      readonly type: "skipped";
      readonly container: string | null;
      readonly reason: "too_large" | "unreadable" | "truncated_file";
      /** The title or name that stands at the beginning of the element, if one does. */
      readonly example: string | null;
    }
  /** The file ended in the middle. What was complete has been yielded; a partial element comes before this as skipped. */
  | { readonly type: "truncated" };

/** Yields the elements of a top-level array, of the lists in a top-level object, of JSON lines, or the single object that the file is. */
export async function* splitElements(
  bytes: AsyncIterable<Uint8Array>,
  limits: SplitLimits = SPLIT_LIMITS,
): AsyncGenerator<SplitItem> {
  const splitter = createSplitter(limits);
  for await (const chunk of bytes) {
    for (let start = 0; start < chunk.length; start += SLICE_BYTES) {
      yield* splitter.push(chunk.subarray(start, start + SLICE_BYTES));
    }
  }
  yield* splitter.end();
}

/** A file given as one chunk is fed in slices, so that its parsed elements never all exist at once. Arbitrary. */
const SLICE_BYTES = 64 * 1024;

/** Lists inside a top-level object that are split; any other top-level object is one element. */
const CONTAINER_KEY = /^\s*"(conversations|memories)"\s*:\s*$/;
/** Longer than any container key with generous white space; arbitrary. */
const CONTAINER_KEY_CHARS = 200;

const EXAMPLE_TITLE = /"(?:title|name)"\s*:\s*("(?:[^"\\]|\\.){1,200}")/;
/** How much of an element is kept for its example; arbitrary. */
const EXAMPLE_HEAD_CHARS = 2_000;

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** Where the scanner stands: between top-level values, or directly inside the thing whose parts it cuts out. */
type Frame = "top" | "array" | "object" | "container" | "line";

/** The depth at which a comma or a closing bracket ends a part. */
const BASE_DEPTH = { top: 0, array: 1, object: 1, container: 2, line: 0 } satisfies Record<
  Frame,
  number
>;

function createSplitter(limits: SplitLimits) {
  let frame: Frame = "top";
  let container: string | null = null;
  let depth = 0;
  let inString = false;
  let escaped = false;
  let position = 0;

  // The part being cut out: an element, a member of the top-level object, or a line.
  let capturing = false;
  let text = "";
  let sizeBytes = 0;
  let tooDeep = false;
  const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

  // The top-level object being read.
  let members: string[] = [];
  let membersBytes = 0;
  let membersTooDeep = false;
  let hasContainers = false;
  let isOneLine = true;
  let hadOneLineObject = false;

  let ready: SplitItem[] = [];

  function push(chunk: Uint8Array): SplitItem[] {
    ready = [];
    let start = 0;
    for (let index = 0; index < chunk.length; index += 1) {
      if (inString && !escaped) {
        // Most of an export is inside of strings: only their ends are looked at.
        index = endOfPlain(chunk, index);
        if (index === chunk.length) break;
      }
      const byte = chunk[index];
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
        // A string holds no raw line break, so in JSON lines the next line is sound even if this one was cut off inside a string.
        else if (byte === NEWLINE && frame === "line") endPart(chunk.subarray(start, index));
        continue;
      }
      if (byte === SPACE || byte === TAB || byte === RETURN) continue;
      if (byte === NEWLINE) {
        if (frame === "line") endPart(chunk.subarray(start, index));
        else isOneLine = false;
        continue;
      }
      if (frame === "top") {
        if (position + index < BYTE_ORDER_MARK.length && byte === BYTE_ORDER_MARK[position + index])
          continue;
        const isLines = byte === OPEN_OBJECT && hadOneLineObject;
        if ((byte === OPEN_LIST || byte === OPEN_OBJECT) && !isLines) {
          openTop(byte === OPEN_LIST ? "array" : "object");
          continue;
        }
        frame = "line";
      }
      const isBase = depth === BASE_DEPTH[frame];
      if (isBase && frame !== "line") {
        if (byte === COMMA) {
          endPart(chunk.subarray(start, index));
          continue;
        }
        if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
          endPart(chunk.subarray(start, index));
          closeFrame();
          continue;
        }
        if (byte === OPEN_LIST && frame === "object" && capturing) {
          const key = containerKey(chunk.subarray(start, index));
          if (key !== null) {
            openContainer(key);
            continue;
          }
        }
      }
      if (!capturing) {
        capturing = true;
        start = index;
      }
      if (byte === QUOTE) inString = true;
      else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
        depth += 1;
        if (depth > limits.depth) tooDeep = true;
      } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
        depth = Math.max(depth - 1, BASE_DEPTH[frame]);
      }
    }
    if (capturing) keep(chunk.subarray(start));
    position += chunk.length;
    return ready;
  }

  function end(): SplitItem[] {
    ready = [];
    if (frame === "top") return ready;
    if (frame === "object") {
      // Without its last members an object may look like another format's, so a single one is not read in part.
      if (!hasContainers) skip("truncated_file", members.join(",") + text);
      ready.push({ type: "truncated" });
      return ready;
    }
    if (capturing) {
      text += decoder.decode();
      const parsed = parse(text);
      const isComplete =
        depth === BASE_DEPTH[frame] &&
        !inString &&
        parsed.ok &&
        // The first half of a number is a number.
        (frame === "line" || typeof parsed.value !== "number");
      if (isComplete || sizeBytes > limits.elementBytes || tooDeep) emitPart();
      else skip("truncated_file", text);
      if (frame === "line" && isComplete) return ready;
    } else if (frame === "line") return ready;
    ready.push({ type: "truncated" });
    return ready;
  }

  function openTop(opened: "array" | "object"): void {
    frame = opened;
    depth = 1;
    container = null;
    members = [];
    membersBytes = 0;
    membersTooDeep = false;
    hasContainers = false;
    isOneLine = true;
  }

  /** The list's key, if the member cut out so far is the key of a list to split. */
  function containerKey(rest: Uint8Array): string | null {
    if (sizeBytes + rest.length > CONTAINER_KEY_CHARS) return null;
    const key = text + new TextDecoder().decode(rest);
    return CONTAINER_KEY.exec(key)?.[1] ?? null;
  }

  function openContainer(key: string): void {
    dropPart();
    emitMembers();
    container = key;
    hasContainers = true;
    frame = "container";
    depth = 2;
  }

  function closeFrame(): void {
    if (frame === "container") {
      frame = "object";
      container = null;
      depth = 1;
      return;
    }
    if (frame === "object") {
      if (hasContainers) emitMembers();
      else emitObject();
      hadOneLineObject = isOneLine;
    }
    frame = "top";
    depth = 0;
  }

  function keep(bytes: Uint8Array): void {
    sizeBytes += bytes.length;
    if (sizeBytes > limits.elementBytes) text = text.slice(0, EXAMPLE_HEAD_CHARS);
    else text += decoder.decode(bytes, { stream: true });
  }

  function endPart(rest: Uint8Array): void {
    if (capturing) {
      keep(rest);
      text += decoder.decode();
      if (frame === "object") keepMember();
      else emitPart();
    }
    dropPart();
    depth = BASE_DEPTH[frame];
  }

  function dropPart(): void {
    capturing = false;
    text = "";
    sizeBytes = 0;
    tooDeep = false;
    inString = false;
    escaped = false;
    decoder.decode();
  }

  function keepMember(): void {
    membersBytes += sizeBytes;
    if (tooDeep) membersTooDeep = true;
    if (membersBytes > limits.elementBytes) members = [members.join(",").slice(0, 2_000)];
    else members.push(text);
  }

  function emitPart(): void {
    if (sizeBytes > limits.elementBytes) return skip("too_large", text);
    if (tooDeep) return skip("unreadable", text);
    const parsed = parse(text);
    if (parsed.ok) ready.push({ type: "element", container, value: parsed.value });
    else skip("unreadable", text);
  }

  function emitObject(): void {
    const object = `{${members.join(",")}}`;
    if (membersBytes > limits.elementBytes) return skip("too_large", object);
    if (membersTooDeep) return skip("unreadable", object);
    const parsed = parse(object);
    if (parsed.ok) ready.push({ type: "element", container: null, value: parsed.value });
    else skip("unreadable", object);
  }

  /** Damaged members beside a list are left out: they hold no items, and the list's elements stand for themselves. */
  function emitMembers(): void {
    const isWithinLimits = membersBytes <= limits.elementBytes && !membersTooDeep;
    const parsed = parse(`{${isWithinLimits ? members.join(",") : ""}}`);
    if (parsed.ok) ready.push({ type: "members", value: parsed.value });
    members = [];
    membersBytes = 0;
    membersTooDeep = false;
  }

  function skip(reason: "too_large" | "unreadable" | "truncated_file", head: string): void {
    const title = EXAMPLE_TITLE.exec(head.slice(0, EXAMPLE_HEAD_CHARS))?.[1];
    const parsed = title === undefined ? null : parse(title);
    const example = parsed?.ok === true && typeof parsed.value === "string" ? parsed.value : null;
    ready.push({ type: "skipped", container, reason, example });
  }

  return { push, end };
}

/** Where a string's plain characters end, from `start` on; the length where the chunk ends first. */
function endOfPlain(chunk: Uint8Array, start: number): number {
  let index = start;
  for (; index < chunk.length; index += 1) {
    const byte = chunk[index];
    if (byte === QUOTE || byte === BACKSLASH || byte === NEWLINE) break;
  }
  return index;
}

function parse(text: string): { ok: true; value: unknown } | { ok: false } {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false };
    throw error;
  }
}

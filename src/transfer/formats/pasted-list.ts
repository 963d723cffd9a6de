/**
 * A list of memories that an assistant printed and the person pasted. Claude's import prompt yields a code block of lines
 * "[date or unknown] - text" between two sentences; ChatGPT prints "1. [2025-05-02]. The user …", bullets, or bare sentences.
 *
 * Any text looks like a list, so this is no format to recognise: text is read so only where the person says that it is one, or where a tool is
 * given one whose every line has its date.
 */
import type { ImportedMemory, ImportRecord } from "../records.ts";
import { skipped } from "./conversation.ts";
import type { TextFormat } from "./format.ts";
import { textOf, timeFromIso } from "./text.ts";

export const pastedList = {
  kind: "text",
  name: "Pasted list",
  source: "paste",
  elementKind: "memory",
  repeatsMemories: true,
  matchesText: () => true,
  read: (text) => {
    const { memories, isCut } = readList(text);
    const records: ImportRecord[] = memories.map((memory) => ({ type: "memory", memory }));
    return isCut ? [...records, skipped("memory", "truncated_file")] : records;
  },
} satisfies TextFormat;

/** One memory per line, tagged with the heading above it, in the order of the list; equal lines are one. */
export function readPastedList(text: string): readonly ImportedMemory[] {
  return readList(text).memories;
}
/** Whether it has the form that Claude's import prompt asks for: in its code block, or else throughout, each memory has its date or "unknown". */
export function isDatedList(text: string): boolean {
  const lines = listLines(text.split(/\r?\n/))
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return (
    lines.some((line) => DATED_LINE.test(line)) &&
    lines.every((line) => DATED_LINE.test(line) || headingOf(entryOf(line)) !== null)
  );
}

interface List {
  readonly memories: readonly ImportedMemory[];
  /** Its last line was begun and not written: it is left out. */
  readonly isCut: boolean;
}

function readList(text: string): List {
  const memories = new Map<string, ImportedMemory>();
  let heading: string | null = null;
  let before: Entry | null = null;
  let isCut = false;
  const lines = textOf(text).split(/\r?\n/);
  const listed = listLines(lines);
  const end = listed.findLastIndex((line) => line.trim() !== "");
  // Behind a code block that is closed nothing was cut off from it.
  const isEndOfText = listed[end] === lines.findLast((line) => line.trim() !== "");
  for (const [at, line] of listed.entries()) {
    const entry = entryOf(line);
    if (!/[\p{L}\p{N}]/u.test(entry.content)) continue;
    if (isEndOfText && at === end && isCutOff(entry, before, memories.size)) {
      isCut = true;
      continue;
    }
    before = entry;
    const title = headingOf(entry);
    if (title !== null) heading = title;
    else if (!memories.has(entry.content) && !isForReader(entry)) {
      memories.set(entry.content, {
        source: "paste",
        originId: null,
        content: entry.content,
        tags: heading === null ? [] : [heading],
        ...(entry.createdAt === null ? {} : { createdAt: entry.createdAt }),
      });
    }
  }
  return { memories: [...memories.values()], isCut };
}

/** No times of day: those are in the lines of logs. */
const DATED_LINE =
  /^(?:[-*•]\s+|\d{1,4}[.)]\s+)?\[(?:\d{4}(?:-\d{2}){0,2}|unknown)\]\s+[-–—]\s+\S/iu;

/** Those of the largest code block, or else all; a block that is not closed reaches to the end. */
function listLines(lines: readonly string[]): readonly string[] {
  let largest: readonly string[] = [];
  let largestChars = 0;
  let block: string[] | null = null;
  let blockChars = 0;
  const endBlock = (): void => {
    if (block !== null && blockChars > largestChars) {
      largest = block;
      largestChars = blockChars;
    }
    block = null;
  };
  for (const line of lines) {
    if (isCodeFence(line)) {
      if (block === null) {
        block = [];
        blockChars = 0;
      } else endBlock();
    } else if (block !== null) {
      block.push(line);
      blockChars += line.trim().length;
    }
  }
  endBlock();
  return largestChars > 0 ? largest : lines.filter((line) => !isCodeFence(line));
}

function isCodeFence(line: string): boolean {
  return /^\s{0,8}(?:```|~~~)/.test(line);
}

interface Entry {
  readonly content: string;
  readonly createdAt: number | null;
  /** A bullet or an ordinal stood before it. */
  readonly isBulleted: boolean;
  /** A date stood before it, or the word that none is known. */
  readonly isDated: boolean;
}

const BULLET = /^(?:[-*+•‣◦–]|\d{1,4}[.)])\s+/;
/** A numbered line may hold a bullet; arbitrary. */
const MAX_BULLETS = 3;
const SEPARATOR = /^[-–—:.|](?:\s+|$)/;
/** Longer brackets hold no date; arbitrary. */
const MAX_DATE_CHARS = 40;
const DATE = /^\d{4}(?:-\d{2}(?:-\d{2}(?:[T ][\d:.]+Z?)?)?)?$/;
const NO_DATES = ["unknown", "unknown date", "date unknown", "no date", "undated", "n/a"];

function entryOf(line: string): Entry {
  let content = line.trim();
  let isBulleted = false;
  for (let count = 0; count < MAX_BULLETS && BULLET.test(content); count += 1) {
    content = content.replace(BULLET, "");
    isBulleted = true;
  }
  const close = content.startsWith("[") ? content.slice(0, MAX_DATE_CHARS).indexOf("]") : -1;
  const date = content.slice(1, Math.max(close, 1)).trim();
  const isDate = DATE.test(date);
  if (!isDate && !NO_DATES.includes(date.toLowerCase())) {
    return { content, createdAt: null, isBulleted, isDated: false };
  }
  return {
    // Only the first separator: the text may have others.
    content: content
      .slice(close + 1)
      .trim()
      .replace(SEPARATOR, ""),
    // Of a year or a month its first day.
    createdAt: isDate ? timeFromIso(`${`${date}-01-01`.slice(0, 10)}T00:00Z`) : null,
    isBulleted,
    isDated: true,
  };
}

/**
 * Assistants stop in the middle of a line: whether of this one there is no more than a part of its date or its ordinal. A number alone
 * may be a memory ("1984"): it is an ordinal only where it can be that of the next item, behind one that has a mark.
 */
function isCutOff({ content, isBulleted }: Entry, before: Entry | null, count: number): boolean {
  if (content.startsWith("[")) {
    const date = content.slice(1).toLowerCase();
    return /^[\d-]*$/.test(date) || NO_DATES.some((noDate) => noDate.startsWith(date));
  }
  const isMarked = before !== null && (before.isBulleted || before.isDated);
  if (isBulleted || !isMarked || !/^\d{1,4}[.)]?$/.test(content)) return false;
  return Number.parseInt(content, 10) <= count + 1;
}

/** Longer ones are sentences; arbitrary. */
const MAX_HEADING_CHARS = 60;
const MAX_HEADING_WORDS = 4;

/** "# Work", "**Work**", "Work:", also behind a bullet or an ordinal. */
function headingOf({ content, isDated }: Entry): string | null {
  if (isDated || content.length > MAX_HEADING_CHARS) return null;
  if (/^#{1,6}\s/.test(content)) return content.replaceAll(/^#+\s+|\s*#+$/g, "");
  const name = content.replace(/[:：]$/u, "").trim();
  const inner = /^\*\*([^*]+)\*\*$/.exec(name)?.[1];
  if (inner !== undefined) return inner.replace(/[:：]$/u, "").trim();
  const isShort = name.split(/\s+/, MAX_HEADING_WORDS + 1).length <= MAX_HEADING_WORDS;
  return name !== content && isShort && !isOpening(name) ? name : null;
}

/** The assistant's own sentences around the list, as far as their form or beginning gives them away. */
function isForReader({ content, isBulleted, isDated }: Entry): boolean {
  if (isBulleted || isDated) return false;
  return /[?？:：]$/u.test(content) || isOpening(content);
}

/** How assistants begin and end such a list. None begins a memory, or the line would be lost: "I …" and "You …" are not here. */
const OPENINGS = [
  "here is",
  "here are",
  "here's",
  "below is",
  "below are",
  "that is the complete",
  "that is everything",
  "that is all",
  "that's the complete",
  "that's everything",
  "that's all",
  "this is the complete",
  "this is everything",
  "this is all",
  "let me know",
  "feel free",
  "if you'd like",
  "if you would like",
  "if you want",
  "sure,",
  "sure!",
  "of course,",
  "of course!",
  "certainly,",
  "certainly!",
  "hier ist",
  "hier sind",
  "das ist alles",
  "das sind alle",
  "voici",
  "aquí está",
  "aquí tienes",
  "eso es todo",
  "ecco",
  "aqui está",
];
const LONGEST_OPENING = Math.max(...OPENINGS.map((opening) => opening.length));

function isOpening(content: string): boolean {
  const beginning = content.slice(0, LONGEST_OPENING).toLowerCase().replaceAll("’", "'");
  return OPENINGS.some((opening) => beginning.startsWith(opening));
}

/**
 * Google's My Activity as HTML, of which only Gemini's events are read. One `outer-cell` per event, newest first; in it a `header-cell`
 * with the product and a `content-cell` with label and prompt, a line with the date, and the answer. Files of 2026 put label and date
 * into the header, so that the first paragraph of the content is the prompt and the others are the answer. The last `content-cell` is a
 * caption, with the conversation's address on some events.
 *
 * Labels and dates are in the person's language. A date in a language or a zone that is not known is not guessed: the event is kept
 * without a time, since its place in the file still tells the order. But where no line looks like a date, nothing says where the prompt
 * ends, and half an answer would become the person's words: such an event is left out as unreadable, and the JSON of the log helps.
 */
import type { ImportedAttachment, ImportRecord } from "../records.ts";
import { activityTime, looksLikeTime } from "./activity-time.ts";
import { skipped } from "./conversation.ts";
import type { TextFormat } from "./format.ts";
import {
  conversationIdIn,
  conversationsOf,
  emptyEvent,
  isGemini,
  promptIn,
  type Exchange,
  type GeminiEvent,
} from "./gemini-events.ts";
import { htmlToText } from "./html-text.ts";

export const geminiActivityHtml = {
  kind: "text",
  name: "Gemini activity (HTML)",
  source: "gemini",
  elementKind: "message",
  repeatsMemories: false,
  // The head of a real page is its style sheet, Material Design Lite; the first cell comes 140 KB later.
  matchesText: (head) =>
    /^\uFEFF?\s*<(?:!doctype|html|head|body|div)\b/i.test(head) &&
    /material-design-lite|\bmdl-|\b(?:outer|header|content)-cell\b/.test(head),
  read,
} satisfies TextFormat;

function read(page: string): readonly ImportRecord[] {
  const tags = withoutCutTag(page);
  const html = withoutCutEvent(tags);
  const left: ImportRecord[] = html === tags ? [] : [skipped("message", "truncated_file")];
  const events: GeminiEvent[] = [];
  for (const cells of cellsOf(html)) {
    const event = readEvent(cells);
    if ("type" in event) left.push(event);
    else {
      const empty = emptyEvent(event);
      if (empty === null) events.push(event);
      else left.push(empty);
    }
  }
  return [...left, ...conversationsOf(events)];
}

/** The inside of an event's cells, as HTML. */
interface Cells {
  readonly header: string;
  readonly contents: readonly string[];
}

/** Of an opening tag of a cell. What a prompt or an answer says about such tags is escaped, and cannot be taken for one. */
const CELL = /<div\b[^<>]{0,200}?\bclass=["'](outer|header|content)-cell\b[^<>]{0,400}>/gi;

function withoutCutTag(page: string): string {
  const last = page.lastIndexOf("<");
  return last > page.lastIndexOf(">") ? page.slice(0, last) : page;
}

/**
 * Of a page that was cut off the last event lacks its end: half a prompt would be taken for another one than the whole, which a later
 * file brings. Where it began is told by what it has open still.
 */
function withoutCutEvent(html: string): string {
  if (/<\/html\s{0,9}>\s{0,9}$/i.test(html.slice(-100))) return html;
  let last = html.length;
  for (const { 1: kind = "", index } of html.matchAll(CELL)) {
    if (kind.toLowerCase() === "outer") last = index;
  }
  let open = 0;
  for (const [tag] of html.slice(last).matchAll(/<\/?div\b[^<>]*>/gi)) {
    open += tag.startsWith("</") ? -1 : 1;
  }
  return open > 0 ? html.slice(0, last) : html;
}

function* cellsOf(html: string): Generator<Cells> {
  let event: { header: string; contents: string[] } | null = null;
  let cell: { kind: string; from: number } | null = null;
  const close = (to: number) => {
    if (event === null || cell === null) return;
    const inside = html.slice(cell.from, to);
    if (cell.kind === "header") event.header += inside;
    if (cell.kind === "content") event.contents.push(inside);
  };
  for (const match of html.matchAll(CELL)) {
    const kind = (match[1] ?? "").toLowerCase();
    close(match.index);
    if (kind === "outer") {
      if (event !== null) yield event;
      event = { header: "", contents: [] };
    }
    cell = { kind, from: match.index + match[0].length };
  }
  close(html.length);
  if (event !== null) yield event;
}

function readEvent({
  header,
  contents: [content, ...captions],
}: Cells): GeminiEvent | ImportRecord {
  const headings = linesOf(header);
  const product = headings[0] ?? "";
  if (!isGemini([product])) return skipped("message", "unsupported", { example: product });
  const titled = headings.findIndex(looksLikeTime);
  const reading =
    titled === -1
      ? readContent(content ?? "")
      : readTitled(content ?? "", headings.slice(1, titled).join(" "), headings[titled] ?? "");
  if (reading === null) {
    return skipped("message", "unreadable", { example: linesOf(content ?? "")[0] ?? product });
  }
  if (reading.exchange === null) {
    return skipped("message", "unsupported", { example: reading.title });
  }
  return {
    time: activityTime(reading.date),
    conversationId: conversationIdIn(captions.join(" ")),
    exchanges: [reading.exchange],
  };
}

interface Reading {
  readonly title: string;
  readonly date: string;
  /** Null for an event that is no prompt. */
  readonly exchange: Exchange | null;
}

const BREAK = /<br\b[^<>]{0,20}>/gi;
/** Answers are made of these, prompts of text and line breaks. */
const BLOCK = /<(?:p|h[1-6]|ul|ol|pre|table|blockquote|hr|div)\b/i;

/** Label, prompt, date and answer in one cell. Null where no line looks like a date. */
function readContent(html: string): Reading | null {
  const firstBlock = html.search(BLOCK);
  const lead = firstBlock === -1 ? html : html.slice(0, firstBlock);
  const lines: { html: string; end: number }[] = [];
  let start = 0;
  for (const match of lead.matchAll(BREAK)) {
    const end = match.index + match[0].length;
    lines.push({ html: lead.slice(start, match.index), end });
    start = end;
  }
  lines.push({ html: lead.slice(start), end: lead.length });

  // A prompt may hold a line like a date too, of a log for instance, so the last one counts. Whether its language is known does not:
  // the prompt's may be understood and the event's own not.
  const index = lines.findLastIndex((line) => dateIn(line.html) !== null);
  const line = lines[index];
  const date = line === undefined ? null : dateIn(line.html);
  if (line === undefined || date === null) return null;

  const { title, attachments } = titleOf(lines.slice(0, index).map((before) => before.html));
  return readingOf(title, date, { attachments, answer: htmlToText(html.slice(line.end)) });
}

/** Label and date in the header; the first paragraph is the prompt. */
function readTitled(html: string, label: string, date: string): Reading {
  const end = /<\/p\s{0,3}>/i.exec(html);
  const split = end === null ? html.length : end.index + end[0].length;
  return readingOf(`${label} ${htmlToText(html.slice(0, split)).trim()}`, date, {
    attachments: [],
    answer: htmlToText(html.slice(split)),
  });
}

function readingOf(
  title: string,
  date: string,
  { attachments, answer }: { attachments: readonly ImportedAttachment[]; answer: string },
): Reading {
  const prompt = promptIn(title, { hasAnswer: answer !== "" });
  const exchange =
    prompt === null ? null : { prompt, attachments, answer: answer === "" ? null : answer };
  return { title, date, exchange };
}

/** Longer lines are no dates, in any language; arbitrary. */
const MAX_DATE_CHARS = 200;

function dateIn(html: string): string | null {
  if (html.length > MAX_DATE_CHARS) return null;
  const text = htmlToText(html).trim();
  return looksLikeTime(text) ? text : null;
}

/** Lines that link to a file of the export are attachments; the line before the first of them says how many there are. */
function titleOf(lines: readonly string[]): {
  readonly title: string;
  readonly attachments: readonly ImportedAttachment[];
} {
  const isFile = (line: string) => /<a\b[^<>]{0,20}\bhref=["'](?![a-z]{1,10}:)/i.test(line);
  const first = lines.findIndex(isFile);
  if (first === -1) return { title: htmlToText(lines.join("<br>")).trim(), attachments: [] };
  const isCount = /^\s{0,5}\d{1,3}\s.{1,60}$/u.test(lines[first - 1] ?? "");
  const written = lines.filter((line, index) => !isFile(line) && !(isCount && index === first - 1));
  const names = lines.filter(isFile).map((line) => htmlToText(line).replace(/^[\s-]{1,5}/, ""));
  return {
    title: htmlToText(written.join("<br>")).trim(),
    attachments: names.filter((name) => name !== "").map((name) => ({ name })),
  };
}

function linesOf(html: string): string[] {
  return htmlToText(html)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

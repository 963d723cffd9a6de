/**
 * HTML as plain text: paragraphs, list items, table rows and the lines of code blocks stay lines, everything else of the markup goes.
 * Not a parser but one pass over the text, in linear time whatever the markup: nothing is looked for twice, and nothing recurses.
 */
import { textOf } from "./text.ts";

/** `html`: a fragment or a page. Well-formed, without NUL; what looks like a tag but never ends is text. */
export function htmlToText(html: string): string {
  const lines = createLines();
  const lists: List[] = [];
  let openPres = 0;
  for (const { text, tag, isClosing } of piecesOf(html)) {
    if (openPres > 0) lines.code(text);
    else lines.words(text);
    switch (tag) {
      case "pre":
        openPres = Math.max(0, openPres + (isClosing ? -1 : 1));
        lines.paragraph();
        break;
      case "br":
        lines.newline();
        break;
      case "ul":
      case "ol":
        if (isClosing) lists.pop();
        // A list inside an item follows its text; any other stands like a paragraph.
        if (lists.length > 0) lines.line();
        else lines.paragraph();
        if (!isClosing) lists.push({ next: tag === "ol" ? 1 : null });
        break;
      case "li":
        if (isClosing) lines.endItem();
        else lines.beginItem(bulletOf(lists));
        break;
      case "td":
      case "th":
        if (!isClosing) lines.beginCell();
        break;
      default:
        if (LINES.has(tag)) lines.line();
        else if (PARAGRAPHS.has(tag)) lines.paragraph();
    }
  }
  return textOf(lines.written()).trimEnd();
}

interface List {
  /** The number of the next item; null where items have none. */
  next: number | null;
}

/** Deeper lists are not indented further: arbitrary, and it keeps hostile nesting from writing the square of its size. */
const MAX_INDENTED_LISTS = 8;

function bulletOf(lists: readonly List[]): string {
  const list = lists.at(-1);
  const indent = "  ".repeat(Math.min(Math.max(lists.length - 1, 0), MAX_INDENTED_LISTS));
  if (list === undefined || list.next === null) return `${indent}- `;
  list.next += 1;
  return `${indent}${list.next - 1}. `;
}

/** Elements that begin and end a line. */
const LINES = new Set(
  "address article aside dd details div dt figcaption figure footer form header main nav option section summary tr".split(
    " ",
  ),
);
/** Elements with an empty line around them. */
const PARAGRAPHS = new Set("blockquote dl h1 h2 h3 h4 h5 h6 hr p table".split(" "));
/** Elements that are dropped with what is in them. */
const DROPPED = new Set(["script", "style"]);

interface Piece {
  /** The text before the tag, entities and all. */
  readonly text: string;
  /** Its name in lower case; "" behind the last tag, and for comments and declarations. */
  readonly tag: string;
  readonly isClosing: boolean;
}

function* piecesOf(html: string): Generator<Piece> {
  let done = 0;
  for (let start = html.indexOf("<"); start !== -1; start = html.indexOf("<", start)) {
    TAG_START.lastIndex = start;
    const [opening, slash, name = ""] = TAG_START.exec(html) ?? [];
    if (opening === undefined) {
      start += 1;
      continue;
    }
    const tag = name.toLowerCase();
    const end = endOfTag(html, start, opening);
    // Nothing behind it can end a tag either, so the search stops here rather than begin again at each "<".
    if (end === -1) break;
    yield { text: html.slice(done, start), tag, isClosing: slash === "/" };
    done = end;
    if (DROPPED.has(tag) && slash !== "/") done = startOfClosing(html, tag, end);
    start = done;
  }
  yield { text: html.slice(done), tag: "", isClosing: false };
}

/** A tag, a comment, or a declaration or instruction; any other "<" is text. */
const TAG_START = /<(?:(\/?)([a-z][a-z\d-]{0,30})|!--|[!?])/iy;

/** Behind the end of the tag that begins at `start`; -1 when it has none. */
function endOfTag(html: string, start: number, opening: string): number {
  if (opening === "<!--") {
    const end = html.indexOf("-->", start + opening.length);
    return end === -1 ? -1 : end + "-->".length;
  }
  let position = start + opening.length;
  for (; position < html.length; position += 1) {
    const character = html[position];
    if (character === ">") return position + 1;
    // Only an attribute's value can hide a ">".
    if (character !== "=") continue;
    while (/\s/.test(html[position + 1] ?? "")) position += 1;
    const quote = html[position + 1];
    if (quote !== '"' && quote !== "'") continue;
    position = html.indexOf(quote, position + 2);
    if (position === -1) return -1;
  }
  return -1;
}

/** Where the element that is dropped is closed; the end of the text when it never is. */
function startOfClosing(html: string, tag: string, from: number): number {
  const closing = new RegExp(`</${tag}`, "gi");
  closing.lastIndex = from;
  return closing.exec(html)?.index ?? html.length;
}

/** Collects words, and turns breaks into line ends only once more words follow. */
function createLines() {
  const parts: string[] = [];
  // What the line to come begins with: an item that stays empty writes none.
  let bullet = "";
  let breaks = 0;
  let needsSpace = false;
  // Line ends of a code block that are its own if more code follows.
  let codeBreaks = 0;

  const isLineStart = () => parts.length === 0 || breaks > 0 || bullet !== "";

  /** White space is one space, as in a browser. */
  function words(text: string): void {
    if (text === "") return;
    const spaced = text.replaceAll(/[ \t\n\r\f]+/g, " ");
    if (spaced.startsWith(" ")) needsSpace = true;
    // Not trim(), which would take a no-break space for white space.
    const inner = spaced.slice(
      spaced.startsWith(" ") ? 1 : 0,
      spaced.endsWith(" ") ? -1 : undefined,
    );
    if (inner === "") return;
    write((needsSpace && !isLineStart() ? " " : "") + withoutEntities(inner));
    needsSpace = spaced.endsWith(" ");
  }

  /** As it stands. */
  function code(text: string): void {
    let own = text.replaceAll("\r\n", "\n");
    // The line end behind <pre> is not part of the code, nor the one before </pre>.
    if (isLineStart() && codeBreaks === 0 && own.startsWith("\n")) own = own.slice(1);
    let end = own.length;
    while (end > 0 && own[end - 1] === "\n") end -= 1;
    if (end > 0) {
      write("\n".repeat(codeBreaks) + withoutEntities(own.slice(0, end)));
      codeBreaks = 0;
    }
    codeBreaks += own.length - end;
  }

  /** Ends the line; two of them make an empty line, more make no more. */
  function breakLine(count: number): void {
    codeBreaks = 0;
    // The first paragraph of an item stands behind its bullet.
    if (parts.length > 0 && bullet === "") breaks = Math.min(Math.max(breaks, count), 2);
  }

  function beginItem(begin: string): void {
    breakLine(1);
    bullet = begin;
  }

  /** Items stand close together, even where each is a paragraph. */
  function endItem(): void {
    bullet = "";
    breakLine(1);
    breaks = Math.min(breaks, 1);
  }

  function beginCell(): void {
    if (!isLineStart()) write(" |");
    needsSpace = true;
  }

  function write(text: string): void {
    parts.push("\n".repeat(breaks), bullet, text);
    breaks = 0;
    bullet = "";
  }

  return {
    words,
    code,
    line: () => breakLine(1),
    paragraph: () => breakLine(2),
    newline: () => breakLine(breaks + 1),
    beginItem,
    endItem,
    beginCell,
    written: () => parts.join(""),
  };
}

/** Those from U+00A0 to U+00FF, in their order. */
const LATIN_ENTITIES =
  "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml".split(
    " ",
  );

/** Of the 2,231 names in HTML those that exporters and models write. An unknown one stays as it is written. */
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ...LATIN_ENTITIES.map((name, index): [string, string] => [
    name,
    String.fromCodePoint(0xa0 + index),
  ]),
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
  ["ensp", "\u2002"],
  ["emsp", "\u2003"],
  ["thinsp", "\u2009"],
  ["zwnj", "\u200c"],
  ["zwj", "\u200d"],
  ["ndash", "–"],
  ["mdash", "—"],
  ["lsquo", "‘"],
  ["rsquo", "’"],
  ["sbquo", "‚"],
  ["ldquo", "“"],
  ["rdquo", "”"],
  ["bdquo", "„"],
  ["bull", "•"],
  ["hellip", "…"],
  ["prime", "′"],
  ["lsaquo", "‹"],
  ["rsaquo", "›"],
  ["euro", "€"],
  ["trade", "™"],
  ["larr", "←"],
  ["uarr", "↑"],
  ["rarr", "→"],
  ["darr", "↓"],
  ["harr", "↔"],
  ["rArr", "⇒"],
  ["minus", "−"],
  ["radic", "√"],
  ["infin", "∞"],
  ["asymp", "≈"],
  ["ne", "≠"],
  ["le", "≤"],
  ["ge", "≥"],
]);

const ENTITY = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z][a-z\d]{1,30}));/gi;

/** Decoded once: what was escaped twice was meant to be read as an entity. */
function withoutEntities(text: string): string {
  return text.replaceAll(
    ENTITY,
    (entity, decimal?: string, hexadecimal?: string, name?: string) => {
      if (name !== undefined) return ENTITIES.get(name) ?? entity;
      const code = decimal === undefined ? Number.parseInt(hexadecimal ?? "", 16) : Number(decimal);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "\uFFFD";
    },
  );
}

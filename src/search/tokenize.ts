/**
 * From text to plain tokens: one implementation for indexing, asking and showing. The caller blinds them.
 * Four kinds of token never meet: words (`deploi`), their stems in a language that the text is in (`~wohnung`), whole identifiers
 * (`=next.js`) and single CJK characters (`1猫`).
 * Nothing is remembered between calls but in a vocabulary that the caller keeps: a cache of words is readable text outside the vault.
 */
import {
  CJK,
  IGNORED,
  JOINER,
  LETTER,
  MARK,
  UNSPACED,
  classAt,
  compatible,
  fold,
  lettersEnd,
  widthAt,
} from "./characters.ts";
import { LANGUAGES, languageOf } from "./language.ts";
import { languageStem, stem } from "./stems.ts";
import { ENGLISH_STOP_WORDS, isStopWord, type Language } from "./stop-words.ts";
import type { Token, Vocabulary } from "./vocabulary.ts";
import type { WordTable } from "./word-table.ts";

/** Stored with each row. Raise it when the same text gives other tokens: those rows need indexing again. */
export const TOKENIZER_VERSION = 2;

export interface QueryTerm {
  /** Alternatives, at most 6, the main one first: a row that holds any of them matches. */
  readonly tokens: readonly string[];
  /** As the person typed it; for scripts without blanks the two letters that were asked. */
  readonly written: string;
}

export interface Word {
  /** `text.slice(start, end)`. In scripts without blanks the words overlap: single letters and pairs of letters. */
  readonly word: string;
  readonly start: number;
  readonly end: number;
  /** Empty for stop words. */
  readonly tokens: readonly string[];
}

/** All tokens of a text for the index, repeated as often as they occur; a single CJK character at most once. */
export function tokenizeText(text: string): string[] {
  return indexTokens(text, { wordsOf: () => null, tokenOf: (plain) => plain });
}

/** As `tokenizeText`. @param vocabulary what words of earlier texts gave; those of this one are added */
export function tokenizeKnown(text: string, { words: known, tokenOf }: Vocabulary): Token[] {
  return indexTokens(text, { wordsOf: (language) => known[language], tokenOf });
}

/** How the tokens of a text are given, and what its words gave before. */
interface Known<T> {
  readonly wordsOf: (language: Language | "english") => WordTable<readonly T[]> | null;
  readonly tokenOf: (plain: string) => T;
}

function indexTokens<T>(original: string, { wordsOf, tokenOf }: Known<T>): T[] {
  const text = original.toWellFormed();
  const reading = indexing(text);
  const known = wordsOf(reading.languages[0] ?? "english");
  const tokens: T[] = [];
  const characters = new Set<string>();
  const add = (token: string): void => {
    if (isCharacterToken(token)) {
      if (characters.has(token)) return;
      characters.add(token);
    }
    tokens.push(tokenOf(token));
  };
  for (let run = nextRun(text, 0); run !== null; run = nextRun(text, run.end)) {
    if (run.kind !== LETTER) {
      for (const { terms } of unspacedWords(text, run, reading)) terms.flat().forEach(add);
      continue;
    }
    const before = known?.get(text, run.start, run.end) ?? null;
    if (before !== null) {
      for (const token of before) tokens.push(token);
      continue;
    }
    const word = text.slice(run.start, run.end);
    const terms = termsOf(word, isMonthOfMay(text, run), reading);
    for (const term of terms) for (const token of term) add(token);
    if (known === null || isMay(word)) continue;
    const own = terms.flat();
    // NFKC makes CJK characters of some words, and those count once in a text.
    if (!own.some(isCharacterToken)) known.set(word, own.map(tokenOf));
  }
  return tokens;
}

/**
 * What a query asks for: distinct, in order, at most 32. Empty when it holds only stop words or symbols.
 * `since`: the oldest version among the rows that are searched. For 1 the terms hold what version 1 made of the words.
 */
export function tokenizeQuery(text: string, since: number = TOKENIZER_VERSION): QueryTerm[] {
  const asked = new Map<string, { tokens: readonly string[]; readonly written: string }>();
  for (const { word, terms } of words(text, asking(text, since))) {
    for (const tokens of terms) {
      const [main = ""] = tokens;
      const known = asked.get(main);
      if (known === undefined) asked.set(main, { tokens, written: word });
      else known.tokens = mostNeeded([...known.tokens, ...tokens]);
      if (asked.size === MAX_QUERY_TERMS) return [...asked.values()];
    }
  }
  return [...asked.values()];
}

/** The words of a text with the tokens that each gives to the index, in order of `start`. */
export function* wordsWithTokens(text: string): Generator<Word> {
  // A word that comes again has the same terms: the same array.
  const known = new Map<FoundWord["terms"], readonly string[]>();
  for (const { word, start, end, terms } of words(text, indexing(text))) {
    const tokens = known.get(terms) ?? terms.flat();
    known.set(terms, tokens);
    yield { word, start, end, tokens };
  }
}

/**
 * Words for the time of a row, the same that a query naming the date gives: year, month, weekday, day, `=2026-11`, `=2026-11-22`.
 * `time`: milliseconds UTC. `timeZone`: an IANA name.
 * @throws RangeError for a time or zone that Intl does not know: both were checked where they came in.
 */
export function dateTokens(time: number, timeZone: string): string[] {
  const parts = new Map<string, string>();
  for (const { type, value } of dateFormat(timeZone).formatToParts(time)) parts.set(type, value);
  const [year = "", month = "", day = "", weekday = ""] = ["year", "month", "day", "weekday"].map(
    (type) => parts.get(type),
  );
  const yearMonth = `${year.padStart(4, "0")}-${month.padStart(2, "0")}`;
  return [
    year,
    stem(MONTHS[Number(month) - 1] ?? "", TOKENIZER_VERSION),
    stem(weekday.toLowerCase(), TOKENIZER_VERSION),
    day,
    `=${yearMonth}`,
    `=${yearMonth}-${day.padStart(2, "0")}`,
  ];
}

/** How a text is read. */
interface Reading {
  /** Only a query of a single CJK character asks for `1猫`; the index holds one for each. */
  readonly purpose: "index" | "query";
  /** The oldest version whose tokens are wanted beside those of this one. */
  readonly since: number;
  /** Whose stems are added. */
  readonly languages: readonly Language[];
}

interface FoundWord {
  readonly word: string;
  readonly start: number;
  readonly end: number;
  /** Each with its alternatives; the index takes them all. */
  readonly terms: readonly (readonly string[])[];
}

interface Run {
  readonly start: number;
  readonly end: number;
  readonly kind: number;
}

/** Bounds the work of one query. */
const MAX_QUERY_TERMS = 32;
/** A stem, that of version 1 and one for each language are 5. One more for forms that only this version joins. */
const MAX_ALTERNATIVES = 6;
/** UTF-16 units, arbitrary. The index cuts alike, so that a longer word is still found by itself. */
const MAX_TOKEN_CHARS = 64;
/** Unicode's Stream-Safe Text Format (UAX #15 §13): normalising a longer sequence of marks may take quadratic time. */
const MAX_MARKS = 30;
/** Arbitrary: a server sees few zones, and making a formatter takes about 90 µs, using it 4. */
const MAX_DATE_FORMATS = 50;

const MONTHS = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
] as const;

const dateFormats = new Map<string, Intl.DateTimeFormat>();

const BETWEEN_PARTS = /[-_./:@+#&]/u;
const POSSESSIVES = /'s(?=$|[-_./:@+#&])/giu;
const INNER_CAPITAL = /(?!^)\p{Lu}/u;
// ʕ is a small letter to Unicode 16 and has no case in 17.
const CAMEL_BOUNDARY = /(?<=[\p{Ll}ʕ])(?=\p{Lu})|(?<=[\p{Lu}\p{N}])(?=\p{Lu}[\p{Ll}ʕ])/u;
/** APIs, PRs: one word in the plural, not "AP" and "Is". */
const PLURAL_OF_CAPITALS = /^\p{Lu}+s$/u;
const ORDINAL_DAY = /^(\d{1,2})(?:st|nd|rd|th)$/u;
/** 10km, 2pm, 16GB. */
const NUMBER_WITH_UNIT = /^(\d{1,6})(?!(?:st|nd|rd|th)$)([a-z]{2,4})$/iu;
const SINGLE_LETTER = /^\p{L}$/u;
const PLAIN_WORD = /^[A-Za-z][a-z]*$/u;
const LATIN_WORD = /^[a-z]{3,}$/u;
/** An acronym is no stop word of another language: UN, DES, AWS SES. */
const ACRONYM = /^[A-Z]{2,}$/u;

function indexing(text: string): Reading {
  const language = languageOf(text);
  return {
    purpose: "index",
    since: TOKENIZER_VERSION,
    languages: language === null || language === "english" ? [] : [language],
  };
}

/** A query is short: where its language is in doubt, it asks for the stems of all of them. */
function asking(text: string, since: number): Reading {
  const language = languageOf(text);
  const languages = language === null ? LANGUAGES : language === "english" ? [] : [language];
  return { purpose: "query", since, languages };
}

function* words(original: string, reading: Reading): Generator<FoundWord> {
  // A lone surrogate becomes one U+FFFD, so offsets into the original stay true.
  const text = original.toWellFormed();
  // A long text has most of its words several times.
  const known = new Map<string, FoundWord["terms"]>();
  for (let run = nextRun(text, 0); run !== null; run = nextRun(text, run.end)) {
    if (run.kind !== LETTER) {
      yield* unspacedWords(text, run, reading);
      continue;
    }
    const { start, end } = run;
    const word = text.slice(start, end);
    const isMonth = isMonthOfMay(text, run);
    const terms = (isMonth ? undefined : known.get(word)) ?? termsOf(word, isMonth, reading);
    if (!isMonth) known.set(word, terms);
    yield { word, start, end, terms };
  }
}

/** A stretch of one kind: a word with what joins its parts inside, or letters of a script without blanks. */
function nextRun(text: string, from: number): Run | null {
  for (let start = from; start < text.length; start += widthAt(text, start)) {
    const kind = classAt(text, start);
    if (kind === LETTER || kind === CJK || kind === UNSPACED) {
      return { start, end: runEnd(text, start, kind), kind };
    }
  }
  return null;
}

function runEnd(text: string, start: number, kind: number): number {
  let end = kind === LETTER ? lettersEnd(text, start) : start;
  let at = end;
  let marks = 0;
  while (at < text.length) {
    const next = classAt(text, at);
    if (next === kind) {
      marks = 0;
    } else if (next === MARK || next === IGNORED) {
      marks += 1;
      if (marks > MAX_MARKS) break;
    } else if (kind !== LETTER || next !== JOINER || classAt(text, at + 1) !== LETTER) {
      break;
    }
    at += widthAt(text, at);
    if (next === kind || next === MARK) end = at;
  }
  return kind === LETTER ? end + suffixLength(text, end) : end;
}

/** C++ and C#: what stands behind the word belongs to it. */
function suffixLength(text: string, at: number): number {
  if (classAt(text, at) !== JOINER) return 0;
  const behind = text.slice(at, at + 2).normalize("NFKC");
  if (behind === "++") return 2;
  return behind.startsWith("#") ? 1 : 0;
}

/** "may" is a stop word, "May" and "5 may" are a month. */
function isMonthOfMay(text: string, { start, end }: Run): boolean {
  if (end - start !== 3) return false;
  const word = text.slice(start, end);
  if (!isMay(word)) return false;
  return (
    word !== "may" ||
    /\d[a-z]{0,2}[ ,.]{1,2}$/u.test(text.slice(Math.max(0, start - 5), start)) ||
    /^[ ,.]{1,2}\d/u.test(text.slice(end, end + 3))
  );
}

function isMay(word: string): boolean {
  return word.length === 3 && word.toLowerCase() === "may";
}

function termsOf(word: string, isMonth: boolean, reading: Reading): string[][] {
  if (isMonth) return [[stem("may", TOKENIZER_VERSION)]];
  const terms: string[][] = [];
  if (PLAIN_WORD.test(word)) {
    const lower = word.toLowerCase();
    if (!isLeftOut(lower, lower, reading)) addStems(terms, lower, lower, reading);
    return terms;
  }
  const form = compatible(word);
  // NFKC may split a word or change its script: ½ holds a slash, ﷺ blanks, ㋀ a digit and 月.
  for (let run = nextRun(form, 0); run !== null; run = nextRun(form, run.end)) {
    if (run.kind === LETTER) {
      addIdentifier(terms, form.slice(run.start, run.end), reading);
    } else {
      for (const unspaced of unspacedWords(form, run, reading)) {
        for (const term of unspaced.terms) terms.push([...term]);
      }
    }
  }
  return terms;
}

/** Adds the whole (`=src/main.py`) where there is more than one part, and each part. */
function addIdentifier(terms: string[][], identifier: string, reading: Reading): void {
  const suffix = identifier.endsWith("++") ? "++" : identifier.endsWith("#") ? "#" : "";
  const body = identifier.slice(0, identifier.length - suffix.length);
  const parts = body.split(BETWEEN_PARTS);
  const isWhole = parts.length === 1 && suffix === "";
  if (!isWhole) {
    const whole = body.replace(POSSESSIVES, "").replaceAll("'", "");
    const first = fold(whole, reading.since) + suffix;
    if (isLeftOut(whole, first, reading)) return;
    const token = cut(`=${fold(whole, TOKENIZER_VERSION)}${suffix}`);
    terms.push(distinct([token, cut(`=${first}`)]));
  }
  for (const part of parts) addPart(terms, part, isWhole, reading);
}

function addPart(terms: string[][], part: string, isWhole: boolean, reading: Reading): void {
  // Contractions are told by their apostrophe: "I'd" is a stop word, "id" is not.
  if (isLeftOut(part, fold(part, reading.since), reading)) return;
  const owner = part.replace(POSSESSIVES, "");
  const word = owner.replaceAll("'", "");
  addWord(terms, word, isWhole, reading);
  // l'eau, O'Brien: the word behind a one-letter head is looked for alone as well.
  if (owner.charAt(1) === "'") addWord(terms, word.slice(1), false, reading);
  const [, number, unit] = NUMBER_WITH_UNIT.exec(word) ?? [];
  if (number !== undefined && unit !== undefined) {
    addWord(terms, number, false, reading);
    addWord(terms, unit, false, reading);
  }
  if (!INNER_CAPITAL.test(word) || PLURAL_OF_CAPITALS.test(word)) return;
  const pieces = word.split(CAMEL_BOUNDARY);
  if (pieces.length > 1) for (const piece of pieces) addWord(terms, piece, false, reading);
}

function addWord(terms: string[][], written: string, isWhole: boolean, reading: Reading): void {
  const word = fold(written, TOKENIZER_VERSION);
  const first = reading.since < 2 ? fold(written, 1) : word;
  if (isLeftOut(written, first, reading)) return;
  // A single letter says something only where it was written alone (vitamin C).
  if (first === "" || (!isWhole && SINGLE_LETTER.test(first))) return;
  addStems(terms, word.replace(ORDINAL_DAY, "$1"), first.replace(ORDINAL_DAY, "$1"), reading);
}

/** Of a word, folded; and folded as version 1 did, which left some words that are nothing now (a lone tatweel). */
function addStems(
  terms: string[][],
  word: string,
  first: string,
  { since, languages }: Reading,
): void {
  const short = cut(word);
  const tokens = short === "" ? [] : [stem(short, TOKENIZER_VERSION)];
  if (since < 2) tokens.push(stem(cut(first), 1));
  if (languages.length > 0 && LATIN_WORD.test(short)) {
    for (const language of languages) tokens.push(cut(languageStem(short, language)));
  }
  terms.push(distinct(tokens));
}

/** As the oldest version has it: to version 1 the words of other languages are no stop words. */
function isLeftOut(written: string, folded: string, { since }: Reading): boolean {
  if (since < 2) return ENGLISH_STOP_WORDS.has(folded);
  if (isStopWord(folded)) return !ACRONYM.test(written) || ENGLISH_STOP_WORDS.has(folded);
  return folded !== written && isStopWord(written.toLowerCase());
}

/** Where a query names a word in many forms (go, went, gone), the stems of other languages give way. */
function mostNeeded(tokens: readonly string[]): string[] {
  const isMarked = (token: string): boolean => token.startsWith("~");
  const sorted = [...tokens.filter((token) => !isMarked(token)), ...tokens.filter(isMarked)];
  return distinct(sorted).slice(0, MAX_ALTERNATIVES);
}

function distinct(tokens: string[]): string[] {
  return tokens.length === 1 ? tokens : [...new Set(tokens)];
}

/** Overlapping pairs of letters, which need no dictionary; a letter alone gives itself. */
function* unspacedWords(text: string, run: Run, { purpose }: Reading): Generator<FoundWord> {
  let before: { readonly letter: string; readonly start: number } | null = null;
  let count = 0;
  for (let start = run.start, end; start < run.end; start = end) {
    end = clusterEnd(text, start, run.end);
    for (const letter of foldCluster(text.slice(start, end))) {
      if (before !== null) {
        const token = before.letter + letter;
        yield { word: text.slice(before.start, end), start: before.start, end, terms: [[token]] };
      }
      if (run.kind === CJK && purpose === "index" && classAt(letter, 0) === CJK) {
        yield { word: text.slice(start, end), start, end, terms: [[`1${letter}`]] };
      }
      before = { letter, start };
      count += 1;
    }
  }
  if (before === null || count !== 1 || (run.kind === CJK && purpose === "index")) return;
  const token = run.kind === CJK ? `1${before.letter}` : before.letter;
  yield { word: text.slice(run.start, run.end), start: run.start, end: run.end, terms: [[token]] };
}

/**
 * Where the letter that begins at `start` ends: with its marks, and with the Hangul vowels and finals that compose with it. So
 * normalising letter by letter gives what normalising the run would, and offsets stay those of the original.
 */
function clusterEnd(text: string, start: number, limit: number): number {
  let end = start + widthAt(text, start);
  while (end < limit) {
    const next = classAt(text, end);
    if (next !== MARK && next !== IGNORED && !composes(text, start, end)) break;
    end += widthAt(text, end);
  }
  return end;
}

/** Whether the letter at `end` melts into the cluster before it: only the parts of a Hangul syllable do. */
function composes(text: string, start: number, end: number): boolean {
  if (isStable(text.charCodeAt(end))) return false;
  const next = text.charAt(end).normalize("NFKC");
  if (!/^[\u1161-\u11c2]/u.test(next)) return false;
  const cluster = text.slice(start, end).normalize("NFKC");
  return (cluster + next).normalize("NFKC").length < cluster.length + next.length;
}

function foldCluster(cluster: string): string {
  return cluster.length === 1 && isStable(cluster.charCodeAt(0))
    ? cluster
    : fold(compatible(cluster), 1);
}

/** Kana, unified ideographs, Hangul syllables: no rule changes them, and asking ICU takes most of the time of a CJK text. */
function isStable(unit: number): boolean {
  return (
    (unit >= 0x3041 && unit <= 0x3096) ||
    (unit >= 0x30a1 && unit <= 0x30fc) ||
    (unit >= 0x4e00 && unit <= 0x9fff) ||
    (unit >= 0xac00 && unit <= 0xd7a3)
  );
}

/** Words hold no CJK, so a 1 before a CJK letter is always the mark of a single character. */
function isCharacterToken(token: string): boolean {
  return token.startsWith("1") && classAt(token, 1) === CJK;
}

function cut(token: string): string {
  if (token.length <= MAX_TOKEN_CHARS) return token;
  // Half a surrogate pair at the cut becomes U+FFFD.
  return token.slice(0, MAX_TOKEN_CHARS).toWellFormed();
}

function dateFormat(timeZone: string): Intl.DateTimeFormat {
  let format = dateFormats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      weekday: "long",
      year: "numeric",
      month: "numeric",
      day: "numeric",
    });
    if (dateFormats.size >= MAX_DATE_FORMATS) dateFormats.clear();
    dateFormats.set(timeZone, format);
  }
  return format;
}

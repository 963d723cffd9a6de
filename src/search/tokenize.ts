/**
 * From text to plain tokens: one implementation for indexing, asking and showing. The caller blinds them.
 * Three kinds of token never meet: words (`deploi`), whole identifiers (`=next.js`) and single CJK characters (`1猫`).
 * Nothing is remembered between calls: a cache of words would be readable text outside the vault.
 */
import { stemmer } from "stemmer";

/** Stored with each row. Raise it when the same text gives other tokens: those rows need indexing again. */
export const TOKENIZER_VERSION = 1;

export interface QueryTerm {
  readonly token: string;
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
  const tokens: string[] = [];
  const characters = new Set<string>();
  for (const { tokens: found } of words(text, "index")) {
    for (const token of found) {
      if (isCharacterToken(token)) {
        if (characters.has(token)) continue;
        characters.add(token);
      }
      tokens.push(token);
    }
  }
  return tokens;
}

/** What a query asks for: distinct, in order, at most 32. Empty when it holds only stop words or symbols. */
export function tokenizeQuery(text: string): QueryTerm[] {
  const terms = new Map<string, QueryTerm>();
  for (const { word, tokens } of words(text, "query")) {
    for (const token of tokens) {
      if (!terms.has(token)) terms.set(token, { token, written: word });
      if (terms.size === MAX_QUERY_TERMS) return [...terms.values()];
    }
  }
  return [...terms.values()];
}

/** The words of a text with the tokens that each gives to the index, in order of `start`. */
export function wordsWithTokens(text: string): Iterable<Word> {
  return words(text, "index");
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
    stem(MONTHS[Number(month) - 1] ?? ""),
    stem(weekday.toLowerCase()),
    day,
    `=${yearMonth}`,
    `=${yearMonth}-${day.padStart(2, "0")}`,
  ];
}

/** Only a query of a single CJK character asks for `1猫`; the index holds one for each. */
type Purpose = "index" | "query";

interface Run {
  readonly start: number;
  readonly end: number;
  readonly kind: number;
}

/** Bounds the work of one query. */
const MAX_QUERY_TERMS = 32;
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

/**
 * English words that carry grammar, not subject. Contractions with their apostrophe, and without it where that is no other word
 * (not "id", "ill", "well", "shell"). "s" is what `C++'s` leaves.
 */
const STOP_WORDS: ReadonlySet<string> = new Set(
  [
    "a about above after again against all also am an and any are as at be because been before being below between",
    "both but by can cannot could did do does doing down during each few for from further had has have having he",
    "her here hers herself him himself his how i if in into is it its itself just may me might more most must my",
    "myself no nor not of off on once only or other our ours ourselves out over own s same shall she should so some",
    "such than that the their theirs them themselves then there these they this those through to too under until up",
    "upon us very was we were what when where which while who whom whose why will with would you your yours yourself",
    "yourselves e.g i.e",
    "ain't aren't can't couldn't didn't doesn't don't hadn't hasn't haven't isn't mightn't mustn't needn't shan't",
    "shouldn't wasn't weren't won't wouldn't i'm i'd i'll i've you're you'd you'll you've he'd he'll she'd she'll",
    "it'd it'll we're we'd we'll we've they're they'd they'll they've that'd that'll there'd there'll who'd who'll",
    "who're who've what're what've what'll how'd let's y'all",
    "arent couldnt didnt doesnt dont hadnt hasnt havent isnt shouldnt wasnt werent wouldnt im ive youre youve theyre",
    "theyve thats whats",
  ].flatMap((line) => line.split(" ")),
);

// Classes of characters. 0 is left for "not looked up yet" in `classes`.
const BREAK = 1;
const LETTER = 2;
const CJK = 3;
const UNSPACED = 4;
const MARK = 5;
const JOINER = 6;
const IGNORED = 7;

/** Class by UTF-16 unit, filled as characters are met: asking NFKC and \p{…} takes about 150 ns, this look-up 2 to 20. */
const classes = new Uint8Array(0x1_0000);

const dateFormats = new Map<string, Intl.DateTimeFormat>();

const APOSTROPHES = /[‘’ʻʼ]/gu;
const HYPHEN = /‐/gu;
/** Invisible inside words: soft hyphen, joiners, direction marks, word joiner, BOM, variation selectors. */
const INVISIBLE =
  /[\u00ad\u061c\u180e\u200c-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]|[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}]/gu;
const IS_INVISIBLE = new RegExp(INVISIBLE.source, "u");
const IS_JOINER = /^[-_./:@+#&'‘’ʻʼ‐]$/u;
const IS_MARK = /^\p{M}/u;
const IS_LETTER = /^[\p{L}\p{N}]/u;
const IS_CJK = /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]/u;
const IS_UNSPACED = /^[\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]/u;

// Compiling the Unicode classes takes about 2 ms. Done here it counts as start-up, not as part of a first request that has 10 ms.
for (let unit = 0; unit < 0x80; unit += 1) classes[unit] = classify(String.fromCharCode(unit));

const BETWEEN_PARTS = /[-_./:@+#&]/u;
const POSSESSIVES = /'s(?=$|[-_./:@+#&])/giu;
const INNER_CAPITAL = /(?!^)\p{Lu}/u;
const CAMEL_BOUNDARY = /(?<=\p{Ll})(?=\p{Lu})|(?<=[\p{Lu}\p{N}])(?=\p{Lu}\p{Ll})/u;
/** APIs, PRs: one word in the plural, not "AP" and "Is". */
const PLURAL_OF_CAPITALS = /^\p{Lu}+s$/u;
const ORDINAL_DAY = /^(\d{1,2})(?:st|nd|rd|th)$/u;
const SINGLE_LETTER = /^\p{L}$/u;
const PLAIN_WORD = /^[A-Za-z][a-z]*$/u;
const ENGLISH = /^[a-z]{3,}$/u;
const ASCII = /^[\0-\x7f]*$/u;

const ACCENTS = /[\u0300-\u036f]/gu;
const FOLDED = /[ßæœøłđı]/gu;
const FOLDS = new Map([
  ["ß", "ss"],
  ["æ", "ae"],
  ["œ", "oe"],
  ["ø", "o"],
  ["ł", "l"],
  ["đ", "d"],
  ["ı", "i"],
]);

function* words(original: string, purpose: Purpose): Generator<Word> {
  // A lone surrogate becomes one U+FFFD, so offsets into the original stay true.
  const text = original.toWellFormed();
  for (const run of runs(text)) {
    if (run.kind !== LETTER) {
      yield* unspacedWords(text, run, purpose);
      continue;
    }
    const word = text.slice(run.start, run.end);
    yield {
      word,
      start: run.start,
      end: run.end,
      tokens: isMonthOfMay(text, run) ? [stem("may")] : wordTokens(word, purpose),
    };
  }
}

/** Stretches of one kind: words with what joins their parts inside, or letters of a script without blanks. */
function* runs(text: string): Generator<Run> {
  let at = 0;
  while (at < text.length) {
    const kind = classAt(text, at);
    if (kind === LETTER || kind === CJK || kind === UNSPACED) {
      const start = at;
      at = runEnd(text, start, kind);
      yield { start, end: at, kind };
    } else {
      at += widthAt(text, at);
    }
  }
}

function runEnd(text: string, start: number, kind: number): number {
  let end = start;
  let at = start;
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

function classAt(text: string, at: number): number {
  if (at >= text.length) return BREAK;
  const unit = text.charCodeAt(at);
  if (unit >= 0xd800 && unit <= 0xdfff) return classify(text.slice(at, at + 2));
  let found = classes[unit] ?? 0;
  if (found === 0) {
    found = classify(text.charAt(at));
    classes[unit] = found;
  }
  return found;
}

/** The text is well formed, so a high surrogate always has its partner. */
function widthAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit <= 0xdbff ? 2 : 1;
}

/** Judged by the NFKC form, so that ＋, ㎏ and ｶ are what they stand for. */
function classify(character: string): number {
  // NFKC would make "Cofiotm" of Cofio™.
  if (character === "™" || character === "℠") return BREAK;
  if (IS_INVISIBLE.test(character)) return IGNORED;
  const form = character.normalize("NFKC");
  if (IS_JOINER.test(form)) return JOINER;
  if (IS_MARK.test(form)) return MARK;
  if (!IS_LETTER.test(form)) return BREAK;
  if (IS_CJK.test(form)) return CJK;
  return IS_UNSPACED.test(form) ? UNSPACED : LETTER;
}

/** "may" is a stop word, "May" and "5 may" are a month. */
function isMonthOfMay(text: string, { start, end }: Run): boolean {
  if (end - start !== 3) return false;
  const word = text.slice(start, end);
  if (word.toLowerCase() !== "may") return false;
  return (
    word !== "may" ||
    /\d[a-z]{0,2}[ ,.]{1,2}$/u.test(text.slice(Math.max(0, start - 5), start)) ||
    /^[ ,.]{1,2}\d/u.test(text.slice(end, end + 3))
  );
}

function wordTokens(word: string, purpose: Purpose): string[] {
  if (PLAIN_WORD.test(word)) return plainWordTokens(word.toLowerCase());
  const tokens: string[] = [];
  const form = compatible(word);
  // NFKC may split a word or change its script: ½ holds a slash, ﷺ blanks, ㋀ a digit and 月.
  for (const run of runs(form)) {
    if (run.kind === LETTER) {
      addIdentifier(tokens, form.slice(run.start, run.end));
    } else {
      for (const unspaced of unspacedWords(form, run, purpose)) {
        for (const token of unspaced.tokens) tokens.push(token);
      }
    }
  }
  return tokens;
}

function plainWordTokens(word: string): string[] {
  return STOP_WORDS.has(word) ? [] : [stem(word)];
}

/** Adds the whole (`=src/main.py`) where there is more than one part, and each part. */
function addIdentifier(tokens: string[], identifier: string): void {
  const suffix = identifier.endsWith("++") ? "++" : identifier.endsWith("#") ? "#" : "";
  const body = identifier.slice(0, identifier.length - suffix.length);
  const parts = body.split(BETWEEN_PARTS);
  const isWhole = parts.length === 1 && suffix === "";
  if (!isWhole) {
    const whole = fold(body.replace(POSSESSIVES, "").replaceAll("'", "")) + suffix;
    if (STOP_WORDS.has(whole)) return;
    tokens.push(cut(`=${whole}`));
  }
  for (const part of parts) addPart(tokens, part, isWhole);
}

function addPart(tokens: string[], part: string, isWhole: boolean): void {
  // Contractions are told by their apostrophe: "I'd" is a stop word, "id" is not.
  if (STOP_WORDS.has(fold(part))) return;
  const owner = part.replace(POSSESSIVES, "");
  const word = owner.replaceAll("'", "");
  addWord(tokens, word, isWhole);
  // l'eau, O'Brien: the word behind a one-letter head is looked for alone as well.
  if (owner.charAt(1) === "'") addWord(tokens, word.slice(1), false);
  if (!INNER_CAPITAL.test(word) || PLURAL_OF_CAPITALS.test(word)) return;
  const pieces = word.split(CAMEL_BOUNDARY);
  if (pieces.length > 1) for (const piece of pieces) addWord(tokens, piece, false);
}

function addWord(tokens: string[], written: string, isWhole: boolean): void {
  const word = fold(written);
  if (word === "" || STOP_WORDS.has(word)) return;
  // A single letter says something only where it was written alone (vitamin C).
  if (!isWhole && SINGLE_LETTER.test(word)) return;
  tokens.push(stem(word.replace(ORDINAL_DAY, "$1")));
}

/** Overlapping pairs of letters, which need no dictionary; a letter alone gives itself. */
function* unspacedWords(text: string, run: Run, purpose: Purpose): Generator<Word> {
  let before: { readonly letter: string; readonly start: number } | null = null;
  let count = 0;
  for (let start = run.start, end; start < run.end; start = end) {
    end = clusterEnd(text, start, run.end);
    for (const letter of foldCluster(text.slice(start, end))) {
      if (before !== null) {
        const token = before.letter + letter;
        yield { word: text.slice(before.start, end), start: before.start, end, tokens: [token] };
      }
      if (run.kind === CJK && purpose === "index" && classAt(letter, 0) === CJK) {
        yield { word: text.slice(start, end), start, end, tokens: [`1${letter}`] };
      }
      before = { letter, start };
      count += 1;
    }
  }
  if (before === null || count !== 1 || (run.kind === CJK && purpose === "index")) return;
  const token = run.kind === CJK ? `1${before.letter}` : before.letter;
  yield { word: text.slice(run.start, run.end), start: run.start, end: run.end, tokens: [token] };
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
    : fold(compatible(cluster));
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

function compatible(text: string): string {
  return text
    .normalize("NFKC")
    .replace(INVISIBLE, "")
    .replace(APOSTROPHES, "'")
    .replace(HYPHEN, "-");
}

/** Only U+0300–U+036F are dropped: all of \p{M} would turn が into か and take the vowels of Hindi and Thai. */
function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  return text
    .toLowerCase()
    .normalize("NFD")
    .replace(ACCENTS, "")
    .normalize("NFC")
    .replace(FOLDED, (letter) => FOLDS.get(letter) ?? letter);
}

/** One pass leaves deploi and deploy apart; no pass makes a word longer or undoes another, so the loop ends. */
function stem(word: string): string {
  const short = cut(word);
  if (!ENGLISH.test(short)) return short;
  let before = short;
  for (;;) {
    const after = stemmer(before);
    if (after === before) return after;
    before = after;
  }
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

/**
 * Secrets in a text: found by secretlint's maintained rules, whose patterns are of exact formats, and by three of its kind that they
 * lack. Only formats that are nothing but secrets: a hash, an id or the word "password" is left alone.
 */
import { cleanString } from "./memory.ts";

export interface Masked {
  readonly text: string;
  /** What was taken out, by name, each once. */
  readonly kinds: readonly string[];
}

interface FoundSecret {
  readonly start: number;
  readonly end: number;
  readonly kind: string;
}

/** What secretlint calls a rule, as far as it is used. Its own types are not installed with the preset. */
interface SecretRule {
  readonly meta: { readonly id: string };
  create(context: RuleContext, options: { readonly enableIDScanRule: boolean }): RuleHandler;
}

interface RuleContext {
  readonly sharedOptions: object;
  createTranslator(messages: Messages): (id: string, values: Values) => RuleMessage;
  report(found: { readonly message: RuleMessage; readonly range: readonly [number, number] }): void;
  ignore(): void;
}

interface RuleHandler {
  file(source: { readonly content: string; readonly ext: string }): unknown;
}

/** Sentences by id and language, made from the values that were found. */
type Messages = Readonly<Record<string, { readonly en: (values: Values) => string }>>;

/** What was found, and sometimes more about it. */
type Values = Readonly<Record<string, unknown>>;

interface RuleMessage {
  readonly kind: string;
  readonly values: Values;
}

/** Of a longer text only a beginning is ever stored, or nothing (`memory.ts`). What the rules do with 64 KiB made to slow them down takes 55 ms, with any other 1 ms. */
const MAX_CHARS = 65_536;

/** Every secret has one; most sentences have none, and then the rules need not be loaded, which takes an isolate milliseconds once. */
const LONG_WORD = /\S{16}/;

/**
 * Left out: the first would let a text switch the others off by a comment in it, and the second reads files by their names.
 */
const UNUSED_RULES = new Set([
  "@secretlint/secretlint-rule-filter-comments",
  "@secretlint/secretlint-rule-gcp",
]);

/** Names a thing in the clear, and is no secret. */
const NOT_SECRET = "AWS Account ID";

/** Formats that the preset lacks, each documented by who issues them. */
const FURTHER: readonly { readonly kind: string; readonly pattern: RegExp }[] = [
  { kind: "Cofio token", pattern: /\bcofio_[a-z2-7]{16}_[a-z2-7]{42}\b/g },
  // https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns
  { kind: "Google API key", pattern: /(?<![\w-])AIza[\w-]{35}(?![\w-])/g },
  // RFC 7519: header and payload are JSON objects, which in base64url begin with eyJ.
  {
    kind: "JSON Web Token",
    pattern: /(?<![\w-])eyJ[\w-]{10,2000}\.eyJ[\w-]{10,8000}\.[\w-]{20,2000}(?![\w-])/g,
  },
];

/** Replaces each secret by its kind in brackets. */
export async function maskSecrets(text: string): Promise<Masked> {
  // As it will be stored: a NUL within a key would hide it from the patterns, and blanks before it would push it out of their sight.
  const clean = cleanString(text).trim();
  const stored = clean.slice(0, MAX_CHARS);
  if (!LONG_WORD.test(stored)) return { text, kinds: [] };
  const found = await findSecrets(stored);
  if (found.length === 0) return { text, kinds: [] };
  let masked = "";
  let at = 0;
  for (const { start, end, kind } of withoutOverlaps(found)) {
    masked += `${clean.slice(at, start)}[secret removed: ${kind}]`;
    at = end;
  }
  return { text: masked + clean.slice(at), kinds: [...new Set(found.map(({ kind }) => kind))] };
}

async function findSecrets(text: string): Promise<FoundSecret[]> {
  // Loaded by the first save of an isolate: its start would wait for it otherwise.
  detector ??= import("@secretlint/secretlint-rule-preset-recommend").then(({ rules }) =>
    openDetector(rules),
  );
  return (await detector)(text);
}

let detector: Promise<(text: string) => FoundSecret[]> | undefined;

/** The rules without secretlint's own runner, which takes five times as long and keeps a profile of everything it was given. */
function openDetector(rules: readonly SecretRule[]): (text: string) => FoundSecret[] {
  let found: FoundSecret[] = [];
  let content = "";
  const context: RuleContext = {
    sharedOptions: {},
    createTranslator: (messages) => (id, values) => ({ kind: kindOf(messages, id), values }),
    report: ({ message: { kind, values }, range }) =>
      found.push({ ...placeOf(content, values, range), kind }),
    ignore: () => {},
  };
  const handlers = rules
    .filter(({ meta }) => !UNUSED_RULES.has(meta.id))
    // The option adds ids of AWS access keys, which are the half of the pair that one recognises.
    .map((rule) => rule.create(context, { enableIDScanRule: true }));
  return (text) => {
    found = [];
    content = text;
    // Synchronous, all of them: those that are not read files, and are left out.
    for (const handler of handlers) handler.file({ content: text, ext: "" });
    for (const { kind, pattern } of FURTHER) {
      for (const { index, 0: match } of text.matchAll(pattern)) {
        found.push({ start: index, end: index + match.length, kind });
      }
    }
    const secrets = found.filter(({ kind }) => kind !== NOT_SECRET);
    // The detector outlives the request, and no text does.
    found = [];
    content = "";
    return secrets;
  };
}

/** "found GitHub Token(…): …" without what was found. */
function kindOf(messages: Messages, id: string): string {
  const sentence = messages[id]?.en({}) ?? "";
  return /^found ([^(:]+)/.exec(sentence)?.[1]?.trim() ?? "secret";
}

/**
 * Where the found value stands. The range that a rule gives begins with the name before the value but is as long as the value alone
 * (13.0.7: AWS secret keys), so half of it would stay; only its beginning is to be trusted.
 */
function placeOf(text: string, values: Values, [from, to]: readonly [number, number]) {
  const [value] = Object.values(values)
    .filter((given) => typeof given === "string")
    .filter((given) => given !== "" && text.includes(given, from))
    .sort((a, b) => b.length - a.length);
  const start = value === undefined ? from : text.indexOf(value, from);
  const end = value === undefined ? to : start + value.length;
  // An address is taken to the next blank: what ends the sentence is no part of it.
  return { start, end: start + text.slice(start, end).replace(/[.,;:!?)\]}'"»”’]+$/u, "").length };
}

/** In order. Of two that overlap the first, to the end of both: a key within an address is gone with it. */
function withoutOverlaps(found: readonly FoundSecret[]): FoundSecret[] {
  const ordered: FoundSecret[] = [];
  for (const secret of found.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = ordered.at(-1);
    if (last === undefined || secret.start >= last.end) ordered.push(secret);
    else ordered[ordered.length - 1] = { ...last, end: Math.max(last.end, secret.end) };
  }
  return ordered;
}

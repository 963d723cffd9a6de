/**
 * What is stored in every server: made-up facts in plain English, the same for all of them, among which some are asked for later. Every
 * fact follows from its number. No server gets more than the text: no tags, and no `asked_as`, which only Cofio knows.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { root } from "../../scripts/wrangler.ts";
import { randomOf, someOf } from "../runtime/synthetic.ts";

export interface Fact {
  readonly number: number;
  readonly content: string;
}

export type QuestionKind =
  | "rare word"
  | "two words, as stored"
  | "two words, reversed"
  | "natural question";

export interface Question {
  readonly kind: QuestionKind;
  readonly query: string;
  /** Number of the fact that answers it. */
  readonly answer: number;
}

export interface Corpus {
  readonly facts: readonly Fact[];
  readonly questions: readonly Question[];
}

export const QUESTION_KINDS: readonly QuestionKind[] = [
  "rare word",
  "two words, as stored",
  "two words, reversed",
  "natural question",
];

/** At the smallest size of 100 about half of the facts are asked for. */
const QUESTIONS_OF_A_KIND = 20;
/** Half of each kind. */
const PAIRS = 20;
/** What every server takes: one asks for 50 characters, one refuses 4,096. */
const CONTENT = { from: 50, to: 4_000 };

/** @param size 100 at least. The facts that are asked for are spread evenly over all. */
export function corpusOf(size: number): Corpus {
  const planted = [...pairs(), ...naturalQuestions()];
  const answers = planted.map((_, at) => Math.floor(((at + 0.5) * size) / planted.length));
  const contents = new Map(planted.map(({ content }, at) => [answers[at], content]));
  const facts = Array.from({ length: size }, (_, number) => ({
    number,
    content: contents.get(number) ?? factOf(number),
  }));
  const random = randomOf(`rare ${size}`);
  const others = facts.filter(({ number }) => !contents.has(number));
  return {
    facts,
    questions: [
      ...someOf(others, QUESTIONS_OF_A_KIND, random).map(({ number }) => ({
        kind: "rare word" as const,
        query: codeNameOf(number),
        answer: number,
      })),
      ...planted.map(({ kind, query }, at) => ({ kind, query, answer: answers[at] ?? 0 })),
    ],
  };
}

/** Each holds one common word of its topic, which a twelfth of all facts share, and a name that no other fact has. */
export function factOf(number: number): string {
  const random = randomOf(`fact ${number}`);
  const one = (words: readonly string[]) => words[Math.floor(random() * words.length)] ?? "";
  const frame = FRAMES[Math.floor(random() * FRAMES.length)] ?? "";
  const topic = TOPICS[number % TOPICS.length] ?? "";
  const slots: Record<string, string> = {
    topic,
    code: codeNameOf(number),
    person: `${one(FIRST_NAMES)} ${one(LAST_NAMES)}`,
    place: one(PLACES),
    day: `${1 + Math.floor(random() * 28)} ${one(MONTHS)}`,
    count: String(2 + Math.floor(random() * 900)),
    quality: one(QUALITIES),
  };
  return frame.replace(/\{(\w+)\}/gu, (_, name: string) => slots[name] ?? "");
}

/** Four syllables and a closing letter, as no word of English: different for each number below 2.3 million. */
export function codeNameOf(number: number): string {
  const count = SYLLABLES.length ** 4;
  // A prime, so that neighbours are not alike.
  let rest = (number * 1_299_709 + 7_919) % count;
  let name = "";
  for (let left = 4; left > 0; left--) {
    name += SYLLABLES[rest % SYLLABLES.length] ?? "";
    rest = Math.floor(rest / SYLLABLES.length);
  }
  return `${name}k`;
}

interface Planted {
  readonly kind: QuestionKind;
  readonly content: string;
  readonly query: string;
}

/**
 * The only fact with both words: in one half side by side as they are asked for, which a search for the string finds too, in the other
 * half apart and in the other order.
 */
function pairs(): Planted[] {
  const random = randomOf("pairs");
  const all = TOPICS.flatMap((first, at) =>
    TOPICS.slice(at + 1).map((second) => [first, second] as const),
  );
  return someOf(all, PAIRS, random).map(([first, second], at) => ({
    query: `${first} ${second}`,
    ...(at < PAIRS / 2
      ? {
          kind: "two words, as stored",
          content: `${FIRST_NAMES[at]} calls it the ${first} ${second} project, and has not told anybody else of it yet.`,
        }
      : {
          kind: "two words, reversed",
          content: `For the ${second} we settled with ${FIRST_NAMES[at]} on the plan that leaves most time for the ${first} afterwards.`,
        }),
  }));
}

/**
 * Asked by somebody who had not seen the ranking; six of the fifteen share no word with the answer. But Cofio's own tests ask them too
 * (test/search/everyday.test.ts) and have held its ranking to them since, there with `asked_as`: of the servers only Cofio had this chance.
 */
function naturalQuestions(): Planted[] {
  const memories = new Map(
    readFixture("everyday-memories.json", z.array(memorySchema)).map(({ key, content }) => [
      key,
      content,
    ]),
  );
  return readFixture("everyday-queries-blind.json", z.array(querySchema))
    .filter(({ lang, class: kind }) => lang === "en" && QUESTION_CLASSES.has(kind))
    .flatMap(({ query, expects: [key = ""] }) => {
      const content = memories.get(key) ?? "";
      const isTaken = content.length >= CONTENT.from && content.length <= CONTENT.to;
      return isTaken ? [{ kind: "natural question" as const, query, content }] : [];
    })
    .slice(0, QUESTIONS_OF_A_KIND);
}

/** The others are single words, codes and addresses. */
const QUESTION_CLASSES = new Set(["question", "wording", "time", "name"]);
const memorySchema = z.object({ key: z.string(), content: z.string() });
const querySchema = z.object({
  query: z.string(),
  lang: z.string(),
  expects: z.array(z.string()),
  class: z.string(),
});

function readFixture<T>(name: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(readFileSync(join(root, "test/search/fixtures", name), "utf8")));
}

const SYLLABLES = Array.from("bdfgklmnprtvz").flatMap((consonant) =>
  Array.from("aou", (vowel) => consonant + vowel),
);
/** No frame holds any of them. */
const TOPICS = [
  "coffee",
  "bicycle",
  "invoice",
  "garden",
  "passport",
  "piano",
  "kitchen",
  "marathon",
  "database",
  "mortgage",
  "library",
  "dentist",
];
const FRAMES = [
  "{person} called from {place} about the {topic} on {day}; the reference is {code}, and it costs {count} euros.",
  "Since {day} the {quality} {topic} in {place} goes by the name {code}, and {person} looks after it.",
  "Prefers the {quality} {topic} that {person} showed in {place}: model {code}, number {count}.",
  "Decided with {person} to keep the {topic} until {day}, filed under {code} in {place} with {count} others.",
  "{person} said that {code} is the only {topic} worth the trip to {place}, {count} kilometres away.",
  "Never book the {topic} for {day}: {person} is in {place} then, and {code} is closed.",
  "The password hint for the {topic} account is {code}; {person} set it up in {place} on {day}.",
  "Owes {person} {count} euros for the {quality} {topic} from {place}, noted as {code}.",
];
const QUALITIES = ["small", "old", "blue", "quiet", "expensive", "second", "borrowed", "new"];
const MONTHS = ["January", "March", "April", "June", "August", "September", "November"];
const PLACES = [
  "Lisbon",
  "Turku",
  "Cork",
  "Graz",
  "Ghent",
  "Porto",
  "Tartu",
  "Malmo",
  "Leeds",
  "Lyon",
  "Basel",
  "Trieste",
];
const FIRST_NAMES = [
  "Amara",
  "Boris",
  "Celia",
  "Dmitri",
  "Elif",
  "Farid",
  "Greta",
  "Hana",
  "Ivo",
  "Jorge",
  "Katya",
  "Liam",
  "Mair",
  "Nils",
  "Oona",
  "Pavel",
  "Rosa",
  "Sven",
  "Tamsin",
  "Yusuf",
];
const LAST_NAMES = [
  "Abara",
  "Bergman",
  "Costa",
  "Dunne",
  "Eklund",
  "Farkas",
  "Grieg",
  "Horvat",
  "Ito",
  "Jansen",
  "Kovac",
  "Lindqvist",
  "Moreau",
  "Novak",
  "Okafor",
  "Petrov",
  "Quist",
  "Rossi",
  "Sato",
  "Varga",
];

/** That what is guessed before the words are counted changes nothing but the number of round trips, on a real index. */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { searchIndex, type SearchIndex } from "../../src/search/candidates.ts";
import type { KnownCommonTerms } from "../../src/storage/full-text.ts";
import { openMemoryIndex, type FoundMemory } from "../../src/storage/memory-index.ts";
import type { OpenAccount } from "../../src/storage/open-account.ts";
import { openUser } from "../../src/user.ts";
import { blindTokens } from "../../src/vault/blind.ts";
import { callCounted } from "../support/counting.ts";
import { callTool, newPerson } from "../support/people.ts";
import { runs } from "../support/runs.ts";

/** The first stand in most memories, the last in one each. */
const WORDS = [
  "amber",
  "birch",
  "cedar",
  "delta",
  "ember",
  "fjord",
  "gravel",
  "harbour",
  "indigo",
  "juniper",
  "kelp",
  "lantern",
] as const;
const MEMORIES = 60;
const NEVER_WRITTEN = ["zebu", "quagga"] as const;
/** An account that is said to be so large has common words, which are sampled. */
const PRETENDED_ROWS = 50_000;
const FILTER = { status: "active" } as const;

let at: OpenAccount;
let tokenOf: Map<string, string>;
/** As if each memory stood for many. */
let sample: Map<string, number>;

beforeAll(async () => {
  const person = await newPerson();
  const contents = Array.from({ length: MEMORIES }, (_, number) =>
    WORDS.filter((_word, rank) => number % (rank + 1) === 0 || number === 59 - rank).join(" "),
  );
  await callTool(person, "import_data", {
    items: contents.map((content, number) => ({ content: `${content} number${number}` })),
  });
  at = await opened(person.userId);
  const words = [...WORDS, ...NEVER_WRITTEN];
  const tokens = await blindTokens(at.keys, words);
  tokenOf = new Map(words.map((word, place) => [word, tokens[place] ?? ""]));
  const { df } = await at.memoryIndex(FILTER).frequencies(tokens, null);
  const scale = PRETENDED_ROWS / MEMORIES;
  sample = new Map(
    [...df].filter(([, count]) => count > 2).map(([token, count]) => [token, count * scale]),
  );
});

const query = fc.record({
  words: fc.uniqueArray(fc.constantFrom(...WORDS, ...NEVER_WRITTEN), {
    minLength: 1,
    maxLength: 7,
  }),
  synonyms: fc.constantFrom([], ["kelp"], ["amber", "zebu"]),
  required: fc.constantFrom([], ["birch"], ["lantern"], ["zebu"]),
  excluded: fc.constantFrom([], ["cedar"]),
  isFiltered: fc.boolean(),
});

test("a small account's search finds the same rows in the same order, guessed or counted", async () => {
  const index = at.memoryIndex(FILTER);
  expect(index.guessFrequency).not.toBeNull();
  await expectTheSame(index);
});

test("so does that of a large one, whose common words are known from a sample", async () => {
  await env.DB.prepare("UPDATE accounts SET common_memory_terms = ?1 WHERE user_id = ?2")
    .bind(JSON.stringify(Object.fromEntries(sample)), at.userId)
    .run();
  const known: KnownCommonTerms = new Map();
  const row = {
    ...at.row,
    memoriesActive: PRETENDED_ROWS,
    memoriesSampled: PRETENDED_ROWS,
  };
  const first = openMemoryIndex(env.DB, row, known)(FILTER);
  expect(first.guessFrequency, "nothing is at hand yet").toBeNull();
  await first.frequencies([], null);
  const index = openMemoryIndex(env.DB, row, known)(FILTER);
  expect(sample.size).toBeGreaterThan(5);
  for (const [token, df] of sample) expect(index.guessFrequency?.(token)).toBe(df);
  await expectTheSame(index);
  const grown = { ...row, memoriesSampled: PRETENDED_ROWS + 1 };
  expect(openMemoryIndex(env.DB, grown, known)(FILTER).guessFrequency).toBeNull();
});

test("a search opens the account, and finds its rows in one more round trip", async () => {
  const asked = await callCounted(at.userId, "search_memory", { query: "harbour lantern" });
  expect(asked.roundTrips).toBe(2);
});

async function expectTheSame(index: SearchIndex<FoundMemory>): Promise<void> {
  const tokensOf = (words: readonly string[]) => words.map((word) => tokenOf.get(word) ?? "");
  let guessed = 0;
  await fc.assert(
    fc.asyncProperty(query, async ({ words, synonyms, required, excluded, isFiltered }) => {
      const asked = {
        terms: words.map((word) => ({ tokens: tokensOf([word]), synonyms: tokensOf(synonyms) })),
        required: required.map((word) => tokensOf([word])),
        excluded: excluded.map((word) => tokensOf([word])),
        isFiltered,
      };
      let finds = 0;
      const counting: SearchIndex<FoundMemory> = {
        ...index,
        find: (match) => {
          finds += 1;
          return index.find(match);
        },
      };
      const found = await searchIndex(counting, asked);
      if (finds === 0) guessed += 1;
      expect(found).toEqual(await searchIndex({ ...index, guessFrequency: null }, asked));
    }),
    { numRuns: runs(60, 1_000) },
  );
  expect(guessed, "some were found without asking again").toBeGreaterThan(5);
}

async function opened(userId: string): Promise<OpenAccount> {
  const account = await openUser(env, userId);
  if (account === null) throw new Error("Nobody of this id");
  return account;
}

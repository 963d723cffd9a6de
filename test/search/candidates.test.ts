/** That what is guessed before the words are counted changes nothing but the number of round trips, on a real index. */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { searchMemories } from "../../src/memory/search.ts";
import { searchIndex, type Match, type SearchIndex } from "../../src/search/candidates.ts";
import { guessFrequencies, type KnownCommonTerms } from "../../src/storage/full-text.ts";
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
  await callTool(person, "import_data", {
    items: contents.slice(0, 5).map((content, number) => ({
      platform: "chatgpt",
      id: `chat-${number}`,
      title: `Chat ${number}`,
      messages: [{ role: "user", content: `${content} kelp` }],
    })),
  });
  at = await opened(person.userId);
  const words = [...WORDS, ...NEVER_WRITTEN];
  const tokens = await blindTokens(at.keys, words);
  tokenOf = new Map(words.map((word, place) => [word, tokens[place] ?? ""]));
  const { df } = await at.memoryIndex(FILTER).count(tokens, null);
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
  // Every one, but where a word that was never written is replaced, or a filter that most pass or none.
  expect(await shareGuessed(at.memoryIndex(FILTER))).toBeGreaterThan(0.5);
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
  expect(first.guess([]), "nothing is at hand yet").toBeNull();
  await first.count([], null);
  const index = openMemoryIndex(env.DB, row, known)(FILTER);
  expect(sample.size).toBeGreaterThan(5);
  expect(index.guess([...sample.keys()])).toEqual(sample);
  expect(await shareGuessed(index)).toBeGreaterThan(0.3);
  const anew = { ...row, memoriesSampled: PRETENDED_ROWS + 1 };
  expect(openMemoryIndex(env.DB, anew, known)(FILTER).guess([])).toBeNull();
  const outgrown = { ...row, memoriesActive: PRETENDED_ROWS * 1.3 };
  expect(openMemoryIndex(env.DB, outgrown, known)(FILTER).guess([])).toBeNull();
});

test("with more words than a few that no sample names, a large account guesses nothing", () => {
  const df = new Map([["common", 9_000]]);
  const large = {
    index: "memories",
    userId: at.userId,
    rows: PRETENDED_ROWS,
    sampled: PRETENDED_ROWS,
    known: new Map([["memories" as const, { sampled: PRETENDED_ROWS, df }]]),
  } as const;
  expect(guessFrequencies(large, ["common", "one", "two", "three"])?.size).toBe(4);
  expect(guessFrequencies(large, ["common", "one", "two", "three", "four"])).toBeNull();
});

test("a search of messages guesses too, and finds the same", async () => {
  const index = at.messageIndex({}, "none");
  const found = async (words: readonly string[], by: typeof index) =>
    searchIndex(by, { terms: words.map((word) => ({ tokens: tokensOf([word]), synonyms: [] })) });
  for (const words of [["amber"], ["kelp", "birch"], ["zebu", "lantern"], ["zebu"]]) {
    let finds = 0;
    const counting = { ...index, find: (match: Match) => ((finds += 1), index.find(match)) };
    const { rows } = await found(words, counting);
    expect([words, finds]).toEqual([words, 0]);
    expect(rows).toEqual((await found(words, { ...index, guess: () => null })).rows);
  }
  expect((await found(["kelp"], index)).rows.length).toBeGreaterThan(0);
});

test("of long rows fewer are ranked, but never too few", async () => {
  const index = at.memoryIndex(FILTER);
  const limitFor = async (tokensEach: number, candidates: number) => {
    const limits: number[] = [];
    const long = {
      ...index,
      tokens: tokensEach * index.rows,
      guess: () => null,
      find: (match: Match) => (limits.push(match.limit), index.find(match)),
    };
    await searchIndex(long, { terms: [{ tokens: tokensOf(["amber"]), synonyms: [] }], candidates });
    return limits;
  };
  expect(await limitFor(20, 96)).toEqual([96]);
  expect(await limitFor(2_000, 96)).toEqual([60]);
  expect(await limitFor(20_000, 300)).toEqual([32]);
});

test("a search opens the account, and finds its rows in one more round trip", async () => {
  const person = await newPerson();
  for (const content of ["The harbour has a lantern.", "The harbour freezes."])
    await callTool(person, "save_memory", { content });
  const asked = await callCounted(person.userId, "search_memory", { query: "harbour lantern" });
  expect(asked.roundTrips).toBe(2);
});

test("long texts come in one more round trip, and only those that are shown", async () => {
  const person = await newPerson();
  const long = (word: string) =>
    `The harbour has a ${word}. ${"It freezes in winter. ".repeat(120)}`;
  for (const word of ["lantern", "crane", "ferry"])
    await callTool(person, "save_memory", { content: long(word) });
  await callTool(person, "save_memory", { content: "The harbour is shallow." });
  const asked = await callCounted(person.userId, "search_memory", { query: "harbour", limit: 2 });
  expect(asked.roundTrips).toBe(3);
  const { data } = await callTool(person, "search_memory", { query: "harbour crane" });
  expect(data.results).toMatchObject([
    { snippet: expect.stringContaining("has a crane") as string },
    {},
    {},
    {},
  ]);
  const phrase = await callTool(person, "search_memory", { query: '"has a ferry"' });
  expect(phrase.data.results).toMatchObject([
    { snippet: expect.stringContaining("ferry") as string },
  ]);
});

test("a long memory that goes to the trash while it is searched for is left out, and the others are found", async () => {
  const person = await newPerson();
  const save = async (content: string) =>
    (await callTool(person, "save_memory", { content })).data["memory"].id as string;
  const gone = await save(`The harbour has a lantern. ${"It freezes in winter. ".repeat(120)}`);
  const kept = await save(`The harbour has a crane. ${"It never freezes at all. ".repeat(120)}`);
  const account = await opened(person.userId);
  const memories = {
    ...account.memories,
    async getMany(ids: readonly string[]) {
      await callTool(person, "delete_memory", { id: gone });
      return account.memories.getMany(ids);
    },
  };
  const request = { query: "harbour", limit: 10, maxTokens: 2_000 };
  const { hits } = await searchMemories({ ...account, memories }, request, Date.now());
  expect(hits.map(({ memory }) => memory.id)).toEqual([kept]);
});

/** Expects the same rows, and returns how many of the searches had guessed what to ask for. */
async function shareGuessed(index: SearchIndex<FoundMemory>): Promise<number> {
  let searches = 0;
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
      const counting = { ...index, find: (match: Match) => ((finds += 1), index.find(match)) };
      const found = await searchIndex(counting, asked);
      searches += 1;
      if (finds === 0) guessed += 1;
      expect(found).toEqual(await searchIndex({ ...index, guess: () => null }, asked));
    }),
    { numRuns: runs(80, 1_000) },
  );
  return guessed / searches;
}

function tokensOf(words: readonly string[]): string[] {
  return words.map((word) => tokenOf.get(word) ?? "");
}

async function opened(userId: string): Promise<OpenAccount> {
  const account = await openUser(env, userId);
  if (account === null) throw new Error("Nobody of this id");
  return account;
}

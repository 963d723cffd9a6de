import fc from "fast-check";
import { expect, test } from "vitest";
import { rank, type Candidate } from "../../src/search/rank.ts";

function candidate(id: string, tokens: string, rest: Partial<Candidate> = {}): Candidate {
  const tokenCount = tokens.split(" ").length;
  return { id, createdAt: 0, importance: 3, tokenCount, tokens, dt: "", ...rest };
}

const query = (frequencies: Readonly<Record<string, number>>, rows = 100) => ({
  terms: Object.entries(frequencies).map(([term, df]) => ({ term, df })),
  rows,
  totalTokens: rows * 4,
});

const ids = (ranked: readonly { readonly id: string }[]) => ranked.map(({ id }) => id);

test("a rare word counts for more than a common one", () => {
  const ranked = rank(
    [candidate("common", "aaaa cccc dddd eeee"), candidate("rare", "bbbb cccc dddd eeee")],
    query({ aaaa: 90, bbbb: 2 }),
  );
  expect(ids(ranked)).toEqual(["rare", "common"]);
});

test("the score is BM25 with k1 0.9 and b 0.4", () => {
  const [hit] = rank([candidate("x", "aaaa aaaa bbbb cccc dddd eeee")], query({ aaaa: 10 }));
  const idf = Math.log(1 + 90.5 / 10.5);
  expect(hit?.score).toBeCloseTo((idf * 2 * 1.9) / (2 + 0.9 * (0.6 + (0.4 * 6) / 4)), 10);
  expect(hit).toMatchObject({ relevance: 1, matched: ["aaaa"] });
});

test("more of the query in a row makes it more relevant; a word never stored makes all less so", () => {
  const rows = [candidate("both", "aaaa bbbb cccc dddd"), candidate("one", "aaaa cccc dddd eeee")];
  const [both, one] = rank(rows, query({ aaaa: 10, bbbb: 10 }));
  expect(both).toMatchObject({ id: "both", relevance: 1, matched: ["aaaa", "bbbb"] });
  expect(one).toMatchObject({ id: "one", relevance: 0.5, matched: ["aaaa"] });

  const [foreign] = rank(rows, query({ aaaa: 10, bbbb: 10, zzzz: 0 }));
  expect(foreign?.relevance).toBeLessThan(0.8);
});

test("a date word matches like a word of the text", () => {
  const [hit] = rank([candidate("x", "aaaa", { dt: "bbbb cccc" })], query({ bbbb: 10 }));
  expect(hit?.matched).toEqual(["bbbb"]);
});

test("what only the neighbours hold lifts a row a little and is no match of its own", () => {
  const ranked = rank(
    [
      candidate("none", "cccc dddd", { ctx: "eeee" }),
      candidate("context", "cccc dddd", { ctx: "aaaa" }),
      candidate("own", "aaaa dddd", { ctx: "eeee" }),
    ],
    query({ aaaa: 10 }),
  );
  expect(ids(ranked)).toEqual(["own", "context", "none"]);
  expect(ranked[1]).toMatchObject({ relevance: 0, matched: [] });
  expect(ranked[1]?.score).toBeGreaterThan(0);
});

test("the best three rows of a conversation lift it by a tenth of their sum", () => {
  const alone = rank([candidate("x", "aaaa bbbb cccc dddd")], query({ aaaa: 10 }));
  const together = rank(
    ["a", "b", "c", "d"].map((id) => candidate(id, "aaaa bbbb cccc dddd", { group: "talk" })),
    query({ aaaa: 10 }),
  );
  const own = alone[0]?.score ?? 0;
  for (const { score } of together) expect(score).toBeCloseTo(own * 1.3, 10);
});

test("ties go to the more important, then the newer, then by id", () => {
  const ranked = rank(
    [
      candidate("old", "aaaa", { createdAt: 1 }),
      candidate("new-b", "aaaa", { createdAt: 2 }),
      candidate("new-a", "aaaa", { createdAt: 2 }),
      candidate("important", "aaaa", { importance: 5 }),
    ],
    query({ aaaa: 4 }),
  );
  expect(ids(ranked)).toEqual(["important", "new-a", "new-b", "old"]);
});

test("what else a candidate carries comes back with it", () => {
  const [hit] = rank([{ ...candidate("x", "aaaa"), seq: 7 }], query({ aaaa: 1 }));
  expect(hit?.seq).toBe(7);
});

test("no candidates, no terms and an empty collection are no errors", () => {
  expect(rank([], query({ aaaa: 1 }))).toEqual([]);
  expect(rank([candidate("x", "aaaa")], query({}))).toMatchObject([{ score: 0, relevance: 0 }]);
  const empty = { terms: [{ term: "aaaa", df: 9 }], rows: 0, totalTokens: 0 };
  expect(rank([candidate("x", "aaaa")], empty)[0]?.score).toBeGreaterThan(0);
});

test("any candidates and estimates give finite scores, relevance in 0..1 and one order", () => {
  const column = fc
    .array(fc.constantFrom("aaaa", "bbbb", "cccc", "dddd"), { maxLength: 20 })
    .map((tokens) => tokens.sort().join(" "));
  const row = fc.record(
    {
      createdAt: fc.nat(),
      importance: fc.nat(5),
      tokenCount: fc.nat(100),
      tokens: column,
      dt: column,
      ctx: column,
      group: fc.constantFrom("one", "two"),
    },
    { requiredKeys: ["createdAt", "importance", "tokenCount", "tokens", "dt"] },
  );
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 64 }),
      fc.record({
        terms: fc.array(
          fc.record({ term: fc.constantFrom("aaaa", "bbbb", "zzzz"), df: fc.nat(1_000) }),
        ),
        rows: fc.nat(1_000),
        totalTokens: fc.nat(100_000),
      }),
      (rows, asked) => {
        const candidates = rows.map((fields, at) => ({ id: `id${at}`, ...fields }));
        const ranked = rank(candidates, asked);
        expect(ranked).toHaveLength(candidates.length);
        for (const { score, relevance } of ranked) {
          expect(Number.isFinite(score) && score >= 0).toBe(true);
          expect(relevance >= 0 && relevance <= 1).toBe(true);
        }
        const forwards = ranked.map(({ id, score, relevance }) => ({ id, score, relevance }));
        const again = rank(candidates.toReversed(), asked);
        expect(again.map(({ id, score, relevance }) => ({ id, score, relevance }))).toEqual(
          forwards,
        );
      },
    ),
    { numRuns: 500 },
  );
});

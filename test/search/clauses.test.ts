import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseClauses } from "../../src/search/clauses.ts";

const terms = (frequencies: Readonly<Record<string, number>>) =>
  Object.entries(frequencies).map(([term, df]) => ({ term, df }));

test("rare terms are asked alone, rarest first", () => {
  expect(chooseClauses(terms({ bb: 900, aa: 5, cc: 40 }), 1_000)).toEqual({
    order: "rank",
    match: '"aa" OR "cc" OR "bb"',
  });
});

test("a term that no row holds is not asked", () => {
  expect(chooseClauses(terms({ aa: 0, bb: 1 }), 10)).toEqual({ order: "rank", match: '"bb"' });
});

test("nothing is asked when no row holds any term", () => {
  expect(chooseClauses([], 1_000)).toBeNull();
  expect(chooseClauses(terms({ aa: 0 }), 1_000)).toBeNull();
});

test("common terms are asked in pairs, beside rare ones", () => {
  expect(chooseClauses(terms({ rare: 10, aa: 4_000, bb: 5_000, cc: 9_000 }), 20_000)).toEqual({
    order: "rank",
    // 4,000 · 5,000 / 20,000 = 1,000 rows and 4,000 · 9,000 / 20,000 = 1,800 fit into 2,990; the third pair does not.
    match: '"rare" OR ("aa" AND "bb") OR ("aa" AND "cc")',
  });
});

test("the walk of the posting lists is bounded too", () => {
  const common = terms({ aa: 30_000, bb: 35_000, cc: 36_000 });
  expect(chooseClauses(common, 1_000_000)).toEqual({
    order: "rank",
    match: '("aa" AND "bb")',
  });
});

test("triples are asked where no pair fits", () => {
  const common = terms({ aa: 20_000, bb: 21_000, cc: 22_000 });
  expect(chooseClauses(common, 100_000)).toEqual({
    order: "rank",
    match: '("aa" AND "bb" AND "cc")',
  });
});

test("only the commonest words: the newest rows with the three rarest of them", () => {
  const common = terms({ dd: 90_000, aa: 60_000, cc: 80_000, bb: 70_000 });
  expect(chooseClauses(common, 100_000)).toEqual({
    order: "newest",
    match: '"aa" AND "bb" AND "cc"',
    orElse: '"aa" OR "bb" OR "cc"',
  });
});

test("a single common word asks for the newest rows with it", () => {
  expect(chooseClauses(terms({ aa: 4_000 }), 9_000)).toEqual({
    order: "newest",
    match: '"aa"',
    orElse: '"aa"',
  });
});

test("a larger budget lets more through", () => {
  const common = terms({ aa: 4_000 });
  expect(chooseClauses(common, 9_000, { budget: 5_000 })).toEqual({ order: "rank", match: '"aa"' });
});

test("any terms give quoted words joined by OR, AND and parentheses only, none of them unknown", () => {
  const asked = fc.array(
    fc.record({
      term: fc.stringMatching(/^[a-z2-7]{12}$/),
      df: fc.oneof(fc.nat(50), fc.nat(100_000)),
    }),
    { maxLength: 32 },
  );
  const clause = String.raw`(?:"[a-z2-7]{12}"|\("[a-z2-7]{12}"(?: AND "[a-z2-7]{12}"){1,2}\))`;
  fc.assert(
    fc.property(asked, fc.integer({ min: 0, max: 100_000_000 }), (all, rows) => {
      const clauses = chooseClauses(all, rows);
      const known = all.filter(({ df }) => df > 0).map(({ term }) => term);
      if (clauses === null) {
        expect(known).toEqual([]);
        return;
      }
      if (clauses.order === "rank") {
        expect(clauses.match).toMatch(new RegExp(`^${clause}(?: OR ${clause})*$`, "u"));
      }
      for (const [term] of clauses.match.matchAll(/[a-z2-7]{12}/gu)) expect(known).toContain(term);
    }),
    { numRuns: 300 },
  );
});

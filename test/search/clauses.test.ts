import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseClauses, PAGE, SMALL, type ClauseQuery } from "../../src/search/clauses.ts";

/** As many rows as are scored at most, where the words are common. */
const BUDGET = 300;
/** So many are ranked again; below so many expected rows the rarest word is asked for alone too. */
const FEW = 96;

const terms = (frequencies: Readonly<Record<string, number>>) =>
  Object.entries(frequencies).map(([token, df]) => ({ tokens: [token], df }));

const ask = (
  frequencies: Readonly<Record<string, number>>,
  rows: number,
  rest: Partial<ClauseQuery> = {},
) => chooseClauses({ terms: terms(frequencies), rows, ...rest });

test("where few rows match, every term is asked alone, in an order that says nothing of how rare they are", () => {
  expect(ask({ bb: 900, aa: 5, cc: 40 }, 1_000)).toEqual({
    order: "rank",
    match: '"aa" OR "bb" OR "cc"',
    orElse: null,
  });
  expect(ask({ aa: 1_300, bb: 2_950 }, SMALL)).toEqual({
    order: "rank",
    match: '"aa" OR "bb"',
    orElse: null,
  });
});

test("a term that no row holds is not asked", () => {
  expect(ask({ aa: 0, bb: 1 }, 10)).toEqual({ order: "rank", match: '"bb"', orElse: null });
});

test("nothing is asked when no row holds any term", () => {
  expect(ask({}, 1_000)).toBeNull();
  expect(ask({ aa: 0 }, 1_000)).toBeNull();
  expect(ask({}, 1_000, { required: terms({ tag: 3 }), excluded: ["xx"] })).toBeNull();
});

test("any token of a term stands for it", () => {
  const asked = [
    { tokens: ["aa", "ab"], df: 3 },
    { tokens: ["bb"], df: 4 },
  ];
  expect(chooseClauses({ terms: asked, rows: 100 })).toEqual({
    order: "rank",
    match: '"bb" OR ("aa" OR "ab")',
    orElse: null,
  });
});

test("common terms are asked together, beside rare ones, and count among the selected rows", () => {
  expect(ask({ rare: 10, aa: 2_000, bb: 5_000, cc: 9_000 }, 100_000)).toEqual({
    order: "rank",
    // 10 rows, 2,000 · 5,000 / 100,000 = 100 and 180 for the second pair fit into 300; 450 for the third does not.
    match: '("rare" OR ("bb" AND "aa") OR ("cc" AND "aa")) AND ("aa" OR "bb" OR "cc" OR "rare")',
    orElse: { match: '"aa" OR "bb" OR "cc" OR "rare"', below: 1 },
  });
});

test("a common word stands once for all the words that it is asked together with", () => {
  // 20, 40 and 80 rows for the pairs; the triple selects nothing more.
  expect(ask({ aa: 2_000, bb: 4_000, cc: 8_000 }, 400_000)?.match).toBe(
    '(("bb" AND "aa") OR ("cc" AND ("aa" OR "bb"))) AND ("aa" OR "bb" OR "cc")',
  );
});

test("three words are asked together where any two select too many rows", () => {
  expect(ask({ aa: 6_000, bb: 7_000, cc: 8_000 }, 50_000)?.match).toBe(
    '(("cc" AND ("bb" AND "aa"))) AND ("aa" OR "bb")',
  );
});

test("a word in so many rows that scoring it would cost is left to the second ranking", () => {
  expect(ask({ rare: 10, common: 300_000 }, 1_000_000)).toEqual({
    order: "rank",
    match: '("rare") AND ("rare")',
    orElse: { match: '"common" OR "rare"', below: 1 },
  });
});

test("the walk of the posting lists is bounded too", () => {
  expect(ask({ aa: 15_000, bb: 16_000 }, 1_000_000)?.match).toContain('"bb" AND "aa"');
  expect(ask({ aa: 15_000, bb: 26_000 }, 2_000_000)).toMatchObject({ order: "newest" });
});

test("where groups of terms may give few rows, those with the rarest word alone are asked for next", () => {
  expect(ask({ aa: 2_500, bb: 9_000 }, 1_000_000)).toEqual({
    order: "rank",
    match: '(("bb" AND "aa")) AND ("aa" OR "bb")',
    orElse: { match: '"aa"', below: PAGE },
  });
  expect(ask({ aa: 2_500, bb: 90_000 }, 1_000_000)).toEqual({
    order: "newest",
    match: '"aa" AND "bb"',
    orElse: { match: '"aa"', below: PAGE },
  });
});

test("where rows are dropped besides, any of the words may be what is left", () => {
  expect(ask({ aa: 2_500, bb: 9_000 }, 1_000_000, { isFiltered: true })?.orElse).toEqual({
    match: '"aa" OR "bb"',
    below: PAGE,
  });
  expect(ask({ rare: 10, bb: 9_000 }, 1_000_000, { isFiltered: true })?.orElse).toEqual({
    match: '"bb" OR "rare"',
    below: PAGE,
  });
});

test("only the commonest words: the newest rows with the three rarest of them", () => {
  expect(ask({ dd: 90_000, aa: 60_000, cc: 80_000, bb: 70_000 }, 200_000)).toEqual({
    order: "newest",
    match: '"aa" AND "bb" AND "cc"',
    orElse: { match: '"aa" OR "bb" OR "cc" OR "dd"', below: PAGE },
  });
});

test("words that are each in nearly half of the rows or more are asked for together, then any of them", () => {
  expect(ask({ bb: 800, aa: 500, cc: 0 }, 1_000)).toEqual({
    order: "rank",
    match: '"aa" AND "bb"',
    orElse: { match: '"aa" OR "bb"', below: PAGE },
  });
  // One that is rarer ranks, and so does one alone.
  expect(ask({ aa: 450, bb: 900 }, 1_000)).toEqual({
    order: "rank",
    match: '"aa" OR "bb"',
    orElse: null,
  });
  expect(ask({ aa: 900 }, 1_000)).toEqual({ order: "rank", match: '"aa"', orElse: null });
});

test("words that all rows hold are asked for alone where all those rows are ranked again", () => {
  expect(ask({ aa: 90, bb: 96 }, FEW)).toEqual({
    order: "rank",
    match: '"aa" OR "bb"',
    orElse: null,
  });
});

test("a filter and exclusions hold for words that are asked for together, in both attempts", () => {
  const rest = { required: terms({ tag: 1_400 }), excluded: ["xx"] };
  expect(ask({ aa: 1_500, bb: 2_500 }, 3_000, rest)).toEqual({
    order: "rank",
    match: '(("aa" AND "bb") AND "tag") NOT {text} : ("xx")',
    orElse: { match: '(("aa" OR "bb") AND "tag") NOT {text} : ("xx")', below: PAGE },
  });
});

test("a single common word asks for the newest rows with it", () => {
  expect(ask({ aa: 4_000 }, 9_000)).toEqual({
    order: "newest",
    match: '"aa"',
    orElse: null,
  });
});

test("a rare filter selects by itself", () => {
  const required = [{ tokens: ["ta", "tb"], df: 900 }];
  expect(ask({ aa: 6_000, bb: 7_000 }, 150_000, { required })).toEqual({
    order: "rank",
    match: '("aa" OR "bb") AND ("ta" OR "tb")',
    orElse: null,
  });
  // Words that would cost too much to score do not rank, and find all the same.
  expect(ask({ aa: 6_000, bb: 70_000 }, 150_000, { required })).toEqual({
    order: "rank",
    match: '("aa") AND ("ta" OR "tb")',
    orElse: { match: '("aa" OR "bb") AND ("ta" OR "tb")', below: 1 },
  });
  expect(ask({ aa: 60_000, bb: 70_000 }, 150_000, { required })).toEqual({
    order: "newest",
    match: '("aa" OR "bb") AND ("ta" OR "tb")',
    orElse: null,
  });
});

test("a filter that nothing passes is asked for all the same", () => {
  expect(ask({ aa: 3 }, 10, { required: terms({ tag: 0 }) })).toEqual({
    order: "rank",
    match: '("aa") AND "tag"',
    orElse: null,
  });
});

test("a common filter narrows the newest rows, in both attempts", () => {
  const required = terms({ tag: 50_000, kind: 60_000 });
  expect(ask({ aa: 60_000, bb: 70_000 }, 150_000, { required })).toEqual({
    order: "newest",
    match: '("aa" AND "bb") AND "tag" AND "kind"',
    orElse: { match: '("aa" OR "bb") AND "tag" AND "kind"', below: PAGE },
  });
});

test("a filter that most rows pass is left to the rows, and then a page of them must be left", () => {
  const required = terms({ kind: 90_000 });
  expect(ask({ aa: 50, bb: 9_000 }, 150_000, { required })).toEqual({
    order: "rank",
    match: '("aa") AND ("aa" OR "bb")',
    orElse: { match: '"aa" OR "bb"', below: PAGE },
  });
});

test("what is excluded is excluded from everything, by the text alone", () => {
  expect(ask({ aa: 3, bb: 4 }, 100, { excluded: ["xx"] })).toEqual({
    order: "rank",
    match: '("aa" OR "bb") NOT {text} : ("xx")',
    orElse: null,
  });
  const rest = { required: terms({ tag: 40_000 }), excluded: ["xx", "yy"] };
  expect(ask({ aa: 60_000 }, 100_000, rest)).toEqual({
    order: "newest",
    match: '(("aa") AND "tag") NOT {text} : (("xx" OR "yy"))',
    orElse: null,
  });
});

const token = fc.stringMatching(/^[a-z2-7]{12}$/);
const df = fc.oneof(fc.nat(50), fc.nat(5_000), fc.nat(100_000), fc.nat(100_000_000));
const term = fc.record({ tokens: fc.uniqueArray(token, { minLength: 1, maxLength: 6 }), df });

test("any terms, filters and exclusions give quoted tokens, AND, OR, NOT and balanced parentheses, and no token unasked", () => {
  const asked = fc.record({
    terms: fc.array(term, { maxLength: 32 }),
    rows: fc.nat(100_000_000),
    required: fc.array(term, { maxLength: 4 }),
    excluded: fc.array(token, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(asked, (query) => {
      const clauses = chooseClauses(query);
      const words = query.terms.filter((one) => one.df > 0).flatMap(({ tokens }) => tokens);
      if (clauses === null) {
        expect(words).toEqual([]);
        return;
      }
      const filters = query.required.flatMap(({ tokens }) => tokens);
      const { match: first, orElse } = clauses;
      const matches = orElse === null ? [first] : [first, orElse.match];
      for (const match of matches) {
        const used = tokensIn(parseMatch(match));
        for (const one of used) expect([...words, ...filters, ...query.excluded]).toContain(one);
        const spared = query.required.filter((one) => one.df > query.rows / 2);
        const wanted = query.required.filter((one) => !spared.includes(one));
        for (const one of wanted.flatMap(({ tokens }) => tokens)) expect(used).toContain(one);
        for (const one of query.excluded) expect(used).toContain(one);
        expect(used.some((one) => words.includes(one))).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

test("the rows that a ranked search is expected to select stay within the budget", () => {
  const frequencies = fc.uniqueArray(df, { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(frequencies, fc.integer({ min: 1, max: 10_000_000 }), (dfs, least) => {
      const asked = dfs.map((rows, at) => ({ tokens: [`t${at}`], df: rows }));
      const rows = Math.max(least, ...dfs);
      const clauses = chooseClauses({ terms: asked, rows });
      if (clauses?.order !== "rank") return;
      const known = new Map(asked.map(({ tokens: [first = ""], df: held }) => [first, held]));
      const expected = expectedRows(parseMatch(clauses.match), known, rows);
      const matches = dfs.reduce((sum, held) => sum + held, 0);
      const isSmall = Math.min(rows, matches) <= SMALL;
      const most = isSmall ? SMALL : BUDGET;
      expect(expected).toBeLessThanOrEqual(most + 1e-6);
    }),
    { numRuns: 1_000 },
  );
});

test("a rare word is always among those that select", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: BUDGET }),
      fc.array(df, { maxLength: 12 }),
      (rare, dfs) => {
        const rows = Math.max(1_000_000, ...dfs);
        const others = dfs.map((held, at) => ({ tokens: [`t${at}`], df: Math.max(held, rare) }));
        const asked = [{ tokens: ["rare"], df: rare }, ...others];
        const clauses = chooseClauses({ terms: asked, rows });
        expect(clauses).toMatchObject({ order: "rank" });
        expect(selectedAlone(clauses?.match ?? "")).toContain("rare");
      },
    ),
  );
});

/** The words of a selection that a row may hold without another one. */
function selectedAlone(match: string): string[] {
  const whole = parseMatch(match);
  const selection = whole.kind === "token" || whole.kind === "OR" ? whole : whole.parts[0];
  const clauses = selection?.kind === "OR" ? selection.parts : [selection];
  return clauses.flatMap((clause) => (clause?.kind === "token" ? [clause.token] : []));
}

type Node =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "AND" | "OR" | "NOT"; readonly parts: readonly Node[] };

/** Reads the part of FTS5's grammar that a search may use; throws at anything else. No two operators stand side by side unbracketed. */
function parseMatch(match: string): Node {
  const lexemes = match.match(/"[a-z0-9]+"|AND|OR|NOT|\{text\} :|[()]|\S/gu) ?? [];
  let at = 0;

  function expression(): Node {
    const parts = [operand()];
    const operator = lexemes[at];
    if (operator !== "AND" && operator !== "OR" && operator !== "NOT") return parts[0] ?? fail();
    while (lexemes[at] === operator) {
      at += 1;
      parts.push(operand());
    }
    return { kind: operator, parts };
  }
  function operand(): Node {
    const lexeme = lexemes[at];
    at += 1;
    if (lexeme === "(") {
      const inside = expression();
      if (lexemes[at] !== ")") fail();
      at += 1;
      return inside;
    }
    if (lexeme === "{text} :") return lexemes[at] === "(" ? operand() : fail();
    const found = /^"([a-z0-9]+)"$/u.exec(lexeme ?? "")?.[1];
    return found === undefined ? fail() : { kind: "token", token: found };
  }
  function fail(): never {
    throw new Error(`Not within the grammar at ${at}: ${match}`);
  }

  const whole = expression();
  return at === lexemes.length ? whole : fail();
}

function tokensIn(node: Node): string[] {
  return node.kind === "token" ? [node.token] : node.parts.flatMap(tokensIn);
}

/** As if words were independent, alternatives counted as if they shared no row. */
function expectedRows(node: Node, known: ReadonlyMap<string, number>, rows: number): number {
  if (node.kind === "token") return known.get(node.token) ?? 0;
  const parts = node.parts.map((part) => expectedRows(part, known, rows));
  return node.kind === "OR"
    ? Math.min(
        rows,
        parts.reduce((sum, part) => sum + part, 0),
      )
    : parts.reduce((size, part) => (size * part) / rows, rows);
}

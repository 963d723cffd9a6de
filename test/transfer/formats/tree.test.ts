import fc from "fast-check";
import { expect, test } from "vitest";
import { selectBranch, type TreeNode } from "../../../src/transfer/formats/tree.ts";

function node(id: string, parent: string | null, extra: Partial<TreeNode> = {}): TreeNode {
  return { id, parent, children: [], time: null, ...extra };
}

test("the way goes up from the current node, whatever the children say", () => {
  const nodes = [
    node("root", null, { children: ["b"] }),
    node("a", "root"),
    node("b", "root"),
    node("a1", "a"),
    node("a2", "a"),
  ];
  expect(selectBranch(nodes, "a1")).toEqual(["root", "a", "a1"]);
  expect(selectBranch(nodes, "a")).toEqual(["root", "a"]);
});

test("without a current node the newest leaf ends the way, then the longest, then the last", () => {
  const nodes = [node("root", null), node("a", "root"), node("a1", "a"), node("b", "root")];
  expect(selectBranch(nodes, null)).toEqual(["root", "a", "a1"]);
  expect(selectBranch([...nodes, node("b1", "b")], "missing")).toEqual(["root", "b", "b1"]);
  const timed = [
    node("root", null),
    node("a", "root", { time: 5 }),
    node("b", "root", { time: 9 }),
  ];
  expect(selectBranch([...timed, node("a1", "a", { time: 6 })], null)).toEqual(["root", "b"]);
});

test("orphans and circles end the way", () => {
  expect(selectBranch([node("a", "gone"), node("b", "a")], "b")).toEqual(["a", "b"]);
  expect(selectBranch([node("a", "b"), node("b", "a")], "b")).toEqual(["a", "b"]);
  expect(selectBranch([node("a", "b"), node("b", "a")], null)).toHaveLength(2);
  expect(selectBranch([node("a", "a")], null)).toEqual(["a"]);
});

test("children are inverted where no node names a parent, and nothing means file order", () => {
  const nodes = [
    node("leaf", null),
    node("root", null, { children: ["mid", "nowhere"] }),
    node("mid", null, { children: ["leaf"] }),
  ];
  expect(selectBranch(nodes, "leaf")).toEqual(["root", "mid", "leaf"]);
  expect(selectBranch([node("b", null), node("a", null)], "b")).toEqual(["b", "a"]);
  expect(selectBranch([], "x")).toEqual([]);
});

test("a chain of 20,000 nodes is walked, in any order of the file", () => {
  const nodes = Array.from({ length: 20_000 }, (_, index) =>
    node(`${index}`, index === 0 ? null : `${index - 1}`),
  );
  for (const order of [nodes, nodes.toReversed()]) {
    expect(selectBranch(order, null)).toEqual(nodes.map(({ id }) => id));
  }
});

test("any graph gives a way without repetition, each node the child of the one before", () => {
  const ids = fc.constantFrom("a", "b", "c", "d", "e", "__proto__", "constructor");
  const graphs = fc.uniqueArray(
    fc.record({
      id: ids,
      parent: fc.option(fc.oneof(ids, fc.constant("gone"))),
      children: fc.array(ids, { maxLength: 3 }),
      time: fc.option(fc.nat(3)),
    }),
    { selector: ({ id }) => id },
  );
  fc.assert(
    fc.property(graphs, fc.option(ids), (nodes, current) => {
      const branch = selectBranch(nodes, current);
      expect(new Set(branch).size).toBe(branch.length);
      expect(branch.length > 0).toBe(nodes.length > 0);
      const byId = new Map<string, TreeNode>(nodes.map((entry) => [entry.id, entry]));
      if (nodes.every(({ parent }) => parent === null)) return;
      branch.slice(1).forEach((id, index) => expect(byId.get(id)?.parent).toBe(branch[index]));
      if (current !== null && byId.has(current)) expect(branch.at(-1)).toBe(current);
    }),
    { numRuns: 1_000 },
  );
});

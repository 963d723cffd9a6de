/**
 * Conversations are trees: an edited prompt and a regenerated answer are siblings of what they replaced. What the person sees is
 * one way from a root to the current leaf, and only parents tell it: `children` is absent from slim exports and wrong in others.
 * Nothing here recurses; chains of 20,000 nodes occur.
 */

export interface TreeNode {
  /** Unique among the nodes. */
  readonly id: string;
  /** Null for a root, or when the file does not say. It may name a node that does not exist, or close a circle. */
  readonly parent: string | null;
  readonly children: readonly string[];
  /** Milliseconds; null when not known. */
  readonly time: number | null;
}

/** The ids from root to leaf. `nodes`: in file order. `current`: the leaf that the file names. */
export function selectBranch(nodes: readonly TreeNode[], current: string | null): string[] {
  const parents = parentsOf(nodes);
  // No node says where it belongs: a list, in the order of the file.
  if (parents.size === 0) return nodes.map((node) => node.id);
  const known = new Set(nodes.map((node) => node.id));
  const leaf = current !== null && known.has(current) ? current : newestLeaf(nodes, parents);
  const visited = new Set<string>();
  let id: string | undefined = leaf ?? undefined;
  while (id !== undefined && known.has(id) && !visited.has(id)) {
    visited.add(id);
    id = parents.get(id);
  }
  return [...visited].reverse();
}

/** Child to parent. The `children` lists are inverted only where no node names a parent. */
function parentsOf(nodes: readonly TreeNode[]): ReadonlyMap<string, string> {
  const parents = new Map<string, string>();
  for (const { id, parent } of nodes) {
    if (parent !== null) parents.set(id, parent);
  }
  if (parents.size > 0) return parents;
  for (const { id, children } of nodes) {
    for (const child of children) {
      if (!parents.has(child)) parents.set(child, id);
    }
  }
  return parents;
}

/** The newest node without a child; of equally new ones that with the longest chain; of those the last in the file. */
function newestLeaf(
  nodes: readonly TreeNode[],
  parents: ReadonlyMap<string, string>,
): string | null {
  const withChildren = new Set<string>();
  for (const [id, parent] of parents) {
    if (id !== parent) withChildren.add(parent);
  }
  const leaves = nodes.filter((node) => !withChildren.has(node.id));
  // A circle has no leaf; any of its nodes will do.
  const candidates = leaves.length > 0 ? leaves : nodes;
  const newest = candidates.reduce((time, node) => Math.max(time, node.time ?? 0), 0);
  const lengths = chainLengths(nodes, parents);
  let best: string | null = null;
  for (const { id, time } of candidates) {
    if ((time ?? 0) !== newest) continue;
    if (best === null || (lengths.get(id) ?? 0) >= (lengths.get(best) ?? 0)) best = id;
  }
  return best;
}

/** How many nodes stand on the way from each node to its root, itself included; each node is visited once. */
function chainLengths(
  nodes: readonly TreeNode[],
  parents: ReadonlyMap<string, string>,
): ReadonlyMap<string, number> {
  const known = new Set(nodes.map((node) => node.id));
  const lengths = new Map<string, number>();
  for (const node of nodes) {
    const path = new Set<string>();
    let id: string | undefined = node.id;
    while (id !== undefined && known.has(id) && !lengths.has(id) && !path.has(id)) {
      path.add(id);
      id = parents.get(id);
    }
    let length = id === undefined ? 0 : (lengths.get(id) ?? 0);
    for (const step of [...path].reverse()) {
      length += 1;
      lengths.set(step, length);
    }
  }
  return lengths;
}

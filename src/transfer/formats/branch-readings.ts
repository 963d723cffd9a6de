import type { MessageReading } from "./conversation.ts";
import type { JsonObject } from "./json.ts";
import { selectBranch, type TreeNode } from "./tree.ts";

/** One entry of a platform's message tree or message list. */
export interface MessageNode extends Omit<TreeNode, "id"> {
  /** Null where the platform gives none. */
  readonly id: string | null;
  /** Null on a node that only holds others and is no item. */
  readonly message: JsonObject | "unreadable" | null;
}

/**
 * What became of every message: those of the selected branch in its order, and the rest with its reason. No message is met twice.
 * `current`: the leaf that the file names. `read`: of a message of the branch, with the id of its node; usually one reading.
 */
export function* branchReadings(
  nodes: readonly MessageNode[],
  current: string | null,
  read: (message: JsonObject, id: string | null) => Iterable<MessageReading>,
): Generator<MessageReading> {
  const rest = new Map<string, MessageNode>();
  for (const [index, node] of nodes.entries()) {
    // What has neither an id nor a message has no place in the tree, and could only be taken for its newest leaf.
    const isStray = node.id === null && node.message === "unreadable";
    // No platform's id has a space in it, so a message without one cannot be taken for another's parent.
    const id = node.id ?? `message ${index}`;
    if (isStray) yield { outcome: "skipped", reason: "unreadable" };
    else if (!rest.has(id)) rest.set(id, node);
    else if (node.message !== null) yield { outcome: "skipped", reason: "duplicate_in_file" };
  }
  const tree = [...rest].map(([id, { parent, children, time }]) => ({
    id,
    parent,
    children,
    time,
  }));
  for (const id of selectBranch(tree, current)) {
    const node = rest.get(id);
    rest.delete(id);
    if (node === undefined || node.message === null) continue;
    if (node.message === "unreadable") yield { outcome: "skipped", reason: "unreadable" };
    else yield* read(node.message, node.id);
  }
  for (const { message } of rest.values()) {
    if (message === null) continue;
    const reason = message === "unreadable" ? "unreadable" : "other_branch";
    yield { outcome: "skipped", reason };
  }
}

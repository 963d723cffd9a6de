/** Where the messages of a file stand among those that are stored already. */
import type { KnownMessage } from "../storage/imports.ts";

/** A message after the import. */
export interface Placed<Incoming> {
  readonly key: string;
  readonly position: number;
  /** Null: the file lacks it. */
  readonly incoming: Incoming | null;
  readonly stored: KnownMessage | null;
}

export interface PartPlace {
  /** The message before the first of the part. */
  readonly previous: string | null;
  readonly isLast: boolean;
  readonly operationId: string;
  /** It is new with this import. */
  readonly isMadeByImport: boolean;
}

export interface MergedOrder<Incoming> {
  readonly placed: readonly Placed<Incoming>[];
  /** The parts before stood in another order until now. */
  readonly isTurned: boolean;
}

/**
 * The order after the import. What is stored keeps its order and nothing is dropped; a message not seen before follows the one
 * that stands before it in the file, or, where the file shares nothing with what is stored, the end. Which of the two it is a part
 * may not know: then it goes to the beginning, and the last part puts it right.
 * @param stored in order; all of them, or the first, the last and whatever `startOfMerge` asks for
 */
export function mergeOrder<Incoming extends { readonly key: string }>(
  incoming: readonly Incoming[],
  {
    messages: stored,
    isComplete,
  }: { readonly messages: readonly KnownMessage[]; readonly isComplete: boolean },
  part: PartPlace,
): MergedOrder<Incoming> {
  const { anchor: first, isTurned, known } = anchorOf(incoming, stored, part);
  const storedKeys = new Set(stored.map(({ originKey: key }) => key));
  let anchor = first;
  const again = new Map<string, Incoming>();
  const following = new Map<string, Incoming[]>();
  for (const entry of incoming) {
    if (storedKeys.has(entry.key)) {
      again.set(entry.key, entry);
      anchor = entry.key;
    } else {
      const added = following.get(anchor) ?? [];
      added.push(entry);
      following.set(anchor, added);
    }
  }
  const placed: Placed<Incoming>[] = [];
  let next = 0;
  const place = (key: string, entry: Incoming | null, message: KnownMessage | null) => {
    // What is not read stands between those that are.
    const position = isComplete || message === null ? next : Math.max(next, message.position);
    placed.push({ key, position, incoming: entry, stored: message });
    next = position + 1;
  };
  const add = (after: string) => {
    for (const entry of following.get(after) ?? []) place(entry.key, entry, null);
  };
  add("");
  for (const message of known) {
    place(message.originKey, again.get(message.originKey) ?? null, message);
    add(message.originKey);
  }
  return { placed, isTurned };
}

/** From where on the stored messages must be known, so that those of the part find their places; null: what is known will do. */
export function startOfMerge(
  incoming: readonly { readonly key: string }[],
  stored: readonly KnownMessage[],
  part: PartPlace,
): number | null {
  const positions = new Map(stored.map(({ originKey, position }) => [originKey, position]));
  const sharesSome = incoming.some(({ key }) => positions.has(key));
  // Whether it shares nothing with what earlier imports brought, only all of it tells.
  if (part.isLast && !sharesSome && !part.isMadeByImport) return 0;
  let { anchor } = anchorOf(incoming, stored, part);
  let start: number | null = null;
  for (const { key } of incoming) {
    if (positions.has(key)) anchor = key;
    else start = Math.min(start ?? Infinity, positions.get(anchor) ?? 0);
  }
  return start;
}

/** The message that the first new one follows; "": it stands before all. */
function anchorOf(
  incoming: readonly { readonly key: string }[],
  stored: readonly KnownMessage[],
  { previous, isLast, operationId }: PartPlace,
): {
  readonly anchor: string;
  readonly isTurned: boolean;
  readonly known: readonly KnownMessage[];
} {
  const storedKeys = new Set(stored.map(({ originKey: key }) => key));
  const sharesSome = incoming.some(({ key }) => storedKeys.has(key));
  const fromThisFile = stored.findIndex(({ createdOp }) => createdOp !== operationId);
  const isAllBefore = !stored
    .slice(fromThisFile)
    .some(({ createdOp }) => createdOp === operationId);
  const sharesNothing = !sharesSome && fromThisFile > 0 && isAllBefore;
  const isTurned = isLast && sharesNothing && previous === stored[fromThisFile - 1]?.originKey;
  const known = isTurned
    ? [...stored.slice(fromThisFile), ...stored.slice(0, fromThisFile)]
    : stored;
  const follows = previous !== null && storedKeys.has(previous);
  const end = isLast && !sharesSome ? (stored.at(-1)?.originKey ?? "") : "";
  return { anchor: follows ? previous : end, isTurned, known };
}

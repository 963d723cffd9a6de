/** Which item here is which item there, and whether anything is to be done with them. Pure. */
import type { SyncItem, SyncKind } from "./sync-wire.ts";

/** Items that were alike when a sync saw them last: ids, and what each side was seen at. No text. */
export type BasePair = readonly [here: string, there: string, hereAt: string, thereAt: string];

/** What is known of two accounts from earlier syncs. */
export interface SyncBase {
  readonly here: string;
  readonly there: string;
  /** The last operation on each side; null: there was none. An account that does not go on from it was set back. */
  readonly operations: { readonly here: string | null; readonly there: string | null };
  readonly memory: readonly BasePair[];
  readonly conversation: readonly BasePair[];
}

export interface Pair {
  readonly kind: SyncKind;
  /** Null: it is not there, or not any more. At least one is. */
  readonly here: SyncItem | null;
  readonly there: SyncItem | null;
  readonly base: BasePair | null;
}

/** `clash`: two things of one id, which is nothing but chance. `no_place`: a file that gives way to another one at its path. `deserted`: the root of a store that has files again. */
export type Finding =
  | "same"
  | "compare"
  | "gone_here"
  | "gone_there"
  | "gone_in_trash"
  | "new_here"
  | "new_there"
  | "clash"
  | "no_place"
  | "deserted";

/**
 * By id; else as the sync before knew them; else by their origin, as of an export that was imported on both sides; else by what they say,
 * those in use before those that are not. Each side keeps its id.
 */
export function pairsOf(
  kind: SyncKind,
  sides: { readonly here: readonly SyncItem[]; readonly there: readonly SyncItem[] },
  known: readonly BasePair[],
): Pair[] {
  const restHere = new Map(sides.here.map((item) => [item.id, item]));
  const restThere = new Map(sides.there.map((item) => [item.id, item]));
  const baseOf = new Map(known.map((pair) => [`${pair[0]} ${pair[1]}`, pair]));
  const pairs: Pair[] = [];
  const join = (here: SyncItem, there: SyncItem) => {
    restHere.delete(here.id);
    restThere.delete(there.id);
    pairs.push({ kind, here, there, base: baseOf.get(`${here.id} ${there.id}`) ?? null });
  };
  // Before the ids, because what a sync has joined stays joined.
  for (const [hereId, thereId] of known) {
    const [here, there] = [restHere.get(hereId), restThere.get(thereId)];
    if (here !== undefined && there !== undefined) join(here, there);
  }
  for (const here of sides.here) {
    const there = restThere.get(here.id);
    if (restHere.has(here.id) && there !== undefined) join(here, there);
  }
  const marks = kind === "memory" ? [originOf, statementOf, pastOf] : [originOf];
  for (const markOf of marks) {
    const byMark = Map.groupBy(inOrder(restThere), markOf);
    for (const here of inOrder(restHere)) {
      const mark = markOf(here);
      const there = mark === undefined ? undefined : byMark.get(mark)?.shift();
      if (there !== undefined) join(here, there);
    }
  }
  const lastHere = new Map(known.map((pair) => [pair[0], pair]));
  const lastThere = new Map(known.map((pair) => [pair[1], pair]));
  return [
    ...pairs,
    ...[...restHere.values()].map((here) => ({
      kind,
      here,
      there: null,
      base: lastHere.get(here.id) ?? null,
    })),
    ...[...restThere.values()].map((there) => ({
      kind,
      here: null,
      there,
      base: lastThere.get(there.id) ?? null,
    })),
  ];
}

/** Those alike are joined the oldest with the oldest, whatever the order that they came in. */
function inOrder(rest: ReadonlyMap<string, SyncItem>): SyncItem[] {
  const keyOf = ({ updated_at, id }: SyncItem) => `${updated_at} ${id}`;
  return [...rest.values()].sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}

function originOf({ origin }: SyncItem): string | undefined {
  return origin;
}

function statementOf({ statement }: SyncItem): string | undefined {
  return statement;
}

/**
 * Of a memory in the trash, or one that another has superseded: where what was known is lost, this alone tells that a sync had joined it under
 * two ids. Otherwise each side would get the other's a second time. In how many states a text was taken out may differ. Where
 * its own was, nothing tells that it is the same memory.
 */
function pastOf({ statement, version, digest, is_redacted }: SyncItem): string | undefined {
  return statement === undefined && is_redacted === undefined ? `${version} ${digest}` : undefined;
}

/** Which is which stays known; how they were does not, so nothing counts as gone, and both sides as changed. */
export function setBack([here, there]: BasePair): BasePair {
  return [here, there, UNKNOWN, UNKNOWN];
}

/** No state is seen at it. */
const UNKNOWN = "";

/**
 * What tells that an item is as it was. Its state too: after a backup was restored a version number may come a second time. And how many
 * messages it has: while an import goes on they come in parts, under one version. What it has not brought whole was never seen.
 */
export function seenAt({
  version,
  digest,
  redacted = 0,
  messages = 0,
  unfinished = false,
}: Pick<SyncItem, "version" | "digest" | "redacted" | "messages"> & {
  readonly unfinished?: boolean;
}): string {
  if (unfinished) return UNKNOWN;
  return `${version} ${digest} ${redacted} ${messages}`;
}

/** Which sides changed since they were alike; without a base both count as changed, and where more of one is to come. */
export function changesOf({ here, there, base }: Pair): {
  readonly here: boolean;
  readonly there: boolean;
} {
  const isOpen = base === null || here?.unfinished === true || there?.unfinished === true;
  return {
    here: isOpen || here === null || seenAt(here) !== base[2],
    there: isOpen || there === null || seenAt(there) !== base[3],
  };
}

export function judge(pair: Pair): Finding {
  const { kind, here, there, base } = pair;
  const changed = changesOf(pair);
  if (here !== null && there !== null) {
    if (here.id === there.id && isOtherOrigin(here, there)) return "clash";
    if (!changed.here && !changed.there) return "same";
    // A conversation's state says nothing of its messages.
    const isAlike = seenAt(here) === seenAt(there) && here.updated_at === there.updated_at;
    return isAlike && kind === "memory" ? "same" : "compare";
  }
  if (base === null) return here === null ? "new_there" : "new_here";
  // What is unchanged in the trash goes for good on this side too, each in its time; what was changed since comes back.
  if (here === null) {
    if (changed.there) return "new_there";
    return there?.status === "trashed" ? "gone_in_trash" : "gone_here";
  }
  if (changed.here) return "new_here";
  return here.status === "trashed" ? "gone_in_trash" : "gone_there";
}

function isOtherOrigin(one: SyncItem, other: SyncItem): boolean {
  return one.origin !== undefined && other.origin !== undefined && one.origin !== other.origin;
}

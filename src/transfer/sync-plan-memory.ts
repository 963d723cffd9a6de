/** What is to be written to each side of one memory, from the lines that each of them gave. Pure. */
import type { ArchiveLine, MemoryLine } from "./archive-lines.ts";
import {
  cut,
  effectOf,
  historyOf,
  lastOf,
  linesOf,
  mergeSides,
  type Closing,
  type IdMaps,
  type PairIds,
  type Plan,
  type Seen,
  type SidePlan,
} from "./sync-plan.ts";
import { withoutTexts, type WithoutTexts } from "./sync-redaction.ts";
import { memoryDigest, nowOf, renumbered, type History, type State } from "./sync-states.ts";
import type { MemoryUnit } from "./sync-wire.ts";

/** An item as one side has it; null: it is not there. */
export type MemoryLines = readonly MemoryLine[] | null;

/** @param ending what follows on both sides; null: nothing */
export async function planMemory(
  ids: PairIds,
  sides: { readonly here: MemoryLines; readonly there: MemoryLines },
  { maps, ending = null }: { readonly maps: IdMaps; readonly ending?: Closing | null },
): Promise<Plan<MemoryUnit, MemoryLine> | null> {
  // Both in the ids of this side, because a state may name another memory.
  const here = await historyOf(sides.here ?? [], memoryDigest);
  const there = await historyOf(
    (sides.there ?? []).map((line) => withIds(line, maps.toHere)),
    memoryDigest,
  );
  if (here.length === 0 && there.length === 0) return null;
  const [cleanHere, cleanThere] = [
    await withoutTexts(here, there),
    await withoutTexts(there, here),
  ];
  const merged = mergeSides(cleanHere.history, cleanThere.history);
  const alike = lastOf(cleanHere.history, merged.toHere);
  const end = ending === null ? [] : [await closed(alike, ending)];
  const planFor = (
    id: string,
    was: History<MemoryLine>,
    { history, redacted, closing }: WithoutTexts,
    gets: History<MemoryLine>,
    map: (line: MemoryLine) => MemoryLine,
  ): SidePlan<MemoryUnit> | null => {
    const states = [...closing, ...gets, ...end];
    if (states.length === 0 && redacted.length === 0) return null;
    const now = was.at(-1)?.line ?? null;
    return {
      unit: {
        id,
        expected: now?.version ?? null,
        states: linesOf(states).map(map),
        redacted: redacted.map(map),
      },
      seen: seenOf([...history, ...gets, ...end]),
      effect: effectOf(now, states.at(-1)?.line ?? null),
    };
  };
  return {
    here: planFor(ids.here, here, cleanHere, merged.toHere, (line) => line),
    there: planFor(ids.there, there, cleanThere, merged.toThere, (line) =>
      withIds(line, maps.toThere),
    ),
    conflict: merged.winner === null ? null : { kept: merged.winner },
    was: {
      here: here.length === 0 ? null : seenOf(here),
      there: there.length === 0 ? null : seenOf(there),
    },
    last: lastOf([alike], end).line,
    name: nameOf(nowOf(here.length > 0 ? here : there).line),
  };
}

/** The state that follows, in the trash or out of it. */
async function closed(
  state: State<MemoryLine>,
  { status, at }: Closing,
): Promise<State<MemoryLine>> {
  const version = state.version + 1;
  const { trashed_at: _at, trashed_op: _op, ...rest } = renumbered(state, version).line;
  const line = {
    ...rest,
    status,
    updated_at: at,
    ...(status === "trashed" ? { trashed_at: at } : {}),
  };
  return { version, digest: await memoryDigest(line), line };
}

function seenOf(history: History<MemoryLine>): Seen {
  const { version, digest } = nowOf(history);
  const redacted = history.slice(0, -1).filter(({ line }) => line.redacted !== undefined).length;
  return { version, digest, redacted };
}

/** A unit in parts that fit a batch. Parts go one after the other: each expects what the one before has written. */
export function partsOfMemory(unit: MemoryUnit, maxChars: number, maxStates: number): MemoryUnit[] {
  const { id, states, redacted } = unit;
  const isWhole =
    states.length + redacted.length <= maxStates && JSON.stringify(unit).length <= maxChars;
  if (isWhole) return [unit];
  const parts = cut(states, maxChars, maxStates);
  return [
    ...parts.map((part, at) => ({
      id,
      expected: at === 0 ? unit.expected : (parts[at - 1]?.at(-1)?.version ?? null),
      states: part,
      redacted: [],
      ...(at < parts.length - 1 ? { more: true as const } : {}),
    })),
    ...cut(redacted, maxChars, maxStates).map((part) => ({
      id,
      expected: states.at(-1)?.version ?? unit.expected,
      states: [],
      redacted: part,
    })),
  ];
}

export function memoryLinesOf(lines: readonly ArchiveLine[]): Map<string, MemoryLine[]> {
  return Map.groupBy(
    lines.filter((line) => line.type === "memory" || line.type === "memory_version"),
    ({ id }) => id,
  );
}

function withIds(line: MemoryLine, map: (id: string) => string): MemoryLine {
  const { superseded_by, supersedes } = line;
  return {
    ...line,
    ...(superseded_by === undefined ? {} : { superseded_by: map(superseded_by) }),
    ...(supersedes === undefined ? {} : { supersedes: map(supersedes) }),
  };
}

/** Arbitrary: fits a line of a terminal. */
const NAME_CHARS = 60;

function nameOf({ path, content }: MemoryLine): string {
  return path ?? content.replaceAll(/\s+/gu, " ").slice(0, NAME_CHARS).toWellFormed();
}

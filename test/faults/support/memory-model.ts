/** One memory as a client can know it, and what each call does to it. Texts of one history differ, so that each state is its writer's alone. */
import type { Model } from "./linearizable.ts";

/** What an answer shows of a memory. */
export interface Shown {
  readonly version: number;
  readonly content: string;
  readonly status: "active" | "trashed";
}

export type MemoryAnswer =
  /** `operation` null: there was nothing to change. An undo shows no memory. */
  | {
      readonly outcome: "done";
      readonly shown: Shown | null;
      readonly operation: string | null;
    }
  /** Somebody else changed it: nothing was done, and this is what there is. */
  | { readonly outcome: "conflict"; readonly shown: Shown }
  /** What was to be undone has been changed since. */
  | { readonly outcome: "left" };

export type MemoryWish =
  /** With one idempotency key, however often. */
  | { readonly do: "save"; readonly content: string }
  | {
      readonly do: "update";
      readonly content?: string;
      readonly status?: "active";
      readonly ifVersion?: number;
    }
  | { readonly do: "delete"; readonly ifVersion?: number }
  /** Of the operation that `operation` names. */
  | { readonly do: "undo"; readonly operation: string }
  | { readonly do: "read" };

export interface MemoryCall {
  readonly id: string;
  readonly wish: MemoryWish;
  /** Null: none came. */
  readonly answer: MemoryAnswer | null;
}

interface Step {
  readonly content: string;
  readonly status: Shown["status"];
  /** The operation that brought it about. */
  readonly by: string;
  /** The operation that `by` undid. */
  readonly undoes: string | null;
}

/** All versions, the first one first. */
export type MemoryState = readonly Step[];

export const memoryModel: Model<MemoryState, MemoryCall> = {
  initial: [],
  apply(state, { id, wish, answer }) {
    const operation = answer?.outcome === "done" ? answer.operation : null;
    const happens = outcomeOf(state, wish, operation ?? `of ${id}`);
    if (happens === null) return null;
    if (answer === null) return happens.state;
    // An update or deletion of whatever is there may meet another writer between its reading and its writing; then it is a reading.
    const isBeaten =
      answer.outcome === "conflict" &&
      (wish.do === "update" || wish.do === "delete") &&
      wish.ifVersion === undefined;
    if (isBeaten) return isShown(state, answer.shown) ? state : null;
    return isSaid(happens, answer) ? happens.state : null;
  },
  keyOf: (state) => state.map(({ by }) => by).join(),
};

interface Outcome {
  readonly outcome: MemoryAnswer["outcome"];
  readonly state: MemoryState;
  readonly isChanged: boolean;
}

/** Null: nobody knows this memory yet. @param by the operation that it will be */
function outcomeOf(state: MemoryState, wish: MemoryWish, by: string): Outcome | null {
  const unchanged = (outcome: Outcome["outcome"]) => ({ outcome, state, isChanged: false });
  const changed = (step: Omit<Step, "by" | "undoes">, undoes: string | null = null) => ({
    outcome: "done" as const,
    state: [...state, { ...step, by, undoes }],
    isChanged: true,
  });
  const now = state.at(-1);
  if (wish.do === "save") {
    // Its operation is known by one name, whether or not its answer was lost.
    return now === undefined
      ? {
          ...changed({ content: wish.content, status: "active" }),
          state: [{ content: wish.content, status: "active", by: SAVE, undoes: null }],
        }
      : unchanged("done");
  }
  if (now === undefined) return null;
  const isStale =
    "ifVersion" in wish && wish.ifVersion !== undefined && wish.ifVersion !== state.length;
  switch (wish.do) {
    case "read":
      return unchanged("done");
    case "update": {
      if (isStale) return unchanged("conflict");
      const { content = now.content, status = now.status } = wish;
      const isSame = content === now.content && status === now.status;
      return isSame ? unchanged("done") : changed({ content, status });
    }
    case "delete":
      if (now.status === "trashed") return unchanged("done");
      return isStale ? unchanged("conflict") : changed({ ...now, status: "trashed" });
    case "undo": {
      const at = state.findIndex((step) => step.by === wish.operation);
      if (at === -1) return null;
      if (!isAsItWas(state, wish.operation)) return unchanged("left");
      const earlier = state[at - 1] ?? { content: now.content, status: "trashed" as const };
      return changed({ content: earlier.content, status: earlier.status }, wish.operation);
    }
  }
}

/** The operation of the save, in every history. */
export const SAVE = "save";

/** Nobody changed it since, or what was changed since has been undone. */
function isAsItWas(state: MemoryState, operation: string): boolean {
  let last = state.at(-1);
  while (last !== undefined && last.by !== operation) {
    const { undoes } = last;
    const undone = undoes === null ? -1 : state.findIndex(({ by }) => by === undoes);
    last = undone === -1 ? undefined : state[undone - 1];
  }
  return last !== undefined;
}

function isSaid({ outcome, state, isChanged }: Outcome, answer: MemoryAnswer): boolean {
  if (answer.outcome !== outcome) return false;
  if (answer.outcome === "left") return true;
  if (answer.outcome === "conflict") return isShown(state, answer.shown);
  const isSave = answer.operation === SAVE;
  return (
    (isSave || isChanged === (answer.operation !== null)) &&
    (answer.shown === null || isShown(state, answer.shown))
  );
}

function isShown(state: MemoryState, { version, content, status }: Shown): boolean {
  const now = state.at(-1);
  return state.length === version && now?.content === content && now.status === status;
}

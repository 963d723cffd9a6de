/** The checker of histories: it must find an order wherever there was one, and none where there can have been none. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { linearization, type Model, type Timed } from "./support/linearizable.ts";
import {
  memoryModel,
  SAVE,
  type MemoryAnswer,
  type MemoryCall,
  type MemoryState,
  type MemoryWish,
} from "./support/memory-model.ts";

/** A number that is written and read. */
type RegisterCall =
  | { readonly do: "write"; readonly value: number }
  | { readonly do: "read"; readonly value: number };

const register: Model<number, RegisterCall> = {
  initial: 0,
  apply: (state, call) => (call.do === "write" ? call.value : state === call.value ? state : null),
  keyOf: String,
};

const write = (value: number, start: number, end: number, isAnswered = true) =>
  ({ call: { do: "write", value }, start, end, isAnswered }) as const;
const read = (value: number, start: number, end: number) =>
  ({ call: { do: "read", value }, start, end, isAnswered: true }) as const;

test.each<[string, readonly Timed<RegisterCall>[]]>([
  ["a read after a write that was answered sees it", [write(1, 0, 1), read(1, 2, 3)]],
  ["a read during a write sees either", [write(1, 0, 9), read(0, 1, 2), read(1, 3, 4)]],
  ["writes at once come in any order", [write(1, 0, 9), write(2, 0, 9), read(1, 10, 11)]],
  ["a write without an answer happened", [write(1, 0, 5, false), read(1, 6, 7)]],
  ["a write without an answer did not happen", [write(1, 0, 5, false), read(0, 6, 7)]],
])("possible: %s", (_what, history) => {
  expect(linearization(history, register)).not.toBeNull();
});

test.each<[string, readonly Timed<RegisterCall>[]]>([
  ["a write that was answered is lost", [write(1, 0, 1), read(0, 2, 3)]],
  ["what was seen is gone again", [write(1, 0, 9), read(1, 1, 2), read(0, 3, 4)]],
  ["a read sees what is written later", [read(1, 0, 1), write(1, 2, 3)]],
  [
    "two readers see two writes in different orders",
    [write(1, 0, 9), write(2, 0, 9), read(1, 10, 11), read(2, 12, 13)],
  ],
  [
    "a write without an answer happens after the kill",
    [write(1, 0, 5, false), read(0, 6, 7), read(1, 8, 9)],
  ],
])("impossible: %s", (_what, history) => {
  expect(linearization(history, register)).toBeNull();
});

test("it agrees with trying all orders", () => {
  const call = fc.record({
    do: fc.constantFrom("write" as const, "read" as const),
    value: fc.nat(2),
    start: fc.nat(12),
    length: fc.integer({ min: 1, max: 8 }),
    isAnswered: fc.boolean(),
  });
  let [possible, impossible] = [0, 0];
  fc.assert(
    fc.property(fc.array(call, { maxLength: 5 }), (drawn) => {
      const history = drawn.map(({ start, length, isAnswered, ...asked }) => ({
        call: asked,
        start,
        end: start + length,
        // A reading without an answer says nothing.
        isAnswered: isAnswered || asked.do === "read",
      }));
      const order = linearization(history, register);
      if (order === null) impossible += 1;
      else possible += 1;
      expect(order !== null).toBe(ordersOf(history).some((one) => isPossible(history, one)));
      if (order !== null) expect(isPossible(history, order)).toBe(true);
    }),
    { numRuns: 300 },
  );
  // Neither side of the comparison is empty.
  expect(Math.min(possible, impossible)).toBeGreaterThan(30);
});

test("what one server answers to clients that call it at once is possible, and with one answer forged it is not", () => {
  const tried = new Map<Lie, number>();
  fc.assert(
    fc.property(servedHistory(), fc.nat(), (history, pick) => {
      expect(linearization(history, memoryModel)).not.toBeNull();
      const lies = history.flatMap((timed, at) =>
        timed.isAnswered ? liesAbout(timed.call).map((one) => ({ ...one, at })) : [],
      );
      for (const [lie, told] of Map.groupBy(lies, ({ lie }) => lie)) {
        const forged = told[pick % told.length];
        if (forged === undefined) throw new Error("A group has at least one");
        const { at, answer } = forged;
        const timed = historyAt(history, at);
        const forgery = history.with(at, { ...timed, call: { ...timed.call, answer } });
        expect(linearization(forgery, memoryModel), lie).toBeNull();
        tried.set(lie, (tried.get(lie) ?? 0) + 1);
      }
    }),
    { numRuns: 150 },
  );
  for (const lie of LIES) expect(tried.get(lie), lie).toBeGreaterThan(30);
});

test.each<[string, MemoryAnswer, boolean]>([
  ["b", { outcome: "done", shown: null, operation: "undo" }, true],
  ["b", { outcome: "left" }, false],
  ["b", { outcome: "done", shown: null, operation: null }, false],
  ["a", { outcome: "left" }, true],
  ["a", { outcome: "done", shown: null, operation: "undo" }, false],
])(
  "after operations a and b an undo of %s that answers %o is possible: %s",
  (operation, answer, isPossible) => {
    const wrote = (by: string, version: number): MemoryCall => ({
      id: by,
      wish: by === SAVE ? { do: "save", content: by } : { do: "update", content: by },
      answer: { outcome: "done", operation: by, shown: { version, content: by, status: "active" } },
    });
    const undo: MemoryCall = { id: "undo", wish: { do: "undo", operation }, answer };
    const history = [wrote(SAVE, 1), wrote("a", 2), wrote("b", 3), undo].map((call, at) => ({
      call,
      start: at * 2,
      end: at * 2 + 1,
      isAnswered: true,
    }));
    expect(linearization(history, memoryModel) !== null).toBe(isPossible);
  },
);

test("an acknowledged update that a later read does not show is impossible, however many calls go on around it", () => {
  fc.assert(
    fc.property(servedHistory(), (history) => {
      const last = Math.max(0, ...history.map(({ end }) => end));
      const save = history.find(({ call }) => call.wish.do === "save" && call.answer !== null);
      const told = save?.call.answer;
      if (told == null || !("shown" in told) || told.shown === null) return;
      const { version } = finalOf(history);
      const lost: MemoryCall = {
        id: "lost",
        wish: { do: "update", content: "lost", ifVersion: version },
        answer: {
          outcome: "done",
          operation: "lost",
          shown: { version: version + 1, content: "lost", status: finalOf(history).status },
        },
      };
      const seen: MemoryCall = {
        id: "seen",
        wish: { do: "read" },
        answer: { outcome: "done", operation: null, shown: finalOf(history) },
      };
      const read = { call: seen, start: last + 3, end: last + 4, isAnswered: true };
      expect(linearization([...history, read], memoryModel)).not.toBeNull();
      const update = { call: lost, start: last + 1, end: last + 2, isAnswered: true };
      expect(linearization([...history, update, read], memoryModel)).toBeNull();
    }),
    { numRuns: 60 },
  );
});

test("two writers that both win one version are impossible", () => {
  const wins = (id: string, start: number): Timed<MemoryCall> => ({
    start,
    end: 9,
    isAnswered: true,
    call: {
      id,
      wish: { do: "update", content: id, ifVersion: 1 },
      answer: {
        outcome: "done",
        operation: id,
        shown: { version: 2, content: id, status: "active" },
      },
    },
  });
  const saved: Timed<MemoryCall> = {
    start: 0,
    end: 1,
    isAnswered: true,
    call: {
      id: "save",
      wish: { do: "save", content: "first" },
      answer: {
        outcome: "done",
        operation: SAVE,
        shown: { version: 1, content: "first", status: "active" },
      },
    },
  };
  expect(linearization([saved, wins("a", 2)], memoryModel)).toEqual([0, 1]);
  expect(linearization([saved, wins("a", 2), wins("b", 2)], memoryModel)).toBeNull();
});

test("a history as long as a round's is checked at once", () => {
  // Six clients, 240 calls, of which those of the last moment got no answer.
  const [history] = fc.sample(servedHistory({ calls: 240, clients: 6 }), 1);
  expect(linearization(history ?? [], memoryModel)).not.toBeNull();
});

const LIES = [
  "a version that nobody wrote",
  "a text that nobody wrote",
  "a write without its operation",
  "a conflict of the one who won",
  "a win of the one who was beaten",
  "nothing to do for the one who was beaten",
] as const;
type Lie = (typeof LIES)[number];

/** Answers that no order explains, whatever the others were told: texts differ, so nobody else can have written what an update wrote. */
function liesAbout({
  wish,
  answer,
}: MemoryCall): { readonly lie: Lie; readonly answer: MemoryAnswer }[] {
  if (answer === null || answer.outcome === "left") return [];
  const { shown } = answer;
  const ofShown: ReturnType<typeof liesAbout> =
    shown === null
      ? []
      : [
          {
            lie: LIES[0],
            answer: { ...answer, shown: { ...shown, version: shown.version + 100 } },
          },
          { lie: LIES[1], answer: { ...answer, shown: { ...shown, content: "never said" } } },
        ];
  if (answer.outcome === "conflict") {
    const won = { outcome: "done", shown: answer.shown } as const;
    return [
      ...ofShown,
      { lie: LIES[4], answer: { ...won, operation: "forged" } },
      { lie: LIES[5], answer: { ...won, operation: null } },
    ];
  }
  const isText = wish.do === "update" && wish.content !== undefined;
  const isKnownWrite = isText || wish.do === "save" || wish.do === "undo";
  if (answer.operation === null || !isKnownWrite) return ofShown;
  const dropped = { lie: LIES[2], answer: { ...answer, operation: null } };
  if (!isText || shown === null) return [...ofShown, dropped];
  return [...ofShown, dropped, { lie: LIES[3], answer: { outcome: "conflict", shown } }];
}

function ordersOf(history: readonly unknown[]): number[][] {
  const all = history.map((_, at) => at);
  const of = (left: readonly number[]): number[][] => [
    [],
    ...left.flatMap((at) => of(left.filter((one) => one !== at)).map((rest) => [at, ...rest])),
  ];
  return of(all);
}

function isPossible(history: readonly Timed<RegisterCall>[], order: readonly number[]): boolean {
  const done = new Set(order);
  if (history.some(({ isAnswered }, at) => isAnswered && !done.has(at))) return false;
  const calls = order.map((at) => historyAt(history, at));
  const keepsTime = calls.every((one, at) => calls.slice(at).every(({ end }) => end >= one.start));
  if (!keepsTime) return false;
  let state: number | null = 0;
  for (const { call } of calls) state = state === null ? null : register.apply(state, call);
  return state !== null;
}

function historyAt<Call>(history: readonly Timed<Call>[], at: number): Timed<Call> {
  const found = history[at];
  if (found === undefined) throw new Error("No such call");
  return found;
}

/** A server in one line that answers clients which call it at once; a kill takes the last answers. */
function servedHistory({ calls = 14, clients = 4 } = {}): fc.Arbitrary<Timed<MemoryCall>[]> {
  const wish = fc.record({
    kind: fc.constantFrom("update", "update", "edit", "delete", "restore", "undo", "read"),
    stale: fc.nat(3),
    pick: fc.nat(1_000),
    before: fc.integer({ min: 1, max: 30 }),
    after: fc.integer({ min: 1, max: 30 }),
  });
  return fc
    .tuple(fc.array(wish, { minLength: calls, maxLength: calls }), fc.nat(4))
    .map(([wishes, cut]) => {
      let state: MemoryState = [];
      const history: Timed<MemoryCall>[] = [];
      const freeAt = Array.from({ length: clients }, () => 0);
      const operations: string[] = [];
      for (const [at, { kind, stale, pick, before, after }] of wishes.entries()) {
        // Each takes effect at its own moment; a client calls after its last answer.
        const moment = (at + 1) * 10;
        const client = freeAt.findIndex((free) => free < moment);
        if (client === -1) continue;
        const start = Math.max(freeAt[client] ?? 0, moment - before) + 0.1;
        const end = moment + after;
        freeAt[client] = end;
        const asked: MemoryWish =
          state.length === 0
            ? { do: "save", content: "text 0" }
            : wishOf(kind, {
                content: `text ${at}`,
                ifVersion: Math.max(1, state.length - (stale === 0 ? 1 : 0)),
                operation: operations[pick % Math.max(1, operations.length)] ?? SAVE,
              });
        const call = answered(state, { id: `${at}`, wish: asked, answer: null });
        state = call.state;
        const isAnswered = at < wishes.length - cut || at === 0;
        if (isAnswered && call.operation !== null) operations.push(call.operation);
        const told = isAnswered ? call.answer : null;
        history.push({ call: { id: `${at}`, wish: asked, answer: told }, start, end, isAnswered });
      }
      return history;
    });
}

function wishOf(
  kind: string,
  { content, ifVersion, operation }: { content: string; ifVersion: number; operation: string },
): MemoryWish {
  switch (kind) {
    case "update":
      return { do: "update", content, ifVersion };
    case "edit":
      return { do: "update", content };
    case "delete":
      return { do: "delete", ifVersion };
    case "restore":
      return { do: "update", status: "active" };
    case "undo":
      return { do: "undo", operation };
    default:
      return { do: "read" };
  }
}

/** The one answer that the model lets a server give. */
function answered(state: MemoryState, call: MemoryCall) {
  const next = memoryModel.apply(state, call);
  if (next === null) throw new Error("The model knows no such call here");
  const now = next.at(-1);
  if (now === undefined) throw new Error("There is a memory");
  const shown = { version: next.length, content: now.content, status: now.status };
  const operation =
    next.length > state.length ? (state.length === 0 ? SAVE : `of ${call.id}`) : null;
  const { wish } = call;
  const refused = (["conflict", "left"] as const).find((outcome) => {
    const answer: MemoryAnswer = outcome === "left" ? { outcome } : { outcome, shown };
    const isAsked = wish.do === "undo" ? outcome === "left" : "ifVersion" in wish;
    return isAsked && memoryModel.apply(state, { ...call, answer }) !== null;
  });
  const answer: MemoryAnswer =
    refused === "left"
      ? { outcome: "left" }
      : refused === "conflict"
        ? { outcome: "conflict", shown }
        : { outcome: "done", shown: wish.do === "undo" ? null : shown, operation };
  return { state: next, answer, operation };
}

/** What stands there when all calls have ended, unanswered ones too. */
function finalOf(history: readonly Timed<MemoryCall>[]) {
  let state: MemoryState = [];
  for (const { call } of history) state = memoryModel.apply(state, call) ?? state;
  const now = state.at(-1);
  if (now === undefined) throw new Error("There is a memory");
  return { version: state.length, content: now.content, status: now.status };
}

/** What is to be written to each side of one conversation and its messages, from the lines that each of them gave. Pure. */
import type { ArchiveLine, ConversationLine, LineOf, MessageLine } from "./archive-lines.ts";
import {
  cut,
  effectOf,
  historyOf,
  isLater,
  lastOf,
  linesOf,
  mergeSides,
  type Closing,
  type PairIds,
  type Plan,
  type Seen,
  type SidePlan,
} from "./sync-plan.ts";
import {
  conversationHeadDigest,
  hasSameStates,
  messageDigest,
  messageKeyOf,
  renumbered,
  type History,
  type State,
} from "./sync-states.ts";
import type { ConversationUnit } from "./sync-wire.ts";

export interface ConversationLines {
  readonly states: readonly ConversationLine[];
  readonly messages: readonly MessageLine[];
}

/**
 * A side that alone changed since both were alike has the conversation as it is to be, without what an undo took out of it. Where both
 * changed, none of their messages is lost.
 * @param ahead the side that alone changed; null: both @param ending what follows on both sides
 */
export async function planConversation(
  ids: PairIds,
  sides: {
    readonly here: ConversationLines | null;
    readonly there: ConversationLines | null;
  },
  {
    ahead,
    ending = null,
  }: { readonly ahead: "here" | "there" | null; readonly ending?: Closing | null },
): Promise<Plan<ConversationUnit, ConversationLine> | null> {
  const here = await historyOf(sides.here?.states ?? [], conversationHeadDigest);
  const there = await historyOf(sides.there?.states ?? [], conversationHeadDigest);
  const some = here.at(-1) ?? there.at(-1);
  if (some === undefined) return null;
  const stays = ahead ?? laterOf(here, there);
  const merged = mergeSides(here, there, stays);
  const alike = lastOf(here, merged.toHere);
  const end = ending === null ? [] : [await closed(alike, ending)];
  const [hereHas, thereHas] = [
    await messagesOf(sides.here?.messages ?? []),
    await messagesOf(sides.there?.messages ?? []),
  ];
  const hereIsFirst = ahead === null ? isLater(here, there) : ahead === "here";
  const order =
    ahead === null
      ? hereIsFirst
        ? union(hereHas.order, thereHas.order)
        : union(thereHas.order, hereHas.order)
      : (ahead === "here" ? hereHas : thereHas).order;
  const toHere = new Map<string, History<MessageLine>>();
  const toThere = new Map<string, History<MessageLine>>();
  let isConflict = false;
  for (const key of order) {
    const one = hereHas.histories.get(key) ?? [];
    const other = thereHas.histories.get(key) ?? [];
    // What an undo took out and a file brought back has been numbered further, which is nothing to carry over.
    if (hasSameStates(one, other)) continue;
    const both = mergeSides(one, other, ahead ?? (hereIsFirst ? "here" : "there"));
    isConflict ||= ahead === null && both.winner !== null;
    toHere.set(key, both.toHere);
    toThere.set(key, both.toThere);
  }
  isConflict ||= ahead === null && merged.winner !== null && isOtherText(here, there);
  return {
    here: conversationPlan(ids.here, here, {
      states: [...merged.toHere, ...end],
      order,
      has: hereHas,
      other: thereHas,
      gets: toHere,
    }),
    there: conversationPlan(ids.there, there, {
      states: [...merged.toThere, ...end],
      order,
      has: thereHas,
      other: hereHas,
      gets: toThere,
    }),
    conflict: isConflict ? { kept: stays } : null,
    was: { here: wasAt(here, hereHas), there: wasAt(there, thereHas) },
    last: lastOf([alike], end).line,
    name: some.line.title,
  };
}

/**
 * Whose state stays. The platform's time says which text is the later one; where one side is in the trash, what was done last decides, which
 * that time does not tell.
 */
function laterOf(
  here: History<ConversationLine>,
  there: History<ConversationLine>,
): "here" | "there" {
  const [one, other] = [here.at(-1)?.line, there.at(-1)?.line];
  const isLaterHere =
    one === undefined || other === undefined || one.status === other.status
      ? isLater(here, there)
      : // Ids of operations sort by time.
        one.changed_op > other.changed_op;
  return isLaterHere ? "here" : "there";
}

async function closed(
  state: State<ConversationLine>,
  { status, at }: Closing,
): Promise<State<ConversationLine>> {
  const version = state.version + 1;
  const { trashed_at: _at, trashed_op: _op, ...rest } = renumbered(state, version).line;
  const line = { ...rest, status, ...(status === "trashed" ? { trashed_at: at } : {}) };
  return { version, digest: await conversationHeadDigest(line), line };
}

function wasAt(history: History<ConversationLine>, { order }: Messages): Seen | null {
  const now = history.at(-1);
  return now === undefined ? null : { ...now, messages: order.length };
}

/** @param order keys of the messages that are to be in it */
function conversationPlan(
  id: string,
  history: History<ConversationLine>,
  {
    states,
    order,
    has,
    other,
    gets,
  }: {
    readonly states: History<ConversationLine>;
    readonly order: readonly string[];
    readonly has: Messages;
    readonly other: Messages;
    readonly gets: ReadonlyMap<string, History<MessageLine>>;
  },
): SidePlan<ConversationUnit> | null {
  const now = history.at(-1) ?? null;
  const last = states.at(-1);
  const wanted = new Set(order);
  const idOf = (key: string) => has.ids.get(key) ?? other.ids.get(key) ?? "";
  const removed = has.order.filter((key) => !wanted.has(key)).map((key) => idOf(key));
  const titled = retitled(
    order,
    has,
    now !== null && last !== undefined && last.line.title !== now.line.title,
  );
  const statesFor = (key: string) => {
    const states = gets.get(key) ?? [];
    return states.length > 0 ? states : (titled.get(key) ?? []);
  };
  const messages = order.flatMap((key, position) =>
    messageStates(statesFor(key), idOf(key), position),
  );
  const written = new Set(messages.map((line) => line.id));
  const isMoved = order.some((key, position) => {
    const place = has.positions.get(key);
    return place !== undefined && place !== position && !written.has(idOf(key));
  });
  const isNothing =
    states.length === 0 && messages.length === 0 && removed.length === 0 && !isMoved;
  if (isNothing) return null;
  const version = last?.version ?? (now?.version ?? 0) + 1;
  return {
    unit: {
      id,
      expected: now?.version ?? null,
      version,
      states: linesOf(states),
      messages,
      removed,
      order: isMoved || removed.length > 0 ? order.map((key) => idOf(key)) : null,
    },
    seen: { version, digest: last?.digest ?? now?.digest ?? "", messages: order.length },
    effect: effectOf(now?.line ?? null, last?.line ?? null),
  };
}

/** The first message is found by the words of the title: which of those that are there get or lose it, as they are. */
function retitled(
  order: readonly string[],
  has: Messages,
  isRenamed: boolean,
): Map<string, History<MessageLine>> {
  const [first] = order;
  const [before] = has.order;
  if (!isRenamed && (first === before || before === undefined)) return new Map();
  return new Map(
    [first, before].flatMap((key) => {
      const state = key === undefined ? undefined : has.histories.get(key)?.at(-1);
      return key === undefined || state === undefined
        ? []
        : [[key, [renumbered(state, state.version + 1)]] as const];
    }),
  );
}

/** A conversation in parts that fit a batch, one after the other. */
export function partsOfConversation(
  unit: ConversationUnit,
  maxChars: number,
  maxMessages: number,
): ConversationUnit[] {
  const parts = cut(unit.messages, maxChars, maxMessages);
  if (parts.length <= 1) return [unit];
  return parts.map((messages, at) => {
    const [isFirst, isLast] = [at === 0, at === parts.length - 1];
    return {
      ...unit,
      expected: isFirst ? unit.expected : unit.version,
      // Later ones need no more than what their messages belong to.
      states: isFirst ? unit.states : [],
      removed: isFirst ? unit.removed : [],
      messages,
      order: isLast ? unit.order : null,
    };
  });
}

export function conversationLinesOf(lines: readonly ArchiveLine[]): Map<string, ConversationLines> {
  const states = Map.groupBy(
    lines.filter(({ type }) => type === "conversation" || type === "conversation_version") as
      // True because of the filter.
      ConversationLine[],
    ({ id }) => id,
  );
  const messages = Map.groupBy(
    // True because of the filter.
    lines.filter(({ type }) => type === "message" || type === "message_version") as MessageLine[],
    ({ conversation }) => conversation,
  );
  return new Map(
    [...states].map(([id, of]) => [id, { states: of, messages: messages.get(id) ?? [] }]),
  );
}

interface Messages {
  /** Keys of those that are in it now. */
  readonly order: readonly string[];
  readonly histories: ReadonlyMap<string, History<MessageLine>>;
  readonly ids: ReadonlyMap<string, string>;
  readonly positions: ReadonlyMap<string, number>;
}

async function messagesOf(lines: readonly MessageLine[]): Promise<Messages> {
  const now = lines
    .filter(({ type }) => type === "message")
    .toSorted((one, other) => one.position - other.position);
  const order = now.map((line) => messageKeyOf(line));
  const present = new Set(order);
  const byKey = Map.groupBy(lines, (line) => messageKeyOf(line));
  const histories = await Promise.all(
    [...byKey]
      // Earlier states of what was taken out of it stay where they are.
      .filter(([key]) => present.has(key))
      .map(async ([key, of]) => [key, await historyOf(of, messageDigest)] as const),
  );
  return {
    order,
    histories: new Map(histories),
    ids: new Map(now.map((line) => [messageKeyOf(line), line.id])),
    positions: new Map(now.map((line) => [messageKeyOf(line), line.position])),
  };
}

/** The one of now as a message, those before as its earlier states. */
function messageStates(states: History<MessageLine>, id: string, position: number): MessageLine[] {
  return states.map(({ line }, at): MessageLine => {
    const next = states[at + 1]?.line;
    if (next === undefined) {
      const { replaced_op: _, replaced_at: _at, ...rest } = { ...NOT_REPLACED, ...line };
      return { ...rest, type: "message", id, position } satisfies LineOf<"message">;
    }
    return {
      ...line,
      type: "message_version",
      id,
      replaced_op: next.changed_op,
      replaced_at:
        line.type === "message_version"
          ? line.replaced_at
          : (next.created_at ?? line.created_at ?? UNKNOWN_TIME),
    } satisfies LineOf<"message_version">;
  });
}

const NOT_REPLACED = { replaced_op: undefined, replaced_at: undefined };
const UNKNOWN_TIME = new Date(0).toISOString();

/** In the order of the first; what only the other has follows what it follows there. */
function union(first: readonly string[], other: readonly string[]): string[] {
  const known = new Set(first);
  const following = new Map<string | null, string[]>();
  let before: string | null = null;
  for (const key of other) {
    if (known.has(key)) before = key;
    else {
      const extras = following.get(before) ?? [];
      extras.push(key);
      following.set(before, extras);
    }
  }
  return [
    ...(following.get(null) ?? []),
    ...first.flatMap((key) => [key, ...(following.get(key) ?? [])]),
  ];
}

function isOtherText(here: History<ConversationLine>, there: History<ConversationLine>): boolean {
  const [one, other] = [here.at(-1)?.line, there.at(-1)?.line];
  return one?.title !== other?.title || one?.status !== other?.status;
}

/** Conversations of a sync, or parts of long ones, sealed and written with their messages. Of each it is told what became of it. */
import { openConversationText, type ConversationText } from "../conversations/conversation.ts";
import { openIndexer } from "../conversations/indexer.ts";
import type { ConversationRow } from "../storage/conversations.ts";
import type { OperationInput } from "../storage/memories.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import type { ConversationUnitRows, MetMessage } from "../storage/synced-conversations.ts";
import type { ConversationLine, MessageLine } from "./archive-lines.ts";
import { conversationRow, messageOrigin, messageRow, trashedBy } from "./restored-rows.ts";
import { parseLines } from "./sync-wire.ts";
import type { ConversationUnit, SyncWrite, UnitOutcome } from "./sync-wire.ts";

export async function writeConversations(
  at: OpenAccount,
  sent: SyncWrite["conversations"],
  operation: OperationInput,
): Promise<Map<string, UnitOutcome>> {
  const outcomes = new Map<string, UnitOutcome>();
  if (sent.length === 0) return outcomes;
  const met = await at.syncedConversations.met(sent.map(({ id }) => id));
  const before = new Map(met.map((row) => [row.id, row]));
  const units: ConversationUnit[] = [];
  for (const unit of sent) {
    const states = parseLines(unit.states, ["conversation", "conversation_version"]);
    const messages = parseLines(unit.messages, ["message", "message_version"]);
    const has = before.get(unit.id);
    const isInHand = has?.changedOp === operation.id && has.version === unit.version;
    if (states === null || messages === null) {
      outcomes.set(unit.id, "unreadable");
    } else if (has === undefined && states.length === 0) {
      // It was purged since it was read.
      outcomes.set(unit.id, "changed");
    } else if (isInHand || (has?.version ?? null) === unit.expected) {
      units.push({ ...unit, expected: isInHand ? unit.version : unit.expected, states, messages });
    }
  }
  if (units.length === 0) return outcomes;
  const sealed = await Promise.all(
    units.map(async (unit) => ({
      unit,
      row: await rowOf(at, unit, before.get(unit.id) ?? null, operation),
    })),
  );
  // An import may have brought it since it was listed, under an id of its own.
  const origins = await at.syncedConversations.metOrigins(sealed.map(({ row }) => row.originKey));
  const rows = sealed.filter(({ row }) => (origins.get(row.originKey) ?? row.id) === row.id);
  if (rows.length === 0) return outcomes;
  const said = await Promise.all(
    rows.map(async ({ unit, row }) => {
      const { title } = await titleOf(at, unit, row);
      const home = { originKey: row.originKey, title, source: row.source };
      const lines = await Promise.all(
        unit.messages.map(async (line) => ({
          line,
          originKey: await messageOrigin(at.keys, home, line),
        })),
      );
      return { home, lines };
    }),
  );
  const keys = said.flatMap(({ lines }) => lines.map(({ originKey }) => originKey));
  const ordered = rows.flatMap(({ unit: { id, order, removed } }) =>
    order !== null || removed.length > 0 ? id : [],
  );
  const messages = await at.syncedConversations.metMessages([...new Set(keys)], ordered);
  const metMessages = new Map(messages.met.map((row) => [row.originKey, row]));
  const indexer = openIndexer(at.keys);
  const bound = await Promise.all(
    said.map(({ home, lines }, index) =>
      Promise.all(
        lines.map(async ({ line, originKey }): Promise<SealedLine> => {
          // What stands elsewhere, as after an undo took it out, keeps the id that it has there, to which its text is bound.
          const id = metMessages.get(originKey)?.id ?? line.id;
          const own = { ...line, id, conversation: rows[index]?.unit.id ?? line.conversation };
          return { line, row: { ...(await messageRow(at, own, { home, indexer })), originKey } };
        }),
      ),
    ),
  );
  const there = Map.groupBy(messages.there, ({ conversation }) => conversation);
  const written = await Promise.all(
    rows.map(async ({ unit, row }, index) => ({
      row: { ...row, expected: unit.expected },
      between: await Promise.all(
        unit.states.slice(0, -1).map(async (line, place) => ({
          ...(await conversationRow(at, { ...line, id: unit.id })),
          originKey: row.originKey,
          createdOp: row.createdOp,
          ...betweenOf(unit.states[place + 1]),
        })),
      ),
      ...messagesOf(unit, bound[index] ?? [], {
        met: metMessages,
        there: there.get(unit.id) ?? [],
        op: operation.id,
      }),
    })),
  );
  const versions = await at.syncedConversations.write(written, operation);
  for (const { row } of written) {
    outcomes.set(row.id, versions.get(row.id) === row.version ? "written" : "changed");
  }
  return outcomes;
}

function betweenOf(next: ConversationLine | undefined) {
  if (next === undefined) throw new Error("A state between two others has one after it");
  return { replacedOp: next.changed_op, replacedAt: Date.parse(next.updated_at) };
}

type WrittenConversation = Omit<ConversationUnitRows["row"], "expected">;

/** Its key of origin and the operation that made it stay as they are here. */
async function rowOf(
  at: OpenAccount,
  { id, version, states }: ConversationUnit,
  has: ConversationRow | null,
  operation: OperationInput,
): Promise<WrittenConversation> {
  const { id: op } = operation;
  const line = states.at(-1);
  if (line === undefined) {
    if (has === null) throw new Error("A conversation without a state that is not here");
    const { userId: _, messageCount: _count, ...row } = has;
    return { ...row, version, changedOp: op };
  }
  const sealed = await conversationRow(at, { ...line, id, version });
  return {
    ...sealed,
    originKey: has?.originKey ?? sealed.originKey,
    ...trashedBy(operation, sealed),
    createdOp: has?.createdOp ?? op,
    changedOp: op,
  };
}

async function titleOf(
  at: OpenAccount,
  { states }: ConversationUnit,
  row: WrittenConversation,
): Promise<Pick<ConversationText, "title">> {
  return states.at(-1) ?? openConversationText(at.keys, row);
}

type SealedLine = {
  readonly line: MessageLine;
  readonly row: Awaited<ReturnType<typeof messageRow>>;
};

function messagesOf(
  { id: conversation, removed, order }: ConversationUnit,
  said: readonly SealedLine[],
  {
    met,
    there,
    op,
  }: {
    readonly met: ReadonlyMap<string, MetMessage>;
    readonly there: readonly MetMessage[];
    readonly op: string;
  },
): Pick<ConversationUnitRows, "messages" | "messageVersions" | "removed" | "moved" | "places"> {
  const messages = said.flatMap(({ line, row }) => {
    if (line.type === "message_version") return [];
    const has = met.get(row.originKey);
    if (has === undefined) return [{ ...row, createdOp: op, changedOp: op }];
    // The answer to the first time got lost.
    if (has.changedOp === op && has.conversation === conversation) return [];
    const version = Math.max(row.version, has.version + 1);
    return [{ ...row, version, createdOp: has.createdOp, changedOp: op }];
  });
  const messageVersions = said.flatMap(({ line, row }) =>
    line.type === "message_version"
      ? [
          {
            ...row,
            replacedOp: line.replaced_op,
            replacedAt: Date.parse(line.replaced_at),
          },
        ]
      : [],
  );
  const gone = new Set(removed);
  const written = new Set(messages.map(({ id }) => id));
  const places = new Map((order ?? []).map((id, position) => [id, position]));
  const moved = there.flatMap(({ id, position }) => {
    const place = places.get(id);
    const stays = place === undefined || place === position || gone.has(id) || written.has(id);
    return stays ? [] : [{ id, position: place, from: position }];
  });
  return {
    messages,
    messageVersions,
    removed,
    moved: moved.map(({ id, position }) => ({ id, position })),
    places: [
      ...messages.map(({ position }) => position),
      ...moved.flatMap(({ position, from }) => [position, from]),
      ...there.flatMap(({ id, position }) => (gone.has(id) || written.has(id) ? [position] : [])),
    ],
  };
}

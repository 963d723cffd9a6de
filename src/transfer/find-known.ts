/**
 * What is stored of the conversations of a batch. A chat without a platform's id is known by how it begins; where several begin alike and
 * go on otherwise, each later one is known by its first message that the others lack as well, whichever upload brings it.
 */
import { REMOVED_FROM } from "../storage/conversations.ts";
import type { KnownConversation, KnownMessage } from "../storage/imports.ts";
import { isId } from "../vault/ids.ts";
import type { Keys } from "../vault/keys.ts";
import { itemKey, messageKey, type MessageProvenance } from "../vault/provenance.ts";
import type { ConversationPart } from "./batches.ts";
import type { IdentifiedConversation } from "./identify.ts";
import type { ImportRun } from "./import-run.ts";

/** A conversation or a part of one. */
export interface FoundConversation {
  readonly conversation: IdentifiedConversation;
  readonly part?: ConversationPart | undefined;
}

export interface KeyedConversation extends FoundConversation {
  readonly key: string;
}

export interface KnownOfBatch {
  readonly keyed: readonly KeyedConversation[];
  readonly conversations: readonly KnownConversation[];
  /** By conversation; of `~ID` those that an undo took out of it. */
  readonly messagesOf: ReadonlyMap<string, readonly KnownMessage[]>;
}

/** Chats that begin alike, told apart one after the other; those beyond are taken for the last. Arbitrary. */
const MAX_ALIKE = 8;

export async function findKnown(
  { at }: ImportRun,
  found: readonly FoundConversation[],
): Promise<KnownOfBatch> {
  const ownIds = found.flatMap(({ conversation: { ownId } }) => (isId(ownId) ? [ownId] : []));
  const keyed: KeyedConversation[] = [];
  const stored = new Map<string, KnownConversation>();
  const messagesOf = new Map<string, KnownMessage[]>();
  const saidInBatch = new Map<string, readonly string[]>();
  let open = found;
  for (let round = 1; open.length > 0; round++) {
    const asked = await Promise.all(
      open.map(async (one) => ({
        ...one,
        key: await itemKey(at.keys, "conversation", one.conversation.provenance),
      })),
    );
    const known = await at.imports.known(
      asked.map(({ key }) => key),
      round === 1 ? ownIds : [],
    );
    for (const row of known.conversations) stored.set(row.originKey, row);
    for (const [id, said] of Map.groupBy(known.messages, ({ conversation }) => conversation)) {
      messagesOf.set(id, said);
    }
    const others: FoundConversation[] = [];
    for (const one of asked) {
      const { conversation, part, key } = one;
      const id = stored.get(key)?.id ?? "";
      const keysOf = (place: string) => messagesOf.get(place)?.map(({ originKey }) => originKey);
      const opening = await openingOf(at.keys, one);
      const inBatch = saidInBatch.get(key) ?? [];
      const said = new Set([...(keysOf(id) ?? []), ...inBatch]);
      const fork = differing(opening, said, new Set(keysOf(`${REMOVED_FROM}${id}`)));
      if (fork === null || round === MAX_ALIKE) {
        keyed.push(one);
        saidInBatch.set(key, [...inBatch, ...opening.keys()]);
      } else others.push({ part, conversation: forked(conversation, fork) });
    }
    open = others;
  }
  return { keyed, conversations: [...stored.values()], messagesOf };
}

/** The messages by which one chat is told from others that begin alike, by key; none where the platform's id does. */
async function openingOf(
  keys: Keys,
  { conversation: { provenance, messages }, part, key }: KeyedConversation,
): Promise<ReadonlyMap<string, MessageProvenance>> {
  if (provenance.isDerived !== true) return new Map();
  const opening = part?.opening ?? messages.map((message) => message.provenance);
  return new Map(
    await Promise.all(
      opening.map(async (message) => [await messageKey(keys, key, message), message] as const),
    ),
  );
}

/** The first message that is not in the other chat; null where one of them holds all of the other: it has grown. */
function differing(
  opening: ReadonlyMap<string, MessageProvenance>,
  said: ReadonlySet<string>,
  removed: ReadonlySet<string>,
): MessageProvenance | null {
  if (said.isSubsetOf(opening)) return null;
  for (const [key, message] of opening) {
    if (!said.has(key) && !removed.has(key)) return message;
  }
  return null;
}

function forked(
  conversation: IdentifiedConversation,
  { id }: MessageProvenance,
): IdentifiedConversation {
  const { provenance } = conversation;
  return { ...conversation, provenance: { ...provenance, id: `${provenance.id}.${id}` } };
}

import { TOKENIZER_VERSION } from "../search/tokenize.ts";
import { packed } from "../storage/batch.ts";
import { CONTEXT_TURNS } from "../storage/message-index.ts";
import type { ConversationRow } from "../storage/conversations.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import { indexMessage, openConversation, openMessage } from "./conversation.ts";
import { openIndexer, type Indexer } from "./indexer.ts";

/** Arbitrary: some milliseconds of work between two writes. */
const CONVERSATIONS_AT_ONCE = 20;
const MESSAGES_AT_ONCE = 100;

/** As `reindexMemories`, conversation by conversation, because a message holds its neighbours' words too. */
export async function reindexMessages(at: OpenAccount, isEnough: () => boolean): Promise<boolean> {
  // A dictionary of plain words, so it lives no longer than this call.
  const indexer = openIndexer(at.keys);
  let after = "";
  for (;;) {
    const ids = await at.reindex.outdatedConversations(after, CONVERSATIONS_AT_ONCE);
    const rows = new Map((await at.conversations.getMany(ids)).map((row) => [row.id, row]));
    for (const id of ids) {
      const row = rows.get(id);
      const isDone =
        row === undefined || (await reindexConversation(at, row, { indexer, isEnough }));
      if (!isDone || isEnough()) return false;
    }
    const last = ids.at(-1);
    if (last === undefined) {
      await at.reindex.finish("messages");
      return true;
    }
    after = last;
  }
}

async function reindexConversation(
  at: OpenAccount,
  row: ConversationRow,
  { indexer, isEnough }: { readonly indexer: Indexer; readonly isEnough: () => boolean },
): Promise<boolean> {
  const { title, source } = await openConversation(at.keys, row);
  const { timeZone } = at;
  let before: string[] = [];
  for (let from = 0; ;) {
    const messages = await at.conversations.messages(row.id, {
      position: from,
      order: "asc",
      limit: MESSAGES_AT_ONCE,
    });
    const last = messages.at(-1);
    if (last === undefined) return true;
    const outdated = messages.filter(
      ({ tokenizerVersion }) => tokenizerVersion < TOKENIZER_VERSION,
    );
    const replaced = await Promise.all(
      outdated.map(async (message) => {
        const isFirst = from === 0 && message === messages[0];
        return {
          id: message.id,
          originKey: message.originKey,
          version: message.version,
          ...(await indexMessage(message, await openMessage(at.keys, message), {
            title: isFirst ? title : null,
            source,
            timeZone,
            indexer,
          })),
        };
      }),
    );
    const keys = messages.map(({ originKey }) => originKey);
    // The end of the part before has the first of this one in its context.
    for (const part of packed(replaced, ({ tokens, dt }) => tokens.length + dt.length + 300)) {
      await at.reindex.replaceMessages(part, [...before, ...keys]);
    }
    before = keys.slice(-CONTEXT_TURNS);
    from = last.position + 1;
    if (outdated.length > 0 && isEnough()) return false;
  }
}

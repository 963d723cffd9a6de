/** Synthetic items in the form that imports read. */
import type { ExportReading, ItemCounts } from "../../src/transfer/read.ts";
import type { ImportedMessage, ImportRecord } from "../../src/transfer/records.ts";
import { memoryOf, messageOf } from "./synthetic.ts";

export const TURNS = 40;

/** The owner's memories `from` to below `to`. */
export function syntheticMemories(owner: string, from: number, to: number): ExportReading {
  return readingOf({ conversation: 0, message: 0, memory: to - from }, function* () {
    for (let number = from; number < to; number++) {
      const { id, content, createdAt } = memoryOf(owner, number);
      yield {
        type: "memory",
        memory: {
          source: "other",
          originPlatform: "cofio",
          originId: id,
          ownId: id,
          content,
          tags: [],
          createdAt,
        },
      };
    }
  });
}

/** The owner's conversations `from` to below `to`, of 40 messages each. */
export function syntheticConversations(owner: string, from: number, to: number): ExportReading {
  const conversation = to - from;
  return readingOf({ conversation, message: TURNS * conversation, memory: 0 }, function* () {
    for (let number = from; number < to; number++) {
      const messages = Array.from({ length: TURNS }, (_, turn): ImportedMessage => {
        const { id, content, createdAt } = messageOf(owner, number * TURNS + turn);
        const role = turn % 2 === 0 ? "user" : "assistant";
        return { originId: id, role, text: content, createdAt, attachments: [] };
      });
      const createdAt = messages[0]?.createdAt ?? null;
      const updatedAt = messages.at(-1)?.createdAt ?? null;
      yield {
        type: "conversation",
        conversation: {
          source: "other",
          originPlatform: "cofio",
          originId: `${owner} ${number}`,
          title: "",
          createdAt,
          updatedAt,
          messages,
        },
      };
    }
  });
}

function readingOf(totals: ItemCounts, items: () => Generator<ImportRecord>): ExportReading {
  return {
    recognised: [],
    totals,
    accounts: new Map(),
    async *records() {
      yield* items();
    },
  };
}

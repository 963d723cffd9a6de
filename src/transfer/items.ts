/** Items that a client sends itself, as a reading like any export's. */
import { SOURCES, type Category, type Role, type Source } from "../storage/closed-lists.ts";
import type { ExportReading, ItemCounts } from "./read.ts";
import type { ImportRecord } from "./records.ts";

export interface SentMemory {
  readonly content: string;
  readonly tags?: readonly string[] | undefined;
  readonly project?: string | undefined;
  readonly category?: Category | undefined;
  readonly importance?: number | undefined;
  readonly id?: string | undefined;
  readonly source?: string | undefined;
  /** Milliseconds UTC. */
  readonly createdAt?: number | undefined;
}

export interface SentConversation {
  readonly id?: string | undefined;
  readonly title?: string | undefined;
  readonly platform?: string | undefined;
  readonly createdAt?: number | undefined;
  readonly messages: readonly {
    readonly id?: string | undefined;
    readonly role: Role;
    readonly content: string;
    readonly createdAt?: number | undefined;
    readonly model?: string | undefined;
  }[];
}

export type SentItem =
  | { readonly type: "memory"; readonly memory: SentMemory }
  | { readonly type: "conversation"; readonly conversation: SentConversation };

/** A conversation that is known by its platform and id gets the messages that it lacks. */
export function readItems(items: readonly SentItem[]): ExportReading {
  const records = items.map(recordOf);
  const totals: ItemCounts = {
    memory: records.filter(({ type }) => type === "memory").length,
    conversation: records.filter(({ type }) => type === "conversation").length,
    message: items.reduce(
      (sum, item) => sum + (item.type === "conversation" ? item.conversation.messages.length : 0),
      0,
    ),
  };
  return {
    recognised: [
      { outcome: "read", name: "items", format: "Items", source: "other", truncated: false },
    ],
    totals,
    accounts: new Map(),
    async *records() {
      yield* records;
    },
  };
}

function recordOf(item: SentItem): ImportRecord {
  if (item.type === "memory") {
    const {
      content,
      tags = [],
      id = null,
      project,
      category,
      importance,
      createdAt,
      source,
    } = item.memory;
    return {
      type: "memory",
      memory: {
        source: sourceOf(source),
        originId: id,
        content,
        tags,
        ...(project === undefined ? {} : { project }),
        ...(category === undefined ? {} : { category }),
        ...(importance === undefined ? {} : { importance }),
        ...(createdAt === undefined ? {} : { createdAt }),
      },
    };
  }
  const { id = null, title = "", platform, createdAt = null, messages } = item.conversation;
  return {
    type: "conversation",
    conversation: {
      source: sourceOf(platform),
      originId: id,
      title,
      createdAt,
      updatedAt: null,
      messages: messages.map((message) => ({
        originId: message.id ?? null,
        role: message.role,
        text: message.content,
        createdAt: message.createdAt ?? null,
        attachments: [],
        ...(message.model === undefined ? {} : { model: message.model }),
      })),
    },
  };
}

function sourceOf(name: string | undefined): Source {
  return SOURCES.find((source) => source === name) ?? "other";
}

/** A call of each tool, as an assistant makes it. Not of export_data: what it costs is the workflow's, which goes on after the answer. */
import { naturalQueries } from "../runtime/queries.ts";
import { memoryOf } from "../runtime/synthetic.ts";

export const OWNER = "owner";
const IMPORTED_AT_ONCE = 200;

export interface BudgetCall {
  readonly name: string;
  readonly tool: string;
  /** Of the call with this number, over all: no two save the same. */
  readonly args: (at: number, stored: Stored) => Record<string, unknown>;
  /** Of 1,000 calls whose CPU is measured, so many are made. */
  readonly cpuShare: number;
}

export interface Stored {
  readonly memories: number;
  /** Ids. */
  readonly conversations: readonly string[];
}

/** What a memory that is saved here is numbered from: no size reaches it. */
const NEW = 1_000_000;

export const CALLS: readonly BudgetCall[] = [
  call("search", "search_memory", (at, { memories }) => ({
    query: naturalQueries(OWNER, { count: QUERIES, stored: memories })[at % QUERIES],
  })),
  call("save", "save_memory", (at) => ({ content: memoryOf(OWNER, NEW + at).content })),
  call("list", "list_memories", () => ({})),
  call("get", "get_memory", (at, { memories }) => ({ id: idAt(at, memories) })),
  call("update", "update_memory", (at, { memories }) => ({
    id: idAt(at, memories),
    content: memoryOf(OWNER, 2 * NEW + at).content,
  })),
  call("delete", "delete_memory", (at, { memories }) => ({
    id: idAt(memories - 1 - at, memories),
  })),
  call("search chats", "search_conversations", (at) => ({
    query: `${chatWord(at)} and ${chatWord(at + 1)}`,
  })),
  call("get a chat", "get_conversation", (at, { conversations }) => ({
    id: conversations[at % conversations.length],
  })),
  call("list chats", "list_conversations", () => ({})),
  call("statistics", "get_stats", () => ({})),
  call(
    `import ${IMPORTED_AT_ONCE}`,
    "import_data",
    (at) => ({
      items: Array.from({ length: IMPORTED_AT_ONCE }, (_, place) => ({
        content: memoryOf("imported", at * IMPORTED_AT_ONCE + place).content,
      })),
    }),
    0.05,
  ),
];

/** Conversations that are there before: of ten messages each. */
export function chatsFrom(from: number, count: number) {
  return Array.from({ length: count }, (_, at) => ({
    platform: "chatgpt",
    id: `chat-${from + at}`,
    title: `Chat ${from + at}`,
    messages: Array.from({ length: 10 }, (_, turn) => ({
      role: turn % 2 === 0 ? "user" : "assistant",
      content: `${memoryOf("chats", (from + at) * 10 + turn).content} ${chatWord(from + at + turn)}`,
    })),
  }));
}

const QUERIES = 40;

function chatWord(at: number): string {
  return memoryOf("words", at % 50).words[0] ?? "";
}

function idAt(at: number, memories: number): string {
  return memoryOf(OWNER, ((at % memories) + memories) % memories).id;
}

function call(name: string, tool: string, args: BudgetCall["args"], cpuShare = 1): BudgetCall {
  return { name, tool, args, cpuShare };
}

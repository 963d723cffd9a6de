/** What a server of memories is to this benchmark: how it is started and filled, and which calls of its tools each operation is. */
import type { CallToolResult, Client } from "@modelcontextprotocol/client";
import type { Fact } from "./facts.ts";

export interface Peer {
  readonly name: string;
  /** Once it is installed. */
  version(): string;
  /** How a client reaches it, and where it keeps what it is told. */
  readonly transport: string;
  readonly storage: string;
  /** How it was filled: through its own tools, or by writing the file that it reads. */
  readonly filledBy: string;
  readonly operations: Operations;
  /** Starts it in an empty folder and fills it. */
  open(folder: string, facts: readonly Fact[]): Promise<OpenPeer>;
}

export interface OpenPeer {
  /** What each fact is asked for by, in their order. */
  readonly keys: readonly string[];
  /** A client of its own; over stdio with a process of its own, as two assistants would have. */
  connect(): Promise<Client>;
  close(): Promise<void>;
}

export interface ToolCall {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
}

/** An operation that a server lacks is left out. Where it takes two calls, the time is that of both. */
export interface Operations {
  readonly save: (fact: Fact) => ToolCall;
  /** Of what `save` stored. */
  readonly savedKey: (fact: Fact, answer: CallToolResult) => string;
  readonly search: (query: string) => ToolCall;
  /** Whether an answer to a search holds the memory with this key, among the first ten where the tool takes a limit. */
  readonly holds: (answer: CallToolResult, key: string) => boolean;
  /** Whether the server says that it did not do what it was asked. */
  readonly isRefused: (answer: CallToolResult) => boolean;
  /** What tells whether a fact with this rare word is there, where the search itself may pass over it. */
  readonly lookUp?: (word: string) => ToolCall;
  readonly list?: () => ToolCall;
  readonly get?: (key: string) => ToolCall;
  readonly update?: (key: string, before: string, after: string) => readonly ToolCall[];
  readonly delete?: (key: string) => ToolCall;
}

/** What a client is asked for at once where the tool takes a limit. */
export const HITS = 10;

/** As the protocol has it. */
export function isError(answer: CallToolResult): boolean {
  return answer.isError === true;
}

/** The text that a model is shown. */
export function textOf({ content }: CallToolResult): string {
  return content.map((part) => (part.type === "text" ? part.text : "")).join("\n");
}

/** Seven digits, so that no name is a part of another one. */
export function nameOf({ number }: Fact): string {
  return `memory-${String(number).padStart(7, "0")}`;
}

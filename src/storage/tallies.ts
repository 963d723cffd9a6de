/** What is counted of an account beyond its counters, and kept as long as nothing changes. Labels are sealed, as they are stored. */
import type { ConversationStore } from "./conversations.ts";
import type { MemoryStore } from "./memories.ts";

export interface Tallies {
  readonly memories: Awaited<ReturnType<MemoryStore["tallies"]>>;
  readonly platforms: Awaited<ReturnType<ConversationStore["tally"]>>;
}

export interface KeptTallies {
  /** Null: those that are kept are of another state. */
  readonly read: (state: string) => Tallies | null;
  readonly write: (state: string, tallies: Tallies) => void;
}

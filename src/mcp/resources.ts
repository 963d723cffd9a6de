/** What clients can read, attach and watch without a tool call. Extras: many clients know none, so nothing depends on them. */
import { getMemory } from "../memory/get.ts";
import type { Memory } from "../memory/memory.ts";
import { readProfile } from "../memory/profile.ts";
import { searchMemories } from "../memory/search.ts";
import { estimateTokens } from "../search/token-budget.ts";
import { AS_DATA, memoryLine } from "./answers.ts";
import type { ToolContext } from "./tool.ts";

export interface Resource {
  readonly name: string;
  readonly uri: string;
  readonly title: string;
  readonly description: string;
  read(context: ToolContext): Promise<string>;
}

/** As much as a search gives. */
const MAX_TOKENS = 2_000;
const RECENT = { query: "", limit: 50, maxTokens: MAX_TOKENS };

const PROFILE_URI = "memory://profile";
const RECENT_URI = "memory://recent";

export const resources: readonly Resource[] = [
  {
    name: "profile",
    uri: PROFILE_URI,
    title: "Who the user is",
    description: "Preferences, facts, people, goals and instructions, the most important first.",
    async read({ account, caller }) {
      const costOf = (memory: Memory) => estimateTokens(memoryLine(memory));
      const memories = await readProfile(account, {
        now: caller.now,
        maxTokens: MAX_TOKENS,
        costOf,
      });
      return textOf(memories.map((memory) => memoryLine(memory)));
    },
  },
  {
    name: "recent",
    uri: RECENT_URI,
    title: "Recent memories",
    description: "What was saved last, the newest first.",
    async read({ account, caller }) {
      const { hits } = await searchMemories(account, RECENT, caller.now);
      return textOf(
        hits.map(({ memory, snippet }) => memoryLine(memory, snippet ?? memory.content)),
      );
    },
  },
];

export const memoryResource = {
  name: "memory",
  uriTemplate: "memory://{id}",
  title: "One memory",
  description: "A whole memory, by the id that every answer names.",
  async read({ account }: ToolContext, id: string): Promise<string> {
    const { memory } = await getMemory(account, id, false);
    return textOf([memoryLine(memory)]);
  },
};

/** The resources in which a change of these memories shows. */
export function changedResources(ids: readonly string[]): string[] {
  return [PROFILE_URI, RECENT_URI, ...ids.map((id) => `memory://${id}`)];
}

function textOf(lines: readonly string[]): string {
  return lines.length === 0 ? "No memories." : [AS_DATA, ...lines].join("\n");
}

import { searchConversations } from "../conversations/search.ts";
import { searchMemories } from "../memory/search.ts";
import { estimateTokens } from "../search/token-budget.ts";
import { AS_DATA, memoryLine } from "./answers.ts";
import type { ToolContext } from "./tool.ts";

export interface RecallRequest {
  readonly topic: string;
  /** Of the whole text. */
  readonly maxTokens: number;
}

const MEMORIES = 50;
const MESSAGES = 10;
/** Of the budget, where there are messages too: memories say in a line what messages say in a paragraph. Arbitrary. */
const MEMORIES_SHARE = 0.7;
/** As `search_memory` offers conversations: below it, half of them are about something else. */
const MIN_MESSAGE_RELEVANCE = 0.5;

/** What is known on a topic, and what it is, as text to paste or to inject before a question. */
export async function recall(
  { account, caller, scopes }: ToolContext,
  { topic, maxTokens }: RecallRequest,
): Promise<string> {
  // The budget of a search counts the fields of its answer too, of which only a line is shown here.
  const room = { maxTokens: maxTokens * 3 };
  const [memories, messages] = await Promise.all([
    searchMemories(account, { query: topic, limit: MEMORIES, ...room }, caller.now),
    scopes.includes("conversations:read")
      ? searchConversations(
          account,
          { query: topic, by: "message", limit: MESSAGES, ...room },
          caller.now,
        )
      : { hits: [] },
  ]);
  const said = messages.hits
    .filter(({ relevance }) => relevance >= MIN_MESSAGE_RELEVANCE)
    .map(
      ({ conversation, message, snippet }) =>
        `"${conversation.title}" (${conversation.source}, [${conversation.id}]) ${message.role}: ${snippet}`,
    );
  const known = memories.hits
    // A search offers others where little matches, which is not what is known on a topic.
    .filter(({ matched }) => matched)
    .map(({ memory, snippet }) => memoryLine(memory, snippet ?? memory.content));
  const heading = headingOf(topic, maxTokens);
  const budget = maxTokens - estimateTokens(`${heading}\n\n${AS_DATA}`);
  const first = fitting(known, said.length === 0 ? budget : budget * MEMORIES_SHARE);
  const rest = fitting(said, budget - tokensOf(first));
  const lines = [...first, ...rest];
  return `${heading}\n\n${lines.length === 0 ? NOTHING : [AS_DATA, ...lines].join("\n")}`;
}

/** A character is a token at most, nearly always; a long topic leaves most of the budget to what is known. Arbitrary. */
const TOPIC_SHARE = 0.2;

function headingOf(topic: string, maxTokens: number): string {
  const most = Math.floor(maxTokens * TOPIC_SHARE);
  const shown = topic.length > most ? `${topic.slice(0, most).toWellFormed()}…` : topic;
  return `What my memory (Cofio) holds on "${shown}", as background for what follows.`;
}

const NOTHING = "(Nothing is stored on this.)";

/** Those that fit, in their order; one that is too long is passed over for a shorter one behind it. */
function fitting(lines: readonly string[], maxTokens: number): string[] {
  const taken: string[] = [];
  let spent = 0;
  for (const line of lines) {
    const cost = tokensOf([line]);
    if (spent + cost > maxTokens) continue;
    spent += cost;
    taken.push(line);
  }
  return taken;
}

/** Ids and dates take more tokens than prose of their length, by so many a line (measured with o200k_base). */
const LINE_TOKENS = 12;

function tokensOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + LINE_TOKENS + estimateTokens(line), 0);
}

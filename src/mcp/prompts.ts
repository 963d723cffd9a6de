/** What a person picks from a menu of their client. Extras: whatever a prompt does, the tools do too. */
import * as z from "zod";
import type { Scope } from "../scopes.ts";
import { maxTokens } from "./fields.ts";
import { recall } from "./recall.ts";
import type { ToolContext } from "./tool.ts";

export interface Prompt<Input extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Values are strings on the wire. */
  readonly input: Input;
  readonly scope: Scope;
  /** What the person says by picking it. */
  run(input: z.output<Input>, context: ToolContext): Promise<string>;
}

/** Exists for inference. */
function definePrompt<Input extends z.ZodType>(prompt: Prompt<Input>): Prompt {
  return prompt;
}

export const prompts: readonly Prompt[] = [
  definePrompt({
    name: "recall",
    title: "Recall a topic",
    description: "Puts what is known on a topic into the conversation, within a budget of tokens.",
    input: z.object({
      topic: z.string().max(1_000).describe("Any words, or a question"),
      max_tokens: maxTokens(2_000).describe("At most so many tokens, 2,000 if not given"),
    }),
    scope: "memories:read",
    run: ({ topic, max_tokens }, context) => recall(context, { topic, maxTokens: max_tokens }),
  }),
  definePrompt({
    name: "remember",
    title: "Remember this",
    description: "Has the assistant save what you name, or what this conversation established.",
    input: z.object({
      what: z.string().max(4_000).optional().describe("Left out: what was said so far"),
    }),
    scope: "memories:write",
    async run({ what = "" }) {
      const subject =
        what.trim() === ""
          ? "the lasting facts, preferences and decisions of mine from this conversation, and nothing passing or secret,"
          : "this";
      const request = `Save ${subject} to my memory with save_memory: each fact as one self-contained sentence, with user_asked, since I ask for it. Where one replaces what is stored, say so with supersedes. Then tell me in a line what you saved.`;
      return what.trim() === "" ? request : `${request}\n\n${what.trim()}`;
    },
  }),
];

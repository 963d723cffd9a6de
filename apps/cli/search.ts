import * as z from "zod";
import {
  readArguments,
  readWholeNumber,
  TARGET_USAGE,
  targetOptions,
  WrongUse,
} from "./arguments.ts";
import type { Command } from "./command.ts";
import { callTool, openTarget } from "./target.ts";
import { print, printJson } from "./terminal.ts";

/** Of one call of either tool. */
const MAX_RESULTS = 50;

/** Memories, or messages within their conversation. */
const foundSchema = z.object({
  results: z.array(
    z.object({
      id: z.string().optional(),
      content: z.string().optional(),
      snippet: z.string().optional(),
      tags: z.array(z.string()).default([]),
      matched: z.boolean().default(true),
      conversation: z.object({ id: z.string(), title: z.string() }).optional(),
      message: z.object({ id: z.string() }).optional(),
    }),
  ),
});

export const search: Command = {
  usage: `cofio search WORDS…
  Finds memories by any words, in any language. In quotes, so that the shell leaves them as they are, also these:
  cofio search 'coffee -tea "an exact phrase" tag:work project:"New site"'

  --conversations   in imported conversations instead
  --limit N         at most so many, from 1 to ${MAX_RESULTS} (default: 10, of conversations 8)
${TARGET_USAGE}`,
  async run(argv) {
    const { values, positionals } = readArguments(argv, {
      ...targetOptions,
      conversations: { type: "boolean", default: false },
      limit: { type: "string" },
    });
    const limit = readWholeNumber("--limit", values.limit, { least: 1, most: MAX_RESULTS });
    const query = positionals.join(" ").trim();
    if (query === "") throw new WrongUse("What is to be found?");
    const target = await openTarget(values);
    try {
      const tool = values.conversations ? "search_conversations" : "search_memory";
      const { structured } = await callTool(target, tool, {
        query,
        ...(limit === undefined ? {} : { limit }),
      });
      if (values.json) printJson(structured);
      else print(linesOf(foundSchema.parse(structured)));
      return 0;
    } finally {
      target.close();
    }
  },
};

function linesOf({ results }: z.infer<typeof foundSchema>): string {
  if (results.length === 0) return "Nothing found.";
  const lines = results.map(({ id, content, snippet, tags, conversation }) => {
    const place =
      conversation === undefined ? `[${id}]` : `[${conversation.id}] ${conversation.title}:`;
    return [place, snippet ?? content, ...tags.map((tag) => `#${tag}`)].join(" ");
  });
  const isMatch = results.some(({ matched }) => matched);
  return [...(isMatch ? [] : ["Nothing matches; important or recent are:"]), ...lines].join("\n");
}

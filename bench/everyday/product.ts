/** Cofio itself: the memories imported over HTTP into a real local server, the queries asked over MCP. */
import * as z from "zod";
import { startServer } from "../../test/e2e/support/server.ts";
import { everydayExport, idOf } from "../../test/search/fixtures/everyday-export.ts";
import { callTool } from "../support/call-tool.ts";
import { importExport } from "../support/import-export.ts";
import { withTemporaryFolder } from "../support/temporary-folder.ts";
import type { Answers, EverydayMemory } from "./everyday.ts";

export function askProduct(
  memories: readonly EverydayMemory[],
  queries: readonly string[],
): Promise<Answers> {
  return withTemporaryFolder(async (state) => {
    const server = await startServer({ state, env: { COFIO_VERBOSE: "" } });
    try {
      const token = await server.token("everyday");
      await importExport({ server, token }, everydayExport(memories));
      const keys = new Map(memories.map(({ key }) => [idOf(key), key]));
      const answers: string[][] = [];
      for (const query of queries) {
        const call = { name: "search_memory", arguments: { query, limit: 3 } };
        const { results } = await callTool({ server, token }, call, answerSchema);
        answers.push(results.map(({ id }) => keys.get(id) ?? id));
      }
      return answers;
    } finally {
      await server.stop();
    }
  });
}

const answerSchema = z.object({ results: z.array(z.object({ id: z.string() })) });

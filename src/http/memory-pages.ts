/** What a page that shows memories needs beyond the tools: a listing by a person's words, who changed what, and changes of many at once. */
import { Hono } from "hono";
import * as z from "zod";
import { compact, memoryAnswer } from "../mcp/answers.ts";
import { parseArguments } from "../mcp/arguments.ts";
import { integer, list } from "../mcp/fields.ts";
import { spanOf } from "../mcp/spans.ts";
import { defineTool } from "../mcp/tool.ts";
import { listMemories } from "../mcp/tools/list-memories.ts";
import { answerSearch, searchMemory } from "../mcp/tools/search-memory.ts";
import { changeMemories, MAX_MEMORIES } from "../memory/change-many.ts";
import { labelsInUse } from "../memory/labels.ts";
import { listMemories as listPage } from "../memory/list.ts";
import { MAX_TAGS } from "../memory/memory.ts";
import { memoryStates } from "../memory/versions.ts";
import type { ApiContext } from "./api.ts";
import type {
  ChangedMemories,
  MemoryHits,
  MemoryLabels,
  MemoryPage,
  MemoryStates,
} from "./openapi/answers.ts";
import { readObject } from "./read-json.ts";
import { requireScope } from "./require-scope.ts";
import { MAX_TOKENS, runTool } from "./run-tool.ts";
import { takesJson, takesQuery, type InputOf } from "./takes.ts";

const SEARCH_WANTED = 'Send {"query": "…"}; an empty one gives the newest.';
const LIST_WANTED = 'Send what to list, such as {"status": "pending"}.';
const CHANGE_WANTED = `Send {"ids": ["…"], "status": "trashed"}, at most ${MAX_MEMORIES} ids.`;
/** Arbitrary: what a person looks through in a list to choose from. */
const LABELS = 200;
/** Arbitrary: one page of a history. */
const STATES = 20;

const client = z.string().max(200).optional().describe("The whole name of who saved it");

/** As the tool, and by client too. */
const listing = {
  name: listMemories.name,
  input: listMemories.input.extend({ client }),
  aliases: listMemories.aliases,
};
export const memoryListSchema = listing.input;

/** Likewise. */
export const searchMemoryBy = defineTool({
  ...searchMemory,
  input: searchMemory.input.extend({ client }),
  run: answerSearch,
});

const changing = {
  name: "change",
  input: z.object({
    ids: z.array(z.string().min(1).max(64)).min(1).max(MAX_MEMORIES),
    status: z
      .enum(["active", "trashed"])
      .optional()
      .describe("`active` restores from the trash, and approves what waits"),
    add_tags: list(MAX_TAGS),
    remove_tags: list(MAX_TAGS),
  }),
  aliases: {},
};
export const memoryChangeSchema = changing.input;

const states = {
  name: "versions",
  input: z.object({
    before: integer(1, 1_000_000).describe("A version: only those before it"),
    limit: integer(1, 100),
  }),
  aliases: {},
};
export const memoryStatesSchema = states.input;

export function memoryPages(context: ApiContext) {
  const { account, caller, scopes } = context;
  // Of these forms: test/http/api-document.test.ts parses what each route answers with the strict schema that the type is of.
  return new Hono()
    .post("/search", takesJson<InputOf<typeof searchMemoryBy>>(), async (c) =>
      c.json(
        await runTool<MemoryHits>(searchMemoryBy, context, await readObject(c, SEARCH_WANTED)),
      ),
    )
    .post("/list", takesJson<z.input<typeof memoryListSchema>>(), async (c) => {
      requireScope(scopes, "memories:read");
      const asked = { max_tokens: MAX_TOKENS, ...(await readObject(c, LIST_WANTED)) };
      const input = parseArguments(listing, asked, "/api/docs");
      const { memories, total, nextCursor } = await listPage(account, {
        status: input.status,
        order: input.order,
        tags: input.tags,
        tagMatch: input.tag_match,
        project: input.project,
        category: input.category,
        source: input.source,
        client: input.client,
        ...spanOf(input, caller.now, account.timeZone),
        limit: input.limit,
        maxTokens: input.max_tokens,
        cursor: input.cursor,
      });
      const page = { memories: memories.map(memoryAnswer), total, next_cursor: nextCursor };
      return c.json(compact(page) as MemoryPage);
    })
    .get("/labels", async (c) => {
      requireScope(scopes, "memories:read");
      return c.json((await labelsInUse(account, LABELS)) satisfies MemoryLabels);
    })
    .post("/change", takesJson<z.input<typeof memoryChangeSchema>>(), async (c) => {
      requireScope(scopes, "memories:write");
      const sent = await readObject(c, CHANGE_WANTED);
      const input = parseArguments(changing, sent, "/api/docs");
      if (input.status === "trashed") requireScope(scopes, "memories:delete");
      const { operationId, changed, left } = await changeMemories(
        account,
        [...new Set(input.ids)],
        { status: input.status, addTags: input.add_tags, removeTags: input.remove_tags },
        caller,
      );
      return c.json(compact({ operation_id: operationId, changed, left }) as ChangedMemories);
    })
    .get("/:id/versions", takesQuery<z.input<typeof memoryStatesSchema>>(), async (c) => {
      requireScope(scopes, "memories:read");
      const { before, limit = STATES } = parseArguments(states, c.req.query(), "/api/docs");
      const found = await memoryStates(account, c.req.param("id"), {
        limit,
        ...(before === undefined ? {} : { before }),
      });
      const versions = found.map(({ memory, changedOp, changedBy, changeKind }) => ({
        ...memoryAnswer(memory),
        operation_id: changedOp,
        ...compact({ changed_by: changedBy, change: changeKind }),
      }));
      return c.json({ versions } as MemoryStates);
    });
}

/** Memories, by the tools that assistants use. Words of a person travel in bodies only: addresses end up in logs. */
import { Hono } from "hono";
import { deleteMemory } from "../mcp/tools/delete-memory.ts";
import { getMemory } from "../mcp/tools/get-memory.ts";
import { listMemories } from "../mcp/tools/list-memories.ts";
import { saveMemory } from "../mcp/tools/save-memory.ts";
import { updateMemory } from "../mcp/tools/update-memory.ts";
import type { ApiContext } from "./api.ts";
import type {
  ChangedMemory,
  DeletedMemory,
  MemoryPage,
  MemoryWithVersions,
  Saved,
} from "./openapi/answers.ts";
import { memoryPages } from "./memory-pages.ts";
import { readObject } from "./read-json.ts";
import { runTool } from "./run-tool.ts";
import { takesJson, takesQuery, type InputOf } from "./takes.ts";

const SAVE_WANTED = 'Send {"content": "…"} and what else is known of it.';
const CHANGE_WANTED = 'Send what is to change, such as {"add_tags": ["work"]}.';

/** A memory that is new, one that was known already, and one that waits for the person. */
const SAVED_STATUS = { created: 201, duplicate: 200, pending: 202 } as const;

export function memories(context: ApiContext) {
  return new Hono()
    .route("/", memoryPages(context))
    .get("/", takesQuery<InputOf<typeof listMemories>>(), async (c) =>
      c.json(await runTool<MemoryPage>(listMemories, context, c.req.query())),
    )
    .post("/", takesJson<InputOf<typeof saveMemory>>(), async (c) => {
      const saved = await runTool<Saved>(saveMemory, context, await readObject(c, SAVE_WANTED));
      return c.json(saved, SAVED_STATUS[saved.outcome]);
    })
    .get("/:id", takesQuery<Omit<InputOf<typeof getMemory>, "id">>(), async (c) =>
      c.json(
        await runTool<MemoryWithVersions>(getMemory, context, c.req.query(), {
          id: c.req.param("id"),
        }),
      ),
    )
    .patch("/:id", takesJson<Omit<InputOf<typeof updateMemory>, "id">>(), async (c) => {
      const changes = await readObject(c, CHANGE_WANTED);
      return c.json(
        await runTool<ChangedMemory>(updateMemory, context, changes, { id: c.req.param("id") }),
      );
    })
    .delete("/:id", async (c) =>
      c.json(
        await runTool<DeletedMemory>(deleteMemory, context, c.req.query(), {
          id: c.req.param("id"),
        }),
      ),
    );
}

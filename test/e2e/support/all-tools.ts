/** All twelve tools through whatever reaches them, and what they must answer. */
import { expect } from "vitest";

/** In the order in which they are listed. */
export const TOOLS = [
  "search_memory",
  "save_memory",
  "list_memories",
  "get_memory",
  "delete_memory",
  "update_memory",
  "search_conversations",
  "get_conversation",
  "list_conversations",
  "get_stats",
  "export_data",
  "import_data",
];

// Answers are asserted on key by key.
export type Answer = Record<string, any>;
export type Call = (name: string, args?: Record<string, unknown>) => Promise<Answer>;

/** Both SDKs' clients in one shape. */
export function callsOf(client: {
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
}): Call {
  return async (name, args = {}) => {
    const result = (await client.callTool({ name, arguments: args })) as Answer;
    expect(result["isError"], JSON.stringify(result["content"])).not.toBe(true);
    return result["structuredContent"];
  };
}

/** Every tool once, on data that belongs to `who` alone. */
export async function useAllTools(call: Call, who: string): Promise<void> {
  const saved = await call("save_memory", {
    content: `${who} builds with Next.js 16 and deploys to Vercel.`,
    tags: ["stack"],
  });
  expect(saved["outcome"]).toBe("created");
  const { id } = saved["memory"];
  const found = await call("search_memory", { query: `where does ${who} deploy?` });
  expect(found["results"][0]).toMatchObject({ id, matched: true });
  expect((await call("list_memories", { tags: "stack" }))["total"]).toBeGreaterThan(0);
  const updated = await call("update_memory", {
    id,
    content: `${who} builds with Next.js 16 and deploys to Railway.`,
  });
  expect(updated["memory"]["version"]).toBe(2);
  expect((await call("get_memory", { id, include_history: true }))["versions"]).toHaveLength(1);
  expect((await call("delete_memory", { id }))["memory"]["status"]).toBe("trashed");
  expect((await call("update_memory", { id, status: "active" }))["memory"]["status"]).toBe(
    "active",
  );

  const imported = await call("import_data", { data: chatgptExport(who) });
  expect(imported["items"]).toMatchObject({ new: 3, remaining: 0 });
  expect((await call("import_data", { data: claudeExport(who) }))["items"]).toMatchObject({
    new: 3,
  });
  expect((await call("import_data", { data: chatgptExport(who) }))["items"]).toMatchObject({
    new: 0,
    unchanged: 3,
  });
  const hits = await call("search_conversations", { query: `${who} sardines` });
  const [hit] = hits["results"];
  expect(hit["conversation"]["platform"]).toBe("chatgpt");
  const opened = await call("get_conversation", {
    id: hit["conversation"]["id"],
    around: hit["message"]["id"],
  });
  expect(opened["messages"].map(({ role }: Answer) => role)).toEqual(["user", "assistant"]);
  expect((await call("list_conversations", { platform: "claude" }))["total"]).toBeGreaterThan(0);
  expect((await call("get_stats"))["conversations"]["messages"]).toBeGreaterThanOrEqual(4);
  expect(JSON.parse((await call("export_data", { deliver: "inline" }))["data"])["format"]).toBe(
    "cofio",
  );
}

function chatgptExport(who: string): string {
  const node = (id: string, parent: string, role: string, text: string) => ({
    id,
    parent,
    message: {
      id,
      author: { role },
      create_time: 1_770_000_000,
      content: { content_type: "text", parts: [text] },
    },
  });
  return JSON.stringify([
    {
      id: `chat-of-${who}`,
      title: "Dinner in Alfama",
      create_time: 1_770_000_000,
      update_time: 1_770_000_100,
      current_node: "b",
      mapping: {
        root: { id: "root", parent: null, message: null },
        a: node("a", "root", "user", `Where can ${who} eat?`),
        b: node("b", "a", "assistant", `Grilled sardines for ${who}.`),
      },
    },
  ]);
}

function claudeExport(who: string): string {
  return JSON.stringify([
    {
      uuid: `bread-of-${who}`,
      name: "Bread",
      created_at: "2026-02-01T10:00:00Z",
      updated_at: "2026-02-01T10:05:00Z",
      chat_messages: [
        {
          uuid: "m1",
          sender: "human",
          text: "How long to proof?",
          content: [],
          created_at: "2026-02-01T10:00:00Z",
        },
        {
          uuid: "m2",
          sender: "assistant",
          text: "Until it doubles.",
          content: [],
          created_at: "2026-02-01T10:01:00Z",
        },
      ],
    },
  ]);
}

/** Handlers for `betaMemoryTool` of `@anthropic-ai/sdk` that keep the files of Claude's memory tool in Cofio. */
import type { MemoryToolHandlers } from "@anthropic-ai/sdk/helpers/beta/memory";

export interface CofioAccess {
  /** The server's address, such as https://cofio.example.workers.dev */
  readonly url: string | URL;
  /** A personal access token with memories:read and memories:write, and memories:delete if Claude may delete. */
  readonly token: string;
  readonly fetch?: typeof globalThis.fetch;
}

type FileCommand = Parameters<MemoryToolHandlers[keyof MemoryToolHandlers]>[0];

/** What Cofio answers: the parts of a `tool_result` block that depend on what happened. */
interface CommandResult {
  readonly content: string;
  readonly is_error: boolean;
}

/** Of an answer that is no result: the model reads it. Arbitrary. */
const MAX_SAID_CHARS = 500;

/** Each handler throws an Error where the command failed: the SDK tells the model its message. */
export function cofioMemoryTool({
  url,
  token,
  fetch = globalThis.fetch,
}: CofioAccess): MemoryToolHandlers {
  const address = new URL("/api/memory-tool", url);
  const run = async (command: FileCommand): Promise<string> => {
    const response = await fetch(address, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(command),
    });
    if (!response.ok) {
      // Whatever answered in Cofio's place may have sent a page of its own.
      const said = (await response.text()).slice(0, MAX_SAID_CHARS);
      throw new Error(`Cofio answered ${response.status}: ${said}`);
    }
    // True because Cofio answers a command with nothing else.
    const { content, is_error } = (await response.json()) as CommandResult;
    if (is_error) throw new Error(content);
    return content;
  };
  return { view: run, create: run, str_replace: run, insert: run, delete: run, rename: run };
}

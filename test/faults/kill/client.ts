/** A client that writes down what it asked and was told, over MCP or the HTTP API. */
import { performance } from "node:perf_hooks";
import type { MemoryAnswer, MemoryWish, Shown } from "../support/memory-model.ts";
import type { Answered, KilledServer } from "./server.ts";

export type Surface = "mcp" | "api";

/** A call as it went. */
export interface Recorded {
  /** The memory, once an answer or a list told it. */
  memory: string | null;
  readonly wish: MemoryWish;
  /** Of a save. */
  readonly key: string | null;
  readonly start: number;
  readonly end: number;
  readonly answer: MemoryAnswer | null;
}

export interface Client {
  /** Null as its answer: the server was gone. */
  readonly call: (memory: string | null, wish: MemoryWish, key?: string) => Promise<Recorded>;
  readonly token: string;
}

// Answers are read key by key.
type Json = Record<string, any>;

interface Said {
  readonly isRefused: boolean;
  readonly data: Json;
}

/** @param isGone whether no answer may be expected any more */
export function openClient(
  server: KilledServer,
  { token, surface, isGone }: { token: string; surface: Surface; isGone: () => boolean },
): Client {
  async function ask(method: string, path: string, body?: unknown): Promise<Answered | null> {
    try {
      return await server.ask(method, path, { token, body });
    } catch (error) {
      if (isGone()) return null;
      throw error;
    }
  }
  async function overMcp(name: string, args: Json): Promise<Said | null> {
    const params = { name, arguments: args };
    const answered = await ask("POST", "/mcp", {
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params,
    });
    if (answered === null) return null;
    const { status, text } = answered;
    const { result } = JSON.parse(/^data: (.*)$/mu.exec(text)?.[1] ?? text) as Json;
    if (result === undefined) throw new Error(`${name}: ${status} ${text}`);
    return { isRefused: result.isError === true, data: result.structuredContent ?? result };
  }
  async function overApi(method: string, path: string, body?: Json): Promise<Said | null> {
    const answered = await ask(method, path, body);
    if (answered === null) return null;
    return { isRefused: answered.status >= 400, data: JSON.parse(answered.text) as Json };
  }
  function send(memory: string | null, wish: MemoryWish, key: string | null): Promise<Said | null> {
    const isMcp = surface === "mcp";
    const path = `/api/memories/${memory}`;
    switch (wish.do) {
      case "save": {
        const args = { content: wish.content, idempotency_key: key };
        return isMcp ? overMcp("save_memory", args) : overApi("POST", "/api/memories", args);
      }
      case "update": {
        const { content, status, ifVersion } = wish;
        const args = { content, status, if_version: ifVersion };
        return isMcp
          ? overMcp("update_memory", { id: memory, ...args })
          : overApi("PATCH", path, args);
      }
      case "delete": {
        const { ifVersion } = wish;
        if (isMcp) return overMcp("delete_memory", { id: memory, if_version: ifVersion });
        return overApi(
          "DELETE",
          ifVersion === undefined ? path : `${path}?if_version=${ifVersion}`,
        );
      }
      case "undo":
        return overApi("POST", `/api/operations/${wish.operation}/undo`);
      case "read":
        return isMcp ? overMcp("get_memory", { id: memory }) : overApi("GET", path);
    }
  }
  return {
    token,
    async call(memory, wish, key) {
      const start = performance.now();
      const said = await send(memory, wish, key ?? null);
      const end = performance.now();
      const answer = said === null ? null : answerOf(wish, said);
      const id = memory ?? said?.data["memory"]?.id ?? null;
      return { memory: id, wish, key: key ?? null, start, end, answer };
    },
  };
}

/** @throws Error on a refusal that nothing in the model explains */
function answerOf(wish: MemoryWish, { isRefused, data }: Said): MemoryAnswer {
  const { error, memory } = data;
  if (isRefused) {
    if (error?.code !== "version_conflict" || error.current === undefined) {
      throw new Error(`${wish.do} was refused: ${JSON.stringify(data)}`);
    }
    return { outcome: "conflict", shown: shownOf(error.current) };
  }
  const operation = data["operation_id"] ?? null;
  if (wish.do === "undo") {
    return operation === null ? { outcome: "left" } : { outcome: "done", shown: null, operation };
  }
  return { outcome: "done", shown: shownOf(memory), operation };
}

export function shownOf({ version, content, status }: Json): Shown {
  return { version, content, status };
}

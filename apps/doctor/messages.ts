/** Requests of both eras of the protocol, as clients send them, and the message in an answer. */
import * as z from "zod";
import { type Answered, type Ask, jsonOf } from "./ask.ts";

/** Of the era that opens with `initialize`, and of the one that has no handshake. */
export const EARLIER = "2025-11-25";
export const LATER = "2026-07-28";

const CLIENT = { name: "cofio doctor", version: "1" };
const BOTH_KINDS = "application/json, text/event-stream";

export const HANDSHAKE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: EARLIER, capabilities: {}, clientInfo: CLIENT },
} as const;

/** @param headers win over those that every client sends */
export function message(content: object, headers: Readonly<Record<string, string>> = {}): Ask {
  return {
    method: "POST",
    path: "/mcp",
    headers: { "content-type": "application/json", accept: BOTH_KINDS, ...headers },
    body: JSON.stringify(content),
  };
}

/** A request of the later era: it says in itself what the handshake said once. */
export function laterMessage(method: string, headers: Readonly<Record<string, string>>): Ask {
  const about = {
    "io.modelcontextprotocol/protocolVersion": LATER,
    "io.modelcontextprotocol/clientInfo": CLIENT,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  return message(
    { jsonrpc: "2.0", id: 1, method, params: { _meta: about } },
    { ...headers, "mcp-protocol-version": LATER, "mcp-method": method },
  );
}

const resultSchema = z.object({
  jsonrpc: z.literal("2.0"),
  result: z.record(z.string(), z.unknown()),
});

/** The result of the one request that was sent, alone or in a stream of events. Null: there is none, or only half of it. */
export function resultOf(answer: Answered): Readonly<Record<string, unknown>> | null {
  const isEvents = (answer.headers.get("content-type") ?? "").includes("text/event-stream");
  const messages = isEvents
    ? eventsOf(answer.text).map((text) => jsonOf({ ...answer, text }))
    : [jsonOf(answer)];
  for (const one of messages) {
    const parsed = resultSchema.safeParse(one);
    if (parsed.success) return parsed.data.result;
  }
  return null;
}

/** The data of each event that is complete. */
function eventsOf(text: string): string[] {
  return text
    .split(/\r?\n\r?\n/)
    .map((event) =>
      event
        .split(/\r?\n/)
        .filter((line) => line.startsWith("data:"))
        .map((line) => line.slice("data:".length))
        .join("\n"),
    )
    .filter((data) => data !== "");
}

/** Carries JSON-RPC between a client's stdin and stdout and a server's Streamable HTTP, message by message, in both eras of the protocol. */
import type { Readable, Writable } from "node:stream";
import {
  deserializeMessage,
  isJSONRPCErrorResponse,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  PROTOCOL_VERSION_META_KEY,
  SdkHttpError,
  serializeMessage,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import * as z from "zod";
import { UserError } from "../../src/errors.ts";
import { parseJson } from "./folder.ts";
import { printable } from "./printable.ts";

export interface BridgeOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly transport: StreamableHTTPClientTransport;
  /** Told of each message before it is sent on. */
  readonly onMessage?: (message: JSONRPCMessage) => void;
  /** What went wrong, for a person. */
  readonly log: (line: string) => void;
}

interface Pending {
  readonly method: string;
  /** Of the 2026-07-28 protocol, where a request is cancelled by closing its stream. */
  readonly isModern: boolean;
  readonly abort: AbortController;
}

const INVALID_REQUEST = -32_600;
const INTERNAL_ERROR = -32_603;
/** Of one message; what the SDK's own stdio server takes, in bytes. */
const MAX_MESSAGE_CHARS = 10 * 1_048_576;

/** Until the input ends and every request of it is answered. */
export async function bridge({
  input,
  output,
  transport,
  onMessage,
  log,
}: BridgeOptions): Promise<void> {
  const pending = new Map<string | number, Pending>();
  let drained = (): void => {};

  function settle(id: string | number): Pending | undefined {
    const asked = pending.get(id);
    pending.delete(id);
    if (pending.size === 0) drained();
    return asked;
  }

  function write(message: JSONRPCMessage): void {
    output.write(serializeMessage(message));
  }

  function refuse(id: string | number, error: unknown): void {
    if (settle(id) !== undefined) write({ jsonrpc: "2.0", id, error: problemOf(error) });
  }

  transport.onmessage = (message) => {
    const isAnswer = isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message);
    if (isAnswer && message.id !== undefined) {
      const asked = settle(message.id);
      // It was cancelled, and the client forgot it.
      if (asked === undefined) return;
      if (asked.method === "initialize" && isJSONRPCResultResponse(message)) {
        const version = message.result["protocolVersion"];
        if (typeof version === "string") transport.setProtocolVersion(version);
      }
    }
    write(message);
  };
  transport.onerror = (error) => log(printable(error.message));
  await transport.start();

  async function send(message: JSONRPCMessage): Promise<void> {
    const id = isJSONRPCRequest(message) ? message.id : undefined;
    const abort = new AbortController();
    if (id !== undefined && isJSONRPCRequest(message)) {
      pending.set(id, { method: message.method, isModern: isModern(message), abort });
    }
    try {
      await transport.send(message, {
        requestSignal: abort.signal,
        onRequestStreamEnd: () => {
          if (id !== undefined) refuse(id, new Error("The server ended before it had answered."));
        },
      });
    } catch (error) {
      if (id === undefined) log(printable(String(error)));
      else refuse(id, error);
    }
  }

  /** True: it was a request of the newer protocol, and closing its stream is all there is to do. */
  function cancel(message: JSONRPCMessage): boolean {
    if (!("method" in message) || message.method !== "notifications/cancelled") return false;
    const id = message.params?.["requestId"];
    if (typeof id !== "string" && typeof id !== "number") return false;
    const asked = settle(id);
    // A server that keeps no session knows the request by its connection alone.
    asked?.abort.abort();
    return asked?.isModern === true;
  }

  /** Null: it was no message, and whoever waits for an answer to it has one. */
  function read(line: string): JSONRPCMessage | null {
    try {
      return deserializeMessage(line);
    } catch {
      log("A line was no JSON-RPC message.");
      const asked = requestSchema.safeParse(parseJson(line)).data;
      if (asked !== undefined) {
        const error = { code: INVALID_REQUEST, message: "This is no valid request." };
        write({ jsonrpc: "2.0", id: asked.id, error });
      }
      return null;
    }
  }

  // The client is gone: nobody is left to be told.
  output.on("error", () => process.exit(0));
  const running = new Set<Promise<void>>();
  for await (const line of linesOf(input, log)) {
    const message = read(line);
    if (message === null) continue;
    onMessage?.(message);
    if (cancel(message)) continue;
    const sending = send(message);
    running.add(sending);
    void sending.then(() => running.delete(sending));
  }
  await Promise.all(running);
  // A subscription never ends by itself, and nobody hears it any more.
  for (const [id, { method }] of pending) {
    if (method === "subscriptions/listen") settle(id)?.abort.abort();
  }
  if (pending.size > 0) await new Promise<void>((resolve) => (drained = resolve));
  await transport.close();
}

/** Until the end, or a line that is too long to be held. (`readline` would end a line within a text, at U+2028.) */
async function* linesOf(input: Readable, log: BridgeOptions["log"]): AsyncGenerator<string> {
  let held = "";
  input.setEncoding("utf8");
  for await (const chunk of input) {
    const [end = "", ...more] = String(chunk).split("\n");
    held += end;
    for (const next of more) {
      if (held.trim() !== "") yield held;
      held = next;
    }
    if (held.length > MAX_MESSAGE_CHARS) {
      return log(`A message of more than ${MAX_MESSAGE_CHARS} characters: no more is read.`);
    }
  }
}

/** The server's own error where it gave one with a status of HTTP. */
function problemOf(error: unknown): { code: number; message: string } {
  if (error instanceof UserError) {
    return { code: INTERNAL_ERROR, message: `${error.message} ${error.hint}` };
  }
  if (error instanceof SdkHttpError) {
    const told = answerSchema.safeParse(parseJson(String(error.data["text"])));
    if (told.success) return { ...told.data.error, message: printable(told.data.error.message) };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: INTERNAL_ERROR, message: printable(message) };
}

const requestSchema = z.object({ id: z.union([z.string(), z.number()]), method: z.string() });
const answerSchema = z.object({
  error: z.object({ code: z.number(), message: z.string(), data: z.unknown().optional() }),
});

function isModern({ params }: JSONRPCRequest): boolean {
  return typeof params?.["_meta"]?.[PROTOCOL_VERSION_META_KEY] === "string";
}

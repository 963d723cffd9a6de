/** Carries JSON-RPC between a client's stdin and stdout and a server's Streamable HTTP, message by message, in both eras of the protocol. */
import type { Readable, Writable } from "node:stream";
import {
  isJSONRPCErrorResponse,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  PROTOCOL_VERSION_META_KEY,
  ReadBuffer,
  SdkHttpError,
  serializeMessage,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import * as z from "zod";
import { parseJson } from "./folder.ts";

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

const INTERNAL_ERROR = -32_603;
/** One message; what the SDK's own stdio server takes. */
const MAX_MESSAGE_BYTES = 10 * 1_048_576;

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
  transport.onerror = (error) => log(error.message);
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
      if (id === undefined) log(String(error));
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

  // The client is gone: nobody is left to be told.
  output.on("error", () => process.exit(0));
  const buffer = new ReadBuffer({ maxBufferSize: MAX_MESSAGE_BYTES });
  let sent: Promise<unknown> = Promise.resolve();
  for await (const chunk of input) {
    buffer.append(Buffer.from(chunk));
    for (const message of messagesIn(buffer, log)) {
      onMessage?.(message);
      if (!cancel(message)) sent = Promise.all([sent, send(message)]);
    }
  }
  await sent;
  // A subscription never ends by itself, and nobody hears it any more.
  for (const [id, { method }] of pending) {
    if (method === "subscriptions/listen") settle(id)?.abort.abort();
  }
  if (pending.size > 0) await new Promise<void>((resolve) => (drained = resolve));
  await transport.close();
}

/** What is no message is left out, as there is nobody to answer, and the next line is read. */
function* messagesIn(buffer: ReadBuffer, log: (line: string) => void): Generator<JSONRPCMessage> {
  for (;;) {
    try {
      const message = buffer.readMessage();
      if (message === null) return;
      yield message;
    } catch (error) {
      log(`A line was no JSON-RPC message: ${error instanceof Error ? error.name : "unreadable"}.`);
    }
  }
}

/** The server's own error where it gave one with a status of HTTP. */
function problemOf(error: unknown): { code: number; message: string } {
  if (error instanceof SdkHttpError) {
    const told = answerSchema.safeParse(parseJson(String(error.data["text"])));
    if (told.success) return told.data.error;
  }
  return { code: INTERNAL_ERROR, message: error instanceof Error ? error.message : String(error) };
}

const answerSchema = z.object({
  error: z.object({ code: z.number(), message: z.string(), data: z.unknown().optional() }),
});

function isModern({ params }: JSONRPCRequest): boolean {
  return typeof params?.["_meta"]?.[PROTOCOL_VERSION_META_KEY] === "string";
}

/** What the server tells of imports that run in other windows, over the WebSocket at `/api/live`. */
import { useEffect, useState } from "hono/jsx/dom";
import type { LiveImport } from "../../src/transfer/import-answer.ts";

interface LiveState {
  readonly imports: Readonly<Record<string, LiveImport>>;
}

/** Between attempts to connect again: doubled up to the second. Arbitrary. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

/** The one that moved last first; those that have ended lately among them. */
export function useLatestImports(): readonly LiveImport[] {
  const [imports, setImports] = useState<readonly LiveImport[]>([]);
  useEffect(
    () =>
      listen(({ imports }) => {
        setImports(Object.values(imports).sort((one, other) => other.updatedAt - one.updatedAt));
      }),
    [],
  );
  return imports;
}

/** @returns what ends it */
function listen(hear: (state: LiveState) => void): () => void {
  const address = new URL("/api/live", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const ended = new AbortController();
  let retryMs = RETRY_MS;
  connect();

  function connect(): void {
    const socket = new WebSocket(address);
    socket.addEventListener("message", ({ data }: MessageEvent<string>) => {
      retryMs = RETRY_MS;
      // Of this server: the library that keeps the state sends it in this form, and other things in others.
      const message = JSON.parse(data) as { type: string; state?: LiveState };
      if (message.type === "cf_agent_state" && message.state !== undefined) hear(message.state);
    });
    const again = () => {
      const timer = setTimeout(connect, retryMs);
      ended.signal.addEventListener("abort", () => clearTimeout(timer));
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
    };
    socket.addEventListener("close", again, { signal: ended.signal });
    ended.signal.addEventListener("abort", () => socket.close());
  }

  return () => ended.abort();
}

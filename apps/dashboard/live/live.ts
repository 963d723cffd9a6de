/** What the server tells by itself, over the WebSocket at `/api/live`: that something was changed, and how imports stand. */
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { LiveImport } from "../../../src/transfer/import-answer.ts";

/**
 * By job. Under this key in the query cache: `useQuery({ queryKey: LIVE_IMPORTS, enabled: false })`.
 * @public for the page of imports
 */
export const LIVE_IMPORTS = ["live", "imports"] as const;

type Told =
  | { readonly type: "changed" }
  | {
      readonly type: "cf_agent_state";
      readonly state: { readonly imports: Readonly<Record<string, LiveImport>> };
    };

/** Between attempts to connect again: doubled up to the second. Arbitrary. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
/** Changes come in groups, and one reading serves them all; nobody notices the wait. Arbitrary. */
const GATHER_MS = 200;

/** Has every query that is shown ask again when something was changed, whoever did it, except those with `meta: { live: false }`. */
export function useLive(): void {
  const queries = useQueryClient();
  useEffect(() => listen(queries), [queries]);
}

/** @returns what ends it */
function listen(queries: QueryClient): () => void {
  const address = new URL("/api/live", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const ended = new AbortController();
  let retryMs = RETRY_MS;
  let isAgain = false;
  let gathering: ReturnType<typeof setTimeout> | undefined;
  connect();

  function readAgain(): void {
    clearTimeout(gathering);
    gathering = setTimeout(() => {
      void queries.invalidateQueries({ predicate: ({ meta }) => meta?.["live"] !== false });
    }, GATHER_MS);
  }

  function hear(told: Told): void {
    if (told.type === "changed") return readAgain();
    if (told.type !== "cf_agent_state") return;
    const before = queries.getQueryData(LIVE_IMPORTS);
    queries.setQueryData(LIVE_IMPORTS, told.state.imports);
    // The first state only says what is; an import goes on under one operation, so that its batches are no changes of their own.
    if (before !== undefined) readAgain();
  }

  function connect(): void {
    const socket = new WebSocket(address);
    socket.addEventListener("open", () => {
      retryMs = RETRY_MS;
      // What happened meanwhile was told to nobody.
      if (isAgain) readAgain();
      isAgain = true;
    });
    // Of this server, which sends other things of its library too.
    socket.addEventListener("message", ({ data }: MessageEvent<string>) =>
      hear(JSON.parse(data) as Told),
    );
    const again = () => {
      const timer = setTimeout(connect, retryMs);
      ended.signal.addEventListener("abort", () => clearTimeout(timer));
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
    };
    socket.addEventListener("close", again, { signal: ended.signal });
    ended.signal.addEventListener("abort", () => socket.close());
  }

  return () => {
    clearTimeout(gathering);
    ended.abort();
  };
}

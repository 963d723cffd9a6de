/** What the server tells by itself, over the WebSocket at `/api/live`: that something was changed, and how imports stand. */
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Handshake } from "../../../src/handshake.ts";
import { ApiProblem } from "../api.ts";
import { importStandings, type LiveImports } from "./import-standings.ts";
import { readAgain } from "./read-again.ts";

/**
 * By job. Under this key in the query cache: `useQuery({ queryKey: LIVE_IMPORTS, enabled: false })`.
 * @public for the page of imports
 */
export const LIVE_IMPORTS = ["live", "imports"] as const;
/** The steps of clients that connect, as `LIVE_IMPORTS`; null: nobody watches. */
export const LIVE_HANDSHAKE = ["live", "handshake"] as const;

/** Whether the server can tell anything, as `LIVE_IMPORTS`. */
export const LIVE_SOCKET = ["live", "socket"] as const;

type Told =
  | { readonly type: "changed" }
  | {
      readonly type: "cf_agent_state";
      readonly state: {
        readonly imports: LiveImports;
        readonly handshake?: Handshake;
      };
    };

/** Between attempts to connect again: doubled up to the second. Arbitrary. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;
/** While an import goes on: it has a thousand batches a day on the free plan, and what a page shows may be thousands of rows to read. Arbitrary. */
const PROGRESS_MS = 60_000;

/** Has every query that is shown ask again when something was changed, whoever did it, except those with `meta: { live: false }`. */
export function useLive(): void {
  const queries = useQueryClient();
  useEffect(() => listen(queries), [queries]);
}

/** @returns what ends it */
function listen(queries: QueryClient): () => void {
  const address = new URL("/api/live", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  let socket: WebSocket | undefined;
  let retrying: ReturnType<typeof setTimeout> | undefined;
  let retryMs = RETRY_MS;
  let isAgain = false;
  // What is told is in no request's answer, so it stays while no page shows it.
  for (const queryKey of [LIVE_IMPORTS, LIVE_SOCKET]) {
    queries.setQueryDefaults(queryKey, { gcTime: Infinity });
  }
  /** Imports as they were told last. */
  let importsTold: string | undefined;
  let standingsTold = "";
  let readAt = Date.now();
  const readChanged = () => {
    readAt = Date.now();
    void readAgain(queries, { isOwn: false });
  };
  connect();

  function hear(told: Told): void {
    if (told.type === "changed") return readChanged();
    if (told.type !== "cf_agent_state") return;
    const { imports, handshake = null } = told.state;
    queries.setQueryData(LIVE_IMPORTS, imports);
    queries.setQueryData(LIVE_HANDSHAKE, handshake);
    const [before, standingsBefore] = [importsTold, standingsTold];
    importsTold = JSON.stringify(imports);
    standingsTold = importStandings(imports);
    // The first state only says what is; an import goes on under one operation, so that its batches are no changes of their own.
    if (before === undefined || before === importsTold) return;
    if (standingsBefore !== standingsTold || Date.now() - readAt >= PROGRESS_MS) readChanged();
  }

  function connect(): void {
    // Nobody is let in before the person signs in again, which a query finds out.
    if (isSignedOut(queries)) return connectLater();
    socket = new WebSocket(address);
    socket.addEventListener("open", () => {
      retryMs = RETRY_MS;
      queries.setQueryData(LIVE_SOCKET, true);
      // What happened meanwhile was told to nobody.
      if (isAgain) readChanged();
      isAgain = true;
    });
    // Of this server, which sends other things of its library too.
    socket.addEventListener("message", ({ data }: MessageEvent<string>) =>
      hear(JSON.parse(data) as Told),
    );
    socket.addEventListener("close", connectLater);
  }

  function connectLater(): void {
    queries.setQueryData(LIVE_SOCKET, false);
    retrying = setTimeout(connect, retryMs);
    retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
  }

  return () => {
    clearTimeout(retrying);
    socket?.removeEventListener("close", connectLater);
    socket?.close();
  };
}

function isSignedOut(queries: QueryClient): boolean {
  return queries
    .getQueryCache()
    .getAll()
    .some(
      (query) =>
        // What no page shows is read again by nobody.
        query.isActive() &&
        query.state.error instanceof ApiProblem &&
        query.state.error.code === "signed_out",
    );
}

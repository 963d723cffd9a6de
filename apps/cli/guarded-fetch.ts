/**
 * The bridge's only way out. Addresses beyond the one that the person typed come from servers: documents that name further ones, and
 * redirects. A hostile server must reach nothing of this machine or its network by naming it, nor fill its memory.
 */
import { setTimeout as sleep } from "node:timers/promises";

export type Fetch = (input: string | URL, init?: RequestInit) => Promise<Response>;

/** Far above any answer of Cofio, and any document of OAuth. */
const MAX_BODY_BYTES = 16 * 1_048_576;
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

class RefusedAddress extends Error {
  override readonly name = "RefusedAddress";
}

export function isLoopback({ hostname }: URL): boolean {
  return LOOPBACK.has(hostname);
}

/**
 * Whether a server may name this address, for the bridge to fetch or a browser to open: https, or http on this machine where the
 * server itself is on it. From another machine, no address of a private network by number either, unless it is the server's own host.
 */
export function isAllowed(url: URL, server: URL): boolean {
  if (url.username !== "" || url.password !== "") return false;
  if (url.protocol === "http:") return isLoopback(url) && isLoopback(server);
  if (url.protocol !== "https:") return false;
  return url.hostname === server.hostname || isLoopback(server) || !isByNumber(url);
}

/** URL has rewritten every spelling of an IPv4 address to four numbers by now, and put IPv6 in brackets. */
function isByNumber(url: URL): boolean {
  return isLoopback(url) || url.hostname.startsWith("[") || /^[\d.]+$/.test(url.hostname);
}

/** @param server as the person gave it */
export function guardedFetch(server: URL): Fetch {
  return async (input, init) => {
    const url = new URL(input);
    if (!isAllowed(url, server)) {
      throw new RefusedAddress(`Refused to connect to ${shown(url)}, which ${server.host} named.`);
    }
    const response = await reach(() => fetch(url, { ...init, redirect: "manual" }));
    if (response.status >= 300 && response.status < 400) {
      const target = URL.parse(response.headers.get("location") ?? "", url.href);
      await response.body?.cancel();
      throw new RefusedAddress(
        `${shown(url)} redirects to ${target === null ? "nowhere" : shown(target)}. If you trust that server, connect to it by its own address.`,
      );
    }
    return bounded(response);
  };
}

/** What a server that restarts, or a network that comes back, takes. Arbitrary. */
const RETRY_DELAYS_MS = [500, 1_000, 2_000, 4_000];
/** Of connections that never were: nothing was sent, so that sending it again does nothing twice. */
const NOT_CONNECTED = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

async function reach(attempt: () => Promise<Response>): Promise<Response> {
  for (const delay of RETRY_DELAYS_MS) {
    try {
      return await attempt();
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
      if (!NOT_CONNECTED.has(code)) throw error;
      await sleep(delay);
    }
  }
  return attempt();
}

/** Without a query, which may hold a code or a token, and without what a terminal would obey. */
function shown(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`.slice(0, 200);
}

/** Counts what is read: of a stream of events since the last blank line, of everything else in all. */
function bounded(response: Response): Response {
  if (response.body === null) return response;
  const isEvents = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  let bytes = 0;
  let hasLineEnded = false;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      if (isEvents) {
        for (const byte of chunk) {
          bytes += 1;
          if (byte === LINE_FEED && hasLineEnded) bytes = 0;
          if (byte !== CARRIAGE_RETURN) hasLineEnded = byte === LINE_FEED;
        }
      } else bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) {
        throw new RefusedAddress(`The answer of ${shown(new URL(response.url))} is too large.`);
      }
      controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(counter), { status, statusText, headers });
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

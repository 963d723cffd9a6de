/** Where the browser returns to after a sign-in: a server on this machine's loopback that answers one address, once. */
import { createServer } from "node:http";
import { equalInConstantTime } from "../../src/vault/bytes.ts";
import { listenOnLoopback } from "./listen-on-loopback.ts";

export interface Callback {
  readonly url: string;
  readonly port: number;
  /** The query of the one call that knew `state`. @throws Error when nobody comes */
  wait(state: string): Promise<URLSearchParams>;
  close(): void;
}

/** A person reads the consent page, and may have to find their passkey first. */
const TIMEOUT_MS = 300_000;
const PATH = "/callback";

/** @param port as the client registered it; another one where it is taken */
export async function openCallback(port = 0): Promise<Callback> {
  let expected: { state: string; arrived: (query: URLSearchParams) => void } | null = null;
  const server = createServer((request, response) => {
    const url = URL.parse(request.url ?? "", `http://${host}`);
    // A page of another site can reach this port too, by name or by number; it does not know `state`.
    const isOurs = request.headers.host === host && request.method === "GET";
    if (!isOurs || url === null || url.pathname !== PATH) return answer(404, "Not found.");
    const given = url.searchParams.get("state") ?? "";
    if (expected === null || !equalInConstantTime(given, expected.state)) {
      return answer(400, "This sign-in was not asked for, or is over.");
    }
    answer(200, "Back at Cofio. You can close this window.");
    expected.arrived(url.searchParams);
    expected = null;

    function answer(status: number, text: string): void {
      response.writeHead(status, {
        "content-type": "text/plain; charset=utf-8",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        connection: "close",
      });
      response.end(text);
    }
  });
  const taken = await listenOnLoopback(server, port).catch((error: unknown) => {
    if (port !== 0 && error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
      return listenOnLoopback(server, 0);
    }
    throw error;
  });
  const host = `127.0.0.1:${taken}`;
  return {
    url: `http://${host}${PATH}`,
    port: taken,
    wait: (state) =>
      new Promise((resolve, fail) => {
        const timer = setTimeout(
          () => fail(new Error("Nobody signed in within five minutes.")),
          TIMEOUT_MS,
        );
        const arrived = (query: URLSearchParams): void => {
          clearTimeout(timer);
          resolve(query);
        };
        expected = { state, arrived };
      }),
    close: () => void server.close(),
  };
}

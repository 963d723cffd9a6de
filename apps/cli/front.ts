/**
 * The one open port of a local Cofio: on loopback, for whoever knows the token in `server.json`, and for a browser that opened a link made
 * with it. Everybody else is refused before the Worker is asked, and a page of another site even with the right cookie.
 */
import { randomBytes } from "node:crypto";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as requestOf,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import { equalInConstantTime } from "../../src/vault/bytes.ts";
import type { Engine } from "./engine.ts";
import { KEY_HEADER, PERSON_HEADER } from "./inner-door.ts";
import { listenOnLoopback } from "./listen-on-loopback.ts";
import { type LocalClient, mcpClient, PROGRAM } from "./local-client.ts";

/** The MCP client that asks, as it calls itself: what it saves carries this name. URI-encoded. */
export const CLIENT_HEADER = "x-cofio-client";
/** "1": the person asks, by a command. No MCP client can say so, because `cofio serve` sets every header of what it passes on. */
export const PROGRAM_HEADER = "x-cofio-program";
export const HELLO_PATH = "/local/hello";
export const PRESENCE_PATH = "/local/presence";
export const LINK_PATH = "/local/link";
export const READMIT_PATH = "/local/readmit";
const OPEN_PATH = "/local/open";
const COOKIE = "cofio";
/** Of JSON-RPC: MCP clients hear it, and so do callers of the HTTP API, who do not look. */
const INVALID_REQUEST = -32_600;

/** A link is opened at once. Arbitrary. */
const LINK_LIFE_MS = 300_000;

interface FrontOptions {
  readonly token: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly build: string;
  /** Settles when the Worker answers. */
  readonly engine: Promise<Engine>;
  readonly tokens: ClientTokens;
  /** How long it goes on when nobody is there. */
  readonly idleMs: number;
  readonly onIdle: () => void;
}

/** The Worker's own tokens, one for each client. */
export interface ClientTokens {
  of(client: LocalClient): Promise<string>;
  /** The next request gets a new one. @returns whether there was one */
  forget(name: string): boolean;
}

export interface Front {
  readonly port: number;
  close(): void;
}

/** @throws the error of `listen`, such as EADDRINUSE */
export async function openFront(options: FrontOptions): Promise<Front> {
  const visits = countVisits(options);
  const browsers = rememberBrowsers();
  const server = createServer((request, response) => {
    const leave = visits.enter();
    response.once("close", leave);
    answer(request, response).catch((error: unknown) => {
      console.error(error);
      if (response.headersSent) response.destroy();
      else refuse(response, 502, "The local Cofio failed; server.log in its folder says more.");
    });
  });
  // An import's batch, or a listening client, may take its time.
  server.requestTimeout = 0;
  server.on("upgrade", (request, socket, head) => {
    const leave = visits.enter();
    socket.once("close", leave);
    socket.on("error", () => socket.destroy());
    upgrade(request, socket, head).catch(() => socket.destroy());
  });
  const port = await listenOnLoopback(server, options.port);
  // Cookies do not know ports, so every server on `localhost` would see the one that lets a browser in. A name that only that browser and
  // this server know is another host to it (RFC 6761 §6.3: all of `.localhost` is this machine; Safari does not find it).
  const pagesHost = `cofio-${randomBytes(16).toString("hex")}.localhost:${port}`;
  const origin = `http://${pagesHost}`;
  // What the Worker takes for its address, and its OAuth library for one of this machine.
  const innerHost = `localhost:${port}`;
  const hosts = [pagesHost, innerHost, `127.0.0.1:${port}`];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const who = identify(request);
    if (who === "intruder") return refuse(response, 403, "Refused: another site asks.");
    const url = URL.parse(request.url ?? "/", origin);
    if (url === null) return refuse(response, 400, "This is no address.");
    const isAtPages = request.headers.host === pagesHost;
    if (isAtPages && url.pathname === OPEN_PATH && request.method === "GET") {
      return letIn(url.searchParams.get("code") ?? "", response);
    }
    if (who === "stranger") {
      return refuse(
        response,
        401,
        "This is a local Cofio. To open its pages: cofio serve --http. To have an export as a file: cofio export",
      );
    }
    if (url.pathname.startsWith("/local/")) return tell(who, url, response);
    const engine = await options.engine;
    const headers = await innerHeaders(who, request.headers, engine);
    const inner = requestOf({ ...target(engine, request), headers });
    inner.once("response", (from) => {
      if (who !== "browser" && from.statusCode === 401) {
        from.resume();
        return turnAway(who, response);
      }
      response.writeHead(from.statusCode ?? 502, from.headers);
      from.pipe(response);
      from.once("error", () => response.destroy());
    });
    inner.once("error", (error) => {
      console.error(error);
      if (response.headersSent) response.destroy();
      else refuse(response, 502, "The local Cofio does not answer.");
    });
    response.once("close", () => inner.destroy());
    request.pipe(inner);
  }

  async function tell(who: Caller, url: URL, response: ServerResponse): Promise<void> {
    if (who === "browser") return refuse(response, 404, "There is no page here.");
    switch (url.pathname) {
      case HELLO_PATH:
        await options.engine;
        return json(response, 200, { build: options.build });
      case PRESENCE_PATH:
        // Open until the program is gone, however it went.
        response.writeHead(200).flushHeaders();
        return;
      case LINK_PATH:
        return json(response, 200, { url: `${origin}${OPEN_PATH}?code=${browsers.invite()}` });
      case READMIT_PATH:
        return json(response, 200, {
          readmitted: options.tokens.forget(url.searchParams.get("client") ?? ""),
        });
      default:
        return refuse(response, 404, "There is nothing here.");
    }
  }

  /** The Worker does not know the client's token. The person's own program gets another one; a client stays out until the person says so. */
  function turnAway(client: LocalClient, response: ServerResponse): void {
    if (client.trusted) options.tokens.forget(client.name);
    json(response, 401, {
      error: {
        code: INVALID_REQUEST,
        message: `This Cofio does not let "${client.name}" in any more: it was revoked on the pages, or older data was put back. To let it in again, run: cofio doctor --readmit "${client.name}"`,
      },
    });
  }

  function letIn(code: string, response: ServerResponse): void {
    const session = browsers.admit(code);
    if (session === null) {
      refuse(response, 401, "This link was used or is too old. Run: cofio serve --http");
      return;
    }
    response.writeHead(302, {
      location: "/",
      "set-cookie": `${COOKIE}=${session}; HttpOnly; SameSite=Strict; Path=/`,
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
    });
    response.end();
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const who = identify(request);
    if (who !== "browser") {
      socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n");
      return;
    }
    const engine = await options.engine;
    const headers = await innerHeaders(who, request.headers, engine);
    const { connection, upgrade: protocol, ...rest } = request.headers;
    const kept = Object.entries(rest).filter(([name]) => name.startsWith("sec-websocket-"));
    const inner = requestOf({
      ...target(engine, request),
      headers: { ...headers, ...Object.fromEntries(kept), connection, upgrade: protocol },
    });
    inner.once("upgrade", (from, innerSocket, innerHead) => {
      const lines = from.rawHeaders.flatMap((name, index, all) =>
        index % 2 === 0 ? [`${name}: ${all[index + 1]}`] : [],
      );
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
      if (innerHead.length > 0) socket.write(innerHead);
      if (head.length > 0) innerSocket.write(head);
      innerSocket.on("error", () => socket.destroy());
      innerSocket.once("close", () => socket.destroy());
      socket.once("close", () => innerSocket.destroy());
      innerSocket.pipe(socket).pipe(innerSocket);
    });
    inner.once("response", () => socket.destroy());
    inner.once("error", () => socket.destroy());
    inner.end();
  }

  /** Another Host is a name that somebody made point here; another Origin is another page. A browser is known at the pages' name alone. */
  function identify({ headers }: IncomingMessage): Caller | "stranger" | "intruder" {
    const { host = "" } = headers;
    const isForeign = headers.origin !== undefined && headers.origin !== origin;
    if (!hosts.includes(host) || isForeign) return "intruder";
    const bearer = /^Bearer (.+)$/iu.exec(headers.authorization ?? "")?.[1];
    if (bearer !== undefined) {
      return equalInConstantTime(bearer, options.token) ? clientOf(headers) : "stranger";
    }
    const session = host === pagesHost ? cookieOf(headers) : null;
    return session !== null && browsers.knows(session) ? "browser" : "stranger";
  }

  async function innerHeaders(
    who: Caller,
    headers: IncomingHttpHeaders,
    engine: Engine,
  ): Promise<Record<string, string | string[]>> {
    const kept = Object.entries(headers).filter(
      (entry): entry is [string, string | string[]] =>
        entry[1] !== undefined && !isWithheld(entry[0]),
    );
    return {
      ...Object.fromEntries(kept),
      host: innerHost,
      // It was the pages' own (`identify`).
      ...(headers.origin === undefined ? {} : { origin: `http://${innerHost}` }),
      [KEY_HEADER]: engine.key,
      ...(who === "browser"
        ? { [PERSON_HEADER]: "1" }
        : { authorization: `Bearer ${await options.tokens.of(who)}` }),
    };
  }

  return {
    port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

type Caller = LocalClient | "browser";

/** Who is there: connections that are open count, and when the last one has gone for a while, `onIdle`. */
function countVisits({ engine, idleMs, onIdle }: FrontOptions) {
  let open = 0;
  let timer: NodeJS.Timeout | undefined;
  const enter = (): (() => void) => {
    open += 1;
    clearTimeout(timer);
    return () => {
      open -= 1;
      if (open === 0) timer = setTimeout(onIdle, idleMs);
    };
  };
  // Nobody can come in before, because starting the engine holds everything up.
  const started = enter();
  engine.then(started, () => {});
  return { enter };
}

/** Codes that open once, and the sessions that they opened; in memory, so they end with the server. */
function rememberBrowsers() {
  const codes = new Map<string, number>();
  const sessions = new Set<string>();
  return {
    invite(): string {
      const code = randomBytes(32).toString("base64url");
      codes.set(code, Date.now() + LINK_LIFE_MS);
      return code;
    },
    /** Null: the code is none, was used, or is too old. */
    admit(code: string): string | null {
      const until = codes.get(code);
      codes.delete(code);
      if (until === undefined || until < Date.now()) return null;
      const session = randomBytes(32).toString("base64url");
      sessions.add(session);
      return session;
    },
    knows: (session: string) => sessions.has(session),
  };
}

function target({ port }: Engine, { method, url }: IncomingMessage) {
  // A connection for each request: a kept one may be closed by workerd just as the next request is written.
  return { host: "127.0.0.1", port, method, path: url, agent: false };
}

/** What tells the Worker who asks, or miniflare where to send it, is ours to say; the rest is of this connection alone. */
function isWithheld(name: string): boolean {
  return (
    /^(?:x-cofio|mf|cf|x-forwarded|proxy)-/u.test(name) ||
    ["authorization", "cookie", "connection", "keep-alive", "upgrade", "host"].includes(name)
  );
}

function clientOf(headers: IncomingHttpHeaders): LocalClient {
  const name = headers[CLIENT_HEADER];
  if (headers[PROGRAM_HEADER] === "1") return PROGRAM;
  return mcpClient(typeof name === "string" ? decodeURIComponent(name) : null);
}

function cookieOf({ cookie = "" }: IncomingHttpHeaders): string | null {
  const found = cookie.split("; ").find((one) => one.startsWith(`${COOKIE}=`));
  return found?.slice(COOKIE.length + 1) ?? null;
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${sentence}\n`);
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

/**
 * The one open port of a local Cofio: on loopback, for whoever knows the token in `server.json`, and for a browser that opened a link made
 * with it. Everybody else is refused before the Worker is asked, and a page of another site even with the right cookie.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as requestOf,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import type { Engine } from "./engine.ts";
import { KEY_HEADER, PERSON_HEADER } from "./inner-door.ts";

/** The program that asks, as it calls itself: what it saves carries this name. URI-encoded. */
export const CLIENT_HEADER = "x-cofio-client";
export const HELLO_PATH = "/local/hello";
export const PRESENCE_PATH = "/local/presence";
export const LINK_PATH = "/local/link";
const OPEN_PATH = "/local/open";

/** For a client that does not say its name. */
const UNNAMED_CLIENT = "Local client";
/** The Worker's limit (`auth/local-token.ts`). */
const MAX_NAME_CHARS = 64;
/** A link is opened at once. Arbitrary. */
const LINK_LIFE_MS = 300_000;

interface FrontOptions {
  readonly token: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly build: string;
  /** Settles when the Worker answers. */
  readonly engine: Promise<Engine>;
  /** The token of the Worker's own that a client of this name uses. */
  readonly tokenOf: (client: string) => Promise<string>;
  /** How long it goes on when nobody is there. */
  readonly idleMs: number;
  readonly onIdle: () => void;
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
  const port = await listen(server, options.port);
  const origin = `http://localhost:${port}`;
  const hosts = [`localhost:${port}`, `127.0.0.1:${port}`];
  const cookie = `cofio_${port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const who = identify(request);
    const url = new URL(request.url ?? "/", origin);
    if (who === "stranger") {
      if (url.pathname === OPEN_PATH && request.method === "GET") {
        return letIn(url.searchParams.get("code") ?? "", response);
      }
      return refuse(
        response,
        401,
        "This is a local Cofio. To open its pages: cofio serve --http. To have an export as a file: cofio export",
      );
    }
    if (who === "intruder") return refuse(response, 403, "Refused: another site asks.");
    if (url.pathname.startsWith("/local/")) return tell(who, url.pathname, response);
    const engine = await options.engine;
    const headers = await innerHeaders(who, request.headers, engine);
    const inner = requestOf({ ...target(engine, request), headers });
    inner.once("response", (from) => {
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

  async function tell(who: Caller, path: string, response: ServerResponse): Promise<void> {
    if (who !== "program") return refuse(response, 404, "There is no page here.");
    switch (path) {
      case HELLO_PATH:
        await options.engine;
        return json(response, { build: options.build });
      case PRESENCE_PATH:
        // Open until the program is gone, however it went.
        response.writeHead(200).flushHeaders();
        return;
      case LINK_PATH:
        return json(response, { url: `${origin}${OPEN_PATH}?code=${browsers.invite()}` });
      default:
        return refuse(response, 404, "There is nothing here.");
    }
  }

  function letIn(code: string, response: ServerResponse): void {
    const session = browsers.admit(code);
    if (session === null) {
      refuse(response, 401, "This link was used or is too old. Run: cofio serve --http");
      return;
    }
    response.writeHead(302, {
      location: "/",
      "set-cookie": `${cookie}=${session}; HttpOnly; SameSite=Strict; Path=/`,
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

  /** Another Host is a name that somebody made point here; another Origin is another page. */
  function identify({ headers }: IncomingMessage): Caller | "stranger" | "intruder" {
    const isHere = hosts.includes(headers.host ?? "");
    if (!isHere || (headers.origin !== undefined && headers.origin !== origin)) return "intruder";
    const bearer = /^Bearer (.+)$/iu.exec(headers.authorization ?? "")?.[1];
    if (bearer !== undefined) return isEqual(bearer, options.token) ? "program" : "stranger";
    const session = cookieOf(headers, cookie);
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
      host: `localhost:${port}`,
      [KEY_HEADER]: engine.key,
      ...(who === "browser"
        ? { [PERSON_HEADER]: "1" }
        : { authorization: `Bearer ${await options.tokenOf(clientOf(headers))}` }),
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

type Caller = "program" | "browser";

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

function clientOf(headers: IncomingHttpHeaders): string {
  const encoded = headers[CLIENT_HEADER];
  if (typeof encoded !== "string") return UNNAMED_CLIENT;
  const name = [...decodeURIComponent(encoded).trim()].slice(0, MAX_NAME_CHARS / 2).join("");
  return name === "" ? UNNAMED_CLIENT : name;
}

function cookieOf({ cookie = "" }: IncomingHttpHeaders, name: string): string | null {
  const found = cookie.split("; ").find((one) => one.startsWith(`${name}=`));
  return found?.slice(name.length + 1) ?? null;
}

function isEqual(given: string, token: string): boolean {
  const one = Buffer.from(given);
  const other = Buffer.from(token);
  return one.length === other.length && timingSafeEqual(one, other);
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${sentence}\n`);
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string")
        throw new Error("A TCP server has a port");
      resolve(address.port);
    });
  });
}

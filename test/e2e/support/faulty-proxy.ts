/** A loopback proxy before a real server that changes one thing, as an edge, a zone's rule or a mistake would. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text as readText } from "node:stream/consumers";
import type { Server } from "./server.ts";

export interface Passing {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** @param pass asks the server */
export type Plant = (request: Passing, pass: () => Promise<Reply>) => Reply | Promise<Reply>;

export interface FaultyProxy {
  readonly origin: string;
  /** What it was asked since the last `plant`. */
  readonly seen: Passing[];
  plant(plant: Plant): void;
  close(): Promise<void>;
}

export const SOUND: Plant = (_, pass) => pass();

/** As fetch leaves them: unpacked, of a length that the rewriting changes. */
const DROPPED = new Set(["content-length", "content-encoding", "transfer-encoding", "connection"]);

export async function openFaultyProxy(server: Server): Promise<FaultyProxy> {
  let planted = SOUND;
  const seen: Passing[] = [];
  const proxy = createServer((incoming, outgoing) => {
    void (async () => {
      const given = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]);
      const request: Passing = {
        method: incoming.method ?? "",
        path: new URL(incoming.url ?? "", origin).pathname,
        headers: new Headers(given as [string, string][]), // pairs, by the line above
        body: await readText(incoming),
      };
      seen.push(request);
      const reply = await planted(request, () => pass(request, incoming.url ?? ""));
      outgoing.writeHead(reply.status, reply.headers);
      outgoing.end(incoming.method === "HEAD" ? undefined : reply.body);
    })();
  });
  await new Promise<void>((listening) => proxy.listen(0, "localhost", listening));
  // True of a server that listens on TCP.
  const origin = `http://localhost:${(proxy.address() as AddressInfo).port}`;

  /** The server knows itself by its own address alone. */
  async function pass({ method, headers, body }: Passing, path: string): Promise<Reply> {
    const onward = new Headers(headers);
    for (const name of ["host", "connection", "content-length"]) onward.delete(name);
    const response = await fetch(`${server.origin}${rename(path, origin, server.origin)}`, {
      method,
      headers: onward,
      ...(body === "" ? {} : { body: rename(body, origin, server.origin) }),
      redirect: "manual",
    });
    const answered = [...response.headers].filter(([name]) => !DROPPED.has(name));
    return {
      status: response.status,
      headers: Object.fromEntries(
        answered.map(([name, value]) => [name, rename(value, server.origin, origin)]),
      ),
      body: rename(await response.text(), server.origin, origin),
    };
  }

  return {
    origin,
    seen,
    plant(plant) {
      planted = plant;
      seen.length = 0;
    },
    close: () =>
      new Promise((closed) => {
        proxy.closeAllConnections();
        proxy.close(() => closed());
      }),
  };
}

function rename(text: string, from: string, to: string): string {
  return text
    .replaceAll(from, to)
    .replaceAll(encodeURIComponent(from), encodeURIComponent(to))
    .replaceAll(
      encodeURIComponent(encodeURIComponent(from)),
      encodeURIComponent(encodeURIComponent(to)),
    );
}

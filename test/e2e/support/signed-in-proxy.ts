/** A loopback proxy that adds an access token: for suites that send none. Everything else passes as it is. */
import { createServer, request, type Server as HttpServer } from "node:http";
import type { Server } from "./server.ts";

export interface SignedInProxy {
  readonly url: string;
  close(): Promise<void>;
}

export async function openSignedInProxy(server: Server, token: string): Promise<SignedInProxy> {
  const proxy: HttpServer = createServer((incoming, answer) => {
    const headers = { ...incoming.headers, authorization: `Bearer ${token}` };
    const own = `localhost:${portOf(proxy)}`;
    // Its own address becomes the server's; a foreign one is what the suite wants refused.
    if (headers.host === own) headers.host = `localhost:${server.port}`;
    if (headers.origin === `http://${own}`) headers.origin = server.origin;
    const onward = request(
      {
        host: "localhost",
        port: server.port,
        path: incoming.url,
        method: incoming.method,
        headers,
      },
      (reply) => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(answer);
      },
    );
    onward.on("error", () => answer.destroy());
    answer.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((listening) => proxy.listen(0, "localhost", listening));
  return {
    url: `http://localhost:${portOf(proxy)}/mcp`,
    close: () =>
      new Promise((closed) => {
        proxy.closeAllConnections();
        proxy.close(() => closed());
      }),
  };
}

function portOf(server: HttpServer): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has a port");
  return address.port;
}

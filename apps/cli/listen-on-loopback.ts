import type { Server } from "node:net";

/** @param port 0: any that is free @returns the port @throws the error of `listen`, such as EADDRINUSE */
export function listenOnLoopback(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      // What fails later is no failure to listen.
      server.off("error", reject);
      const address = server.address();
      if (typeof address === "object" && address !== null) resolve(address.port);
      else reject(new Error("A TCP server has a port"));
    });
  });
}

/** The issuer of `test/support/issuer.ts` on a port of this machine, and a server that signs people in by it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createIssuer, type Issuer } from "../../support/issuer.ts";
import { freePort, startServer, type Server } from "./server.ts";

export interface ServerWithIssuer {
  readonly server: Server;
  readonly issuer: Issuer;
  stop(): Promise<void>;
}

/** @param more settings of other providers, whose pages nobody reaches here */
export async function startServerWithIssuer(
  more: Readonly<Record<string, string>> = {},
): Promise<ServerWithIssuer> {
  const origin = `http://localhost:${await freePort()}`;
  const callbacks: string[] = [];
  const issuer = await createIssuer(origin, callbacks);
  const listener = createServer((incoming, outgoing) => void reply(incoming, outgoing));
  async function reply(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer); // without an encoding they are buffers
    const body = chunks.length === 0 ? null : Buffer.concat(chunks);
    const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]);
    const answer = await issuer.answer(
      new Request(`${origin}${incoming.url}`, { method: incoming.method ?? "GET", headers, body }),
    );
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers));
    outgoing.end(await answer.text());
  }
  await new Promise<void>((listening) => {
    listener.listen(Number(new URL(origin).port), "localhost", listening);
  });
  const folder = await mkdtemp(join(tmpdir(), "cofio-issuer-"));
  const secrets = join(folder, ".dev.vars");
  const lines = Object.entries({ ...issuer.settings, ...more }).map(
    ([name, value]) => `${name}="${value}"\n`,
  );
  await writeFile(secrets, lines.join(""), { mode: 0o600 });
  const server = await startServer({ env: { COFIO_SECRETS: secrets } });
  callbacks.push(`${server.origin}/sign-in/oidc/callback`);
  return {
    server,
    issuer,
    async stop() {
      await server.stop();
      listener.closeAllConnections();
      await new Promise((closed) => listener.close(closed));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

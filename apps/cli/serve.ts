import { readArguments, WrongUse } from "./arguments.ts";
import type { Command } from "./command.ts";
import { END_SIGNALS } from "./end-signals.ts";
import { folderOf } from "./folder.ts";
import { mcpClient } from "./local-client.ts";
import { joinServer, type LocalServer } from "./local-server.ts";
import { print, warn } from "./terminal.ts";

const USAGE = `cofio [serve] [--db-path FOLDER]
  The local memory for an MCP client, which starts this command and speaks with it over stdin and stdout.
  Several clients may use one folder at the same time.

cofio serve --http [--port PORT] [--db-path FOLDER]
  The pages of the local memory in a browser. The printed link opens them once, without a sign-in.

  --db-path FOLDER  where everything is kept (default: COFIO_DB_PATH, else ~/.cofio/memory)
  --port PORT       of the pages, where no client uses the folder yet (default: any that is free)`;

export const serve: Command = {
  usage: USAGE,
  async run(argv) {
    const { values, positionals } = readArguments(argv, {
      "db-path": { type: "string" },
      http: { type: "boolean", default: false },
      port: { type: "string" },
    });
    if (positionals.length > 0) throw new WrongUse(`What is "${positionals[0]}"?`);
    if (values.port !== undefined && !values.http) throw new WrongUse("--port goes with --http.");
    const path = folderOf(values["db-path"]);
    return values.http ? showPages(path, readPort(values.port)) : speak(path);
  },
};

async function speak(path: string): Promise<number> {
  if (process.stdin.isTTY) {
    warn("Waiting for an MCP client on stdin. What else there is: cofio --help");
  }
  let client = mcpClient(null);
  // The protocol is loaded while the server starts.
  const [server, { bridge }, { transportOver }, { clientName }] = await Promise.all([
    joinServer(path, { client: () => client, warn }),
    import("./bridge.ts"),
    import("./transport-over.ts"),
    import("./client-name.ts"),
  ]);
  await bridge({
    input: process.stdin,
    output: process.stdout,
    transport: transportOver(server.fetch),
    onMessage: (message) => {
      const name = clientName(message);
      if (name !== null) client = mcpClient(name);
    },
    log: warn,
  });
  server.close();
  return 0;
}

async function showPages(path: string, port: number): Promise<number> {
  const server = await joinServer(path, { client: () => mcpClient(null), port, warn });
  const asked = new Promise<"asked">((done) => {
    for (const signal of END_SIGNALS) process.once(signal, () => done("asked"));
  });
  // Nothing else keeps the process alive.
  const staying = setInterval(() => {}, 3_600_000);
  do {
    print(await pagesOf(server));
    // Whatever ended it, the link of another server is another one.
  } while ((await Promise.race([asked, server.gone()])) === "gone");
  clearInterval(staying);
  server.close();
  return 0;
}

async function pagesOf(server: LocalServer): Promise<string> {
  const where =
    process.platform === "darwin" ? " (Chrome, Edge or Firefox: Safari does not find it)" : "";
  return `Cofio's pages, for this browser alone${where}:\n\n  ${await server.link()}\n\nCtrl+C stops it.`;
}

function readPort(text: string | undefined): number {
  const port = Number(text ?? 0);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new WrongUse(`--port must be a number from 1 to 65535, not "${text}".`);
}

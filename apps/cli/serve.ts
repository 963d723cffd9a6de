import { readArguments, WrongUse } from "./arguments.ts";
import type { Command } from "./command.ts";
import { folderOf } from "./folder.ts";
import { joinServer } from "./local-server.ts";
import { PROGRAM_NAME } from "./program-name.ts";
import { print, warn } from "./terminal.ts";

const USAGE = `cofio [serve] [--db-path FOLDER]
  The local memory for an MCP client, which starts this command and speaks with it over stdin and stdout.
  Several clients may use one folder at the same time.

cofio serve --http [--port PORT] [--db-path FOLDER]
  The pages of the local memory in a browser. The printed link opens them once, without a sign-in.

  --db-path FOLDER  where everything is kept (default: COFIO_DB_PATH, else ~/.cofio)
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
  let client = "MCP client";
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
      // Nobody else has the rights that go with the program's own name.
      if (name !== null) client = name === PROGRAM_NAME ? `${name} (as it says)` : name;
    },
    log: warn,
  });
  server.close();
  return 0;
}

async function showPages(path: string, port: number): Promise<number> {
  const server = await joinServer(path, { client: () => "MCP client", port, warn });
  print(`Cofio's pages, for this browser alone:\n\n  ${await server.link()}\n\nCtrl+C stops it.`);
  // Nothing else keeps the process alive.
  const staying = setInterval(() => {}, 3_600_000);
  await new Promise<unknown>((done) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, done);
  });
  clearInterval(staying);
  server.close();
  return 0;
}

function readPort(text: string | undefined): number {
  const port = Number(text ?? 0);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new WrongUse(`--port must be a number from 1 to 65535, not "${text}".`);
}

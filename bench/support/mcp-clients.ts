/** The same MCP client for everything that is compared: that of the SDK's second line, as it comes. */
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

export interface StdioServer {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The client's own 10 MB would end a server that answers with all that it has; a model's context ends long before. */
const MAX_ANSWER_BYTES = 2 ** 30;

/** Starts the server, which ends when the client is closed. */
export async function connectStdio({ command, args, cwd, env }: StdioServer): Promise<Client> {
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    cwd,
    env: { ...inherited(), ...env },
    // Servers talk there, and a pipe that nobody reads would stop them.
    stderr: "ignore",
    maxBufferSize: MAX_ANSWER_BYTES,
  });
  return connected(transport);
}

export function connectHttp(url: string, token: string): Promise<Client> {
  const headers = { authorization: `Bearer ${token}` };
  return connected(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
}

async function connected(
  transport: StdioClientTransport | StreamableHTTPClientTransport,
): Promise<Client> {
  const client = new Client({ name: "Cofio's benchmark", version: "1.0.0" });
  await client.connect(transport);
  return client;
}

/** All that a program of others gets of this process's environment, but for what the SDK adds: LOGNAME, SHELL, TERM and USER. */
const INHERITED = ["PATH", "HOME", "LANG", "TMPDIR"];

function inherited(): Record<string, string> {
  return Object.fromEntries(
    INHERITED.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

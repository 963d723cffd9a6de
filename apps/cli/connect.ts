/** `cofio connect URL`: for clients that only speak stdio, a bridge to a deployment. Nothing but JSON-RPC goes to stdout. */
import { parseArgs } from "node:util";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { bridge } from "./bridge.ts";
import { credentialFile } from "./credentials.ts";
import { guardedFetch, isLoopback } from "./guarded-fetch.ts";
import { openInBrowser } from "./open-in-browser.ts";
import { signInProvider } from "./sign-in.ts";

const USAGE = `Usage: cofio connect URL [--token TOKEN] [--no-browser]

Connects a program that speaks MCP over stdio to a Cofio on the network, such as
https://cofio.example.com/mcp. The first time, a page opens to sign in.

  --token TOKEN   a personal access token instead of signing in;
                  COFIO_TOKEN in the environment does the same, and no other
                  program sees it there
  --no-browser    only print the address of the sign-in page
`;

const BAD_USAGE = 2;

/** @returns the exit code */
export async function connect(argv: readonly string[]): Promise<number> {
  const asked = readArguments(argv);
  if (asked === null) {
    say(USAGE);
    return BAD_USAGE;
  }
  if (asked === "help") {
    say(USAGE);
    return 0;
  }
  const { url, token, isQuiet } = asked;
  const fetch = guardedFetch(url);
  const transport = new StreamableHTTPClientTransport(url, {
    fetch,
    authProvider:
      token === undefined
        ? signInProvider({
            server: url,
            file: credentialFile(url),
            fetch,
            show(page) {
              say(`Sign in to ${url.host} at:\n${page.href}\n`);
              if (!isQuiet) openInBrowser(page);
            },
          })
        : { token: async () => token },
    // More rights than the person gave are theirs to give: a browser window in the middle of a conversation would be a surprise.
    onInsufficientScope: "throw",
  });
  await bridge({
    input: process.stdin,
    output: process.stdout,
    transport,
    log: (line) => say(`${line}\n`),
  });
  return 0;
}

interface Asked {
  readonly url: URL;
  readonly token: string | undefined;
  readonly isQuiet: boolean;
}

/** Null: it makes no sense. */
function readArguments(argv: readonly string[]): Asked | "help" | null {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        token: { type: "string" },
        "no-browser": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return "help";
    const [address, ...rest] = positionals;
    const url = address === undefined || rest.length > 0 ? null : readAddress(address);
    if (url === null) return null;
    return {
      url,
      token: values.token ?? process.env["COFIO_TOKEN"],
      isQuiet: values["no-browser"],
    };
  } catch (error) {
    // An option that there is not.
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** A bare host stands for its `/mcp`: clients refuse metadata for a longer path than the address that they were given. */
function readAddress(address: string): URL | null {
  const url = URL.parse(address);
  if (url === null || url.username !== "" || url.password !== "") return null;
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url))) return null;
  if (url.pathname === "/") url.pathname = "/mcp";
  url.hash = "";
  return url;
}

function say(text: string): void {
  process.stderr.write(text);
}

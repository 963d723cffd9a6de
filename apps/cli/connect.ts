/** `cofio connect URL`: for clients that only speak stdio, a bridge to a deployment. Nothing but JSON-RPC goes to stdout. */
import { type AuthProvider, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { UserError } from "../../src/errors.ts";
import { readArguments } from "./arguments.ts";
import { bridge } from "./bridge.ts";
import type { Command } from "./command.ts";
import { credentialFile } from "./credentials.ts";
import { guardedFetch } from "./guarded-fetch.ts";
import { openInBrowser } from "./open-in-browser.ts";
import { readServerAddress } from "./server-address.ts";
import { signedIn } from "./sign-in.ts";
import { warn } from "./terminal.ts";

export const connect: Command = {
  usage: `cofio connect URL
  Connects a program that speaks MCP over stdio to a Cofio on the network, such as https://cofio.example.com/mcp.
  The first time, a page opens to sign in.

  --token TOKEN     a personal access token instead of signing in; better in COFIO_TOKEN, where no other user sees it
  --no-browser      only print the address of the sign-in page`,
  async run(argv) {
    const { values, positionals } = readArguments(argv, {
      token: { type: "string" },
      "no-browser": { type: "boolean", default: false },
    });
    const url = readServerAddress(positionals);
    // Clients leave an empty one in the environment where the person gave none.
    const token = values.token ?? (process.env["COFIO_TOKEN"] || undefined);
    const fetch = guardedFetch(url);
    const access =
      token === undefined
        ? signedIn({
            server: url,
            file: credentialFile(url, warn),
            fetch,
            show(page) {
              warn(`Sign in to ${url.host} at:\n${page.href}\n`);
              if (!values["no-browser"]) openInBrowser(page);
            },
          })
        : { authProvider: tokenProvider(token, url), fetch };
    const transport = new StreamableHTTPClientTransport(url, {
      ...access,
      // More rights than the person gave are theirs to give: a browser window in the middle of a conversation would be a surprise.
      onInsufficientScope: "throw",
    });
    await bridge({ input: process.stdin, output: process.stdout, transport, log: warn });
    return 0;
  },
};

function tokenProvider(token: string, { host }: URL): AuthProvider {
  return {
    token: async () => token,
    async onUnauthorized() {
      throw new UserError(
        "forbidden",
        `${host} does not take this token.`,
        "Make one on its page, and put it into COFIO_TOKEN.",
      );
    },
  };
}

/** What the conformance suite starts as "the client": a stdio client behind the bridge, and a person whose browser allows everything. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { connectCommand } from "./connect-process.ts";

/** Arbitrary. */
const ANSWERS_BEFORE = 20;
/** As the suite asks for it. */
const revision = process.env["MCP_CONFORMANCE_PROTOCOL_VERSION"];
const address = process.argv.at(-1) ?? "";
const folder = mkdtempSync(join(tmpdir(), "cofio-connect-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

// The suite's authorization servers ask nobody and redirect at once.
const BROWSER = `#!${process.execPath}
void fetch(process.argv[2], { redirect: "manual" }).then((page) => fetch(page.headers.get("location")));
`;
writeFileSync(join(folder, "xdg-open"), BROWSER, { mode: 0o755 });

const client = new Client(
  { name: "conformance", version: "1" },
  {
    versionNegotiation: { mode: revision === "2026-07-28" ? { pin: revision } : "legacy" },
  },
);
try {
  await client.connect(
    new StdioClientTransport({
      ...connectCommand(address),
      env: { PATH: folder, XDG_CONFIG_HOME: folder },
    }),
  );
  // The stream for what a server tells unasked is opened after "initialized", and nobody is told when it is there. A scenario that takes
  // the next stream for one that was opened again needs it to be there before a tool is called: after so many answers it is.
  if (process.env["MCP_CONFORMANCE_SCENARIO"] === "sse-retry") {
    for (let answers = 0; answers < ANSWERS_BEFORE; answers++) await client.ping();
  }
  const { tools } = await client.listTools();
  /** Some add numbers; one wants to see what came of another's schema on the way. */
  const given = { a: 1, b: 2, schema: tools[0]?.inputSchema };
  for (const { name } of tools) {
    // Some of the suite's tools fail on purpose.
    await client.callTool({ name, arguments: given }).catch(() => null);
  }
} finally {
  await client.close();
}

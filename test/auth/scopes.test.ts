import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { beforeAll, expect, test } from "vitest";
import { tools } from "../../src/mcp/tools/index.ts";
import { SCOPES, type Scope } from "../../src/scopes.ts";
import { callRaw, fetchWorker, newPerson } from "../support/people.ts";

/** A call as each era's client sends it. */
const eras = { "2025": callRaw2025, "2026-07-28": callRaw2026 } as const;

/** `tools/call` of the v2 SDK's own client, captured: what it sends is what is replayed. */
let captured: { readonly headers: Headers; readonly body: string };

beforeAll(async () => {
  const { token } = await newPerson();
  const client = new Client(
    { name: "test", version: "1" },
    { versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  const transport = new StreamableHTTPClientTransport(new URL("http://localhost:26346/mcp"), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
    fetch: (input, init) => {
      const body = typeof init?.body === "string" ? init.body : "";
      if (body.includes("tools/call")) captured = { headers: new Headers(init?.headers), body };
      return fetchWorker(input, init);
    },
  });
  await client.connect(transport);
  await client.callTool({ name: "search_memory", arguments: { query: "" } });
  await client.close();
});

test("the captured call is one of the 2026-07-28 era", () => {
  expect(Object.fromEntries(captured.headers)).toMatchObject({
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
    "mcp-name": "search_memory",
  });
  expect(captured.body).toContain("_meta");
});

for (const [era, call] of Object.entries(eras)) {
  test.each(tools)(`$name needs its scope (${era})`, async ({ name, scope }) => {
    const without = await newPerson({ scopes: SCOPES.filter((one) => one !== scope) });
    const refused = await call(without.token, name);
    expect(refused.status).toBe(403);
    const challenge = refused.headers.get("www-authenticate") ?? "";
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toContain(scope);
    expect(challenge).toContain("resource_metadata=");

    const withOnly = await newPerson({ scopes: [scope] });
    expect((await call(withOnly.token, name)).status).toBe(200);
  });
}

test("every scope alone opens the tools of that scope and no other", async () => {
  for (const scope of SCOPES) {
    const { token } = await newPerson({ scopes: [scope] });
    for (const tool of tools) {
      const expected = tool.scope === scope ? 200 : 403;
      expect([scope, tool.name, (await callRaw2025(token, tool.name)).status]).toEqual([
        scope,
        tool.name,
        expected,
      ]);
    }
  }
});

test("a batch hides no forbidden call behind an allowed one", async () => {
  const scopes: Scope[] = ["memories:read"];
  const { token } = await newPerson({ scopes });
  const call = (id: number, name: string) => ({
    jsonrpc: "2.0",
    id,
    method: "tools/call",
    params: { name, arguments: { query: "x", content: "hidden" } },
  });
  const response = await fetchWorker("/mcp", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${token}`,
      "mcp-protocol-version": "2025-03-26",
    },
    body: JSON.stringify([call(1, "search_memory"), call(2, "save_memory")]),
  });
  expect(response.status).toBe(403);
});

function callRaw2025(token: string, name: string): Promise<Response> {
  return callRaw(token, "tools/call", { name, arguments: {} });
}

function callRaw2026(token: string, name: string): Promise<Response> {
  const headers = new Headers(captured.headers);
  headers.set("authorization", `Bearer ${token}`);
  headers.set("mcp-name", name);
  const message = JSON.parse(captured.body) as { params: Record<string, unknown> }; // the SDK's own JSON-RPC request
  const params = { ...message.params, name, arguments: {} };
  return fetchWorker("/mcp", {
    method: "POST",
    headers,
    body: JSON.stringify({ ...message, params }),
  });
}

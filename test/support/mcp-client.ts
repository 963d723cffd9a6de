/** The SDK's own client, on the Worker without a network. */
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { fetchWorker, type Person } from "./people.ts";

export interface ClientOptions {
  /** Where it connects. */
  readonly path?: string;
  readonly revision?: "2026-07-28" | "2025-11-25";
}

/** Connected; whoever asks for it closes it. */
export async function connectClient(
  { token }: Person,
  { path = "/mcp", revision = "2026-07-28" }: ClientOptions = {},
): Promise<Client> {
  const client = new Client(
    { name: "test", version: "1" },
    {
      versionNegotiation: { mode: revision === "2026-07-28" ? { pin: revision } : "legacy" },
    },
  );
  const transport = new StreamableHTTPClientTransport(new URL(path, "http://localhost:26346"), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
    fetch: fetchUntilAborted,
  });
  await client.connect(transport);
  return client;
}

/** `fetchWorker` takes no signal, because none crosses into the Worker: here it ends the answer's stream, as a closed connection does. */
async function fetchUntilAborted(input: string | URL, init: RequestInit = {}): Promise<Response> {
  const response = await fetchWorker(input, init);
  if (response.body === null || init.signal == null) return response;
  const through = new TransformStream<Uint8Array, Uint8Array>();
  // It ends by the signal; whoever reads learns so.
  response.body.pipeTo(through.writable, { signal: init.signal }).catch(() => {});
  return new Response(through.readable, response);
}

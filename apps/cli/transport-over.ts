import { StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

/** @param fetch knows where the server is: a local one may be elsewhere after it was started anew */
export function transportOver(
  fetch: (path: string, init?: RequestInit) => Promise<Response>,
): StreamableHTTPClientTransport {
  return new StreamableHTTPClientTransport(new URL("http://localhost/mcp"), {
    fetch: (_, init) => fetch("/mcp", init),
  });
}

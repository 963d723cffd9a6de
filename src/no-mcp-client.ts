/**
 * Stands in for `@modelcontextprotocol/client` in the Worker: `agents` imports it for agents that call other MCP servers, which
 * Cofio's never does. The real one builds a second copy of the protocol's schemas in every isolate (20 ms of start-up, 25 KiB gzip).
 * Plain functions, because `new` takes them and nothing else of a class is used.
 */
function unavailable(): never {
  throw new Error("Cofio is an MCP server and connects to none");
}

export const Client = unavailable;
export const SSEClientTransport = unavailable;
export const StreamableHTTPClientTransport = unavailable;
export const validateClientMetadataUrl = unavailable;
/** Made when the module is loaded, and never asked. */
export function CfWorkerJsonSchemaValidator(): void {}
/** Only ever tested with `instanceof`. */
export class SdkHttpError extends Error {}

import type { JSONRPCMessage } from "@modelcontextprotocol/client";
import * as z from "zod";

const CLIENT_INFO_KEY = "io.modelcontextprotocol/clientInfo";

const infoSchema = z.object({ name: z.string() }).optional().catch(undefined);
const paramsSchema = z
  .object({
    clientInfo: infoSchema,
    _meta: z
      .object({ [CLIENT_INFO_KEY]: infoSchema })
      .optional()
      .catch(undefined),
  })
  .catch({});

/** Of a client that says its name: in the handshake of the earlier revisions, in every request of the later ones. */
export function clientName(message: JSONRPCMessage): string | null {
  if (!("method" in message)) return null;
  const { clientInfo, _meta } = paramsSchema.parse(message.params);
  return (clientInfo ?? _meta?.[CLIENT_INFO_KEY])?.name ?? null;
}

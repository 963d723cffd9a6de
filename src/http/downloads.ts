/** Archives, decrypted as they stream. The id is no capability: the session or token must be the owner's. */
import { Hono } from "hono";
import { UserError } from "../errors.ts";
import { getExport } from "../transfer/export-job.ts";
import type { ApiContext } from "./api.ts";
import { requireScope } from "./require-scope.ts";

const TYPES: Readonly<Record<string, { readonly type: string; readonly extension: string }>> = {
  json: { type: "application/json", extension: "json" },
  markdown: { type: "text/markdown; charset=utf-8", extension: "md" },
};

export function downloads({ account, caller, scopes }: ApiContext) {
  return new Hono().get("/:id", async (c) => {
    requireScope(scopes, "data:export");
    const job = await getExport(account, c.req.param("id"), caller.now);
    const manifest = await account.archives.manifest(job.id);
    if (job.state !== "finished" || manifest === null) {
      throw new UserError(
        "not_found",
        "This export is not ready.",
        "Ask for it again in a moment.",
      );
    }
    const { type, extension } = TYPES[job.format] ?? {
      type: "application/octet-stream",
      extension: "bin",
    };
    const day = new Date(job.createdAt).toISOString().slice(0, 10);
    return new Response(account.archives.read(job.id, manifest), {
      headers: {
        "Content-Type": type,
        "Content-Disposition": `attachment; filename="cofio-${day}.${extension}"`,
        "Content-Length": String(manifest.bytes),
        "Cache-Control": "private, no-store",
      },
    });
  });
}

/** Archives, decrypted as they stream. The id is no capability: the session or token must be the owner's. */
import { Hono } from "hono";
import { UserError } from "../errors.ts";
import { getExport, readExportFile } from "../transfer/export-job.ts";
import type { ApiContext } from "./api.ts";
import { requireScope } from "./require-scope.ts";

const TYPES: Readonly<Record<string, { readonly type: string; readonly extension: string }>> = {
  json: { type: "application/json", extension: "json" },
  markdown: { type: "text/markdown; charset=utf-8", extension: "md" },
  pam: { type: "application/json", extension: "pam.json" },
  cofio: { type: "application/zip", extension: "zip" },
};

export function downloads({ account, caller, scopes }: ApiContext) {
  return new Hono().get("/:id", async (c) => {
    requireScope(scopes, "data:export");
    const job = await getExport(account, c.req.param("id"), caller.now);
    const file = job.state === "finished" ? await readExportFile(account, job) : null;
    if (file === null) {
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
    return new Response(streamOf(file.bytes), {
      headers: {
        "Content-Type": type,
        "Content-Disposition": `attachment; filename="cofio-${day}.${extension}"`,
        "Content-Length": String(file.manifest.bytes),
        "Cache-Control": "private, no-store",
      },
    });
  });
}

/** Pulled, so that no more than a chunk waits for a slow reader. */
function streamOf(parts: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = parts[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

import type { Access } from "./call-tool.ts";

/** Imports an export in Cofio's own JSON format over HTTP. @throws Error with the answer when it is refused */
export async function importExport({ server, token }: Access, body: string): Promise<void> {
  const response = await fetch(`${server.origin}/api/imports`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body,
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`The import failed: ${answer}`);
}

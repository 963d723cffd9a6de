/** `server.json`: how to reach the process that serves a folder. Whoever may read it may use the memory. */
import { rmSync } from "node:fs";
import * as z from "zod";
import { type Folder, parseJson, readIfThere, writePrivately } from "./folder.ts";

const serverSchema = z.object({
  pid: z.number().int(),
  port: z.number().int(),
  /** Random for each start: what a server that ended was told opens nothing. */
  token: z.string(),
  /** Of the program that serves. */
  build: z.string(),
  /** workerd, which outlives a killed server; null: it was not started yet. */
  enginePid: z.number().int().nullable(),
});
export type ServerEntry = z.infer<typeof serverSchema>;

/** Null: nobody serves the folder, as far as is known. The process may have ended since. */
export function readServer({ server }: Folder): ServerEntry | null {
  const text = readIfThere(server);
  return text === null ? null : (serverSchema.safeParse(parseJson(text)).data ?? null);
}

export function writeServer({ server }: Folder, entry: ServerEntry): void {
  writePrivately(server, JSON.stringify(entry));
}

export function removeServer({ server }: Folder): void {
  rmSync(server, { force: true });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is somebody else's, so it lives.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

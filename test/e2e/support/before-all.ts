/**
 * Before all end-to-end tests, which run side by side: the program `cofio` is built, and one start builds the pages and leaves a data
 * folder that most servers begin with a copy of.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildProgram } from "./program.ts";
import { MIGRATED_STATE, startServer } from "./server.ts";

let state: string | undefined;

export async function setup(): Promise<void> {
  await buildProgram();
  state = await mkdtemp(join(tmpdir(), "cofio-migrated-"));
  const server = await startServer({ state });
  await server.stop();
  process.env[MIGRATED_STATE] = state;
}

export async function teardown(): Promise<void> {
  if (state !== undefined) await rm(state, { recursive: true, force: true });
}

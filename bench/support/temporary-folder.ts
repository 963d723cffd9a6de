import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new folder, removed after `use`, or when the process ends before that. */
export async function withTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "cofio-bench-"));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.once("exit", remove);
  try {
    return await use(folder);
  } finally {
    process.off("exit", remove);
    remove();
  }
}

/** A new folder for whatever `use` keeps where the system keeps temporary files, removed with it. */
export function inTemporaryFolder<T>(use: () => Promise<T>): Promise<T> {
  return withTemporaryFolder(async (folder) => {
    const before = process.env.TMPDIR;
    process.env.TMPDIR = folder;
    try {
      return await use();
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
  });
}

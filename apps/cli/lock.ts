import { DatabaseSync } from "node:sqlite";

/** https://www.sqlite.org/rescode.html */
const SQLITE_BUSY = 5;

/**
 * Makes this process the only one that serves a folder. Whatever its end, SIGKILL too, the system takes the lock back: it is that of an
 * SQLite file, which every system has and Node offers without a native module. A file with a process id in it would need to be found stale, by two at once.
 * @returns how to let go of it; null: another process has it
 */
export function takeLock(file: string): (() => void) | null {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY) return null;
    throw error;
  }
  return () => database.close();
}

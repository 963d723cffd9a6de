/** What reads and sends an export, and how much memory it takes. */
import { readFileSync } from "node:fs";

export interface Reader {
  readonly done: Promise<void>;
  /** In MiB; null where the system does not tell. */
  readonly peakMiB: () => number | null;
}

export const POLL_MS = 50;

/** Of a process's life so far, in MiB. Linux only. */
export function peakOf(pid: number | undefined): number | null {
  const kib = /VmHWM:\s+(\d+) kB/u.exec(statusOf(pid) ?? "")?.[1];
  return kib === undefined ? null : Number(kib) / 1024;
}

export function isWorkerd(pid: number): boolean {
  return statusOf(pid)?.startsWith("Name:\tworkerd") ?? false;
}

function statusOf(pid: number | undefined): string | null {
  try {
    return pid === undefined ? null : readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    // Another system, or a process that has ended.
    return null;
  }
}

/** The import page of a real browser as a reader. */
import { execFileSync } from "node:child_process";
import { openBrowser } from "../../test/e2e/support/browser.ts";
import type { Server } from "../../test/e2e/support/server.ts";
import { peakOf, POLL_MS, type Reader } from "./reader.ts";

/** An import may take as long as it does. */
const NO_TIMEOUT = { timeout: 0 };

/** Signs up and opens the page; the reader begins with the choice of the file and ends with the report. */
export async function openImportPage(
  server: Server,
): Promise<{ readonly start: (file: string) => Reader; readonly close: () => Promise<void> }> {
  const browser = await openBrowser();
  const { page } = browser;
  await browser.signUp(server);
  await page.goto(`${server.origin}/import`);
  await page.getByText("Drop files here").waitFor();
  const start = (file: string): Reader => {
    let peak: number | null = null;
    const timer = setInterval(() => {
      const peaks = renderers()
        .map(peakOf)
        .filter((mib) => mib !== null);
      if (peaks.length > 0) peak = Math.max(peak ?? 0, ...peaks);
    }, 10 * POLL_MS);
    const read = async () => {
      try {
        await page.getByLabel("Files").setInputFiles(file);
        await page.getByRole("button", { name: "Import", exact: true }).click(NO_TIMEOUT);
        await page.getByRole("heading", { name: "Imported" }).waitFor(NO_TIMEOUT);
      } finally {
        clearInterval(timer);
      }
    };
    return { done: read(), peakMiB: () => peak };
  };
  return { start, close: () => browser.close() };
}

/** Of this process's browsers: the processes in which pages and their workers run. */
function renderers(): number[] {
  const listing = execFileSync("ps", ["-A", "-ww", "-o", "pid=,ppid=,args="], { encoding: "utf8" });
  const processes = listing.split("\n").flatMap((line) => {
    const [, pid, parent, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/u.exec(line) ?? [];
    return pid === undefined
      ? []
      : [{ pid: Number(pid), parent: Number(parent), args: args ?? "" }];
  });
  const ours = new Set([process.pid]);
  for (const { pid, parent } of processes.toSorted((a, b) => a.pid - b.pid)) {
    if (ours.has(parent)) ours.add(pid);
  }
  return processes
    .filter(({ pid, args }) => ours.has(pid) && args.includes("--type=renderer"))
    .map(({ pid }) => pid);
}

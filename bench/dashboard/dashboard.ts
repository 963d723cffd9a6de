/**
 * `npm run bench -- dashboard`: the list of memories in a real browser, on a real local server: how long after a key its results are
 * there, and whether it scrolls smoothly through very many.
 */
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { openBrowser, type Browser } from "../../test/e2e/support/browser.ts";
import type { Server } from "../../test/e2e/support/server.ts";
import { naturalQueries } from "../runtime/queries.ts";
import { memoryOf } from "../runtime/synthetic.ts";
import { startQuietServer } from "../support/cofio.ts";
import { percentile } from "../support/percentile.ts";
import { printPlace, printTable, progress, thisPlace, writeJson } from "../support/report.ts";
import { withTemporaryFolder } from "../support/temporary-folder.ts";

/** Sizes that the dashboard is made for. */
const SEARCHED = 10_000;
const SCROLLED = 100_000;
/** The most that rules allow. */
const MAX_MEMORIES = 1_000_000;
const MEMORIES_AT_ONCE = 5_000;
const OWNER = "reader";
const QUERIES = 12;
/** Of somebody who types fast. */
const BETWEEN_KEYS_MS = 80;
/** As a wheel is turned: some 15 rows a step, a step in six frames. */
const WHEEL_PX = 1_200;
const WHEEL_STEPS = 200;
const WHEEL_MS = 100;
/** A frame that takes longer is seen: three of those of a screen of 60 Hz. */
const LONG_FRAME_MS = 50;
/** A machine that is busy may take as long as it does. */
const PATIENTLY = { timeout: 120_000 };

/** `--search N`, `--scroll N`: with so many memories. `--json FILE`: the report once more. */
export async function measureDashboard(args: string[]): Promise<void> {
  const { search, scroll, json } = parseArgs({
    args,
    options: {
      search: { type: "string", default: String(SEARCHED) },
      scroll: { type: "string", default: String(SCROLLED) },
      json: { type: "string" },
    },
  }).values;
  const [searched, scrolled] = [Number(search), Number(scroll)];
  const { keys, frames } = await withTemporaryFolder((folder) =>
    measure(folder, { searched, scrolled }),
  );
  print({ searched, scrolled }, keys, frames);
  if (json !== undefined) {
    const report = { benchmark: "dashboard", ...thisPlace(), searched, scrolled, keys, frames };
    writeJson(json, report);
  }
}

async function measure(
  folder: string,
  { searched, scrolled }: { readonly searched: number; readonly scrolled: number },
): Promise<{ readonly keys: Typing; readonly frames: Scrolling }> {
  const [server, browser] = await Promise.all([startQuietServer(folder), openBrowser()]);
  try {
    await browser.signUp(server);
    await raiseLimit(server, browser);
    await fill(server, browser, { from: 0, to: searched });
    const keys = await measureTyping(server, browser.page, searched);
    await fill(server, browser, { from: searched, to: scrolled });
    const frames = await measureScrolling(server, browser.page);
    return { keys, frames };
  } finally {
    await browser.close();
    await server.stop();
  }
}

interface Typing {
  readonly words: number;
  /** From the last key of a word to the rows that the server found for it, the dashboard's wait for another key included. */
  readonly p50: number;
  readonly p95: number;
}

interface Scrolling {
  readonly frames: number;
  readonly longFrames: number;
  readonly longestMs: number;
  /** Of the last row that was shown with its text, among all of them. */
  readonly lastPlace: number;
  /** At most, at any one time. */
  readonly rowsInDocument: number;
  readonly domNodes: number;
  readonly heapMiB: number;
}

async function raiseLimit(server: Server, { context }: Browser): Promise<void> {
  const answer = await context.request.patch(`${server.origin}/api/rules`, {
    headers: { origin: server.origin },
    data: { max_memories: MAX_MEMORIES },
  });
  if (!answer.ok()) throw new Error(`Rules: ${answer.status()} ${await answer.text()}`);
}

async function fill(
  server: Server,
  { context }: Browser,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<void> {
  for (let start = from; start < to; start += MEMORIES_AT_ONCE) {
    const end = Math.min(to, start + MEMORIES_AT_ONCE);
    const memories = Array.from({ length: end - start }, (_, at) => {
      const { id, content, createdAt } = memoryOf(OWNER, start + at);
      const time = new Date(createdAt).toISOString();
      return { id, content, category: "other", status: "active", source: "api", created_at: time };
    });
    const file = { format: "cofio", version: 1, exported_at: new Date().toISOString(), memories };
    const answer = await context.request.post(`${server.origin}/api/imports`, {
      headers: { origin: server.origin, "content-type": "application/json" },
      data: file,
      timeout: 0,
    });
    if (!answer.ok()) throw new Error(`Import: ${answer.status()} ${await answer.text()}`);
    progress(`memories: ${end}`);
  }
}

async function measureTyping(server: Server, page: Page, stored: number): Promise<Typing> {
  await page.addInitScript(WATCH_TYPING);
  await openList(server, page);
  const times: number[] = [];
  for (const query of naturalQueries(OWNER, { count: QUERIES, stored })) {
    const field = page.getByRole("searchbox");
    await field.fill("");
    await page.locator("main [aria-busy=true]").waitFor({ ...PATIENTLY, state: "detached" });
    let typed = "";
    for (const word of query.split(" ")) {
      const added = typed === "" ? word : ` ${word}`;
      await field.pressSequentially(added, { delay: BETWEEN_KEYS_MS });
      typed += added;
      times.push(await untilShown(page, typed));
    }
  }
  return { words: times.length, p50: percentile(times, 0.5), p95: percentile(times, 0.95) };
}

/**
 * In the page, before its scripts: from every key, by the browser's own time of it, how long it takes until a frame comes in which the list
 * is not busy, and the server has answered exactly the words that stand in the field. What an earlier key asked for does not count.
 */
const WATCH_TYPING = `
  globalThis.typing = { shown: "", took: 0 };
  const answered = new Set();
  const ask = globalThis.fetch;
  globalThis.fetch = async (...request) => {
    const answer = await ask(...request);
    if (!String(request[0]).endsWith("/api/memories/search")) return answer;
    const body = await answer.arrayBuffer();
    answered.add(JSON.parse(request[1].body).query);
    return new Response(body, answer);
  };
  addEventListener("input", ({ target, timeStamp }) => {
    const words = target.value;
    const look = () => {
      if (target.value !== words) return;
      const isBusy = document.querySelector("main [aria-busy=true], main .loading") !== null;
      if (isBusy || !answered.has(words.trim())) requestAnimationFrame(look);
      else typing = { shown: words, took: performance.now() - timeStamp };
    };
    requestAnimationFrame(look);
  });
`;

/** @returns how long that took, in milliseconds */
async function untilShown(page: Page, words: string): Promise<number> {
  const deadline = Date.now() + PATIENTLY.timeout;
  for (;;) {
    // True: WATCH_TYPING keeps exactly these.
    const { shown, took } = (await page.evaluate("typing")) as { shown: string; took: number };
    if (shown === words) return took;
    if (Date.now() > deadline) throw new Error(`"${words}" is searched for ever`);
    await page.waitForTimeout(20);
  }
}

async function measureScrolling(server: Server, page: Page): Promise<Scrolling> {
  await openList(server, page);
  await page.evaluate(WATCH_SCROLLING);
  const box = page.viewportSize() ?? { width: 1280, height: 900 };
  await page.mouse.move(box.width / 2, box.height / 2);
  for (let step = 0; step < WHEEL_STEPS; step++) {
    await page.mouse.wheel(0, WHEEL_PX);
    await page.waitForTimeout(WHEEL_MS);
  }
  // True: WATCH_SCROLLING keeps exactly these.
  const kept = (await page.evaluate("scrolling")) as Omit<Scrolling, "heapMiB">;
  return { ...kept, heapMiB: await heapMiBOf(page) };
}

const WATCH_SCROLLING = `
  globalThis.scrolling = (() => {
    const kept = { frames: 0, longFrames: 0, longestMs: 0, lastPlace: 0, rowsInDocument: 0, domNodes: 0 };
    let before = performance.now();
    const frame = (now) => {
      const took = now - before;
      before = now;
      kept.frames += 1;
      if (took > ${LONG_FRAME_MS}) kept.longFrames += 1;
      kept.longestMs = Math.max(kept.longestMs, took);
      const rows = document.querySelectorAll(".memory-list > li");
      kept.rowsInDocument = Math.max(kept.rowsInDocument, rows.length);
      kept.domNodes = Math.max(kept.domNodes, document.getElementsByTagName("*").length);
      const reached = Array.from(rows).findLast((row) => row.querySelector(".memory-row-loading") === null);
      kept.lastPlace = Math.max(kept.lastPlace, Number(reached?.getAttribute("aria-posinset") ?? 0));
      requestAnimationFrame(frame);
    };
    requestAnimationFrame((now) => {
      before = now;
      requestAnimationFrame(frame);
    });
    return kept;
  })();
`;

/** Of what is still used. */
async function heapMiBOf(page: Page): Promise<number> {
  const browser = await page.context().newCDPSession(page);
  await browser.send("HeapProfiler.collectGarbage");
  const { usedSize } = await browser.send("Runtime.getHeapUsage");
  await browser.detach();
  return usedSize / 2 ** 20;
}

async function openList(server: Server, page: Page): Promise<void> {
  // By way of another page: what was searched for stays with an address that is only loaded again.
  await page.goto(`${server.origin}/history`);
  await page.goto(`${server.origin}/memories`);
  await page.locator(".memory-text").first().waitFor(PATIENTLY);
}

function print(
  { searched, scrolled }: { readonly searched: number; readonly scrolled: number },
  keys: Typing,
  frames: Scrolling,
): void {
  printPlace(thisPlace());
  printTable(
    `Search as one types, ${searched} memories: from the last key of a word to the rows found, ms`,
    ["words", "p50", "p95"],
    [[String(keys.words), keys.p50.toFixed(0), keys.p95.toFixed(0)]],
  );
  printTable(
    `${WHEEL_STEPS} turns of the wheel through ${scrolled} memories`,
    [
      "frames",
      `over ${LONG_FRAME_MS} ms`,
      "longest ms",
      "came to row",
      "rows in the document",
      "DOM nodes",
      "heap MiB",
    ],
    [
      [
        String(frames.frames),
        String(frames.longFrames),
        frames.longestMs.toFixed(0),
        String(frames.lastPlace),
        String(frames.rowsInDocument),
        String(frames.domNodes),
        frames.heapMiB.toFixed(0),
      ],
    ],
  );
}

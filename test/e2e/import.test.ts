/** Exports larger than an upload may be, read and sent by the page itself; its states are in dashboard-import.test.ts. */
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, photograph, type Browser } from "./support/browser.ts";
import { writeChatExport } from "./support/chat-export.ts";
import { startServer, type Server } from "./support/server.ts";

/** What an upload without a script may hold. */
const MAX_UPLOAD_BYTES = 25 * 1_048_576;

let server: Server;
let browser: Browser;
let folder: string;
/** What the browser reported of all pages. */
const violations: string[] = [];

beforeAll(async () => {
  [server, browser, folder] = await Promise.all([
    startServer(),
    openBrowser(),
    mkdtemp(join(tmpdir(), "cofio-import-")),
  ]);
  browser.context.on("console", (message) => {
    if (/content security policy/i.test(message.text())) violations.push(message.text());
  });
  await browser.signUp(server, "Mair");
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

test("a large export is shown before anything is sent, checked, imported, and imported again without a change", async () => {
  const { page } = browser;
  const file = join(folder, "large.zip");
  await writeChatExport(file, { conversations: 120, name: "large", fillerBytes: 300_000 });
  expect((await stat(file)).size).toBeGreaterThan(MAX_UPLOAD_BYTES);
  const sent: string[] = [];
  page.on("request", (request) => {
    // The list of earlier imports is read.
    if (request.method() === "GET") return;
    if (request.url().startsWith(`${server.origin}/api/imports`)) sent.push(request.method());
  });

  await survey(page, file);
  expect(await page.locator(".found-figures li").allInnerTexts()).toEqual([
    "120\nconversations",
    "600\nmessages",
  ]);
  expect(await page.locator(".report li").allInnerTexts()).toEqual([
    "large.zip/conversations.json: ChatGPT export",
  ]);
  expect(sent).toEqual([]);
  await photograph(page, "import-found");

  const wanted = ["Conversations 120 120 0 0 0", "Messages 600 480 0 0 120"];
  await page.getByRole("button", { name: "Check first" }).click();
  await page.getByRole("heading", { name: "What an import would do" }).waitFor();
  expect(await columns(page)).toEqual(wanted);
  await photograph(page, "import-checked");

  // That the check wrote nothing: the import finds all of it new.
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  expect(await columns(page)).toEqual(wanted);
  expect(await page.title()).toBe("Import · Cofio");
  expect(await page.getByText("120 × calls and results of tools (messages)").count()).toBe(1);
  await photograph(page, "imported");

  await survey(page, file);
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  const again = ["Conversations 120 0 0 120 0", "Messages 600 0 0 480 120"];
  expect(await columns(page)).toEqual(again);
  expect(await page.getByRole("button", { name: "Undo this import" }).count()).toBe(0);
});

test("an import whose tab was closed in the middle goes on with the same files", async () => {
  const { page } = browser;
  const file = join(folder, "closed.zip");
  await writeChatExport(file, { conversations: 450, name: "closed", fillerBytes: 2_000 });
  const tab = await browser.context.newPage();
  const release = await holdSecondBatch(tab);
  await survey(tab, file);
  await tab.getByRole("button", { name: "Import", exact: true }).click();
  await tab.getByText("200 of 450 conversations").waitFor();
  await page.goto(`${server.origin}/import`);
  await page.getByText("An import is running elsewhere: 200 of 450").waitFor();
  await photograph(page, "import-elsewhere");
  await tab.close();
  release();

  const wanted = ["Conversations 450 450 0 0 0", "Messages 2,250 1,800 0 0 450"];
  await survey(page, file);
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  expect(await columns(page)).toEqual(wanted);
  await survey(page, file);
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  const again = ["Conversations 450 0 0 450 0", "Messages 2,250 0 0 1,800 450"];
  expect(await columns(page)).toEqual(again);
});

test("an import is cancelled, gone on with and undone", async () => {
  const { page } = browser;
  const file = join(folder, "cancelled.zip");
  await writeChatExport(file, { conversations: 450, name: "cancelled", fillerBytes: 2_000 });
  const release = await holdSecondBatch(page);
  await survey(page, file);
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByText("200 of 450 conversations").waitFor();
  expect(await page.title()).toBe("44 % · Import · Cofio");
  await photograph(page, "import-running");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("heading", { name: "Stopping" }).waitFor();
  release();
  await page.getByRole("heading", { name: "Stopped" }).waitFor();
  await photograph(page, "import-stopped");
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  // It is one import, and so is its undo.
  expect((await columns(page))[0]).toBe("Conversations 450 450 0 0 0");
  await page.getByRole("button", { name: "Undo this import" }).click();
  await page.getByText(/^Undone: 450 conversations\./).waitFor();
  await photograph(page, "import-undone");
});

test("an import waits for a server that does not answer, and goes on by itself", async () => {
  const { page } = browser;
  const file = join(folder, "offline.zip");
  await writeChatExport(file, { conversations: 250, name: "offline", fillerBytes: 10 });
  let isOffline = true;
  await page.route("**/api/imports/*/batches", (route) =>
    isOffline ? route.abort() : route.continue(),
  );
  await survey(page, file);
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByText("The server does not answer.").waitFor();
  await photograph(page, "import-offline");
  isOffline = false;
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  expect((await columns(page))[0]).toBe("Conversations 250 250 0 0 0");
  await page.unroute("**/api/imports/*/batches");
});

test("files that no reader knows, and damaged ones, are told in words", async () => {
  const { page } = browser;
  const choose = async (name: string, content: string) => {
    await page.goto(`${server.origin}/import`);
    await page.getByText("Drop files here").waitFor();
    const file = { name, mimeType: "application/octet-stream", buffer: Buffer.from(content) };
    await page.getByLabel("Files").setInputFiles(file);
    return page.getByRole("alert").filter({ hasText: /\S/ }).innerText();
  };
  expect(await choose("notes.json", "no export of anything")).toContain("no export that Cofio");
  await photograph(page, "import-problem");
  expect(await choose("export.zip", "PK\u0003\u0004 and then nothing")).toContain("damaged");
});

test("a fault of the page's own is told in words, and the page can be used again", async () => {
  const { page } = browser;
  const file = join(folder, "small.zip");
  await writeChatExport(file, { conversations: 2, name: "small", fillerBytes: 10 });
  await page.goto(`${server.origin}/import`);
  await page.getByText("Drop files here").waitFor();
  await page.route("**/assets/import/reader.js", (route) => route.abort(), { times: 1 });
  await page.getByLabel("Files").setInputFiles(file);
  await page.getByText("because of a fault in this page").waitFor();
  await page.getByLabel("Files").setInputFiles(file);
  // A loaded machine reads tens of MiB slowly.
  await page.getByRole("heading", { name: "What was found" }).waitFor({ timeout: 60_000 });
});

test("a day's quota that is spent is told with the time when the import goes on", async () => {
  const { page } = browser;
  const counts = { conversation: 6_000, message: 80_000, memory: 0 };
  // Eleven hours are today or tomorrow, and never the same hour.
  const estimatedEndAt = Date.now() + 11 * 3_600_000;
  const waiting = {
    type: "progress",
    progress: {
      phase: "waiting_quota",
      bytesRead: 1,
      bytesTotal: 2,
      done: { conversation: 1_500, message: 20_000, memory: 0 },
      totals: counts,
      outcomes: {
        conversation: { found: 6_000, new: 1_400, updated: 0, unchanged: 100, skipped: 0 },
        message: { found: 80_000, new: 18_000, updated: 0, unchanged: 0, skipped: 2_000 },
        memory: { found: 0, new: 0, updated: 0, unchanged: 0, skipped: 0 },
      },
      estimatedEndAt,
    },
  };
  // In the reader's place: a real quota takes a day to spend.
  const body = `onmessage = ({ data }) => postMessage(data.type === "survey"
    ? { type: "surveyed", survey: { files: [], totals: ${JSON.stringify(counts)}, accounts: new Map() } }
    : ${JSON.stringify(waiting)});`;
  await page.route("**/assets/import/reader.js", (route) =>
    route.fulfill({ contentType: "text/javascript", body }),
  );
  await survey(page, { name: "any.json", mimeType: "application/json", buffer: Buffer.from("[]") });
  await page.getByRole("button", { name: "Import", exact: true }).click();
  const notice = await page.locator(".warning").innerText();
  const timeZone = (await page.locator("#dashboard").getAttribute("data-time-zone")) ?? "";
  const at = await page.evaluate(
    ([moment, zone]) => {
      const format = { dateStyle: "medium", timeStyle: "short", timeZone: zone } as const;
      return new Intl.DateTimeFormat(undefined, format).format(moment);
    },
    [estimatedEndAt, timeZone] as const,
  );
  expect(notice).toContain(at);
  expect(await page.locator(".counts").innerText()).toBe(
    "1,500 of 6,000 conversations · 20,000 of 80,000 messages",
  );
  expect(await page.getByText("19,400 new · 100 unchanged · 2,000 skipped").count()).toBe(1);
  await photograph(page, "import-waiting");
  await page.unroute("**/assets/import/reader.js");
});

test("a pasted list is imported on the page, and undone", async () => {
  const { page } = browser;
  await page.goto(`${server.origin}/import`);
  await page.getByText("Drop files here").waitFor();
  await photograph(page, "import");
  await page.getByLabel("Your list").fill("- Lives in Bangor\n- Prefers tea");
  await page.getByRole("button", { name: "Import list" }).click();
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  expect(await columns(page)).toEqual(["Memories 2 2 0 0 0"]);
  await page.getByRole("button", { name: "Undo this import" }).click();
  await page.getByText("Undone: 2 memories.").waitFor();
});

test("files that are dropped anywhere on the page are read, those in a folder too", async () => {
  const { page } = browser;
  const unzipped = join(folder, "unzipped");
  await mkdir(join(unzipped, "notes"), { recursive: true });
  const observed = (name: string) =>
    JSON.stringify({ type: "entity", name, entityType: "cat", observations: ["likes tuna"] });
  await writeFile(join(folder, "memory.jsonl"), observed("Gelert"));
  await writeFile(join(unzipped, "notes/memory.jsonl"), observed("Pwca"));
  await page.goto(`${server.origin}/import`);
  await page.getByText("Drop files here").waitFor();
  const cdp = await browser.context.newCDPSession(page);
  const data = {
    items: [],
    files: [join(folder, "memory.jsonl"), unzipped],
    dragOperationsMask: 1,
  };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await cdp.send("Input.dispatchDragEvent", { type, x: 20, y: 600, data });
  }
  await page.getByRole("heading", { name: "What was found" }).waitFor();
  expect(await page.locator(".found-figures li").allInnerTexts()).toEqual(["2\nmemories"]);
});

test("without JavaScript the form takes an upload and a list", async () => {
  const context = await browser.context.browser()?.newContext({
    javaScriptEnabled: false,
    storageState: await browser.context.storageState(),
    viewport: { width: 1280, height: 900 },
  });
  const page = await context?.newPage();
  if (page === undefined) throw new Error("No browser");
  await page.goto(`${server.origin}/import`);
  await photograph(page, "import-without-script");
  const chat = { uuid: "c1", name: "Bread", chat_messages: [{ sender: "human", text: "Proof?" }] };
  await page.getByLabel("Files").setInputFiles({
    name: "conversations.json",
    mimeType: "application/json",
    buffer: Buffer.from(JSON.stringify([chat, null])),
  });
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  expect(await columns(page)).toEqual(["Conversations 2 1 0 0 1", "Messages 1 1 0 0 0"]);
  await photograph(page, "imported-without-script");
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  await page.goto(`${server.origin}/import`);
  await page.getByLabel("Your list").fill("- Keeps bees");
  await page.getByRole("button", { name: "Import list" }).click();
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  expect(await columns(page)).toEqual(["Memories 1 1 0 0 0"]);
  await context?.close();
});

test("nothing of all this broke the content security policy", () => {
  expect(violations).toEqual([]);
});

async function survey(
  page: Page,
  file: Parameters<ReturnType<Page["locator"]>["setInputFiles"]>[0],
): Promise<void> {
  await page.goto(`${server.origin}/import`);
  await page.getByText("Drop files here").waitFor();
  await page.getByLabel("Files").setInputFiles(file);
  await page.getByRole("heading", { name: "What was found" }).waitFor();
}

/** Of the report, a column each: kind, found, new, updated, unchanged, skipped. */
async function columns(page: Page): Promise<string[]> {
  const cells = (await page.locator("table tr").allInnerTexts()).map((row) => row.split("\t"));
  return (cells[0] ?? []).slice(1).map((_, at) => cells.map((row) => row[at + 1]).join(" "));
}

/** From now on, until it is released; of 200 conversations each. */
async function holdSecondBatch(page: Page): Promise<() => void> {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await page.route("**/api/imports/*/batches", async (route) => {
    // What names the conversations of several batches, to learn which are there already, is none.
    const { number, through } = route.request().postDataJSON();
    if (number === 2 && through === number) await released;
    // The page may be closed by then.
    await route.continue().catch(() => {});
  });
  return release;
}

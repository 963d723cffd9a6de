/** What the import page shows besides a large import, which is in import.test.ts. */
import { BlobWriter, TextReader, ZipWriter } from "@zip.js/zip.js/lib/zip-core-native.js";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { photograph } from "./support/browser.ts";
import { HOSTILE, openDashboard, SOON, type Dashboard } from "./support/dashboard.ts";

/** The list of imports, and no other route of theirs. */
const LIST = /\/api\/imports(?:\?|$)/;

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await openDashboard();
});

afterAll(async () => {
  await dashboard?.close();
});

test("a pasted list is shown as it is read, checked, imported and undone", async () => {
  const { page, call } = dashboard;
  await dashboard.open("/import");
  await page.getByText("Nothing was brought in yet.").waitFor();
  await page.getByText("Claude", { exact: true }).click();
  await page.getByText("your memory of our conversations").waitFor();
  expect(await page.getByRole("button", { name: "Copy the question to Claude" }).count()).toBe(1);

  await page.getByLabel("Your list").fill(`Sure! Here it is:\n- Keeps bees\n- ${HOSTILE}`);
  await page.getByText("2 memories found:").waitFor();
  await page.getByRole("button", { name: "Check list" }).click();
  await page.getByRole("heading", { name: "What an import would do" }).waitFor();
  // Back, to correct it; and what was pasted is still there after another page was looked at.
  await page.getByRole("button", { name: "Back" }).click();
  expect(await page.getByLabel("Your list").inputValue()).toContain("- Keeps bees");
  const main = page.getByRole("navigation", { name: "Main" });
  await main.getByRole("link", { name: "Rules" }).click();
  await page.getByRole("heading", { name: "Rules", level: 1 }).waitFor();
  await main.getByRole("link", { name: "Import" }).click();
  expect(await page.getByLabel("Your list").inputValue()).toContain("- Keeps bees");
  await page.getByRole("button", { name: "Check list" }).click();
  await page.getByRole("heading", { name: "What an import would do" }).waitFor();
  await expect.poll(() => page.locator("h2:focus").count(), SOON).toBe(1);
  expect(await memoriesRow(page)).toEqual(["Memories", "2", "2", "0", "0", "0"]);
  expect((await call("GET", "/api/imports")).imports).toEqual([]);

  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  const listed = page.getByRole("listitem").filter({ hasText: "Pasted list" });
  await listed.getByText("2 new").waitFor();
  await page.getByRole("button", { name: "Undo this import" }).click();
  await page.getByText("Undone: 2 memories.").waitFor();
  await page.getByText("This import was undone.").waitFor();
  await listed.getByText("2 new · undone").waitFor();
  expect(await page.getByRole("button", { name: "Undo the import of" }).count()).toBe(0);

  await page.getByRole("button", { name: "Import more" }).click();
  await listed.getByText("Report", { exact: true }).click();
  expect(await memoriesRow(page)).toEqual(["Memories", "2", "2", "0", "0", "0"]);
  await dashboard.expectNoOverflow();
});

test("an import that loses the network says so, and goes on by itself when it is back", async () => {
  const { page, context } = dashboard;
  await dashboard.open("/import");
  await page.getByLabel("Files").setInputFiles({
    name: "memory.jsonl",
    mimeType: "application/json",
    buffer: Buffer.from(observed("Gelert", ["likes tuna", "is grey"])),
  });
  await page.getByRole("heading", { name: "What was found" }).waitFor();
  await context.setOffline(true);
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByText("This computer has no network.").waitFor();
  await page.getByText("No connection.").waitFor();
  expect(await page.getByRole("progressbar", { name: "Importing" }).count()).toBe(1);
  await photograph(page, "import-no-network");
  await context.setOffline(false);
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  expect(await memoriesRow(page)).toEqual(["Memories", "2", "2", "0", "0", "0"]);
});

test("an import goes on while another page is looked at", async () => {
  const { page } = dashboard;
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await page.route("**/api/imports/begin", async (route) => {
    await released;
    await route.continue();
  });
  await dashboard.open("/import");
  await page.getByLabel("Files").setInputFiles({
    name: "memory.jsonl",
    mimeType: "application/json",
    buffer: Buffer.from(observed("Pwca", ["sleeps by day"])),
  });
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByText("Asking the server where to start").waitFor();
  const main = page.getByRole("navigation", { name: "Main" });
  await main.getByRole("link", { name: "Rules" }).click();
  await page.getByRole("heading", { name: "Rules", level: 1 }).waitFor();
  release();
  await main.getByRole("link", { name: "Import" }).click();
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  expect(await memoriesRow(page)).toEqual(["Memories", "1", "1", "0", "0", "0"]);
  await page.unroute("**/api/imports/begin");
});

test("names and texts of files are only text, whatever they hold and however long they are", async () => {
  const { page } = dashboard;
  const zip = new ZipWriter(new BlobWriter(), { useWebWorkers: false });
  const name = `${"n".repeat(10_000)} ${HOSTILE.replaceAll("/", " ")}.jsonl`;
  await zip.add(name, new TextReader(observed(HOSTILE, [HOSTILE, "x".repeat(3_000)])));
  await zip.add("notes <script>alert(1)</script>.txt", new TextReader("nothing of anybody"));
  const buffer = Buffer.from(await (await zip.close()).arrayBuffer());
  await dashboard.open("/import");
  const file = { name: `<img src=x>${HOSTILE.at(-2)}.zip`, mimeType: "application/zip", buffer };
  await page.getByLabel("Files").setInputFiles(file);
  await page.getByRole("heading", { name: "What was found" }).waitFor();
  await dashboard.expectNoOverflow();
  await photograph(page, "import-hostile");
  await page.getByText("1 file is not read").click();
  await page.getByRole("button", { name: "Check first" }).click();
  await page.getByRole("heading", { name: "What an import would do" }).waitFor();
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  await dashboard.expectNoOverflow();
  expect(await page.locator("main img, main script").count()).toBe(0);
});

test("what was not finished is listed with what came of it, until it is discarded or waits no more", async () => {
  const { page, call } = dashboard;
  const upload = {
    files: [
      {
        outcome: "read",
        name: "history.json",
        format: "ChatGPT export",
        source: "chatgpt",
        truncated: false,
      },
    ],
    totals: { conversation: 40, message: 900, memory: 0 },
    key: "these files",
    bytesTotal: 10,
  };
  await call("POST", "/api/imports/begin", upload);
  await dashboard.open("/import");
  await page.getByRole("heading", { name: "Unfinished" }).waitFor();
  await page.getByText("0 of 40 conversations · 0 of 900 messages").waitFor();
  await page.getByRole("button", { name: "Discard the import of" }).click();
  await page.getByText("The import was discarded.").waitFor();
  await expect.poll(() => page.getByRole("heading", { name: "Unfinished" }).count(), SOON).toBe(0);

  // A real quota takes a day to spend.
  const { imports } = await call("GET", "/api/imports");
  const resumeAt = "2026-12-24T00:00:00.000Z";
  const waiting = {
    ...imports[0],
    job: { ...imports[0].job, state: "waiting_quota", resume_at: resumeAt },
    unfinished: true,
  };
  await page.route(LIST, (route) =>
    route.fulfill({ json: { imports: [waiting], next_before: null } }),
  );
  await dashboard.open("/import");
  await page.getByText(/^Waits for the next day's quota, which is there after .*2[34]/).waitFor();
  await photograph(page, "import-unfinished");
  await dashboard.expectNoOverflow();
  await page.unroute(LIST);
});

test("waiting, a fault, a refusal and the end of the session are told, with the way out", async () => {
  const { page } = dashboard;
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await page.route(LIST, async (route) => {
    await released;
    await route.continue();
  });
  await dashboard.open("/import");
  await page.getByText("Loading …").waitFor();
  release();
  await page.getByText("Pasted list").waitFor();
  await page.unroute(LIST);

  const refuse = async (status: number, code: string, message: string) => {
    await page.route(LIST, (route) =>
      route.fulfill({ status, json: { error: { code, message, hint: "" } } }),
    );
    await dashboard.open("/import");
    await page.locator(`[data-problem]`).filter({ hasText: message }).waitFor();
    await page.unroute(LIST);
  };
  await refuse(500, "internal", "Something went wrong.");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("Pasted list").waitFor();
  await refuse(403, "forbidden", "This needs the right to import.");
  expect(await page.getByRole("button", { name: "Try again" }).count()).toBe(0);
  // Files can be chosen all the same.
  expect(await page.getByLabel("Files").count()).toBe(1);
  await refuse(401, "unauthorized", "You are signed out.");
  const signIn = page.getByRole("link", { name: "Sign in" });
  expect(await signIn.getAttribute("href")).toBe("/sign-in?next=%2Fimport");
});

test("nothing of all this broke the content security policy", () => {
  dashboard.expectNoComplaints();
});

/** A file of the memory server that keeps a graph. */
function observed(name: string, observations: readonly string[]): string {
  return JSON.stringify({ type: "entity", name, entityType: "cat", observations });
}

/** Of the one report on the page: kind, found, new, updated, unchanged, skipped. */
async function memoriesRow(page: Page): Promise<string[]> {
  await page.locator("table tr").first().waitFor();
  return (await page.locator("table tr").allInnerTexts()).map((row) => row.split("\t")[1] ?? "");
}

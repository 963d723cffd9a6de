/** Export and backups on the dashboard: files to take along, and the way back. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDashboard, type Dashboard } from "./support/dashboard.ts";

/** Workflows run in steps, and the machine may be loaded. */
const WRITTEN = { timeout: 60_000 };

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await openDashboard();
});
afterAll(() => dashboard?.close());

test("without exports and backups the page says what they are", async () => {
  const { page, open } = dashboard;
  await open("/export");
  await page.getByText("No export yet.").waitFor();
  await page.getByText("No backup yet.").waitFor();
  await dashboard.expectNoOverflow();
});

test("an export is started, and downloaded as what was chosen", async () => {
  const { page, open, call } = dashboard;
  for (const content of ["Keeps bees.", "Sells rye."]) {
    await call("POST", "/api/memories", { content });
  }
  await open("/export");
  await page.getByRole("radio", { name: "Markdown" }).check();
  await page.getByRole("checkbox", { name: "Conversations" }).uncheck();
  await page.getByRole("button", { name: "Export", exact: true }).click();
  const made = page.getByRole("listitem").filter({ hasText: "2 memories" });
  await made.getByRole("link", { name: "Download" }).waitFor(WRITTEN);
  await made.getByText("Markdown").waitFor();
  const download = page.waitForEvent("download");
  await made.getByRole("link", { name: "Download" }).click();
  const file = await (await download).path();
  expect(await readFile(file, "utf8")).toContain("Keeps bees.");
});

test("a backup is made, verified, restored as a merge and as a whole after a typed word, and deleted", async () => {
  const { page, open, call } = dashboard;
  await open("/export");
  await page.getByRole("button", { name: "Back up now" }).click();
  await page.getByRole("button", { name: /^Verify the backup/ }).click(WRITTEN);
  await page.getByText("everything in it could be restored").waitFor(WRITTEN);
  const count = async () => (await call("GET", "/api/stats")).memories.active;

  await call("POST", "/api/memories", { content: "Came later." });
  const restore = async (how: string) => {
    await page
      .getByRole("button", { name: /^Restore the backup/ })
      .last()
      .click();
    const dialog = page.getByRole("dialog", { name: "Restore this backup?" });
    await dialog.getByText("holds 2 memories").waitFor();
    await dialog.getByRole("radio", { name: how }).check();
    const button = dialog.getByRole("button", { name: "Restore", exact: true });
    expect(await button.isDisabled()).toBe(true);
    await dialog.getByRole("textbox").fill("restore");
    await button.click();
    await page.getByText("The restore is done.").waitFor(WRITTEN);
    await page.getByRole("button", { name: "Close" }).first().click();
    await page.getByText("The restore is done.").waitFor({ state: "hidden" });
  };
  await restore("Bring back what is missing");
  expect(await count()).toBe(3);
  await restore("Make everything as it was then");
  expect(await count()).toBe(2);

  const backups = page.getByRole("button", { name: /^Delete the backup/ });
  const before = await backups.count();
  await backups.last().click();
  const dialog = page.getByRole("dialog", { name: "Delete this backup?" });
  await dialog.getByRole("textbox").fill("delete");
  await dialog.getByRole("button", { name: "Delete the backup" }).click();
  await expect.poll(() => backups.count(), WRITTEN).toBe(before - 1);
  await dashboard.expectNoOverflow();
}, 240_000);

test("what cannot be read says why, and nothing else went wrong", async () => {
  const { page, open } = dashboard;
  const refusal = { code: "forbidden", message: "Not for you.", hint: "Ask somebody." };
  await page.route("**/api/backups", (route) =>
    route.fulfill({ status: 403, json: { error: refusal } }),
  );
  await open("/export");
  await page.locator("[data-problem=forbidden]").getByText("Not for you.").waitFor();
  await page.unroute("**/api/backups");
  dashboard.expectNoComplaints();
});

test("the account is checked on command, and the page says what was found and when", async () => {
  const { page, open } = dashboard;
  await open("/export");
  await page.getByText("Not checked yet.").waitFor();
  await page.getByRole("button", { name: "Check now" }).click();
  await page.getByText("everything agrees.").first().waitFor(WRITTEN);
  await page.reload();
  await page.getByText("everything agrees.").waitFor();
  await dashboard.expectNoOverflow();
});

test("a check goes on part by part; what it left is named in words, and a refusal in the middle is told", async () => {
  const { page, open } = dashboard;
  const check = { started_at: "2026-11-01T00:00:00Z", finished_at: null, repaired: {}, named: [] };
  const part = { ...check, state: "running", checked: { memory: 1_200 }, left: {} };
  const whole = {
    ...check,
    state: "finished",
    finished_at: "2026-11-01T00:00:09Z",
    checked: { memory: 2_300 },
    repaired: { index: 4 },
    left: { unreadable: 1, a_newer_kind: 1 },
    named: [
      { what: "unreadable", kind: "memory_version", id: "abcdefghijkl", version: 3 },
      { what: "a_newer_kind", kind: "message", id: "mnopqrstuvwx" },
    ],
  };
  const answers: { readonly status?: number; readonly json: unknown }[] = [
    { json: { check: part } },
    { status: 503, json: { error: { code: "internal", message: "It broke.", hint: "" } } },
    { json: { check: { ...part, checked: { memory: 1_900 } } } },
    { json: { check: whole } },
  ];
  let last: unknown = { check: null };
  await page.route("**/api/verify", (route) => {
    if (route.request().method() === "GET") return route.fulfill({ json: last });
    const { status = 200, json } = answers.shift() ?? { json: { check: whole } };
    if (status === 200) last = json;
    return route.fulfill({ status, json });
  });
  await open("/export");
  const start = page.getByRole("button", { name: "Check now" });
  await start.click();
  await page.getByText("It broke.").first().waitFor();
  await page.getByText("A check has come to 1,200 entries.").waitFor();
  await start.click();
  await page.getByText("2,300 entries checked: 2 could not be repaired.").first().waitFor();
  await page.getByText("Earlier state of the memory abcdefghijkl: cannot be decrypted").waitFor();
  await page.getByText("Message mnopqrstuvwx: a newer kind").waitFor();
  await page.unroute("**/api/verify");
});

/** History on the dashboard: what was done by whom, and taking it back. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { callsOf, type Call } from "./support/all-tools.ts";
import { connectV2 } from "./support/browser.ts";
import { openDashboard, SOON, type Dashboard } from "./support/dashboard.ts";

let dashboard: Dashboard;
let claude: Call;

beforeAll(async () => {
  dashboard = await openDashboard();
});
afterAll(() => dashboard?.close());

test("before anything was done, the page says what will stand there", async () => {
  const { page, open } = dashboard;
  await open("/history");
  await page.getByText("Nothing was changed yet.").waitFor();
  await page.getByText("As soon as an app has changed something").waitFor();
});

test("all changes are listed with who made them, and are undone and redone with a click", async () => {
  const { page, open, server, browser, call } = dashboard;
  const { client } = await connectV2(server, browser, { name: "Claude" });
  claude = callsOf(client);
  for (let at = 0; at < 70; at++) await claude("save_memory", { content: `Fact number ${at}` });
  await call("POST", "/api/memories", { content: "My own fact" });
  await open("/history");
  const changes = page.getByRole("list", { name: "Changes" }).getByRole("listitem");
  await changes.filter({ hasText: "Claude" }).first().waitFor();
  // Pages follow while one scrolls.
  await expect
    .poll(async () => {
      await page.mouse.wheel(0, 4_000);
      return changes.last().getAttribute("aria-posinset");
    }, SOON)
    .toBe("71");
  await page.evaluate("scrollTo(0, 0)");
  const first = changes.first();
  await first.getByRole("button", { name: "Undo: Saved 1 memory" }).click();
  await page.getByText("Undone: 1 memory.").waitFor();
  await changes.nth(1).getByText("undone").waitFor();
  await first.getByRole("button", { name: "Redo: Undid a change of 1 memory" }).click();
  await changes.nth(1).filter({ hasText: "Undid" }).getByText("undone").waitFor();
  await changes.nth(2).getByRole("button", { name: "Undo: Saved 1 memory" }).waitFor();
});

test("what an undo leaves alone is named with the reason", async () => {
  const { page, open } = dashboard;
  const { memory } = await claude("save_memory", { content: "Drinks coffee." });
  await claude("update_memory", { id: memory.id, content: "Drinks tea." });
  await open("/history");
  const changes = page.getByRole("list", { name: "Changes" }).getByRole("listitem");
  await changes.first().getByText("Changed 1 memory").waitFor();
  const saved = changes.filter({ hasText: "Saved 1 memory" }).first();
  await saved.getByRole("button").click();
  await page.getByText("1 item: changed again later, and stay as they are now.").waitFor();
  await page.getByRole("button", { name: "Close" }).first().click();
});

test("all that one app did since a time is told first, then undone, and what others did stays", async () => {
  const { page, open, call } = dashboard;
  await open("/history");
  await page.getByLabel("App").selectOption({ label: "Claude (72 changes)" });
  const told = "72 changes: 71 memories saved, 1 memory changed.";
  await page.getByText(told).waitFor();
  await page.getByRole("button", { name: "Undo all of it …" }).click();
  const dialog = page.getByRole("dialog", { name: "Undo what Claude did?" });
  await dialog.getByText(told).waitFor();
  await dialog.getByRole("button", { name: "Undo 72 changes" }).click();
  await page.getByText("in 72 changes.").waitFor({ timeout: 60_000 });
  const { memories } = await call("GET", "/api/memories");
  expect(memories.map(({ content }: any) => content)).toEqual(["My own fact"]);
  await dashboard.expectNoOverflow();
});

test("what cannot be read says why, and nothing else went wrong", async () => {
  const { page, open } = dashboard;
  const refusal = { code: "forbidden", message: "Not for you.", hint: "Ask somebody." };
  await page.route("**/api/operations?*", (route) =>
    route.fulfill({ status: 403, json: { error: refusal } }),
  );
  await open("/history");
  await page.locator("[data-problem=forbidden]").getByText("Not for you.").waitFor();
  await page.unroute("**/api/operations?*");
  dashboard.expectNoComplaints();
});

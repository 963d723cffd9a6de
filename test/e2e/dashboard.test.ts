/** The dashboard in a real browser: what its pages share, and the home page. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { callsOf } from "./support/all-tools.ts";
import { connectV2, type Browser } from "./support/browser.ts";
import { openDashboard, SOON, type Dashboard } from "./support/dashboard.ts";
import type { Server } from "./support/server.ts";

let dashboard: Dashboard;
let server: Server;
let browser: Browser;

beforeAll(async () => {
  dashboard = await openDashboard();
  ({ server, browser } = dashboard);
});

afterAll(async () => {
  await dashboard?.close();
});

test("a new account is told what to do first", async () => {
  const { page } = browser;
  await page.getByRole("heading", { name: "Connect an assistant" }).waitFor();
  await page.getByText(server.mcpUrl, { exact: true }).first().waitFor();
  await page.getByText("Nothing was changed yet.").waitFor();
  await page.getByRole("link", { name: "Import files" }).waitFor();
});

test("what a client saves appears without a reload, and is undone and redone from the list", async () => {
  const { page } = browser;
  const { client } = await connectV2(server, browser, { name: "Claude" });
  await page.goto(server.origin);
  await expect.poll(() => figure("Memories"), SOON).toBe("0");
  await page.evaluate("document.title = 'not loaded again'");
  for (const content of ["Lives in Bangor.", "Prefers tea.", "Keeps bees."]) {
    await callsOf(client)("save_memory", { content });
  }
  await expect.poll(() => figure("Memories"), SOON).toBe("3");
  await expect.poll(() => figure("Apps"), SOON).toBe("1");
  const changes = page.getByRole("listitem").filter({ hasText: "Saved 1 memory" });
  await expect.poll(() => changes.count(), SOON).toBe(3);
  expect(await changes.first().innerText()).toContain("Claude");

  await changes.first().getByRole("button").click();
  await page.getByText("Undone: 1 memory.").waitFor();
  await expect.poll(() => figure("Memories"), SOON).toBe("2");
  await changes.first().getByText("undone").waitFor();
  await page.getByRole("button", { name: "Redo", exact: true }).first().click();
  await expect.poll(() => figure("Memories"), SOON).toBe("3");
  expect(await page.title()).toBe("not loaded again");
  await client.close();
});

test("pages are reached by keyboard: a skip link, a list of shortcuts, a heading in focus", async () => {
  const { page } = browser;
  await page.goto(server.origin);
  await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
  await page.keyboard.press("Tab");
  expect(await page.locator(":focus").innerText()).toBe("Skip to the content");
  await page.keyboard.press("?");
  const dialog = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await dialog.waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
});

test("single keys are turned off, for every page and after a reload, and on again", async () => {
  const { page } = browser;
  await page.goto(server.origin);
  await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
  await page.keyboard.press("?");
  const dialog = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  const choice = page.getByRole("checkbox", { name: "Single keys are shortcuts" });
  await choice.uncheck();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await page.goto(`${server.origin}/security`);
  await choice.waitFor();
  await page.keyboard.press("?");
  expect(await dialog.count()).toBe(0);
  expect(await choice.isChecked()).toBe(false);
  await choice.check();
  await choice.blur();
  await page.keyboard.press("?");
  await dialog.waitFor();
  await page.keyboard.press("Escape");
});

test("on a narrow page the navigation is in a drawer, and nothing is wider than the screen", async () => {
  const { page } = browser;
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(server.origin);
  await page.getByRole("button", { name: "Menu" }).click();
  const drawer = page.getByRole("dialog", { name: "Menu" });
  await drawer.getByRole("link", { name: "Security" }).waitFor();
  await page.keyboard.press("Escape");
  await drawer.waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Menu", exact: true, expanded: false }).click();
  await drawer.waitFor();
  await page.keyboard.press("Escape");
  await drawer.waitFor({ state: "hidden" });
  const menu = page.getByRole("button", { name: "Menu" });
  await expect.poll(() => menu.evaluate((button) => button.matches(":focus"))).toBe(true);
  await expect.poll(() => figure("Memories"), SOON).toBe("3");
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  await page.setViewportSize({ width: 1280, height: 900 });
});

test("the colours that were chosen hold on every page, and after a reload", async () => {
  const { page } = browser;
  await page.goto(server.origin);
  const background = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
  const light = await background();
  await page.locator("label", { has: page.getByRole("radio", { name: "Dark" }) }).click();
  const dark = await background();
  expect(dark).not.toBe(light);
  await page.goto(`${server.origin}/account`);
  expect(await background()).toBe(dark);
  await page.goto(server.origin);
  await page.locator("label", { has: page.getByRole("radio", { name: "As the system" }) }).click();
  expect(await background()).toBe(light);
});

test("what cannot be read says why, and how to go on", async () => {
  const { page } = browser;
  await page.route("**/api/operations?*", (route) =>
    route.fulfill({
      status: 403,
      json: { error: { code: "forbidden", message: "Not for you.", hint: "Ask somebody." } },
    }),
  );
  await page.route("**/api/backups", (route) =>
    route.fulfill({
      status: 500,
      json: { error: { code: "internal", message: "It broke.", hint: "Try again." } },
    }),
  );
  await page.goto(server.origin);
  const refused = page.locator("[data-problem=forbidden]");
  await refused.waitFor();
  await refused.getByText("Not for you.").waitFor();
  await refused.getByText("Ask somebody.").waitFor();
  expect(await refused.getByRole("button").count()).toBe(0);
  await page.unroute("**/api/backups");
  await page.locator("[data-problem=internal]").getByRole("button", { name: "Try again" }).click();
  await page.getByText("No backup yet").waitFor();
  await page.unroute("**/api/operations?*");
});

test("without a connection the page says so, and goes on by itself", async () => {
  const { page, context } = browser;
  await page.goto(server.origin);
  await expect.poll(() => figure("Memories"), SOON).toBe("3");
  await context.setOffline(true);
  await page.getByText("No connection.").waitFor();
  expect(await figure("Memories")).toBe("3");
  await context.setOffline(false);
  await page.getByText("No connection.").waitFor({ state: "hidden" });
});

test("an address without a page, and a session that ended", async () => {
  const { page, context } = browser;
  await page.goto(`${server.origin}/memories/aaaaaaaaaaaa`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.goto(server.origin);
  await expect.poll(() => figure("Memories"), SOON).toBe("3");
  const button = page.getByRole("button", { name: "Back up now" });
  await button.waitFor();
  const cookies = await context.cookies();
  await context.clearCookies();
  await button.click();
  await page.getByText("You are signed out.").first().waitFor();
  const answer = await page.goto(`${server.origin}/rules`);
  expect(answer?.url()).toBe(`${server.origin}/sign-in?next=%2Frules`);
  await context.addCookies(cookies);
});

test("nothing was refused by the content security policy, and no script failed", () => {
  dashboard.expectNoComplaints();
});

/** The large number above this name, or none while it is read. */
async function figure(name: string): Promise<string | null> {
  const box = browser.page.locator(".figure", { hasText: name });
  return (await box.count()) === 0 ? null : box.locator("dd").first().innerText();
}

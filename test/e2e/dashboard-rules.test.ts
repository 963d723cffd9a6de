/** The page of the memory rules, in a real browser. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Browser } from "./support/browser.ts";
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

beforeEach(async () => {
  await browser.page.goto(`${server.origin}/rules`);
  await rule("max_memories").waitFor();
});

test("every rule of the server stands there, with its default", async () => {
  const { defaults } = await stored();
  const shown = await browser.page
    .locator("[data-rule]")
    .evaluateAll((rules) => rules.map((one) => one.getAttribute("data-rule")));
  expect(new Set(shown)).toEqual(new Set(Object.keys(defaults)));
  expect(await browser.page.getByText("Default of this server").count()).toBe(shown.length);
  await rule("max_memories").getByText("Default of this server: 10,000").waitFor();
});

test("a rule is saved, said to be the person's, undone, done again, and put back", async () => {
  const { page } = browser;
  const group = page.getByRole("form", { name: "How much, and for how long" });
  const save = group.getByRole("button", { name: "Save", exact: true });
  expect(await save.isDisabled()).toBe(true);
  await rule("max_memories").getByRole("spinbutton", { name: "At most" }).fill("5000");
  await page.getByLabel("Events", { exact: true }).fill("90");
  await save.click();
  await page.getByText("Saved. It holds from now on.").waitFor();
  expect(await stored()).toMatchObject({
    rules: { max_memories: 5000, expire_after: { events: 90 } },
    own: expect.arrayContaining(["max_memories", "expire_after"]),
  });
  await rule("max_memories").getByText("Set by you").waitFor();

  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("The rules are as before.").waitFor();
  expect((await stored()).own).toEqual([]);
  await expect
    .poll(() => rule("max_memories").getByRole("spinbutton", { name: "At most" }).inputValue())
    .toBe("10000");
  await page.getByRole("button", { name: "Redo" }).click();
  await expect.poll(async () => (await stored()).rules.max_memories, SOON).toBe(5000);

  await rule("max_memories").getByText("Set by you").waitFor();
  await rule("max_memories")
    .getByRole("button", { name: /^Back to the default/ })
    .click();
  await save.click();
  await expect.poll(async () => (await stored()).own, SOON).toEqual(["expire_after"]);
});

test("what is typed while the last change is being saved stays, and is not saved with it", async () => {
  const { page } = browser;
  await patch({ max_memories: null, expire_after: null });
  await page.reload();
  const save = page
    .getByRole("form", { name: "How much, and for how long" })
    .getByRole("button", { name: "Save", exact: true });
  await rule("max_memories").getByRole("spinbutton", { name: "At most" }).fill("6000");
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await page.route("**/api/rules", async (route) => {
    if (route.request().method() === "GET") await released;
    await route.continue();
  });
  await save.click();
  await page.getByText("Saved. It holds from now on.").waitFor();
  const events = page.getByLabel("Events", { exact: true });
  await events.fill("90");
  release();
  await expect.poll(() => save.isEnabled(), SOON).toBe(true);
  expect(await events.inputValue()).toBe("90");
  expect((await stored()).own).toEqual(["max_memories"]);
  await page.unroute("**/api/rules");
  await patch({ max_memories: null });
});

test("what the server would refuse is said before it is asked, and what was typed stays", async () => {
  const { page } = browser;
  const group = page.getByRole("form", { name: "How much, and for how long" });
  const field = rule("max_memories").getByRole("spinbutton", { name: "At most" });
  for (const wrong of ["0", "1.5", "9999999", ""]) {
    await field.fill(wrong);
    await rule("max_memories").getByText("Give a whole number from 1 to 1,000,000.").waitFor();
    await group.getByRole("button", { name: "Save", exact: true }).click();
    expect(await field.inputValue()).toBe(wrong);
    expect(await field.evaluate((element) => element.matches(":focus"))).toBe(true);
  }
  expect((await stored()).own).not.toContain("max_memories");
  await group.getByRole("button", { name: "Discard" }).click();
  expect(await field.inputValue()).toBe("10000");
});

test("where the button in focus is disabled within one frame, as by an answer at once, its form has the focus", async () => {
  const { page } = browser;
  const group = page.getByRole("form", { name: "How much, and for how long" });
  await rule("max_memories").getByRole("spinbutton", { name: "At most" }).fill("7000");
  const save = group.getByRole("button", { name: "Save", exact: true });
  await save.focus();
  // Nothing else changes once the browser has drawn it: what an answer does that comes within the frame.
  await save.evaluate((button) => button.toggleAttribute("disabled", true));
  await expect.poll(() => group.evaluate((form) => form.matches(":focus")), SOON).toBe(true);
});

test("blocked tags of any text are kept as text, and at most 64 characters long", async () => {
  const { page } = browser;
  const hostile = ["<script>document.title='run'</script>", "\u202Edesrever", "健康"];
  const field = rule("blocked_tags").getByLabel("One tag a line");
  const save = page.getByRole("form", { name: "What is kept out" }).getByRole("button", {
    name: "Save",
    exact: true,
  });
  await field.fill(`${hostile.join("\n")}\n${"x".repeat(10_000)}`);
  await rule("blocked_tags").getByText("A tag has at most 64 characters.").waitFor();
  await field.fill(`\n${hostile.join("  \n\n")}\n`);
  await save.click();
  await expect.poll(async () => (await stored()).rules.blocked_tags, SOON).toEqual(hostile);
  expect(await page.title()).toBe("Rules · Cofio");
});

test("kinds that assistants save on their own are ticked one by one", async () => {
  const { page } = browser;
  const group = page.getByRole("form", { name: "Saving without asking" });
  await rule("auto_save").getByLabel("Only some kinds").check();
  for (const kind of ["Events", "People", "Other"]) await group.getByLabel(kind).uncheck();
  await group.getByLabel("Wait for my review").check();
  await group.getByRole("button", { name: "Save", exact: true }).click();
  await expect.poll(async () => (await stored()).rules.imports, SOON).toBe("pending");
  const { auto_save: kinds } = (await stored()).rules;
  expect(kinds).toContain("goals");
  expect(kinds).not.toContain("people");
  expect(kinds).toHaveLength(7);
});

test("a change by somebody else is read when the page is looked at again, and leaves alone what is being typed", async () => {
  const { page } = browser;
  const field = rule("max_memories").getByRole("spinbutton", { name: "At most" });
  await field.fill("4000");
  await patch({ secrets: "refuse" });
  await page.evaluate("window.dispatchEvent(new Event('visibilitychange'))");
  await expect
    .poll(() => rule("secrets").getByLabel("Refuse to save").isChecked(), SOON)
    .toBe(true);
  expect(await field.inputValue()).toBe("4000");
  await page.route("**/api/rules", (route) =>
    route.request().method() === "PATCH"
      ? route.fulfill({
          status: 409,
          json: { error: { code: "version_conflict", message: "Changed.", hint: "Again." } },
        })
      : route.fallback(),
  );
  await page
    .getByRole("form", { name: "How much, and for how long" })
    .getByRole("button", { name: "Save", exact: true })
    .click();
  await page.getByText("Again.").first().waitFor();
  expect(await field.inputValue()).toBe("4000");
  await page.unroute("**/api/rules");
});

test("each rule says what it does to what there is, and what it would do before it is saved", async () => {
  const { page } = browser;
  const names = Object.keys((await stored()).defaults);
  await patch(Object.fromEntries(names.map((name) => [name, null])));
  const created_at = new Date(Date.now() - 100 * 86_400_000).toISOString();
  const fair = { content: "Was at the fair.", category: "events", tags: ["Fair"], created_at };
  await dashboard.importRecords({
    memories: [{ id: "fair", status: "active", source: "claude", ...fair }],
  });
  await dashboard.call("POST", "/api/memories", { content: "Keeps bees.", category: "goals" });
  await page.reload();
  for (const name of names) {
    await expect.poll(() => effect(name), SOON).toMatch(/^Now: \w.*\.$/u);
  }
  const before = await stored();
  await page.getByRole("spinbutton", { name: "Events" }).fill("99");
  await expect
    .poll(() => effect("expire_after"), SOON)
    // What was imported is counted from today.
    .toBe("With this: would hide nothing that you have, had it always been so.");
  // Until the new count is there nothing is said of it.
  const { promise: counted, resolve: count } = Promise.withResolvers<void>();
  await page.route("**/api/rules/effects", async (route) => {
    await counted;
    await route.continue();
  });
  await rule("blocked_tags").getByLabel("One tag a line").fill("fair");
  await expect.poll(() => effect("blocked_tags"), SOON).toBe("");
  count();
  await page.unroute("**/api/rules/effects");
  await rule("blocked_tags").getByLabel("One tag a line").fill("fair\nsecrets");
  await expect
    .poll(() => effect("blocked_tags"), SOON)
    .toContain("With this: 1 memory you have is under these tags.");
  const most = rule("max_memories").getByRole("spinbutton", { name: "At most" });
  await most.fill("1");
  expect(await effect("max_memories")).toContain("you have 2 memories, 1 more than this.");
  expect(await effect("when_full")).toBe("With this: the next memory is refused.");
  await rule("secrets").getByLabel("Save them").check();
  expect(await effect("secrets")).toMatch(/^With this: they are stored as they are/);
  await most.fill("");
  expect(await effect("max_memories")).toBe("");

  await rule("relevance_threshold").getByLabel("Try it with a question").fill("fair");
  await expect
    .poll(() => effect("relevance_threshold"), SOON)
    .toBe("Now: hides nothing of the one memory that fits this question.");
  await rule("relevance_threshold").getByLabel("Try it with a question").fill("zeppelin");
  await expect
    .poll(() => effect("relevance_threshold"), SOON)
    .toBe("Now: nothing you have shares a word with this question.");
  await page.keyboard.press("Enter");
  expect(await stored()).toEqual(before);
});

test("what is not saved is asked about before the page is left, whichever way", async () => {
  const { page } = browser;
  const main = page.getByRole("navigation", { name: "Main" });
  await main.getByRole("link", { name: "Memories" }).click();
  await page.getByRole("heading", { name: "Memories", level: 1 }).waitFor();
  await main.getByRole("link", { name: "Rules" }).click();
  const field = rule("max_memories").getByRole("spinbutton", { name: "At most" });
  await field.fill("4000");
  const question = page.getByRole("dialog", { name: "Leave without saving?" });
  await main.getByRole("link", { name: "Home" }).click();
  await question.getByRole("button", { name: "Cancel" }).click();
  await question.waitFor({ state: "hidden" });
  expect([await field.inputValue(), new URL(page.url()).pathname]).toEqual(["4000", "/rules"]);

  await page.evaluate("history.back()");
  await question.waitFor();
  // Behind the question it is hidden from screen readers.
  const input = rule("max_memories").locator("input");
  expect([await input.inputValue(), new URL(page.url()).pathname]).toEqual(["4000", "/rules"]);
  await question.getByRole("button", { name: "Leave" }).click();
  await page.getByRole("heading", { name: "Memories", level: 1 }).waitFor();
  expect(new URL(page.url()).pathname).toBe("/memories");

  await main.getByRole("link", { name: "Rules" }).click();
  await field.fill("4000");
  const asked = page.waitForEvent("dialog");
  const reloaded = page.reload();
  const dialog = await asked;
  expect(dialog.type()).toBe("beforeunload");
  await dialog.accept();
  await reloaded;
  await field.fill("4000");
  await page
    .getByRole("form", { name: "How much, and for how long" })
    .getByRole("button", { name: "Discard" })
    .click();
  await main.getByRole("link", { name: "Home" }).click();
  await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
  expect((await stored()).own).not.toContain("max_memories");
});

test("refused, broken and without a connection, the page says so", async () => {
  const { page, context } = browser;
  const answer = (status: number, code: string) =>
    page.route("**/api/rules", (route) =>
      route.fulfill({ status, json: { error: { code, message: "Not now.", hint: "Later." } } }),
    );
  await answer(403, "forbidden");
  await page.reload();
  await page.locator("[data-problem=forbidden]").waitFor();
  await page.unroute("**/api/rules");
  await answer(500, "internal");
  await page.reload();
  const broken = page.locator("[data-problem=internal]");
  await broken.waitFor();
  await page.unroute("**/api/rules");
  await broken.getByRole("button", { name: "Try again" }).click();
  await rule("max_memories").waitFor();
  await context.setOffline(true);
  await page.getByText("No connection.").waitFor();
  await rule("max_memories").waitFor();
  await context.setOffline(false);
  await page.getByText("No connection.").waitFor({ state: "hidden" });
});

test("nothing is wider than the screen", async () => {
  const { page } = browser;
  for (const width of [390, 768, 1600]) {
    await page.setViewportSize({ width, height: 844 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
  }
});

test("nothing was refused by the content security policy, and no script failed", () => {
  dashboard.expectNoComplaints();
});

/** What it says about what there is. */
function effect(name: string): Promise<string> {
  return rule(name).locator(".rule-effect").innerText();
}

function rule(name: string) {
  return browser.page.locator(`[data-rule=${name}]`);
}

async function stored(): Promise<any> {
  return (await browser.context.request.get(`${server.origin}/api/rules`)).json();
}

async function patch(data: unknown): Promise<void> {
  const headers = { origin: server.origin };
  await browser.context.request.patch(`${server.origin}/api/rules`, { headers, data });
}

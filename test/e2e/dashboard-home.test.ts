/** The home page in a real browser: its chart, and that what the page itself changed is read once. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDashboard, SOON, type Dashboard } from "./support/dashboard.ts";

const DAY = 86_400_000;

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await openDashboard();
});
afterAll(() => dashboard?.close());

test("where nothing came lately the chart says so, and a longer time shows it", async () => {
  const { page, open, importRecords } = dashboard;
  await page.getByRole("heading", { name: "Connect an assistant" }).waitFor();
  expect(await page.getByRole("heading", { name: "Over time" }).count()).toBe(0);
  await importRecords({ memories: [memory("Long ago", "kimi", 200)] });
  await open("/");
  await page.getByText("No memory came in the last 13 weeks.").waitFor();
  await page.getByRole("combobox", { name: "How long" }).selectOption("12 months");
  await legend().getByText("Kimi").waitFor();
});

test("what was saved is drawn by time and source, told apart without colour, and there as a table", async () => {
  const { page, open, importRecords } = dashboard;
  const sources = ["chatgpt", "chatgpt", "chatgpt", "claude", "claude", "gemini", "grok"];
  await importRecords({
    memories: [
      ...sources.map((source, at) => memory(`Today ${at}`, source, 0)),
      memory("Eight days ago", "chatgpt", 8),
    ],
    conversations: [chat("Tides", 3)],
  });
  await open("/");
  await legend().getByText("ChatGPT").waitFor();
  expect(await legend().getByRole("listitem").allTextContents()).toEqual([
    "ChatGPT 4",
    "Claude 2",
    expect.stringMatching(/^G\w+ 1$/),
    expect.stringMatching(/^G\w+ 1$/),
  ]);
  await page.getByText("8 memories in all").waitFor();
  const fills = page.locator(".chart-bar").last().locator(".chart-part");
  expect(await fills.count()).toBe(4);
  const patterns = await fills.evaluateAll((parts) => parts.map((one) => one.getAttribute("fill")));
  expect(new Set(patterns).size).toBe(4);
  const marks = await page
    .locator(".chart-mark")
    .evaluateAll((paths) => paths.map((one) => one.getAttribute("d")));
  expect(new Set(marks).size).toBe(4);

  await page.getByText("As a table").click();
  const rows = page.getByRole("row");
  expect(await rows.first().locator("th").allInnerTexts()).toEqual([
    "Time",
    "ChatGPT",
    "Claude",
    expect.any(String),
    expect.any(String),
    "All",
  ]);
  expect(await rows.nth(1).locator("td").allInnerTexts()).toEqual(["3", "2", "1", "1", "7"]);
  expect(await rows.nth(2).locator("td").allInnerTexts()).toEqual(["1", "0", "0", "0", "1"]);
  expect(await rows.count()).toBe(14);
});

test("bars are reached by keyboard, and each says what it stands for", async () => {
  const { page } = dashboard;
  await page.getByRole("combobox", { name: "How long" }).focus();
  await page.keyboard.press("Tab");
  const reached = () => page.locator(":focus").getAttribute("aria-label");
  expect(await reached()).toMatch(/: 7 memories – ChatGPT 3, Claude 2, /);
  await page.locator(".chart-detail").getByText("7 memories").waitFor();
  await page.keyboard.press("ArrowLeft");
  expect(await reached()).toMatch(/: 1 memory – ChatGPT 1$/);
  await page.keyboard.press("Home");
  expect(await reached()).toMatch(/: 0 memories$/);
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowRight");
  expect(await reached()).toContain("7 memories");
  await page.keyboard.press("Tab");
  expect(await page.locator(".chart-bar:focus").count()).toBe(0);
  await page.locator(".chart-detail").getByText("8 memories in all").waitFor();

  await page.getByRole("combobox", { name: "What" }).selectOption("Conversations");
  await page.locator(".chart-detail").getByText("3 messages in all").waitFor();
  await page.getByText("on which their conversation began").waitFor();
});

test("with the system's few colours the bars have them, and on a phone it all fits", async () => {
  const { page } = dashboard;
  await page.emulateMedia({ forcedColors: "active" });
  const colour = (selector: string, property: string) =>
    page.evaluate(`getComputedStyle(document.querySelector("${selector}")).${property}`);
  expect(await colour(".chart-ground", "fill")).not.toBe(await colour(".chart-mark", "stroke"));
  await page.emulateMedia({ forcedColors: "none" });
  await dashboard.expectNoOverflow();
});

test("the chart that cannot be read says why, and the rest of the page is there", async () => {
  const { page, open } = dashboard;
  const refusal = { code: "forbidden", message: "Not for you.", hint: "Ask somebody." };
  await page.route("**/api/timeline*", (route) =>
    route.fulfill({ status: 403, json: { error: refusal } }),
  );
  await open("/");
  await page.locator("[data-problem=forbidden]").getByText("Not for you.").waitFor();
  await page.getByRole("heading", { name: "Backups" }).waitFor();
  await page.unroute("**/api/timeline*");
});

test("the page reads once what it changed itself, and the chart only then", async () => {
  const { page, open, call } = dashboard;
  await open("/");
  await legend().getByText("ChatGPT").waitFor();
  await page.getByText("Imported").first().waitFor();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const readings = (path: string) => asked.filter((one) => one === path).length;
  await page
    .getByRole("button", { name: /^Undo: Imported/ })
    .first()
    .click();
  await expect.poll(() => figure("Memories"), SOON).toBe("1");
  // What comes after another's change is the second reading, if the first change brought about one.
  await call("POST", "/api/memories", { content: "By somebody else.", user_asked: true });
  await expect.poll(() => figure("Memories"), SOON).toBe("2");
  expect([readings("/api/stats"), readings("/api/operations")]).toEqual([2, 2]);
  expect(readings("/api/timeline")).toBe(1);
});

test("what is stored is told with how much of it the server keeps, where it says so", async () => {
  const { page, open } = dashboard;
  expect(await figureNote("Storage")).toBe("encrypted at rest");
  await page.route("**/api/stats", async (route) => {
    const answer = await route.fetch();
    const stats = await answer.json();
    const quota = { ...stats.quota, bytes_used: 12_000_000, bytes_limit: 400_000_000 };
    await route.fulfill({ json: { ...stats, bytes: 12_000_000, quota } });
  });
  await open("/");
  await expect.poll(() => figure("Storage"), SOON).toBe("12 MB");
  expect(await figureNote("Storage")).toBe("of at most 400 MB");
  await page.unroute("**/api/stats");
});

test("apps are those that are connected: what the person saves themselves makes the page none", async () => {
  const { open, call } = dashboard;
  await call("POST", "/api/memories", { content: "By hand.", user_asked: true });
  await open("/");
  await expect.poll(() => figure("Memories"), SOON).not.toBe("0");
  await expect.poll(() => figure("Apps"), SOON).toBe("0");
});

test("a backup that failed is told on the first page", async () => {
  const { page, open } = dashboard;
  await page.route("**/api/stats", async (route) => {
    const answer = await route.fetch();
    const stats = await answer.json();
    await route.fulfill({ json: { ...stats, backup_problem: "The backup of 2026-11-22 failed." } });
  });
  await open("/");
  await page.getByRole("alert").getByText("The backup of 2026-11-22 failed.").waitFor();
  await page.unroute("**/api/stats");
});

test("nothing was refused by the content security policy, and no script failed", () => {
  dashboard.expectNoComplaints();
});

function legend() {
  return dashboard.page.getByRole("list", { name: "Where they came from" });
}

/** The large number above this name, or none while it is read. */
async function figure(name: string): Promise<string | null> {
  const box = dashboard.page.locator(".figure", { hasText: name });
  return (await box.count()) === 0 ? null : box.locator("dd").first().innerText();
}

/** What stands below it. */
function figureNote(name: string): Promise<string> {
  return dashboard.page.locator(".figure", { hasText: name }).locator("dd").last().innerText();
}

function memory(content: string, source: string, daysAgo: number) {
  const created_at = new Date(Date.now() - daysAgo * DAY).toISOString();
  return { id: content, content, category: "other", status: "active", source, created_at };
}

function chat(title: string, count: number) {
  const created_at = new Date().toISOString();
  return {
    id: title,
    title,
    source: "claude",
    messages: Array.from({ length: count }, (_, at) => ({
      role: at % 2 === 0 ? "user" : "assistant",
      text: `${title} ${at}`,
      created_at,
    })),
  };
}

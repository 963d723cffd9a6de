/** The page that leads assistants to the server, in a real browser. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, type Browser } from "./support/browser.ts";
import { startServer, type Server } from "./support/server.ts";

let server: Server;
let browser: Browser;
/** What the content security policy refused, and what the scripts of the pages threw. */
const complaints: string[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
  browser.page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  browser.page.on("pageerror", (error) => complaints.push(String(error)));
  await browser.context.grantPermissions(["clipboard-write"]);
  await browser.signUp(server, "Mair Llwyd");
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

test("the navigation leads there; the address and the sentence for assistants can be copied", async () => {
  const { page } = browser;
  await page.getByRole("link", { name: "Connect", exact: true }).click();
  const heading = page.getByRole("heading", { name: "Connect", level: 1 });
  await heading.waitFor();
  expect(await page.locator(":focus").innerText()).toBe("Connect");
  expect(await copied("Copy the address")).toBe(server.mcpUrl);
  expect(await copied("Copy the sentence")).toContain("search_memory");
  await page.getByText("This server runs on your own computer.").waitFor();
});

test("each program has a row with this server's address, whose texts are copied as they are shown", async () => {
  const { page } = browser;
  expect(await page.locator("[data-client]").count()).toBeGreaterThanOrEqual(20);
  await page.getByRole("heading", { name: "Windsurf" }).click();
  const file = page.locator("[data-client=windsurf] .file").first();
  expect(JSON.parse(await file.locator("pre").innerText())).toEqual({
    mcpServers: { cofio: { serverUrl: server.mcpUrl } },
  });
  await file.getByRole("button").click();
  expect(JSON.parse(await clipboard())).toEqual(JSON.parse(await file.locator("pre").innerText()));
  await page.getByRole("heading", { name: "Cursor" }).click();
  const link = page.getByRole("link", { name: "Add to Cursor" });
  const config = new URL((await link.getAttribute("href")) ?? "").searchParams.get("config");
  expect(JSON.parse(atob(config ?? ""))).toEqual({ url: server.mcpUrl });
});

test("programs are searched by any of their names and narrowed by kind, by keyboard and by address", async () => {
  const { page } = browser;
  const rows = page.locator("[data-client]");
  await page.keyboard.press("/");
  await page.keyboard.type("DEVIN");
  await expect.poll(() => rows.count()).toBe(1);
  expect(await rows.getAttribute("data-client")).toBe("windsurf");
  expect(await rows.getAttribute("open")).toBe("");
  await page.getByLabel("Search programs").fill("");
  await page.getByText("Terminal", { exact: true }).click();
  await page.reload();
  expect(new URL(page.url()).search).toBe("?kind=terminal");
  await page.locator("[data-client=claude-code]").waitFor();
  expect(await page.locator("[data-client=cursor]").count()).toBe(0);
  const hostile = `<img src=x onerror="document.title='run'">\u202E`;
  await page.getByLabel("Search programs").fill(hostile);
  await page.getByText("No program of that name is described here.").waitFor();
  await page.goto(`${server.origin}/connect?kind=nonsense&q=${encodeURIComponent(hostile)}`);
  await page.getByRole("button", { name: "Show all" }).click();
  await expect.poll(() => rows.count()).toBeGreaterThanOrEqual(20);
  expect(await page.title()).toBe("Connect · Cofio");
});

test("what to check names the switches of Cloudflare, and opens by keyboard", async () => {
  const { page } = browser;
  const summary = page.getByText("You allowed it, and it says that authorization failed");
  await summary.focus();
  await page.keyboard.press("Enter");
  await page.getByText("Block AI bots", { exact: true }).waitFor();
  await page.getByText("AI Crawl Control", { exact: true }).waitFor();
});

test("nothing is wider than the screen, with everything open; it stays without a connection", async () => {
  const { page, context } = browser;
  for (const width of [390, 768, 1600]) {
    await page.setViewportSize({ width, height: 844 });
    await page.goto(`${server.origin}/connect`);
    await page.locator("[data-client=claude]").waitFor();
    await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
  }
  await context.setOffline(true);
  await page.getByText("No connection.").waitFor();
  await page.locator("[data-client=claude]").waitFor();
  await context.setOffline(false);
  await page.getByText("No connection.").waitFor({ state: "hidden" });
});

test("nothing was refused by the content security policy, and no script failed", () => {
  expect(complaints.filter((text) => !text.includes("ERR_INTERNET_DISCONNECTED"))).toEqual([]);
});

async function copied(button: string): Promise<string> {
  await browser.page.getByRole("button", { name: button, exact: true }).click();
  return clipboard();
}

/** As a person pastes it elsewhere: the pages themselves may not read it. */
async function clipboard(): Promise<string> {
  const elsewhere = await browser.context.newPage();
  await elsewhere.setContent("<textarea></textarea>");
  const field = elsewhere.locator("textarea");
  await field.press("ControlOrMeta+V");
  const text = await field.inputValue();
  await elsewhere.close();
  await browser.page.bringToFront();
  return text;
}

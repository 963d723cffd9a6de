/** The page that leads assistants to the server, in a real browser. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { callsOf } from "./support/all-tools.ts";
import { beginV2, connectV2, openBrowser, type Browser } from "./support/browser.ts";
import { SOON } from "./support/dashboard.ts";
import { startServer, type Server } from "./support/server.ts";

let server: Server;
let browser: Browser;
/** What the content security policy refused, and what the scripts of the pages threw. */
const complaints: string[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
  browser.context.on("page", (page) => listenTo(page));
  listenTo(browser.page);
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

test("each app has a row with this server's address, whose texts are copied as they are shown", async () => {
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

test("apps are searched by any of their names and narrowed by kind, by keyboard and by address", async () => {
  const { page } = browser;
  const rows = page.locator("[data-client]");
  await page.keyboard.press("/");
  await page.keyboard.type("DEVIN");
  await expect.poll(() => rows.count()).toBe(1);
  expect(await rows.getAttribute("data-client")).toBe("windsurf");
  expect(await rows.getAttribute("open")).toBe("");
  await page.getByLabel("Search apps").fill("");
  await page.getByText("Terminal", { exact: true }).click();
  await page.reload();
  expect(new URL(page.url()).search).toBe("?kind=terminal");
  await page.locator("[data-client=claude-code]").waitFor();
  expect(await page.locator("[data-client=cursor]").count()).toBe(0);
  const hostile = `<img src=x onerror="document.title='run'">\u202E`;
  await page.getByLabel("Search apps").fill(hostile);
  await page.getByText("No app of that name is described here.").waitFor();
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

test("each step of a client appears as it is taken, and one that does not come says after a minute what to check", async () => {
  const page = await watch();
  await standingAt(page, "none");
  await page.getByText("Waiting for an app.").waitFor();
  expect(await checks(page).count()).toBe(0);
  await minutePasses(page);
  await checks(page).getByText("That is fine while you are still setting one up.").waitFor();

  const claude = await beginV2(server, "<b>Claude</b>");
  await standingAt(page, "registered");
  expect(await checks(page).count()).toBe(0);
  expect(await steps(page)).toEqual([
    "It finds this server: done",
    "It introduces itself: done",
    "You are asked: waiting",
    "You allow it: to come",
    "It fetches its key: to come",
    "It comes in: to come",
    "It uses your memory: to come",
  ]);
  await minutePasses(page);
  await checks(page).getByText("No page has asked you yet.").waitFor();
  expect((await steps(page))[2]).toBe("You are asked: nothing yet");

  await browser.page.goto(claude.authorizationUrl.href);
  await standingAt(page, "consent_shown");
  const status = page.getByRole("status").filter({ hasText: "Claude" });
  await status.getByText("<b>Claude</b> waits for your answer").waitFor();
  await minutePasses(page);
  await checks(page).getByText("It waits for you.").waitFor();

  const callback = await browser.consent(claude.authorizationUrl);
  await standingAt(page, "authorised");
  await minutePasses(page);
  await checks(page).getByText("http://localhost", { exact: true }).waitFor();

  await claude.fetchToken(callback);
  await standingAt(page, "token_issued");
  const client = await claude.reconnect();
  await standingAt(page, "reached");
  await minutePasses(page);
  await checks(page).getByText("The connection works; no tool was used yet.").waitFor();

  await callsOf(client)("get_stats");
  await standingAt(page, "first_call");
  await status.getByText("<b>Claude</b> is connected.").waitFor();
  expect(new Set((await steps(page)).map((step) => step.split(": ")[1]))).toEqual(
    new Set(["done"]),
  );
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  await page.getByRole("button", { name: "Copy the sentence for its instructions" }).waitFor();
  await page.locator(".handshake").getByRole("link", { name: "Connected apps" }).click();
  await page.getByRole("region", { name: "<b>Claude</b>" }).waitFor();
  await page.close();
  await client.close();
});

test("on a domain of one's own a key without a call leads to the switches of Cloudflare; the next app begins anew", async () => {
  const { client: earlier } = await connectV2(server, browser, { name: "Earlier" });
  const page = await watch("https://memory.example/mcp");
  // What was seen before the page was loaded is there still.
  await standingAt(page, "reached");
  await page.getByRole("button", { name: "Start over" }).click();
  await standingAt(page, "none");
  const cursor = await beginV2(server, "Cursor");
  await standingAt(page, "registered");
  await cursor.fetchToken(await browser.consent(cursor.authorizationUrl));
  await standingAt(page, "token_issued");
  await minutePasses(page);
  await checks(page).getByText("Block AI bots", { exact: true }).waitFor();
  await checks(page).getByText("AI Crawl Control", { exact: true }).waitFor();

  await callsOf(earlier)("get_stats");
  await page.getByText("Earlier is connected too, and uses your memory.").waitFor();
  await standingAt(page, "token_issued");
  const client = await cursor.reconnect();
  await callsOf(client)("get_stats");
  await standingAt(page, "first_call");
  await page.getByRole("button", { name: "Connect another" }).click();
  await standingAt(page, "none");
  await page.close();
  await Promise.all([client.close(), earlier.close()]);
});

test("when nobody can watch, the page says so, and tries again", async () => {
  const page = await browser.context.newPage();
  await page.route("**/api/account/handshake", (route) =>
    route.fulfill({
      status: 500,
      json: { error: { code: "internal", message: "It broke.", hint: "Try again." } },
    }),
  );
  await page.goto(`${server.origin}/connect`);
  const problem = page.locator("[data-problem=internal]");
  await problem.waitFor();
  await page.unroute("**/api/account/handshake");
  await problem.getByRole("button", { name: "Try again" }).click();
  await page.locator("[data-handshake]").waitFor();
  await page.close();
});

test("the page examines this server as a stranger, and says what only a program can see", async () => {
  const page = await browser.context.newPage();
  await page.goto(`${server.origin}/connect`);
  const cookies: (string | undefined)[] = [];
  page.on("request", async (request) => {
    const isOfPage = request.url().includes("/assets/") || request.url().includes("/api/");
    if (!isOfPage) cookies.push((await request.allHeaders())["cookie"]);
  });
  await page.getByRole("button", { name: "Examine this server" }).click();
  await page.getByText("Nothing is wrong as far as a page sees.").waitFor();
  expect(await findings(page)).toEqual([
    "reach: right",
    "challenge: right",
    "addresses: right",
    "resource: right",
    "sign-in server: right",
    "token endpoint: right",
    "sign-in page: right",
  ]);
  expect(cookies.length).toBeGreaterThan(10);
  expect(cookies.filter((cookie) => cookie !== undefined)).toEqual([]);
  await page.getByText("What a page cannot see").click();
  await page.getByText(`cofio doctor ${server.origin}`).waitFor();
  await page.close();
});

test("what stands in a client's way is named with the switch to turn, and looked at again", async () => {
  const page = await browser.context.newPage();
  const refuse = (path: string, answer: { status: number; contentType: string; body: string }) =>
    page.route(`${server.origin}${path}`, (route) => route.fulfill(answer));
  const script = "**/chunks/examine-own-server-*.js";
  await page.route(script, (route) => route.abort());
  await page.goto(`${server.origin}/connect`);
  await page.getByRole("button", { name: "Examine this server" }).click();
  const problem = page.locator("[data-problem=internal]");
  await problem.waitFor();
  await page.unroute(script);
  await page.reload();

  await refuse("/mcp", { status: 403, contentType: "text/plain", body: "Blocked" });
  await refuse("/.well-known/oauth-protected-resource", {
    status: 200,
    contentType: "text/html",
    body: "<!doctype html><title>An app</title>",
  });
  await page.getByRole("button", { name: "Examine this server" }).click();
  await page.getByText("What to do:").waitFor();
  expect(await findings(page)).toEqual([
    "reach: right",
    "challenge: wrong",
    "resource: wrong",
    "sign-in server: right",
    "token endpoint: right",
    "sign-in page: right",
  ]);
  await page.getByText("POST /mcp is refused with status 403 before Cofio sees it").waitFor();
  await page.getByText("is a web page and not the document that clients read").waitFor();
  await page.getByText("Under Attack mode, Bot Fight Mode").waitFor();

  await page.unrouteAll();
  await browser.context.setOffline(true);
  await page.getByRole("button", { name: "Examine it again" }).click();
  await page.getByText(`${server.origin} gets no answer`).waitFor();
  expect(await findings(page)).toEqual(["reach: wrong"]);
  await browser.context.setOffline(false);
  await page.getByRole("button", { name: "Examine it again" }).click();
  await page.getByText("Nothing is wrong as far as a page sees.").waitFor();
  await page.close();
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
  expect(complaints).toEqual([]);
});

function listenTo(page: Page): void {
  page.on("console", (message) => {
    const isOfNetwork = /^Failed to load resource|ERR_INTERNET_DISCONNECTED/.test(message.text());
    if (message.type() === "error" && !isOfNetwork) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
}

/** The page in a tab of its own, whose clock the test moves. @param url as if the server were reached at this address */
async function watch(url?: string): Promise<Page> {
  const page = await browser.context.newPage();
  await page.clock.install();
  if (url !== undefined) {
    // Before the page's own script reads it.
    const set = `document.getElementById("dashboard").dataset.mcpUrl = ${JSON.stringify(url)}`;
    await page.addInitScript(`document.onreadystatechange = () => { ${set} }`);
  }
  await page.goto(`${server.origin}/connect`);
  return page;
}

async function standingAt(page: Page, step: string): Promise<void> {
  await page.locator(`[data-handshake=${step}]`).waitFor(SOON);
}

function minutePasses(page: Page): Promise<void> {
  return page.clock.fastForward(61_000);
}

/** Of the examination: each step, and how it ended. */
async function findings(page: Page): Promise<string[]> {
  const marks = page.getByRole("list", { name: "What was found" }).locator("strong, .sr-only");
  const words = await marks.allInnerTexts();
  return words.flatMap((word, index) => (index % 2 === 0 ? [word + words[index + 1]] : []));
}

function checks(page: Page) {
  return page.getByRole("region", { name: "What to check" });
}

/** Each with the words that say how it stands. */
async function steps(page: Page): Promise<string[]> {
  const texts = await page.locator(".step").allInnerTexts();
  return texts.map((text) => text.split("\n").join(": "));
}

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

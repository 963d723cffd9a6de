/** What a person does here from the first page to the last, with a real client: once with the mouse, and once with the keys alone. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Download, Locator, Page } from "playwright-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { callsOf } from "./support/all-tools.ts";
import { beginV2, openBrowser, type Browser } from "./support/browser.ts";
import { writeChatExport } from "./support/chat-export.ts";
import { keyboardOf } from "./support/keyboard.ts";
import { startServer, type Server } from "./support/server.ts";

/** The first sign-up of a server takes seconds, an export is made in steps, and the machine may be loaded. */
const WAIT = { timeout: 60_000 };
const CONVERSATIONS = 12;
const FACTS = ["Bakes rye bread on Sundays.", "Lives in Bangor.", "Prefers tea."] as const;

let server: Server;
let browser: Browser;
let folder: string;
/** What the content security policy refused, and what the scripts of the pages threw. */
let complaints: string[];

beforeEach(async () => {
  complaints = [];
  [server, browser, folder] = await Promise.all([
    startServer(),
    openBrowser(),
    mkdtemp(join(tmpdir(), "cofio-journey-")),
  ]);
  const { page, context } = browser;
  page.on("console", (message) => {
    const isOfNetwork = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !isOfNetwork) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  context.setDefaultTimeout(WAIT.timeout);
  await context.grantPermissions(["clipboard-write"]);
  await page.goto(server.origin);
});

afterEach(async () => {
  await browser?.close();
  await server?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

test("a person signs up, connects a client, sees what it saves, corrects it, imports, searches, exports, and ends its access", async () => {
  const { page } = browser;
  const open = (name: string) => link(name).click();

  await page.getByRole("link", { name: "Create account" }).click();
  await page.getByLabel("Your name").fill("Mair Llwyd");
  await page.getByRole("button", { name: "Create account with a passkey" }).click();
  await heading("Home").waitFor();

  const claude = await connect((tab) =>
    tab.getByRole("button", { name: "Allow", exact: true }).click(),
  );

  await open("Memories");
  await page.getByText("No memories yet.").waitFor();
  await page.evaluate("document.title = 'not loaded again'");
  for (const content of FACTS) await claude.call("save_memory", { content });
  await expect.poll(memories, WAIT).toEqual(FACTS);
  expect(await page.title()).toBe("not loaded again");

  await page.getByRole("link", { name: FACTS[0] }).click();
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("What is to be remembered").fill("Bakes spelt bread on Sundays.");
  await page.getByRole("button", { name: "Save" }).click();
  await expect.poll(said, WAIT).toBe("Bakes spelt bread on Sundays.");
  expect(await page.locator("del").first().innerText()).toBe("rye");
  expect(await page.locator("ins").first().innerText()).toBe("spelt");
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await expect.poll(said, WAIT).toBe(FACTS[0]);
  await page.getByText("Version 3, as it is now").waitFor();

  await open("Import");
  await page.getByText("Drop files here").waitFor();
  await page.getByLabel("Files").setInputFiles(await chatExport());
  await page.getByRole("heading", { name: "What was found" }).waitFor();
  const release = await holdBatches();
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByRole("progressbar", { name: "Importing" }).waitFor();
  release();
  await imported();

  await open("Conversations");
  await page.getByText(`${CONVERSATIONS} conversations`).waitFor();
  await page.getByRole("searchbox").fill("dough number 7");
  await page.getByRole("link", { name: "Bread 7" }).first().click();
  await page.getByText("How long shall dough number 7 proof in a cold kitchen?").waitFor();
  const found = await claude.call("search_conversations", { query: "dough number 7" });
  expect(found["results"][0]["conversation"]).toMatchObject({ title: "Bread 7" });

  await open("Export");
  await page.getByRole("radio", { name: /^JSON/ }).check();
  await page.getByRole("button", { name: "Export", exact: true }).click();
  await page.getByRole("link", { name: "Download" }).waitFor();
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download" }).click();
  await expectWhole(await download);

  await open("Connected apps");
  await page.getByRole("button", { name: "Revoke: Claude" }).click();
  const question = page.getByRole("dialog", { name: "Revoke Claude?" });
  await question.getByRole("button", { name: "Revoke" }).click();
  await page.getByText("Claude has no access any more.").waitFor();
  await claude.expectRefused();
  expect(complaints).toEqual([]);
}, 300_000);

test("the same with the keys alone, and something on every other page", async () => {
  const { page } = browser;
  const keys = keyboardOf(page);
  const lost: string[] = [];
  /** Somewhere: what was in focus may be gone. */
  const noteFocus = async (after: string) => {
    await page
      .locator(":focus")
      .waitFor({ timeout: 3_000 })
      .catch(() => lost.push(after));
  };
  const open = async (name: string) => {
    await keys.reachBack(link(name));
    await page.keyboard.press("Enter");
    await expectFocus("h1");
  };
  const press = (name: string, key?: string) =>
    keys.press(page.getByRole("button", { name, exact: true }).first(), key);
  /** A message goes after ten seconds, and stays as long as somebody is in it. */
  const undo = async () => {
    await page.getByRole("button", { name: "Undo", exact: true }).first().waitFor();
    await page.keyboard.press("F6");
    await press("Undo");
  };

  await keys.press(page.getByRole("link", { name: "Create account" }));
  await keys.type(page.getByLabel("Your name"), "Mair Llwyd");
  await press("Create account with a passkey");
  await heading("Home").waitFor();

  // Home
  await keys.press(page.getByRole("link", { name: "Skip to the content" }));
  await keys.press(page.getByRole("link", { name: "Other apps" }));
  await expectFocus("h1");

  // Connect
  await press("Copy the address");
  await page.getByRole("button", { name: "Copied the address" }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("goose");
  await keys.press(page.getByText("Goose", { exact: true }).locator("xpath=ancestor::summary"));
  await keys.reach(page.getByRole("radio", { name: "All" }));
  await page.keyboard.press("ArrowRight");
  await page.locator("[data-client=claude]").waitFor({ state: "hidden" });
  const claude = await connect((tab) =>
    keyboardOf(tab).press(tab.getByRole("button", { name: "Allow", exact: true })),
  );
  await claude.call("get_stats");
  await page.locator(".handshake").getByText("Claude is connected.").waitFor();
  await press("Connect another");
  await page.getByText("Waiting for an app.").waitFor();
  await noteFocus("connecting another");

  // Memories
  await open("Memories");
  for (const content of FACTS) await claude.call("save_memory", { content });
  await expect.poll(memories, WAIT).toEqual(FACTS);
  await keys.press(page.getByRole("checkbox").first(), "Space");
  await page.keyboard.press("Shift+ArrowDown");
  await page.getByText("2 chosen").waitFor();
  await press("Tags");
  await keys.type(page.getByLabel("Add these tags"), "chosen");
  await page.keyboard.press("Enter");
  await page.getByText("Tags changed: 2 memories.").waitFor();
  await page.keyboard.press("n");
  await keys.type(page.getByLabel("What is to be remembered"), "Keeps bees.");
  await press("Save");
  await expect.poll(() => memories().then(({ length }) => length), WAIT).toBe(4);
  await noteFocus("new memory");
  // Tab reaches one row, and the arrows lead from row to row: to the oldest here.
  await keys.reach(page.locator(".memory-list input[tabindex='0']"));
  for (let row = 1; row < 4; row++) await page.keyboard.press("ArrowDown");
  await keys.press(page.getByRole("link", { name: FACTS[0] }));

  // One memory
  await expectFocus("h1");
  await page.getByRole("button", { name: "Edit" }).waitFor();
  await page.keyboard.press("e");
  await keys.type(page.getByLabel("What is to be remembered"), "Bakes spelt bread.");
  await press("Save");
  await expect.poll(said, WAIT).toBe("Bakes spelt bread.");
  await noteFocus("saving a memory");
  await undo();
  await expect.poll(said, WAIT).toBe(FACTS[0]);
  await press("Bring back version 2");
  await page.getByText("Version 4, as it is now").waitFor();
  await press("Bring back version 1");
  await page.getByText("Version 5, as it is now").waitFor();
  await noteFocus("bringing back a version");

  // Import
  await open("Import");
  await page.getByText("Drop files here").waitFor();
  const chooser = page.waitForEvent("filechooser");
  await keys.press(page.getByLabel("Files"), "Space");
  await (await chooser).setFiles(await chatExport());
  await page.getByRole("heading", { name: "What was found" }).waitFor();
  await expectFocus("h1, h2");
  await press("Import");
  await imported();
  await expectFocus("h1, h2");

  // Conversations, and one of them
  await open("Conversations");
  await page.getByText(`${CONVERSATIONS} conversations`).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("dough number 7");
  await keys.press(page.getByRole("link", { name: "Bread 7" }).first());
  await page.getByText("How long shall dough number 7 proof in a cold kitchen?").waitFor();
  await keys.type(page.getByRole("searchbox"), "yeast");
  await page.keyboard.press("Enter");
  await expectFocus("article[data-found=true]");
  // An answer that comes late does not take the focus from whoever has gone on.
  const late = Promise.withResolvers<void>();
  await page.route("**/search", async (route) => {
    await late.promise;
    await route.continue();
  });
  await keys.type(page.getByRole("searchbox"), "kitchen");
  await page.keyboard.press("Enter");
  await keys.reach(page.getByRole("button", { name: "Remember message 1", exact: true }));
  late.resolve();
  await page.locator("article[data-found=true][aria-posinset='1']").waitFor();
  await page.unroute("**/search");
  await page.keyboard.press("Enter");
  const remember = page.getByRole("dialog", { name: "Save as memory" });
  await keys.press(remember.getByRole("button", { name: "Save" }));
  await page.getByText("Saved as a memory.").waitFor();
  await noteFocus("remembering a message");

  // Export
  await open("Export");
  await keys.reach(page.getByRole("radio", { name: /^Cofio archive/ }));
  await page.keyboard.press("ArrowDown");
  await press("Export");
  await page.getByRole("link", { name: "Download" }).waitFor();
  const download = page.waitForEvent("download");
  await keys.press(page.getByRole("link", { name: "Download" }));
  await expectWhole(await download);

  // History
  await open("History");
  await keys.press(page.getByRole("button", { name: /^Undo: Imported/ }));
  await page.getByText(`Undone: ${CONVERSATIONS} conversations.`).waitFor();
  await noteFocus("undoing an import");

  // Rules
  await open("Rules");
  await keys.type(page.getByRole("spinbutton", { name: "At most" }).first(), "5000");
  const rules = page.getByRole("form", { name: "How much, and for how long" });
  await keys.press(rules.getByRole("button", { name: "Save", exact: true }));
  await page.getByText("Saved. It holds from now on.").waitFor();
  await noteFocus("saving rules");

  // Security
  await open("Security");
  await keys.type(page.getByRole("textbox", { name: "Name", exact: true }), "Mair");
  await page.keyboard.press("Enter");
  await page.getByText("Mair", { exact: true }).first().waitFor();

  // Connected apps
  await keys.press(link("Connected apps"));
  await expectFocus("h1");
  await press("Revoke: Claude");
  const question = page.getByRole("dialog", { name: "Revoke Claude?" });
  await keys.press(question.getByRole("button", { name: "Revoke" }));
  await page.getByText("Claude has no access any more.").waitFor();
  await claude.expectRefused();
  await noteFocus("revoking");

  await keys.reachBack(page.getByRole("button", { name: "Sign out" }));
  await page.keyboard.press("Enter");
  await keys.press(page.getByRole("link", { name: "Sign in" }));
  await press("Sign in with a passkey");
  await heading("Home").waitFor();
  expect(lost).toEqual([]);
  expect(complaints).toEqual([]);
}, 400_000);

/** @param allow answers the page that asks, in a tab that the client opens */
async function connect(allow: (tab: Page) => Promise<void>) {
  const { context, page } = browser;
  const { auth, authorizationUrl, fetchToken, reconnect } = await beginV2(server, "Claude");
  const tab = await context.newPage();
  await tab.goto(authorizationUrl.href);
  await tab.getByRole("heading", { name: "Allow “Claude” to use your memory?" }).waitFor();
  await allow(tab);
  await tab.getByText("Back at the client").waitFor();
  await fetchToken(new URL(tab.url()));
  await tab.close();
  await page.bringToFront();
  const client = await reconnect();
  return {
    call: callsOf(client),
    async expectRefused() {
      await expect(client.callTool({ name: "get_stats", arguments: {} })).rejects.toThrow();
      const { access_token: token } = (await auth.tokens()) ?? {};
      const headers = { authorization: `Bearer ${token}` };
      expect((await fetch(`${server.origin}/mcp`, { method: "POST", headers })).status).toBe(401);
      await client.close();
    },
  };
}

function link(name: string): Locator {
  const main = browser.page.getByRole("navigation", { name: "Main" });
  return main.getByRole("link", { name, exact: true });
}

function heading(name: string): Locator {
  return browser.page.getByRole("heading", { name, level: 1 });
}

/** What the rows in sight say. */
async function memories(): Promise<string[]> {
  return (await browser.page.locator(".memory-text").allInnerTexts()).sort();
}

/** What the memory that is shown says. */
function said(): Promise<string> {
  return browser.page.getByRole("region", { name: "What it says" }).innerText();
}

async function chatExport(): Promise<string> {
  const file = join(folder, "chats.zip");
  await writeChatExport(file, { conversations: CONVERSATIONS, name: "journey", fillerBytes: 10 });
  return file;
}

/** Until it is released, so that progress can be seen. */
async function holdBatches(): Promise<() => void> {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await browser.page.route("**/api/imports/*/batches", async (route) => {
    await released;
    await route.continue();
  });
  return release;
}

/** The report, with all that was in the file. */
async function imported(): Promise<void> {
  const { page } = browser;
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  expect(await page.getByRole("table").first().innerText()).toMatch(/conversations/i);
  await page
    .getByRole("cell", { name: String(CONVERSATIONS), exact: true })
    .first()
    .waitFor();
}

async function expectWhole(download: Download): Promise<void> {
  const file = JSON.parse(await readFile(await download.path(), "utf8"));
  const contents: string[] = file.memories.map(({ content }: { content: string }) => content);
  expect(contents).toEqual(expect.arrayContaining([...FACTS]));
  expect(file.conversations).toHaveLength(CONVERSATIONS);
}

/** Where the next key goes. */
async function expectFocus(selector: string): Promise<void> {
  await browser.page.locator(`:focus:is(${selector})`).waitFor();
}

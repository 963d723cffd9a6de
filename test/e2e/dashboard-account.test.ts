/** The pages Connected apps, and Security. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { callsOf } from "./support/all-tools.ts";
import { addAuthenticator, connectV2, openBrowser, type Browser } from "./support/browser.ts";
import { startServer, type Server } from "./support/server.ts";

/** A loaded machine may need longer than the usual second. */
const SOON = { timeout: 20_000 };

let server: Server;
let browser: Browser;
let claude: Awaited<ReturnType<typeof connectV2>>;
/** What the content security policy refused, and what the scripts of the pages threw. */
const complaints: string[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
  browser.page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      complaints.push(message.text());
    }
  });
  browser.page.on("pageerror", (error) => complaints.push(String(error)));
  await browser.signUp(server, "Mair Llwyd");
});

afterAll(async () => {
  await claude?.client.close();
  await browser?.close();
  await server?.stop();
});

// Connected apps

test("without an app the page says how one gets there", async () => {
  const { page } = browser;
  await page.goto(`${server.origin}/apps`);
  await page.getByText("Nothing is connected yet.").waitFor();
  await page.getByText(server.mcpUrl).waitFor();
});

test("a paused app is refused from its next call on, and let in again by undoing that", async () => {
  const { page } = browser;
  claude = await connectV2(server, browser, { name: "Claude" });
  for (const content of ["Lives in Bangor.", "Prefers tea."]) {
    await callsOf(claude.client)("save_memory", { content });
  }
  await page.goto(`${server.origin}/apps`);
  const app = page.getByRole("region", { name: "Claude" });
  await app.getByText("It may do everything.").waitFor();
  await app.getByText("In all it saved 2 times.").waitFor();
  await app.getByRole("link", { name: "Its memories: Claude" }).click();
  await page.waitForURL(`${server.origin}/memories?client=Claude`);
  await page.getByText("2 memories", { exact: true }).waitFor();
  await page.goBack();
  await app.getByRole("table").waitFor({ state: "attached" });
  await app.locator("label", { hasText: "Paused" }).click();
  await page.getByText("Claude: paused.").waitFor();
  const find = () => claude.client.callTool({ name: "search_memory", arguments: { query: "tea" } });
  expect((await find())["isError"]).toBe(true);
  await page.getByRole("button", { name: "Undo", exact: true }).first().click();
  await page.getByText("Claude: active.").waitFor();
  expect((await find())["isError"]).not.toBe(true);
});

test("rights are taken away one by one", async () => {
  const { page } = browser;
  await page.goto(`${server.origin}/apps`);
  await page.getByRole("button", { name: "Rights: Claude" }).click();
  const dialog = page.getByRole("dialog", { name: "Rights of Claude" });
  await dialog.getByLabel("Export everything").uncheck();
  await dialog.getByRole("button", { name: "Take away" }).click();
  const app = page.getByRole("region", { name: "Claude" });
  await app.getByText("Import memories and conversations").waitFor();
  expect(await app.getByText("Export everything").count()).toBe(0);
});

test("all that an app wrote is counted, undone, and brought back", async () => {
  const { page } = browser;
  await page.goto(`${server.origin}/apps`);
  await page.getByRole("button", { name: "Undo what it wrote: Claude" }).click();
  const dialog = page.getByRole("dialog", { name: "Undo what Claude wrote" });
  await dialog.getByText("2 changes of Claude: saved 2 times.").waitFor();
  await dialog.getByRole("button", { name: "Undo all of that" }).click();
  await page.getByText("Undone: 2 memories.").waitFor();
  expect(await activeMemories()).toBe(0);
  await page.getByRole("button", { name: "Undo", exact: true }).first().click();
  await page.getByText("It is there again.").waitFor();
  expect(await activeMemories()).toBe(2);
});

test("a token is shown once, is renamed, and never works again when it is revoked", async () => {
  const { page } = browser;
  await page.goto(`${server.origin}/apps`);
  await page.getByRole("button", { name: "Make a token" }).click();
  const form = page.getByRole("dialog", { name: "Make a token" });
  await form.getByRole("textbox", { name: "Name" }).fill("<b>Backup</b> script");
  await form.getByRole("button", { name: "Make token" }).click();
  const shown = page.getByRole("region", { name: "Your token" });
  const token = await shown.locator(".copy code").innerText();
  const ask = () =>
    fetch(`${server.origin}/api/stats`, { headers: { authorization: `Bearer ${token}` } });
  expect((await ask()).status).toBe(200);
  await shown.getByRole("button", { name: "I have kept it" }).click();
  expect(await page.content()).not.toContain(token);

  await page.getByRole("button", { name: "Rename: <b>Backup</b> script" }).click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Name" }).fill("Nightly");
  await page.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
  await page.getByRole("button", { name: "Revoke: Nightly" }).click();
  const dialog = page.getByRole("dialog", { name: "Revoke Nightly?" });
  await dialog.getByRole("button", { name: "Revoke" }).click();
  await page.getByText("Nightly has no access any more.").waitFor();
  expect((await ask()).status).toBe(401);
});

test("a name of ten thousand letters and a script breaks nothing, and a refusal says why", async () => {
  const { page } = browser;
  await page.setViewportSize({ width: 390, height: 844 });
  await page.route("**/api/account/apps", async (route) => {
    const answer = await route.fetch();
    const { apps, ...rest } = await answer.json();
    const name = `<script>alert(1)</script>\u202E${"W".repeat(10_000)}`;
    await route.fulfill({ json: { ...rest, apps: [{ ...apps[0], name }] } });
  });
  await page.goto(`${server.origin}/apps`);
  await page.getByText("<script>alert(1)</script>").first().waitFor();
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  await page.unroute("**/api/account/apps");
  await page.route("**/api/account/apps", (route) =>
    route.fulfill({
      status: 403,
      json: { error: { code: "forbidden", message: "Not for you.", hint: "Ask somebody." } },
    }),
  );
  await page.goto(`${server.origin}/apps`);
  await page.locator("[data-problem=forbidden]").getByText("Ask somebody.").waitFor();
  await page.unroute("**/api/account/apps");
  await page.setViewportSize({ width: 1280, height: 900 });
});

// Security

test("a second passkey is added and named, and one is removed, but not the last", async () => {
  const { page, context } = browser;
  await page.goto(`${server.origin}/security`);
  await page.getByText("This is your only passkey").waitFor();
  expect(await page.getByRole("button", { name: "Remove: Passkey" }).count()).toBe(0);
  const addAnother = async () => {
    await page.getByRole("button", { name: "Add a passkey" }).click();
    const dialog = page.getByRole("dialog", { name: "Add a passkey" });
    await dialog.getByRole("textbox").fill("Phone");
    await dialog.getByRole("button", { name: "Go on" }).click();
  };
  await addAnother();
  await page.getByRole("alert").getByText("This device already has a passkey").waitFor();
  const phone = await addAuthenticator(context, page, "usb");
  await addAnother();
  await page.getByText("The passkey was added.").waitFor();
  await page.getByRole("button", { name: "Remove: Phone" }).click();
  await page
    .getByRole("dialog", { name: "Remove Phone?" })
    .getByRole("button", { name: "Remove" })
    .click();
  await page.getByText("Phone was removed.").waitFor();
  await page.getByText("This is your only passkey").waitFor();
  await phone.remove();
});

test("a recovery code is shown once and signs in once, and that session is ended from here", async () => {
  const { page } = browser;
  await page.goto(`${server.origin}/security`);
  await page.getByRole("button", { name: "Make a recovery code" }).click();
  const shown = page.getByRole("region", { name: "Your recovery code" });
  const code = await shown.locator(".copy code").innerText();
  expect(code).toMatch(/^[a-z2-7]{4}(?:-[a-z2-7]{4}){6}$/);
  const downloading = page.waitForEvent("download");
  await shown.getByRole("button", { name: "Download as a file" }).click();
  expect((await downloading).suggestedFilename()).toBe("cofio-recovery-code.txt");
  await shown.getByRole("button", { name: "I have kept it" }).click();
  await page.getByText("not used yet").waitFor();

  const recovered = await fetch(`${server.origin}/recover`, {
    method: "POST",
    headers: { origin: server.origin, "user-agent": "Firefox/140.0 (iPhone)" },
    body: new URLSearchParams({ code }),
  });
  const cookie = recovered.headers
    .getSetCookie()
    .map((text) => text.split(";")[0])
    .join("; ");
  const status = async () =>
    (await fetch(`${server.origin}/api/account`, { headers: { cookie } })).status;
  expect(await status()).toBe(200);
  await page.reload();
  await page.getByText("There is no code. If you had one, it was used or removed.").waitFor();
  await page.getByRole("button", { name: "Sign out: Firefox on iPhone" }).click();
  await page.getByText("Firefox on iPhone is signed out.").waitFor();
  expect(await status()).toBe(401);
});

test("what is grave asks for the passkey of who was not here lately, and goes on by itself", async () => {
  const { page } = browser;
  await page.goto(`${server.origin}/security`);
  const path = "**/api/account/recovery-code";
  let asked = 0;
  await page.route(path, async (route) => {
    if (route.request().method() !== "POST" || asked++ > 0) return route.fallback();
    const error = { code: "forbidden", message: "x", hint: "x", reason: "not_confirmed" };
    return route.fulfill({ status: 403, json: { error } });
  });
  const confirmed = page.waitForResponse("**/api/auth/passkey/verify-authentication");
  await page.getByRole("button", { name: "Make a recovery code" }).click();
  expect((await confirmed).status()).toBe(200);
  await page.getByRole("heading", { name: "Your recovery code" }).waitFor();
  await page.unroute(path);
  await page.getByRole("button", { name: "I have kept it" }).click();
  await page.getByRole("button", { name: "Remove the code" }).click();
  const question = page.getByRole("dialog", { name: "Remove the code?" });
  await question.getByRole("button", { name: "Remove", exact: true }).click();
  await page.getByText("There is no code.").waitFor();
});

test("name and time zone are changed, and hold on every page", async () => {
  const { page } = browser;
  await page.goto(`${server.origin}/security`);
  await page.getByRole("textbox", { name: "Name" }).fill("Mair Ifan");
  await page.getByRole("link", { name: "Rules", exact: true }).click();
  const question = page.getByRole("dialog", { name: "Leave without saving?" });
  await question.getByRole("button", { name: "Cancel" }).click();
  await page.getByLabel("Time zone").selectOption("Asia/Tokyo");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator(".nav-person", { hasText: "Mair Ifan" }).first().waitFor();
  await expect
    .poll(() => page.locator("#dashboard").getAttribute("data-time-zone"), SOON)
    .toBe("Asia/Tokyo");
});

test("deleting the account takes typed words, and is taken back", async () => {
  const { page } = browser;
  await page.goto(`${server.origin}/security`);
  await page.getByRole("button", { name: "Delete the account" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete the account?" });
  const go = dialog.getByRole("button", { name: "Delete the account" });
  expect(await go.isDisabled()).toBe(true);
  await dialog.getByRole("textbox").fill("delete my account");
  await go.click();
  await page.getByText("This account will be deleted on").waitFor();
  await page.getByRole("link", { name: "Connected apps" }).first().click();
  await page.getByRole("heading", { name: "Connected apps", level: 1 }).waitFor();
  await page.getByText("Until then no app gets in.").waitFor();
  await page.getByRole("button", { name: "Keep my account" }).click();
  await page.getByText("Taken back").waitFor();
  await page.getByText("This account will be deleted on").waitFor({ state: "hidden" });
});

test("nothing was refused by the content security policy, and no script failed", () => {
  expect(complaints).toEqual([]);
});

async function activeMemories(): Promise<number> {
  const answer = await browser.context.request.get(`${server.origin}/api/stats`);
  return (await answer.json()).memories.active;
}

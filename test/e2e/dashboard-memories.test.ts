/** The pages of memories in a real browser: the list, one memory, what waits, the trash. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Browser } from "./support/browser.ts";
import { openDashboard, SOON, type Dashboard } from "./support/dashboard.ts";
import type { Server } from "./support/server.ts";

const HOSTILE = [
  "<img src=x onerror=\"document.title='broken'\"> and <script>document.title = 'broken'</script>",
  "Right to left \u202Eesrever\u2066 with no end, zero\u200Bwidth, ![pixel](https://tracker.example/p.png) and [a link](javascript:alert(1))",
  `A name without a blank: ${"W".repeat(10_000)}`,
] as const;

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

test("an account without memories says what comes here, and one is written by hand", async () => {
  const { page } = browser;
  await page.goto(`${server.origin}/memories`);
  await page.getByText("No memories yet.").waitFor();
  await page.keyboard.press("n");
  const dialog = page.getByRole("dialog", { name: "New memory" });
  await dialog.getByLabel("What is to be remembered").fill("Bakes rye bread on Sundays.");
  await dialog.getByLabel("Tags").fill("food, home");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved.").waitFor();
  await expect.poll(texts, SOON).toEqual(["Bakes rye bread on Sundays."]);
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await page.getByText("No memories yet.").waitFor();
  await page.getByRole("button", { name: "Redo", exact: true }).click();
  await expect.poll(texts, SOON).toEqual(["Bakes rye bread on Sundays."]);
});

test("search shows what it found and why, and an unfinished word takes no hit away", async () => {
  const { page } = browser;
  await save("Walks along the harbour before breakfast.");
  await save("Keeps a kayak at the harbour.", { tags: ["sea"], project: "Boats" });
  await expect.poll(() => texts().then(({ length }) => length), SOON).toBe(3);
  await page.keyboard.press("/");
  await page.keyboard.type("harb");
  await expect
    .poll(texts, SOON)
    .toEqual(["Keeps a kayak at the harbour.", "Walks along the harbour before breakfast."]);
  await page.keyboard.type("our ");
  await page.getByText("harbour in the text").first().waitFor();
  expect(await page.locator("mark").first().innerText()).toBe("harbour");
  await page.keyboard.type("kay");
  await expect.poll(texts, SOON).toEqual(["Keeps a kayak at the harbour."]);
  expect(page.url()).toBe(`${server.origin}/memories`);
  await page.getByRole("searchbox").fill("");
  await expect.poll(() => texts().then(({ length }) => length), SOON).toBe(3);
});

test("filters stand in the address, and are taken off again", async () => {
  const { page } = browser;
  await page.goto(`${server.origin}/memories`);
  await page.getByText("Filter", { exact: true }).click();
  await page.getByRole("combobox", { name: "Project", exact: true }).selectOption("Boats");
  await expect.poll(texts, SOON).toEqual(["Keeps a kayak at the harbour."]);
  expect(page.url()).toBe(`${server.origin}/memories?project=Boats`);
  await page.reload();
  await expect.poll(texts, SOON).toEqual(["Keeps a kayak at the harbour."]);
  await page.getByRole("button", { name: "Without the filter Project" }).click();
  await expect.poll(() => texts().then(({ length }) => length), SOON).toBe(3);
});

test("rows are chosen with Space and Shift, tagged and trashed as one change each, and that is undone", async () => {
  const { page } = browser;
  await page.goto(`${server.origin}/memories`);
  await page.getByRole("checkbox").first().focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Shift+ArrowDown");
  await page.getByText("2 chosen").waitFor();
  await page.getByRole("button", { name: "Tags" }).click();
  await page.getByLabel("Add these tags").fill("chosen");
  await page.getByRole("button", { name: "Change tags" }).click();
  await page.getByText("Tags changed: 2 memories.").waitFor();
  expect(await count({ tags: ["chosen"] })).toBe(2);
  await fromToast("Tags changed: 2 memories.", "Undo");
  await page.getByText("Undone: 2 memories.").waitFor();
  expect(await count({ tags: ["chosen"] })).toBe(0);

  await page.getByRole("button", { name: "Choose all 3" }).click();
  await page.getByRole("button", { name: "Copy for an assistant" }).click();
  const copying = page.getByRole("dialog");
  const block = await copying.getByLabel("Text").inputValue();
  expect(block).toContain("- Bakes rye bread on Sundays.");
  await copying.getByText("It takes 1,500 characters").waitFor();
  // No limit of it is published.
  await copying.getByRole("radio", { name: "Claude" }).check();
  await copying.getByText("It takes about 1,500 characters").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Move to the trash" }).click();
  await page.getByText("No memories yet.").waitFor();
  await fromToast("In the trash: 3 memories.", "Undo");
  await expect.poll(() => texts().then(({ length }) => length), SOON).toBe(3);
  await fromToast("Undone: 3 memories.", "Redo");
  await page.getByText("No memories yet.").waitFor();
  await page.getByRole("link", { name: /^Trash/ }).click();
  await page.getByRole("button", { name: "Restore: Bakes rye bread on Sundays." }).click();
  await page.getByText("Restored: 1 memory.").waitFor();
  await expect.poll(() => texts().then(({ length }) => length), SOON).toBe(2);
  await page.getByRole("button", { name: "Choose all 2" }).click();
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByText("The trash is empty.").waitFor();
});

test("a memory is edited, its versions show the words that changed, and an earlier one comes back", async () => {
  const { page } = browser;
  await page.goto(`${server.origin}/memories`);
  await page.getByRole("link", { name: "Bakes rye bread on Sundays." }).click();
  await page.getByRole("heading", { name: "Memory", level: 1 }).waitFor();
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("What is to be remembered").fill("Bakes spelt bread on Sundays.");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("ins", { hasText: "spelt" }).waitFor();
  expect(await page.locator("del").first().innerText()).toBe("rye");
  await page.getByRole("button", { name: "Bring back version 1" }).click();
  await page.getByText("Brought back as in version 1.").waitFor();
  const says = page.getByRole("region", { name: "What it says" });
  await expect.poll(() => says.innerText(), SOON).toBe("Bakes rye bread on Sundays.");
});

test("who was slower sees what was changed meanwhile, and decides", async () => {
  const { page } = browser;
  const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  await page.getByRole("button", { name: "Edit" }).click();
  const field = page.getByLabel("What is to be remembered");
  await field.fill("Bakes rye bread at night.");
  await send("patch", `/api/memories/${id}`, { content: "Bakes oat bread on Sundays." });
  const conflict = page.getByRole("alert").filter({ hasText: "Changed meanwhile" });
  await conflict.waitFor();
  expect(await conflict.locator("del").first().innerText()).toBe("oat");
  await conflict.getByRole("button", { name: "Save mine" }).click();
  const says = page.getByRole("region", { name: "What it says" });
  await expect.poll(() => says.innerText(), SOON).toBe("Bakes rye bread at night.");
});

test("what waits is told on the first page, approved or discarded, one by one and all at once, and that is undone", async () => {
  const { page } = browser;
  await send("patch", "/api/rules", { imports: "pending" });
  await send("post", "/api/imports?as=list", "- Likes rain.\n- Likes wind.\n- Likes fog.");
  await page.goto(server.origin);
  await page.getByRole("link", { name: "3 memories wait for your review" }).click();
  await page.waitForURL(`${server.origin}/memories?status=pending`);
  await page.getByRole("button", { name: "Approve all 3" }).click();
  await page.getByText("Nothing waits for you.").waitFor();
  await fromToast("Approved: 3 memories.", "Undo");
  await page.getByRole("button", { name: "Approve: Likes rain." }).click();
  await expect.poll(() => texts().then((all) => all.sort()), SOON).toEqual(LEFT_WAITING);
  await page.getByRole("button", { name: "Discard all 2" }).click();
  await page.getByText("Nothing waits for you.").waitFor();
  expect(await count({ status: "trashed" })).toBe(2);
  await send("patch", "/api/rules", { imports: null });
});

test("hostile texts stay texts, and nothing is wider than a phone", async () => {
  const { page } = browser;
  for (const content of HOSTILE) await save(content, { tags: ["<b>bold</b>"], project: "\u202Ex" });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${server.origin}/memories`);
  await expect.poll(async () => (await texts())[1], SOON).toBe(HOSTILE[1]);
  expect(await page.title()).toBe("Memories · Cofio");
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  expect(await page.locator("main img").count()).toBe(0);
  await page.locator(".memory-text").first().click();
  await page.getByRole("region", { name: "What it says" }).waitFor();
  await page.locator(".versions").waitFor();
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  await page.setViewportSize({ width: 1280, height: 900 });
});

test("of three hundred memories only those in sight are in the page", async () => {
  const { page } = browser;
  const lines = Array.from({ length: 300 }, (_, index) => `- Note number ${index} of a list.`);
  await send("post", "/api/imports?as=list", lines.join("\n"));
  await page.goto(`${server.origin}/memories`);
  await page.getByText(/30\d memories/).waitFor();
  expect(await page.locator(".memory-list > li").count()).toBeLessThan(40);
  await page.evaluate("scrollTo(0, document.body.scrollHeight)");
  await expect.poll(() => lastPlace(), SOON).toBeGreaterThan(100);
  expect(await page.locator(".memory-list > li").count()).toBeLessThan(40);
});

test("each filter lists what it names and nothing else", async () => {
  const { page } = browser;
  await dashboard.importRecords({
    memories: [
      dated("Met in March.", "2026-03-10", { source: "kimi", category: "people", tags: ["quay"] }),
      dated("Met in April.", "2026-04-10", { source: "grok", category: "goals", tags: ["quay"] }),
      dated("Met in May.", "2026-05-10", { source: "grok", category: "people", tags: ["tower"] }),
    ],
  });
  await saveAs("Walker", "Met by a walker.", "people");
  await saveAs("Walker Pro", "Met by another.", "goals");
  await page.goto(`${server.origin}/memories`);
  await page.getByText("Filter", { exact: true }).click();
  for (const [name, option, listed] of [
    ["Tag", "quay", ["Met in April.", "Met in March."]],
    ["Category", "People", ["Met by a walker.", "Met in May.", "Met in March."]],
    ["Source", "Grok", ["Met in May.", "Met in April."]],
    ["Written by", "Walker", ["Met by a walker."]],
  ] as const) {
    await page.getByRole("combobox", { name, exact: true }).selectOption(option);
    await expect.poll(texts, SOON).toEqual(listed);
    await page.getByRole("button", { name: `Without the filter ${name}` }).click();
    await page.getByText(/3\d\d memories/).waitFor();
  }
  await page.getByLabel("To", { exact: true }).fill("2026-04-10");
  await expect.poll(texts, SOON).toEqual(["Met in April.", "Met in March."]);
  await page.getByLabel("From", { exact: true }).fill("2026-04-10");
  await expect.poll(texts, SOON).toEqual(["Met in April."]);
  expect(page.url()).toContain("?after=2026-04-10&before=2026-04-10");

  await page.goto(`${server.origin}/memories?client=Walker`);
  await page.getByRole("searchbox").fill("met ");
  await expect.poll(texts, SOON).toEqual(["Met by a walker."]);
  await page.getByRole("searchbox").fill("");
});

test("a memory that is not there, and a refusal, are said in words", async () => {
  const { page } = browser;
  await page.goto(`${server.origin}/memories/aaaaaaaaaaaa`);
  await page.locator("[data-problem=not_found]").waitFor();
  await page.route("**/api/memories/list", (route) =>
    route.fulfill({
      status: 403,
      json: { error: { code: "forbidden", message: "Not for you.", hint: "Ask somebody." } },
    }),
  );
  await page.goto(`${server.origin}/memories`);
  await page.locator("[data-problem=forbidden]").getByText("Not for you.").waitFor();
  await page.unroute("**/api/memories/list");
});

test("nothing was refused by the content security policy, and no script failed", () => {
  dashboard.expectNoComplaints();
});

const LEFT_WAITING = ["Likes fog.", "Likes wind."];

/** What the rows in sight say. */
async function texts(): Promise<string[]> {
  return browser.page.locator(".memory-text").allInnerTexts();
}

/** Presses the button of the message that says this. */
async function fromToast(message: string, button: "Undo" | "Redo"): Promise<void> {
  const toast = browser.page.locator(".toast", { hasText: message }).first();
  await toast.getByRole("button", { name: button, exact: true }).click();
}

/** In the form of Cofio's own export. */
function dated(content: string, day: string, more: object) {
  return { id: content, content, status: "active", created_at: `${day}T12:00:00Z`, ...more };
}

/** By a program with a token of this name. */
async function saveAs(client: string, content: string, category: string): Promise<void> {
  const scopes = ["memories:read", "memories:write"];
  const { token } = await dashboard.call("POST", "/api/account/tokens", { name: client, scopes });
  const answer = await fetch(`${server.origin}/api/memories`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ content, category }),
  });
  expect(answer.status).toBe(201);
}

async function lastPlace(): Promise<number> {
  const places = await browser.page
    .locator(".memory-list > li")
    .evaluateAll((rows) => rows.map((row) => Number(row.getAttribute("aria-posinset"))));
  return Math.max(...places);
}

async function count(filter: object): Promise<number> {
  return (await send("post", "/api/memories/list", filter)).total;
}

function save(content: string, more: object = {}): Promise<unknown> {
  return send("post", "/api/memories", { content, ...more });
}

/** With the person's session, and from their page as the server sees it. */
async function send(method: "post" | "patch", path: string, data: unknown) {
  const answer = await browser.context.request[method](server.origin + path, {
    data,
    headers: {
      origin: server.origin,
      ...(typeof data === "string" ? { "content-type": "text/plain" } : {}),
    },
  });
  if (!answer.ok()) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
  return answer.json();
}

/** Conversations on the dashboard: finding them, reading a long one, keeping what was said. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { HOSTILE, openDashboard, SOON, type Dashboard } from "./support/dashboard.ts";

const LENGTH = 1_500;
const HIDDEN_AT = 900;

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await openDashboard();
});
afterAll(() => dashboard?.close());

test("without conversations the page says where they come from", async () => {
  const { page, open } = dashboard;
  await open("/conversations");
  await page.getByText("No conversations yet.").waitFor();
  await page.getByRole("link", { name: "Import files" }).waitFor();
});

test("conversations are listed by platform and date, and searched, with why", async () => {
  const { page, open, importRecords } = dashboard;
  await importRecords({ conversations: [harbour(), ...others()] });
  await open("/conversations");
  await page.getByText("62 conversations").waitFor();
  await page.getByRole("heading", { name: "June 2026" }).waitFor();
  expect(await page.getByRole("list", { name: "Conversations" }).getByRole("listitem").count())
    // Those in view, and some more.
    .toBeLessThan(45);

  await page.getByLabel("Platform").selectOption("chatgpt");
  await page.getByText("61 conversations").waitFor();
  await page.getByLabel("To", { exact: true }).fill("2026-01-03");
  await page.getByText("3 conversations").waitFor();
  await page.reload();
  await page.getByText("3 conversations").waitFor();
  await open("/conversations");
  await page.getByText("62 conversations").waitFor();

  await page.keyboard.press("/");
  await page.keyboard.type("heron");
  const hit = page.getByRole("listitem").filter({ hasText: "A long talk" });
  await hit.getByText("Found by text: heron").waitFor();
  expect(await hit.locator("mark").innerText()).toBe("heron");
  await dashboard.expectNoOverflow();
  await page.getByRole("searchbox").fill("zeppelin");
  await page.getByText("Nothing was found.").waitFor();
});

test("a hit opens a long conversation where it was said, and a search inside goes from hit to hit", async () => {
  const { page, open } = dashboard;
  await open("/conversations?q=heron");
  await page.getByRole("link", { name: "A long talk" }).click();
  const found = page.getByRole("article", { name: `message ${HIDDEN_AT + 1}` });
  await found.getByText("A heron at the weir.").waitFor();
  await expect.poll(() => isInView(found), SOON).toBe(true);
  expect(await page.getByRole("article").count()).toBeLessThan(60);
  await expect.poll(() => page.locator(":focus").innerText(), SOON).toContain("A heron");

  await page.getByRole("searchbox").fill("lantern");
  await page.keyboard.press("Enter");
  await page.getByText("1 of 2").waitFor();
  await expect.poll(() => isInView(message(101)), SOON).toBe(true);
  await page.getByRole("button", { name: "Next hit" }).click();
  await page.getByText("2 of 2").waitFor();
  await expect.poll(() => isInView(message(1_301)), SOON).toBe(true);
  expect(await message(1_301).locator("mark").innerText()).toBe("Lantern");
  await page.getByRole("button", { name: "End", exact: true }).click();
  await expect.poll(() => isInView(message(LENGTH)), SOON).toBe(true);
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await expect.poll(() => isInView(message(1)), SOON).toBe(true);
});

test("code is set off, and what is hostile stays text", async () => {
  const { page } = dashboard;
  expect(await message(2).locator("pre").innerText()).toBe("const tide = 4;\nrun(tide);");
  expect(await message(2).locator("code").last().innerText()).toBe("npm test");
  expect(await message(3).innerText()).toContain("<script>alert(1)</script>");
  expect(await message(3).locator("img, script, a").count()).toBe(0);
  await dashboard.expectNoOverflow();
  await page.getByRole("link", { name: "All conversations" }).click();
  await page.getByText("62 conversations").waitFor();
});

test("a selection becomes a memory, and so does a whole message", async () => {
  const { page, open, call } = dashboard;
  await open(`/conversations/${await idOf("A long talk about the harbour")}`);
  await message(1).waitFor();
  await message(1)
    .locator(".message-text")
    .dblclick({ position: { x: 20, y: 12 } });
  await page.getByRole("button", { name: "Save selection as memory" }).waitFor();
  await page.keyboard.press("m");
  const dialog = page.getByRole("dialog", { name: "Save as memory" });
  expect(await dialog.getByRole("textbox").inputValue()).toBe("Message");
  await dialog.getByRole("textbox").fill("Goes to the harbour on Sundays.");
  await dialog.getByLabel("Category").selectOption({ label: "Personal facts" });
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Saved as a memory.").waitFor();
  await dialog.waitFor({ state: "hidden" });
  const { memories } = await call("GET", "/api/memories");
  expect(memories).toMatchObject([
    {
      content: "Goes to the harbour on Sundays.",
      category: "personal_facts",
      origin: "user",
      user_asked: true,
    },
  ]);
  await page.getByRole("button", { name: "Remember message 2" }).click();
  expect(await dialog.getByRole("textbox").inputValue()).toContain("const tide = 4;");
  // What is written is not lost by a key.
  await dialog.getByRole("textbox").fill("Half a thought");
  await page.keyboard.press("Escape");
  const question = page.getByRole("dialog", { name: "Discard this memory?" });
  await question.getByRole("button", { name: "Cancel" }).click();
  expect(await dialog.getByRole("textbox").inputValue()).toBe("Half a thought");
  await page.keyboard.press("Escape");
  await question.getByRole("button", { name: "Discard" }).click();
  await dialog.waitFor({ state: "hidden" });
});

test("conversations go to the trash and come back, one and several", async () => {
  const { page, open } = dashboard;
  await open(`/conversations/${await idOf("Chat 3")}`);
  await page.getByRole("button", { name: "Move to the trash" }).click();
  await page.getByText("61 conversations").waitFor();
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await page.getByText("62 conversations").waitFor();

  await page.getByLabel("Platform").selectOption("chatgpt");
  await page.getByLabel("Order").selectOption("oldest");
  await page.getByRole("checkbox", { name: "Select Chat 1", exact: true }).check();
  await page.getByRole("checkbox", { name: "Select Chat 2", exact: true }).check();
  await page.getByText("2 of 61 conversations chosen").waitFor();
  await page.getByRole("button", { name: "Move to the trash" }).click();
  await page.getByText("59 conversations").waitFor();
  await page.getByText("Moved 2 conversations to the trash.").waitFor();
  await page.getByRole("button", { name: "Undo", exact: true }).last().click();
  await page.getByText("61 conversations").waitFor();
});

test("the trash lists what was thrown away, and gives back one or several, each with the way back", async () => {
  const { page, open, call } = dashboard;
  await open("/conversations?status=trashed");
  await page.getByText("The trash is empty.").waitFor();
  const ids = await Promise.all(["Chat 5", "Chat 6", "Chat 7"].map(idOf));
  const { conversations } = await call("GET", "/api/conversations?limit=100");
  const hostile = conversations.find(({ title }: { title: string }) => title.includes("<script>"));
  await call("POST", "/api/conversations/delete", { ids: [...ids, hostile.id] });
  await page.getByText("4 conversations", { exact: true }).waitFor();
  const row = (title: string) =>
    page.getByRole("listitem").filter({ hasText: title }).filter({ hasText: "Kept until" });
  await row("Chat 5").waitFor();
  expect(await row("<script>alert(1)</script>").locator("img, script, a").count()).toBe(0);
  await dashboard.expectNoOverflow();

  await page.getByRole("button", { name: "Restore: Chat 5" }).click();
  await page.getByText("Restored 1 conversation.").waitFor();
  await page.getByText("3 conversations", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Undo", exact: true }).last().click();
  await page.getByText("4 conversations", { exact: true }).waitFor();
  await page.getByRole("checkbox", { name: "Select Chat 6", exact: true }).check();
  await page.getByRole("checkbox", { name: "Select Chat 7", exact: true }).check();
  await page.getByText("2 of 4 conversations chosen").waitFor();
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByText("Restored 2 conversations.").waitFor();
  await page.getByText("2 conversations", { exact: true }).waitFor();
  await page.getByRole("link", { name: "In use" }).click();
  await page.getByText("60 conversations").waitFor();
});

test("what cannot be read says why", async () => {
  const { page, open } = dashboard;
  await open("/conversations/aaaaaaaaaaaa");
  await page.locator("[data-problem=not_found]").waitFor();
  const refusal = { code: "forbidden", message: "Not for you.", hint: "Ask somebody." };
  await page.route("**/api/conversations?*", (route) =>
    route.fulfill({ status: 403, json: { error: refusal } }),
  );
  await open("/conversations");
  await page.locator("[data-problem=forbidden]").getByText("Not for you.").waitFor();
  await page.unroute("**/api/conversations?*");
});

test("nothing was refused by the content security policy, and no script failed", () => {
  dashboard.expectNoComplaints();
});

function message(number: number) {
  return dashboard.page.getByRole("article", { name: new RegExp(`message ${number}$`) });
}

/** Below what stands above the messages. */
async function isInView(locator: ReturnType<typeof message>): Promise<boolean> {
  if ((await locator.count()) === 0) return false;
  const box = await locator.first().boundingBox();
  return box !== null && box.y >= 0 && box.y < 900;
}

async function idOf(title: string): Promise<string> {
  const { conversations } = await dashboard.call("GET", "/api/conversations?limit=100");
  return conversations.find((one: any) => one.title === title).id;
}

function harbour() {
  const special: Record<number, string> = {
    1: "Use this:\n\n```ts\nconst tide = 4;\nrun(tide);\n```\n\nThen `npm test`.",
    2: HOSTILE + "x".repeat(10_000),
    100: "A lantern on the quay.",
    [HIDDEN_AT]: "A heron at the weir.",
    1_300: "Lantern number two.",
  };
  return {
    id: "harbour",
    title: "A long talk about the harbour",
    source: "claude",
    messages: Array.from({ length: LENGTH }, (_, at) => ({
      role: at % 2 === 0 ? "user" : "assistant",
      text: special[at] ?? `Message ${at}. ${"Tides and boats. ".repeat((at * 7) % 20)}`,
      created_at: new Date(Date.UTC(2026, 5, 1) + at * 60_000).toISOString(),
    })),
  };
}

function others() {
  return Array.from({ length: 61 }, (_, at) => ({
    id: `other-${at}`,
    title: at === 0 ? HOSTILE + "W".repeat(10_000) : `Chat ${at}`,
    source: "chatgpt",
    messages: [
      {
        role: "user",
        text: `Question ${at}`,
        created_at: new Date(Date.UTC(2026, 0, 1 + at, 12)).toISOString(),
      },
    ],
  }));
}

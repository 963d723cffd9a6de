/** What holds of every page: who cannot see or use a mouse can use it, and what others wrote in it stays text. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../../scripts/wrangler.ts";
import { DASHBOARD_PATHS } from "../../src/auth/dashboard-paths.ts";
import { violationsOf } from "./support/accessibility.ts";
import { HOSTILE, openDashboard, type Dashboard } from "./support/dashboard.ts";
import { seedHostileAccount, TEXTS } from "./support/hostile-account.ts";
import {
  addressOf,
  consentAddress,
  SIGNED_IN_PAGES,
  SIGNED_OUT_PAGES,
  untilRead,
} from "./support/pages.ts";

let dashboard: Dashboard;
/** Pages of one memory or one conversation. */
let single: readonly string[];
/** Dialogs that a script opened, refusals of the content security policy, and requests to others. */
const escaped: string[] = [];

beforeAll(async () => {
  dashboard = await openDashboard();
  const { context, page, server } = dashboard;
  await context.addInitScript(
    "addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>" +
      " console.error(`Refused: ${violatedDirective} ${blockedURI} ${sample}`))",
  );
  single = await seedHostileAccount(dashboard);
  page.on("dialog", (dialog) => {
    escaped.push(dialog.message());
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== server.origin && url.protocol !== "blob:") escaped.push(request.url());
  });
}, 240_000);
afterAll(() => dashboard?.close());

test("every path of the dashboard is among the pages", () => {
  const paths = SIGNED_IN_PAGES.map(({ path }) =>
    path.replace(/:(?:memory|conversation)$/u, ":id"),
  );
  expect(paths).toEqual(expect.arrayContaining([...DASHBOARD_PATHS]));
});

test.for(SIGNED_IN_PAGES)("$name: accessible, and what is hostile in it is text", async (shown) => {
  await open(await addressOf(shown, dashboard));
  await expectInert();
  // The frame is the same on all of them: what only one of four ways shows of it is seen here.
  const everyWay = shown.name === "home";
  expect(await violationsOf(dashboard.page, { everyWay })).toEqual([]);
});

test("each hostile memory and conversation stays text, within the page", async () => {
  for (const path of single) {
    await open(dashboard.server.origin + path);
    await expectInert();
  }
});

test("a client with a hostile name asks as text", async () => {
  for (const name of TEXTS) {
    await open(await consentAddress(dashboard.server, name));
    await expectInert();
  }
});

test("files with hostile names are looked through, imported and reported as text", async () => {
  const { page, server } = dashboard;
  await page.goto(`${server.origin}/import`);
  await page.getByText("Drop files here").waitFor();
  const memories = [
    { id: "a", content: HOSTILE, category: "other", status: "active", source: "api" },
  ];
  const file = { format: "cofio", version: 1, exported_at: "2026-11-01T00:00:00Z", memories };
  await page.getByLabel("Files").setInputFiles(
    TEXTS.map((text, at) => ({
      name: `${text.slice(0, 200)}.json`,
      mimeType: "application/json",
      buffer: Buffer.from(at === 0 ? JSON.stringify(file) : text),
    })),
  );
  const start = page.getByRole("button", { name: "Import", exact: true });
  await start.waitFor();
  await expectInert();
  expect(await violationsOf(page)).toEqual([]);
  await start.click();
  await page.getByRole("heading", { name: "Imported" }).waitFor();
  await expectInert();
  expect(await violationsOf(page)).toEqual([]);
});

const DIALOGS = [
  ["/", "?"],
  ["/memories", "New memory"],
  ["/memories", /^Choose /u, /^Tags$/u],
  ["/memories", /^Choose /u, "Copy for an assistant"],
  ["/apps", "Make a token"],
  ["/apps", /^Rights: /u],
  ["/apps", /^Undo what it wrote: /u],
  ["/apps", /^Revoke: /u],
  ["/security", "Add a passkey"],
  ["/security", /^Rename: /u],
  ["/security", "Delete the account"],
  ["/export", /^Restore the backup/u],
  ["/export", /^Delete the backup/u],
] as const;

test.for(
  DIALOGS.map(([path, ...openers]) => ({ path, openers, by: openers.map(String).join(", ") })),
)("the dialog of $path, $by: accessible, and within the page", async ({ path, openers }) => {
  const { page, server } = dashboard;
  await open(server.origin + path);
  for (const opener of openers) {
    if (opener === "?") await page.keyboard.press("?");
    else await page.getByRole("button", { name: opener }).first().click();
  }
  await page.locator(".dialog").waitFor();
  await untilRead(page);
  await expectInert();
  expect(await violationsOf(page, { within: ".dialog" })).toEqual([]);
});

test("the dialog that makes a memory of a message: accessible, and within the page", async () => {
  const { page } = dashboard;
  await open(
    await addressOf({ name: "conversation", path: "/conversations/:conversation" }, dashboard),
  );
  await page
    .getByRole("button", { name: /^Remember message / })
    .first()
    .click();
  await page.getByRole("dialog", { name: "Save as memory" }).waitFor();
  await expectInert();
  expect(await violationsOf(page, { within: ".dialog" })).toEqual([]);
});

test("the menu of a phone: accessible, and within the page", async () => {
  const { page, server } = dashboard;
  await page.setViewportSize({ width: 390, height: 844 });
  await open(server.origin);
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("dialog", { name: "Menu" }).waitFor();
  // Both modes at the width of a phone are among the four ways.
  expect(await violationsOf(page, { within: ".drawer", everyWay: true })).toEqual([]);
  await expectInert();
});

test("a message about what was done: accessible, and within the page", async () => {
  const { page, server } = dashboard;
  await open(`${server.origin}/memories?status=trashed`);
  await page
    .getByRole("button", { name: /^Restore: / })
    .first()
    .click();
  const toast = page.locator(".toast");
  await toast.getByText("Restored: 1 memory.").waitFor();
  // It stays for as long as the focus is in it.
  await toast.getByRole("button", { name: "Undo", exact: true }).focus();
  await expectInert();
  expect(await violationsOf(page, { within: ".toasts" })).toEqual([]);
  await toast.getByRole("button", { name: "Undo", exact: true }).click();
  await page.getByText("Undone: 1 memory.").waitFor();
});

test("what one app did, the question before it is undone, and the one before something unsaved is left: accessible, within the page", async () => {
  const { page, server } = dashboard;
  await open(`${server.origin}/history`);
  const app = page.getByLabel("App");
  await app.selectOption({ index: 1 });
  await page.getByRole("button", { name: "Undo all of it …" }).click();
  await page.locator(".dialog").waitFor();
  await expectInert();
  expect(await violationsOf(page)).toEqual([]);

  await open(`${server.origin}/rules`);
  await page.getByRole("spinbutton", { name: "At most" }).fill("5000");
  await page.getByRole("link", { name: "History", exact: true }).click();
  await page.getByRole("dialog", { name: "Leave without saving?" }).waitFor();
  await expectInert();
  expect(await violationsOf(page, { within: ".dialog" })).toEqual([]);
  await page.getByRole("button", { name: "Leave" }).click();
});

test("fields and buttons are told from what they stand on, in both modes, and what is chosen without colours", async () => {
  const { page, server } = dashboard;
  const tokens = readFileSync(join(root, "public/assets/tokens.css"), "utf8");
  const colour = (name: string, mode: number) =>
    new RegExp(`--${name}: light-dark\\((#\\w+), (#\\w+)\\)`, "u").exec(tokens)?.[1 + mode] ?? "";
  // WCAG 1.4.11, which axe does not look at.
  for (const ground of ["paper", "card", "field", "raised"]) {
    for (const mode of [0, 1]) {
      expect(
        contrast(colour("edge", mode), colour(ground, mode)),
        `${ground} ${mode}`,
      ).toBeGreaterThanOrEqual(3);
    }
  }
  await page.emulateMedia({ forcedColors: "active" });
  await open(`${server.origin}/connect`);
  const grounds = (selector: string) =>
    page.evaluate(
      `[...document.querySelectorAll("${selector}")].map((one) => getComputedStyle(one).backgroundColor)`,
    );
  for (const selector of [".side .nav a", ".side .modes label", ".kinds label"]) {
    // One is chosen, and differs from all others.
    expect(new Set((await grounds(selector)) as string[]).size, selector).toBe(2);
  }
  await page.emulateMedia({ forcedColors: null });
});

test("who is not signed in finds accessible pages, the refusal of a code among them", async () => {
  const { server, context } = dashboard;
  const stranger = await context.browser()?.newContext();
  if (stranger === undefined) throw new Error("The context has a browser");
  const page = await stranger.newPage();
  for (const shown of SIGNED_OUT_PAGES) {
    await page.goto(await addressOf(shown, { server, context: stranger }));
    await untilRead(page);
    expect(await violationsOf(page), shown.name).toEqual([]);
  }
  await page.goto(`${server.origin}/recover`);
  await page.getByLabel("Recovery code").fill(HOSTILE);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await stranger.close();
});

test("no script of others ran, nothing was refused by the content security policy, nobody else was asked", () => {
  expect(escaped).toEqual([]);
  dashboard.expectNoComplaints();
});

/** Of WCAG 2, from 1 to 21. */
function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** @param colour as `#rrggbb` */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

async function open(address: string): Promise<void> {
  await dashboard.page.goto(address);
  await untilRead(dashboard.page);
  // What is folded away counts, too.
  await dashboard.page.evaluate(
    "for (const one of document.querySelectorAll('details')) one.open = true",
  );
}

/** Nothing of it became an element that asks or acts, and nothing is beside the screen. */
async function expectInert(): Promise<void> {
  const { page } = dashboard;
  const where = page.url();
  const foreign =
    "img:not([src^='/assets/']), iframe, object, embed, a[href^='javascript:' i], a[href^='data:' i], [onerror], [onload]";
  expect(await page.locator(foreign).count(), where).toBe(0);
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 844 });
    expect(await page.evaluate("document.documentElement.scrollWidth"), where).toBe(width);
  }
}

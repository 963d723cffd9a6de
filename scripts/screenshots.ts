/**
 * `npm run screenshots`: every page, light and dark, 1280 and 390 pixels wide, of an account that holds something, into
 * `test/e2e/screenshots/`. With names, only those: `npm run screenshots home memories`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { openBrowser, photograph } from "../test/e2e/support/browser.ts";
import { seedAccount } from "../test/e2e/support/seeded-account.ts";
import { startServer } from "../test/e2e/support/server.ts";

/** One line a page; `:memory` and `:conversation` stand for one of the account. Of a list that never ends only what is in the window. */
const PAGES: readonly (readonly [name: string, path: string, extent?: "window"])[] = [
  ["home", "/"],
  ["memories", "/memories", "window"],
  ["memories-waiting", "/memories?status=pending"],
  ["memory", "/memories/:memory"],
  ["import", "/import"],
  ["connect", "/connect"],
  ["rules", "/rules"],
  ["apps", "/apps"],
  ["security", "/security"],
  ["account", "/account"],
  ["conversations", "/conversations"],
  ["conversations-search", "/conversations?q=plan"],
  ["conversation", "/conversations/:conversation"],
  ["export", "/export"],
  ["history", "/history"],
];

const POLL_MS = 50;

const wanted = process.argv.slice(2);
const [server, browser] = await Promise.all([startServer(), openBrowser()]);
try {
  const { page, context } = browser;
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.goto(server.origin);
  await take("welcome");
  await page.goto(`${server.origin}/sign-up`);
  await take("sign-up");
  await browser.signUp(server, "Mair Llwyd");
  await page.getByText("Nothing was changed yet.").waitFor();
  await take("home-empty");
  await seedAccount(server, context);
  for (const [name, path, extent] of PAGES) {
    await page.goto(server.origin + (await filledIn(path)));
    await take(name, extent === undefined);
  }
} finally {
  await browser.close();
  await server.stop();
}

async function take(name: string, isWhole = true): Promise<void> {
  if (wanted.length > 0 && !wanted.includes(name)) return;
  // Until everything has been read.
  while ((await browser.page.getByText("Loading …").count()) > 0) await sleep(POLL_MS);
  await photograph(browser.page, name, isWhole);
  console.log(name);
}

async function filledIn(path: string): Promise<string> {
  for (const kind of ["memory", "conversation"] as const) {
    if (!path.includes(`:${kind}`)) continue;
    const plural = kind === "memory" ? "memories" : "conversations";
    const answer = await browser.context.request.get(`${server.origin}/api/${plural}?limit=1`);
    const [first] = (await answer.json())[plural];
    return path.replace(`:${kind}`, first.id);
  }
  return path;
}

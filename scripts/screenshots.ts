/**
 * `npm run screenshots`: every page, light and dark, 1280 and 390 pixels wide, of an account that holds something, into
 * `test/e2e/screenshots/`. With names, only those: `npm run screenshots home memories`. `npm run screenshots -- --readme` takes the
 * README's pictures anew, into `docs/pictures/`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openBrowser, photograph } from "../test/e2e/support/browser.ts";
import {
  addressOf,
  SIGNED_IN_PAGES,
  SIGNED_OUT_PAGES,
  untilRead,
  type ShownPage,
} from "../test/e2e/support/pages.ts";
import { seedAccount } from "../test/e2e/support/seeded-account.ts";
import { startServer } from "../test/e2e/support/server.ts";
import { root } from "./wrangler.ts";

const HOME_EMPTY = { name: "home-empty", path: "/" } as const satisfies ShownPage;

interface Picture {
  readonly file: string;
  readonly page: string;
  readonly colorScheme: "light" | "dark";
  readonly width: 1280 | 390;
}

const PICTURES: readonly Picture[] = [
  { file: "home", page: "home", colorScheme: "light", width: 1280 },
  { file: "memories", page: "memories", colorScheme: "dark", width: 1280 },
  { file: "conversation", page: "conversation", colorScheme: "light", width: 1280 },
  { file: "phone", page: "home", colorScheme: "dark", width: 390 },
];
/** Of WebP, so that each takes less than 60 KB. */
const PICTURE_QUALITY = 75;

process.env["SCREENSHOTS"] = "1";
const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { readme: { type: "boolean", default: false } },
});
const all = [...SIGNED_OUT_PAGES, HOME_EMPTY, ...SIGNED_IN_PAGES].map(({ name }) => name);
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(", no ")}. There are: ${all.join(", ")}.`);
  process.exit(1);
}

const [server, browser] = await Promise.all([startServer(), openBrowser()]);
try {
  const { page, context } = browser;
  await page.emulateMedia({ reducedMotion: "reduce" });
  for (const shown of SIGNED_OUT_PAGES) await take(shown);
  await browser.signUp(server, "Mair Llwyd");
  await take(HOME_EMPTY);
  if (values.readme || SIGNED_IN_PAGES.some(isWanted)) await seedAccount(server, context);
  for (const shown of SIGNED_IN_PAGES) await take(shown);
  if (values.readme) for (const picture of PICTURES) await paint(picture);
} finally {
  await browser.close();
  await server.stop();
}

async function take(shown: ShownPage): Promise<void> {
  if (!isWanted(shown)) return;
  await browser.page.goto(await addressOf(shown, { server, context: browser.context }));
  await untilRead(browser.page);
  await photograph(browser.page, shown.name, shown.isEndless !== true);
  console.log(shown.name);
}

/** What the window shows, in the format that Playwright does not write and the browser does. */
async function paint({ file, page: name, colorScheme, width }: Picture): Promise<void> {
  const { page, context } = browser;
  const shown = SIGNED_IN_PAGES.find((one) => one.name === name);
  if (shown === undefined) throw new Error(`There is no page ${name}`);
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width, height: width === 390 ? 844 : 860 });
  await page.goto(await addressOf(shown, { server, context }));
  await untilRead(page);
  const cdp = await context.newCDPSession(page);
  const { data } = await cdp.send("Page.captureScreenshot", {
    format: "webp",
    quality: PICTURE_QUALITY,
  });
  await cdp.detach();
  const folder = join(root, "docs/pictures");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${file}.webp`), Buffer.from(data, "base64"));
  console.log(`${file}.webp`);
}

function isWanted({ name }: ShownPage): boolean {
  return wanted.length === 0 ? !values.readme : wanted.includes(name);
}

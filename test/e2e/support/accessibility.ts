/** axe, the rules of WCAG 2.2 A and AA and its best practices, as a person meets a page: light and dark, wide and narrow. */
import axe from "axe-core";
import type { Page } from "playwright-core";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"];

/** Every way in which a page is met. */
const WAYS = [
  ["light", 1280],
  ["dark", 390],
  ["dark", 1280],
  ["light", 390],
] as const;

/**
 * What a page breaks: rule, how bad it is, where.
 * @param options.everyWay all four and not the first two, in which each colour and each width is met once. No colour follows from the
 * width, and no place from the colours, so that this finds what all four find of a page, but for what only one of them shows.
 * @param options.within a selector: of a dialog alone, where the page below it was looked at before
 */
export async function violationsOf(
  page: Page,
  {
    everyWay = false,
    within = "html",
  }: { readonly everyWay?: boolean; readonly within?: string } = {},
): Promise<string[]> {
  const found = new Set<string>();
  const before = page.viewportSize();
  await page.evaluate(`globalThis.axe ?? (() => { ${axe.source} })()`);
  for (const [colorScheme, width] of everyWay ? WAYS : WAYS.slice(0, 2)) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height: width === 1280 ? 900 : 844 });
    for (const violation of await run(page, within))
      found.add(`${colorScheme} ${width}: ${violation}`);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  if (before !== null) await page.setViewportSize(before);
  return [...found];
}

async function run(page: Page, within: string): Promise<string[]> {
  const options = JSON.stringify({ runOnly: TAGS, resultTypes: ["violations"] });
  // True: this is what axe says of itself.
  const { violations } = (await page.evaluate(
    `axe.run(${JSON.stringify(within)}, ${options})`,
  )) as axe.AxeResults;
  return violations.map(
    ({ id, impact, nodes }) =>
      `${id} (${impact}): ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary ?? ""}`).join(" | ")}`,
  );
}

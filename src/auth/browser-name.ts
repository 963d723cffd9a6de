/** Order matters: most name several others, for the sake of old pages. */
const BROWSERS = [
  ["Edge", /\bEdg(?:A|iOS)?\//],
  ["Opera", /\bOPR\//],
  ["Samsung Internet", /\bSamsungBrowser\//],
  ["Firefox", /\b(?:Firefox|FxiOS)\//],
  ["Chrome", /\b(?:Chrome|CriOS|Chromium|HeadlessChrome)\//],
  ["Safari", /\bSafari\//],
] as const;
const SYSTEMS = [
  ["iPhone", /\biPhone\b/],
  ["iPad", /\biPad\b/],
  ["Android", /\bAndroid\b/],
  ["ChromeOS", /\bCrOS\b/],
  ["Windows", /\bWindows\b/],
  ["macOS", /\bMac OS X\b|\bMacintosh\b/],
  ["Linux", /\bLinux\b/],
] as const;

/** "Firefox on Windows", of what a browser says of itself. Nothing else of that is shown. */
export function browserName(userAgent: string): string {
  const [browser = "A browser"] = BROWSERS.find(([, form]) => form.test(userAgent)) ?? [];
  const [system] = SYSTEMS.find(([, form]) => form.test(userAgent)) ?? [];
  return system === undefined ? browser : `${browser} on ${system}`;
}

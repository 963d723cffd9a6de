/**
 * The browser of the end-to-end tests is the system's: Playwright's own download is large and knows no proxy that apt knows.
 * `npm test` runs this first, so that a missing browser stops the tests instead of skipping some.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const MAC_PATHS = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

if (import.meta.main) ensureChromium();

/** @returns the path of an executable, or null. CHROMIUM_PATH wins, and is not second-guessed. */
export function findChromium(): string | null {
  const chosen = process.env.CHROMIUM_PATH;
  if (chosen !== undefined && chosen !== "") return isExecutable(chosen) ? chosen : null;
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter),
    "/usr/bin",
    "/usr/local/bin",
    "/snap/bin",
  ];
  const candidates = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...candidates, ...MAC_PATHS].find(isExecutable) ?? null;
}

function ensureChromium(): void {
  if (findChromium() !== null) return;
  const mayInstall = existsSync("/etc/debian_version") && process.getuid?.() === 0;
  if (mayInstall && process.env.CHROMIUM_PATH === undefined) installOnDebian();
  if (findChromium() !== null) return;
  console.error(
    [
      "The browser tests need Chromium or Chrome, and none was found.",
      "  Debian, Ubuntu   sudo apt-get install chromium",
      "  macOS            brew install --cask chromium",
      "  elsewhere        CHROMIUM_PATH=/path/to/chromium npm test",
    ].join("\n"),
  );
  process.exit(1);
}

function installOnDebian(): void {
  console.log("Chromium is missing: installing Debian's.");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", "chromium"]]) {
    spawnSync("apt-get", args, { env, stdio: "inherit" });
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

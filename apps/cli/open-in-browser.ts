import { spawn } from "node:child_process";

/** Programs that open an address and are given nothing else: no shell reads it, where `&` and `%` would mean something. */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};

/** @param url http or https: anything else would be a program's or a file's. Fails quietly, since the address is printed too. */
export function openInBrowser(url: URL): void {
  if (url.protocol !== "https:" && url.protocol !== "http:") throw new Error("Not a web address");
  const [program, ...args] = OPENERS[process.platform] ?? ["xdg-open"];
  const opener = spawn(program, [...args, url.href], { stdio: "ignore", detached: true });
  // Not installed, or no desktop.
  opener.once("error", () => {});
  opener.unref();
}

#!/usr/bin/env node
// The program that npm installs as `cofio`. It says in words, on any Node, which Node it needs: everything else would be a syntax error there.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

// miniflare's own limit is 22.0; the lock of a data folder (node:sqlite) came without a flag in 22.13.
const NEEDED = [22, 13];
const main = new URL("../../dist/cli/main.js", import.meta.url);
// Of the development dependencies, so in every checkout.
const ownNode = fileURLToPath(new URL("../../node_modules/node/bin/node", import.meta.url));

const [major, minor] = process.versions.node.split(".").map(Number);
const isRecent = major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
if (!existsSync(main)) {
  stop("Cofio is not built yet. Run `npm ci` in its folder.");
} else if (isRecent) {
  // Loading the engine takes 0.5 s less with it.
  module.enableCompileCache?.();
  await import(main.href);
} else if (existsSync(ownNode)) {
  const child = spawn(ownNode, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("exit", (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 1;
  });
} else {
  stop(
    `Cofio needs Node.js ${NEEDED.join(".")} or newer, and this is ${process.versions.node}. Install it from https://nodejs.org`,
  );
}

function stop(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exitCode = 1;
}

/**
 * `npm run bench -- import`: what it takes to import a large ChatGPT export into a real local server: read in Node and in a real browser, imported
 * again unchanged, and killed half-way and resumed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import * as z from "zod";
import { root } from "../../scripts/wrangler.ts";
import { startServer, type Server } from "../../test/e2e/support/server.ts";
import { callTool, type Access } from "../support/call-tool.ts";
import { printPlace, printTable, progress, thisPlace, writeJson } from "../support/report.ts";
import { withTemporaryFolder } from "../support/temporary-folder.ts";
import { openImportPage } from "./browser.ts";
import { writeChatgptExport } from "./chatgpt-export.ts";
import { isWorkerd, peakOf, POLL_MS, type Reader } from "./reader.ts";

const SIZE = { conversations: 6_000, messages: 80_000 };

interface Run {
  readonly what: string;
  readonly seconds: number;
  readonly messagesPerSecond: number;
  /** Peaks; null where the system does not tell. */
  readonly readerMiB: number | null;
  readonly serverMiB: number | null;
}

/** `--json FILE`: the report once more. */
export async function measureImport(args: string[]): Promise<void> {
  const { json } = parseArgs({ args, options: { json: { type: "string" } } }).values;
  const runs: Run[] = [];
  await withTemporaryFolder(async (folder) => {
    const file = join(folder, "export.zip");
    const jsonBytes = await writeChatgptExport(file, SIZE);
    progress(`${mib(jsonBytes)} MiB of JSON in a zip of ${mib(statSync(file).size)} MiB`);

    const smooth = await inServer(folder, "smooth", async (access) => {
      runs.push(await measured("Node, new", access.server, () => readInNode(access, file)));
      runs.push(await measured("Node, unchanged", access.server, () => readInNode(access, file)));
    });
    await inServer(folder, "browser", async (access) => {
      const page = await openImportPage(access.server);
      try {
        runs.push(await measured("Chromium, new", access.server, () => page.start(file)));
      } finally {
        await page.close();
      }
    });
    const killed = await inServer(folder, "killed", async (access) => {
      const interrupted = await killHalfWay(access, file);
      runs.push(
        await measured(`Node, resumed at ${interrupted}`, access.server, () =>
          readInNode(access, file),
        ),
      );
    });
    if (smooth !== killed) throw new Error("After the kill the end state is another one");
    progress("After the kill the end state is the same");
  });
  printPlace(thisPlace());
  printTable(
    `Import of ${SIZE.conversations} conversations, ${SIZE.messages} messages`,
    ["", "seconds", "messages/s", "reader MiB", "workerd MiB"],
    runs.map((run) => [
      run.what,
      run.seconds.toFixed(1),
      run.messagesPerSecond.toFixed(0),
      run.readerMiB?.toFixed(0) ?? "-",
      run.serverMiB?.toFixed(0) ?? "-",
    ]),
  );
  if (json !== undefined) writeJson(json, { benchmark: "import", ...thisPlace(), runs });
}

/** @returns a digest of what is stored at the end, which does not depend on keys or ids */
async function inServer(
  folder: string,
  name: string,
  use: (access: Access) => Promise<void>,
): Promise<string> {
  const state = join(folder, name);
  const secrets = join(folder, `${name}.vars`);
  const server = await startServer({ state, env: { COFIO_VERBOSE: "", COFIO_SECRETS: secrets } });
  try {
    await use({ server, token: await server.token("bench") });
  } finally {
    await server.stop();
  }
  return digestOf(state);
}

function readInNode(access: Access, file: string): Reader {
  const child = startReader(access, file);
  let peak: number | null = null;
  const timer = setInterval(() => (peak = peakOf(child.pid) ?? peak), POLL_MS);
  const done = new Promise<void>((resolve, reject) => {
    let output = "";
    child.stdout?.on("data", (chunk) => (output += String(chunk)));
    child.stderr?.on("data", (chunk) => (output += String(chunk)));
    child.on("close", (code) => {
      clearInterval(timer);
      if (code === 0) resolve();
      else reject(new Error(`The reader ended with ${code}:\n${output}`));
    });
  });
  return { done, peakMiB: () => peak };
}

function startReader({ server, token }: Access, file: string): ChildProcess {
  const args = [join(root, "apps/cli/main.ts"), "import", file, "--url", server.origin];
  return spawn(process.execPath, args, {
    env: { ...process.env, COFIO_TOKEN: token },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function measured(what: string, server: Server, start: () => Reader): Promise<Run> {
  const from = performance.now();
  const reader = start();
  await reader.done;
  const seconds = (performance.now() - from) / 1000;
  const peaks = server.processes().filter(isWorkerd).map(peakOf);
  const known = peaks.filter((peak) => peak !== null);
  const run = {
    what,
    seconds,
    messagesPerSecond: SIZE.messages / seconds,
    readerMiB: reader.peakMiB(),
    serverMiB: known.length === 0 ? null : Math.max(...known),
  };
  progress(`${what}: ${seconds.toFixed(1)} s`);
  return run;
}

/** SIGKILL to the reader and every process of the server, once half of the messages are there. @returns how many were */
async function killHalfWay(access: Access, file: string): Promise<number> {
  const reader = startReader(access, file);
  let stored = 0;
  while (stored < SIZE.messages / 2) {
    await sleep(POLL_MS);
    const call = { name: "get_stats", arguments: {} };
    stored = (await callTool(access, call, statsSchema)).conversations.messages;
  }
  reader.kill("SIGKILL");
  await access.server.restart();
  return stored;
}

const statsSchema = z.object({ conversations: z.object({ messages: z.number() }) });

function digestOf(state: string): string {
  const folder = join(state, "v3/d1/miniflare-D1DatabaseObject");
  const files = readdirSync(folder).filter(
    (name) => name.endsWith(".sqlite") && name !== "metadata.sqlite",
  );
  const hash = createHash("sha256");
  for (const name of files.sort()) {
    const database = new DatabaseSync(join(folder, name), { readOnly: true });
    const rows = database
      .prepare(
        `SELECT c.created_at, c.message_count, m.position, m.role, m.created_at, m.size_bytes, m.token_count,
           EXISTS (SELECT 1 FROM messages_fts f WHERE f.rowid = m.seq) AS indexed
         FROM conversations c JOIN messages m ON m.user_id = c.user_id AND m.conversation = c.id
         ORDER BY c.created_at, m.position`,
      )
      .iterate();
    for (const row of rows) hash.update(`${Object.values(row).join(" ")}\n`);
    database.close();
  }
  return hash.digest("hex");
}

function mib(bytes: number): string {
  return (bytes / 1_048_576).toFixed(0);
}

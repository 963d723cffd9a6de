/** `cofio sync` as a person runs it: a local folder, a deployment, and Ctrl+C in between. */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeChatExport } from "./support/chat-export.ts";
import {
  newFolder,
  programFile,
  runProgram,
  type Finished,
  type ServedFolder,
} from "./support/program.ts";
import { startServer, type Server } from "./support/server.ts";

let folder: ServedFolder;
let server: Server;
let files: string;
let env: { readonly COFIO_TOKEN: string };

beforeAll(async () => {
  folder = await newFolder();
  server = await startServer();
  files = await mkdtemp(join(tmpdir(), "cofio-sync-"));
  env = { COFIO_TOKEN: await trustedToken("someone") };
});
afterAll(async () => {
  await folder.remove();
  await server.stop();
  await rm(files, { recursive: true, force: true });
});

test("a first sync copies both ways, a conflict keeps both texts, and doing it again changes nothing", async () => {
  await folder.run(["save", "Gwen plays the harp", "--tag", "music"]);
  await atServer(["save", "Huw bakes bread"]);
  const file = join(files, "chats.zip");
  await writeChatExport(file, { conversations: 5, name: "chats", fillerBytes: 100 });
  await folder.run(["import", file]);

  const checked = await sync(["--dry-run"]);
  expect(checked.stdout).toContain("Checked only: nothing was written.");
  const first = await sync([]);
  expect([first.code, first.stdout]).toEqual([0, expect.stringContaining("1 copied")]);
  expect(first.stdout).toMatch(/conversations: 0 alike before\n.*0 copied.*\n.*5 copied/);
  expect((await atServer(["search", "harp"])).stdout).toContain("Gwen plays the harp #music");
  expect((await folder.run(["search", "bread"])).stdout).toContain("Huw bakes bread");
  const base = (await readdir(folder.path)).filter((name) => name.startsWith("sync-"));
  expect(base).toHaveLength(1);
  expect((await stat(join(folder.path, base[0] ?? ""))).mode & 0o777).toBe(0o600);

  const id = /\[(\w+)\]/.exec((await folder.run(["search", "harp"])).stdout)?.[1] ?? "";
  const client = await folder.connectV2("test");
  await client.call("update_memory", { id, content: "Gwen plays the Celtic harp" });
  await client.close();
  await api("PATCH", `/api/memories/${id}`, { content: "Gwen plays the pedal harp" });
  const second = await sync([]);
  expect(second.stdout).toContain(`conflict: memory [${id}] Gwen plays the Celtic harp`);
  expect((await folder.run(["search", "harp"])).stdout).toContain("pedal harp");

  const again = JSON.parse((await sync(["--json"])).stdout);
  expect(again).toMatchObject({
    memory: { unchanged: 2 },
    conversation: { unchanged: 5 },
    conflicts: [],
    left: [],
    operations: { here: null, there: null },
  });
});

test("stopped with Ctrl+C it says so, and the same command goes on", async () => {
  const file = join(files, "many.zip");
  await writeChatExport(file, { conversations: 600, name: "many", fillerBytes: 100 });
  await folder.run(["import", file]);
  const stopped = await stoppedSync();
  expect([stopped.code, stopped.stdout]).toEqual([130, ""]);
  expect(stopped.stderr).toContain("Stopped. What was copied stays; the same command goes on.");
  const there = await conversationsThere();
  expect(there).toBeLessThan(605);

  const report = JSON.parse((await sync(["--json"])).stdout);
  expect(report).toMatchObject({ conversation: { there: { copied: 605 - there } }, left: [] });
  expect(await conversationsThere()).toBe(605);
});

test("a wrong address, token or right is told in words", async () => {
  expect(await runProgram(["sync"])).toMatchObject({ code: 2, stdout: "" });
  expect(await runProgram(["sync", "ftp://example.com"], { env })).toMatchObject({ code: 2 });
  const wrong = await sync([], { COFIO_TOKEN: "cofio_wrong" });
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("token")]);
  const untrusted = await sync([], { COFIO_TOKEN: await server.token("someone") });
  expect([untrusted.code, untrusted.stderr]).toEqual([1, expect.stringContaining("trusted")]);
});

function sync(args: readonly string[], variables: Record<string, string> = env): Promise<Finished> {
  return runProgram(syncArguments(args), { env: variables });
}

function syncArguments(args: readonly string[]): string[] {
  return ["sync", server.origin, "--db-path", folder.path, ...args];
}

function atServer(args: readonly string[]): Promise<Finished> {
  return runProgram([...args, "--url", server.origin], { env });
}

/** Ctrl+C once the first conversations have arrived. */
async function stoppedSync(): Promise<Finished> {
  const before = await conversationsThere();
  const child = spawn(process.execPath, [programFile, ...syncArguments([])], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((done) => child.once("exit", done));
  const output = Promise.all([readText(child.stdout), readText(child.stderr)]);
  while ((await conversationsThere()) === before && child.exitCode === null) await sleep(10);
  child.kill("SIGINT");
  const [stdout, stderr] = await output;
  return { code: await ended, stdout, stderr };
}

async function conversationsThere(): Promise<number> {
  return (await api("GET", "/api/stats"))["conversations"].total;
}

async function api(method: string, path: string, body?: object): Promise<Record<string, any>> {
  const response = await fetch(`${server.origin}${path}`, {
    method,
    headers: { authorization: `Bearer ${env.COFIO_TOKEN}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** As a person makes one on the page and trusts it. */
async function trustedToken(user: string): Promise<string> {
  const response = await fetch(`${server.origin}/local/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user, trusted: true }),
  });
  return ((await response.json()) as { token: string }).token; // the route's own answer
}

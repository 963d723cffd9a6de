/** The program `cofio` as the server of a folder: MCP over stdio, several clients, ends of every kind, and who may come in. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TOOLS, useAllTools } from "./support/all-tools.ts";
import {
  buildProgram,
  isListening,
  isRunning,
  newFolder,
  programFile,
  runProgram,
  type ServedFolder,
} from "./support/program.ts";

/** For what happens at once on a machine that has nothing else to do. */
const PATIENCE = { timeout: 20_000 };

let folder: ServedFolder;

beforeAll(async () => {
  await buildProgram();
  folder = await newFolder();
});
afterAll(() => folder.remove());

test("clients of both SDKs use all twelve tools over stdio, and what they save names them", async () => {
  const v2 = await folder.connectV2("Desk");
  expect(await v2.tools()).toEqual(TOOLS);
  await useAllTools(v2.call, "Ada");
  const v1 = await folder.connectV1("Editor");
  expect(await v1.tools()).toEqual(TOOLS);
  await useAllTools(v1.call, "Grace");
  const found = await v1.call("search_memory", { query: "where does Ada deploy" });
  expect(found["results"][0]).toMatchObject({ client: "Desk" });
  expect((await v2.call("get_stats"))["memories"]["by_client"]).toMatchObject({
    Desk: expect.any(Number),
    Editor: expect.any(Number),
  });
  await Promise.all([v1.close(), v2.close()]);
});

test("the next start finds everything", async () => {
  const before = await folder.connectV2("Desk");
  await before.call("save_memory", { content: "Tal keeps a heather garden" });
  await before.close();
  await folder.stop();
  const after = await folder.connectV1("Editor");
  const found = await after.call("search_memory", { query: "heather" });
  expect(found["results"][0]).toMatchObject({ content: "Tal keeps a heather garden" });
  await after.close();
});

test("clients that start at once share one server, and what one leaves behind is there for the other", async () => {
  const fresh = await newFolder();
  const [first, second, third] = await Promise.all([
    fresh.connectV2("First"),
    fresh.connectV1("Second"),
    fresh.connectV2("Third"),
  ]);
  expect(fresh.hosts()).toHaveLength(1);
  const saves = (call: typeof first.call, who: string) =>
    Array.from({ length: 12 }, (_, n) =>
      call("save_memory", { content: `${who} planted tree ${n}` }),
    );
  await Promise.all([...saves(first.call, "Ann"), ...saves(second.call, "Ben")]);
  // The one that started the server goes, one politely and one not.
  first.kill();
  await second.close();
  await Promise.all(saves(third.call, "Cai"));
  expect((await third.call("list_memories", { limit: 1 }))["total"]).toBe(36);
  expect(fresh.hosts()).toHaveLength(1);
  await third.close();
  await fresh.remove();
});

test("SIGKILL to server and engine loses nothing that was acknowledged, and the same client goes on", async () => {
  const fresh = await newFolder();
  const client = await fresh.connectV2("Desk");
  const acknowledged: string[] = [];
  for (let round = 0; round < 2; round++) {
    const { pid, port, enginePid } = fresh.server();
    let isKilled = false;
    const saves = Array.from({ length: 8 }, async (_, n) => {
      const content = `Round ${round}, shelf ${n}`;
      // What was under way is answered with an error.
      const saved = await client.call("save_memory", { content }).catch(() => null);
      if (saved !== null) acknowledged.push(content);
      if (n < 3 || isKilled) return;
      isKilled = true;
      process.kill(pid, "SIGKILL");
      process.kill(enginePid, "SIGKILL");
    });
    await Promise.all(saves);
    await expect.poll(() => isListening(port), PATIENCE).toBe(false);
    await client.call("get_stats");
    expect(fresh.server().pid).not.toBe(pid);
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(2);
  const stored = await client.call("list_memories", { limit: 100, max_tokens: 20_000 });
  const texts = stored["memories"].map(({ content }: { content: string }) => content);
  expect(acknowledged.filter((content) => !texts.includes(content))).toEqual([]);
  await client.close();
  await fresh.remove();
});

test("an engine whose server was killed is ended before another one writes to the same files", async () => {
  const fresh = await newFolder();
  const client = await fresh.connectV2("Desk");
  await client.call("save_memory", { content: "Ifan repairs clocks" });
  const { pid, port, enginePid } = fresh.server();
  process.kill(pid, "SIGKILL");
  await expect.poll(() => isListening(port), PATIENCE).toBe(false);
  expect(isRunning(enginePid)).toBe(true);
  const found = await client.call("search_memory", { query: "clocks" });
  expect(found["results"]).toHaveLength(1);
  expect(isRunning(enginePid)).toBe(false);
  // The other way round the server ends too, and the next call starts both.
  const next = fresh.server();
  expect(next.enginePid).not.toBe(enginePid);
  process.kill(next.enginePid, "SIGKILL");
  await expect.poll(() => isListening(next.port), PATIENCE).toBe(false);
  expect((await client.call("search_memory", { query: "clocks" }))["results"]).toHaveLength(1);
  await client.close();
  await fresh.remove();
});

test("the server ends by itself when its last client is gone", async () => {
  const fresh = await newFolder();
  await fresh.run(["save", "Mali sings alto"]);
  await fresh.stop();
  const env = { COFIO_IDLE_SECONDS: "0.5" };
  await runProgram(["search", "alto", "--db-path", fresh.path], { env });
  await expect.poll(() => fresh.hosts(), PATIENCE).toEqual([]);
  await expect(stat(join(fresh.path, "server.json"))).rejects.toThrow("ENOENT");
  await fresh.remove();
});

test("the literal ~ of a client's configuration is the home folder", async () => {
  const home = await mkdtemp(join(tmpdir(), "cofio-home-"));
  const env = { HOME: home, USERPROFILE: home, COFIO_IDLE_SECONDS: "0.5" };
  const finished = await runProgram(["--db-path", "~/.cofio/memory"], { env, cwd: home });
  expect(finished).toEqual({ code: 0, stdout: "", stderr: "" });
  expect((await stat(join(home, ".cofio/memory/cofio.json"))).isFile()).toBe(true);
  await expect
    .poll(() => stat(join(home, ".cofio/memory/server.json")).catch(() => null), {
      timeout: 10_000,
    })
    .toBe(null);
  await rm(home, { recursive: true, force: true });
});

test("stdout holds the protocol alone, whatever comes over stdin, and every request is answered before the end", async () => {
  const request = (id: number, method: string, params: object) =>
    JSON.stringify({ jsonrpc: "2.0", id, method, params });
  const lines = [
    request(1, "initialize", {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "Raw", version: "1" },
    }),
    '{"jsonrpc":"2.0","method":"notifications/initialized"}',
    "this is no JSON",
    '{"not": "a message"}',
    "",
    request(2, "tools/call", {
      name: "save_memory",
      arguments: { content: "Nest has a red door" },
    }),
    request(3, "no/such/method", {}),
    request(4, "tools/call", { name: "no_such_tool", arguments: {} }),
    '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}',
  ];
  const { code, stdout } = await folder.run([], lines.map((line) => `${line}\n`).join(""));
  const messages = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(messages.every(({ jsonrpc }) => jsonrpc === "2.0")).toBe(true);
  const ids = messages.flatMap(({ id }) => (id === undefined ? [] : [id]));
  expect(new Set(ids)).toEqual(new Set([1, 2, 3, 4]));
  // What is no message is left out.
  expect(messages).toHaveLength(4);
  expect(messages.find(({ id }) => id === 3)).toMatchObject({ error: { code: -32601 } });
  expect(code).toBe(0);
});

test("folder, keys, tokens and log are readable by their owner alone, and hold neither in the clear what was saved nor in the log a key", async () => {
  expect((await stat(folder.path)).mode & 0o777).toBe(0o700);
  await (await folder.connectV1("Editor")).close();
  for (const name of ["keys", "cofio.json", "clients.json", "server.json", "server.log", "lock"]) {
    expect([name, (await stat(join(folder.path, name))).mode & 0o777]).toEqual([name, 0o600]);
  }
  const keys = (await readFile(join(folder.path, "keys"), "utf8")).match(/(?<==).+/g) ?? [];
  expect(keys).toHaveLength(2);
  const log = await readFile(join(folder.path, "server.log"), "utf8");
  expect([...keys, folder.server().token].filter((secret) => log.includes(secret))).toEqual([]);

  await folder.run(["save", "Quetzalcanary nests here"]);
  const files = readdirSync(folder.path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter((file) => readFileSync(file).includes("uetzalcanary"))).toEqual([]);
});

test("the open port answers to the token alone, under its own name, and to no other site", async () => {
  await (await folder.connectV1("Editor")).close();
  const { port, token } = folder.server();
  const right = { authorization: `Bearer ${token}`, host: `localhost:${port}` };
  expect(await statusOf(port, "/healthz", right)).toBe(200);
  const strangers = {
    "/": {},
    "/sign-up": {},
    "/mcp": {},
    "/api/rules": {},
    "/oauth/register": {},
  };
  for (const path of [...Object.keys(strangers), "/local/token", "/local/hello", "/healthz"]) {
    expect([path, await statusOf(port, path, { host: right.host })]).toEqual([path, 401]);
    const wrong = { ...right, authorization: "Bearer wrong" };
    expect([path, await statusOf(port, path, wrong)]).toEqual([path, 401]);
  }
  expect(await statusOf(port, "/healthz", { ...right, host: "evil.example" })).toBe(403);
  expect(await statusOf(port, "/healthz", { ...right, host: `evil.example:${port}` })).toBe(403);
  expect(await statusOf(port, "/healthz", { ...right, origin: "http://localhost:1" })).toBe(403);
  expect(await statusOf(port, "/healthz", { ...right, origin: "https://evil.example" })).toBe(403);
  // The engine has a port too, and so has what miniflare runs beside it.
  const { pid, enginePid } = folder.server();
  const inside = [pid, enginePid].flatMap(listeningPorts).filter((inner) => inner !== port);
  expect(inside).toHaveLength(process.platform === "linux" ? 2 : 0);
  for (const inner of inside) {
    for (const path of ["/healthz", "/mcp", "/api/rules", "/local/token", "/local/prepare"]) {
      const status = await statusOf(inner, path, right);
      expect([path, status === 401 || status === 403]).toEqual([path, true]);
    }
  }
});

test("a link of `serve --http` opens the pages once, for that browser alone", async () => {
  const pages = spawn(process.execPath, [programFile, "serve", "--http", "--db-path", folder.path]);
  const link = await new Promise<string>((found) => {
    let printed = "";
    pages.stdout.on("data", (chunk) => {
      printed += String(chunk);
      const url = /http:\S+/.exec(printed)?.[0];
      if (url !== undefined && printed.includes("Ctrl+C")) found(url);
    });
  });
  const { origin } = new URL(link);
  const opened = await fetch(link, { redirect: "manual" });
  expect(opened.status).toBe(302);
  const [cookie = ""] = opened.headers.getSetCookie();
  expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/);
  const browser = { cookie: cookie.split(";")[0] ?? "" };
  const home = await fetch(`${origin}/`, { headers: browser });
  expect(home.status).toBe(200);
  expect(await home.text()).toContain("Editor");
  expect((await fetch(`${origin}/import`, { headers: browser })).status).toBe(200);
  expect((await fetch(`${origin}/assets/cofio.css`, { headers: browser })).status).toBe(200);
  expect((await fetch(`${origin}/api/rules`, { headers: browser })).status).toBe(200);
  const patch = { method: "PATCH", body: '{"max_memories": 400}' };
  const own = { ...browser, origin };
  expect((await fetch(`${origin}/api/rules`, { ...patch, headers: own })).status).toBe(200);
  // Every port of localhost sees the cookie; a page of another one does not get in with it.
  const other = { ...browser, origin: "http://localhost:1" };
  expect((await fetch(`${origin}/api/rules`, { ...patch, headers: other })).status).toBe(403);
  expect((await fetch(link, { redirect: "manual" })).status).toBe(401);
  expect((await fetch(`${origin}/`)).status).toBe(401);
  pages.kill("SIGINT");
  expect(await new Promise((ended) => pages.once("exit", ended))).toBe(0);
});

test("a folder that cannot be used is said in a sentence, and stdout stays empty", async () => {
  const parent = await mkdtemp(join(tmpdir(), "cofio-cli-"));
  const put = async (name: string, file: string, text: string): Promise<string> => {
    await mkdir(join(parent, name));
    await writeFile(join(parent, name, file), text);
    return join(parent, name);
  };
  const stamp = { format: 1, migrations: [], vaultKeyHash: "0" };
  const cases: [string, RegExp][] = [
    ["/dev/null/cofio", /cannot be written \(ENOTDIR\)\..*--db-path/],
    [await put("notes", "diary.txt", "Dear diary"), /holds other files \(diary\.txt\)/],
    [await put("newer", "cofio.json", JSON.stringify({ ...stamp, format: 2 })), /newer Cofio/],
    [
      await put(
        "later",
        "cofio.json",
        JSON.stringify({ ...stamp, migrations: ["9999_later.sql"] }),
      ),
      /newer Cofio/,
    ],
    [await put("torn", "cofio.json", "{"), /not as Cofio wrote it/],
    [await put("keyless", "cofio.json", JSON.stringify(stamp)), /The keys of .* are missing/],
  ];
  for (const [path, sentence] of cases) {
    const { code, stdout, stderr } = await runProgram(["--db-path", path]);
    expect(stderr).toMatch(sentence);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect([path, code, stdout]).toEqual([path, 1, ""]);
  }
  await rm(parent, { recursive: true });
});

test.skipIf(process.getuid?.() !== 0)("a folder of another user is refused", async () => {
  const path = await mkdtemp(join(tmpdir(), "cofio-cli-"));
  execFileSync("chown", ["nobody", path]);
  const { code, stdout, stderr } = await runProgram(["--db-path", path]);
  expect(stderr).toContain("belongs to another user");
  expect([code, stdout]).toEqual([1, ""]);
  await rm(path, { recursive: true });
});

test("an older Node is told which one is needed; in a checkout the one that belongs to it serves", async () => {
  const pretend = `data:text/javascript,${encodeURIComponent(
    'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } });',
  )}`;
  const alone = await mkdtemp(join(tmpdir(), "cofio-alone-"));
  const copy = join(alone, "apps/cli/cofio.mjs");
  await mkdir(join(alone, "apps/cli"), { recursive: true });
  await mkdir(join(alone, "dist/cli"), { recursive: true });
  await writeFile(join(alone, "dist/cli/main.js"), "");
  await copyFile(programFile, copy);
  expect(
    spawnSync(process.execPath, ["--import", pretend, copy], { encoding: "utf8" }),
  ).toMatchObject({
    status: 1,
    stdout: "",
    stderr:
      "Cofio needs Node.js 22.13 or newer, and this is 20.1.0. Install it from https://nodejs.org\n",
  });
  const args = ["--import", pretend, programFile, "--version"];
  expect(spawnSync(process.execPath, args, { encoding: "utf8" })).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
  await rm(alone, { recursive: true });
});

/** `fetch` does not let a caller choose the Host. */
function statusOf(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<number | undefined> {
  return new Promise((done, fail) => {
    request({ port, host: "127.0.0.1", path, headers, agent: false }, (response) => {
      response.resume();
      done(response.statusCode);
    })
      .on("error", fail)
      .end();
  });
}

/** Where a process listens, as Linux tells it. */
function listeningPorts(pid: number): number[] {
  if (process.platform !== "linux") return [];
  const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  const inodes = new Set(open.map((name) => /^socket:\[(\d+)\]$/.exec(name)?.[1]));
  const listening = "0A";
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[3] === listening && inodes.has(columns[9]))
    .map(([, address = ""]) => Number.parseInt(address.split(":")[1] ?? "", 16));
}

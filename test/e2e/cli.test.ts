/** The program `cofio` as the server of a folder: MCP over stdio, several clients, ends of every kind, and who may come in. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import {
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PROGRAM } from "../../apps/cli/local-client.ts";
import { joinServer } from "../../apps/cli/local-server.ts";
import { TOOLS, useAllTools } from "./support/all-tools.ts";
import { openBrowser } from "./support/browser.ts";
import {
  ask,
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

test("a server that cannot be started is said, because a client may outlive its Node", async () => {
  const parent = await mkdtemp(join(tmpdir(), "cofio-cli-"));
  const node = process.execPath;
  process.execPath = join(parent, "node");
  try {
    const joining = joinServer(join(parent, "memory"), { client: () => PROGRAM });
    await expect(joining).rejects.toThrow(/cannot be started \(spawn .* ENOENT\)/);
  } finally {
    process.execPath = node;
  }
  await rm(parent, { recursive: true });
});

test("a server that is asked to end tidies up first", async () => {
  const fresh = await newFolder();
  await fresh.run(["save", "Mali sings alto"]);
  await fresh.stop();
  expect(fresh.processes()).toEqual([]);
  await expect(stat(join(fresh.path, "server.json"))).rejects.toThrow("ENOENT");
  await fresh.remove();
});

test("an engine whose server was killed in its start is ended before the next one, without a `ps` too", async () => {
  const fresh = await newFolder();
  const bare = await mkdtemp(join(tmpdir(), "cofio-bare-"));
  const env = { ...fresh.env, PATH: bare };
  const saving = runProgram(["save", "Elin skates", "--db-path", fresh.path], { env });
  // Known as soon as it runs.
  await expect
    .poll(() => readServer(fresh)?.enginePid ?? null, { ...PATIENCE, interval: 1 })
    .not.toBe(null);
  const { pid, enginePid } = fresh.server();
  process.kill(pid, "SIGKILL");
  expect((await saving).code).toBe(0);
  expect(isRunning(enginePid)).toBe(false);
  const next = fresh.server();
  expect(new Set(fresh.processes())).toEqual(new Set([next.pid, next.enginePid]));
  await fresh.remove();
  await rm(bare, { recursive: true });
});

test("a start that fails, early or late, leaves no process behind, and the next one works", async () => {
  const fresh = await newFolder();
  const run = (file: string) =>
    runProgram(["save", "Siôn whittles", "--db-path", fresh.path], { env: fresh.env, file });
  const late = await programWith((plan) => {
    plan["migrations"].push({ name: "9999_wrong.sql", queries: ["CREATE TABLE accounts (id)"] });
  });
  const early = await programWith((plan) => {
    plan["vars"]["PUBLIC_ORIGIN"] = "x";
    plan["compatibilityDate"] = "no date";
  });
  for (const broken of [late, early]) {
    const { code, stdout, stderr } = await run(join(broken, "apps/cli/cofio.js"));
    expect([code, stdout, stderr]).toEqual([
      1,
      "",
      "The local Cofio cannot start. server.log in its folder says why.\n",
    ]);
    await expect.poll(() => fresh.processes(), PATIENCE).toEqual([]);
    expect(readServer(fresh)).toBe(null);
    await rm(broken, { recursive: true });
  }
  expect((await run(programFile)).code).toBe(0);
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

test("a client that calls itself as the program has none of its rights, and any name may be used", async () => {
  const client = await folder.connectV1("Cofio CLI ");
  const { memory } = await client.call("save_memory", { content: "Rhys paints boats" });
  expect(memory).toMatchObject({ client: "Cofio CLI (as it says)" });
  await client.close();
  const { port, token } = folder.server();
  for (const name of ["Cofio CLI", " Cofio CLI", "Cofio CLI\u00a0"]) {
    const refused = await ask(`http://localhost:${port}/api/rules`, {
      method: "PATCH",
      headers: {
        authorization: `Bearer ${token}`,
        "x-cofio-client": encodeURIComponent(name),
        "content-type": "application/json",
      },
      body: '{"max_memories": 1}',
    });
    expect([name, refused.status]).toEqual([name, 403]);
  }
  for (const name of [`\ud800${"long ".repeat(50_000)}`, ""]) {
    const odd = await folder.connectV2(name);
    await odd.call("save_memory", { content: `Named by ${name.length} characters` });
    await odd.close();
  }
});

test("clients that come with ever new names share one in the end", async () => {
  const fresh = await newFolder();
  await fresh.run(["save", "Ceri reads"]);
  await fresh.stop();
  const file = join(fresh.path, "clients.json");
  const many = Array.from({ length: 100 }, (_, n) => [`Client ${n}`, "an older token"]);
  const known = JSON.parse(await readFile(file, "utf8"));
  await writeFile(file, JSON.stringify({ ...known, ...Object.fromEntries(many) }));
  const client = await fresh.connectV1("Client 100");
  const { memory } = await client.call("save_memory", { content: "Ceri writes" });
  expect(memory).toMatchObject({ client: "MCP client" });
  await client.close();
  await fresh.remove();
});

test("a client that is revoked on the pages stays out, until the person lets it in again; the person's own program is never out", async () => {
  const fresh = await newFolder();
  const client = await fresh.connectV1("Editor");
  await client.call("save_memory", { content: "Non grows leeks" });
  await fresh.run(["save", "Non sells leeks"]);
  await revokeAll(fresh);
  const refused = await client.call("search_memory", { query: "leeks" }).catch(String);
  expect(refused).toContain('cofio doctor --readmit "Editor"');
  expect((await fresh.run(["search", "leeks"])).stdout).toContain("Non sells leeks");
  const unknown = await fresh.run(["doctor", "--readmit", "Nobody"]);
  expect(unknown).toMatchObject({ code: 1, stdout: "" });
  expect((await fresh.run(["doctor", "--readmit", "Editor"])).code).toBe(0);
  expect((await client.call("search_memory", { query: "leeks" }))["results"]).toHaveLength(2);
  await client.close();
  await fresh.remove();
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
  const pages = await openPages();
  const opened = await ask(pages.link);
  expect(opened.status).toBe(302);
  const [cookie = ""] = opened.headers["set-cookie"] ?? [];
  expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/);
  const { origin, port } = new URL(pages.link);
  const browser = { cookie: cookie.split(";")[0] ?? "" };
  const get = async (path: string, headers: Readonly<Record<string, string>> = browser) =>
    (await ask(`${origin}${path}`, { headers })).status;
  const account = await ask(`${origin}/account`, { headers: browser });
  expect(account.status).toBe(200);
  expect(account.text).toContain("Editor");
  expect(await get("/import")).toBe(200);
  expect(await get("/assets/cofio.css")).toBe(200);
  expect(await get("/api/rules")).toBe(200);
  const patch = (headers: Readonly<Record<string, string>>) =>
    ask(`${origin}/api/rules`, { method: "PATCH", headers, body: '{"max_memories": 400}' });
  expect((await patch({ ...browser, origin })).status).toBe(200);
  // Another page does not get in with the cookie; and at the port's plain name, whose cookies all ports see, it opens nothing.
  for (const other of ["http://localhost:1", `http://localhost:${port}`]) {
    expect((await patch({ ...browser, origin: other })).status).toBe(403);
  }
  const plain = await ask(`http://localhost:${port}/`, { headers: browser });
  expect(plain.status).toBe(401);
  const atPlain = pages.link.replace(origin, `http://localhost:${port}`);
  expect((await ask(atPlain)).headers["set-cookie"]).toBe(undefined);
  expect((await ask(pages.link)).status).toBe(401);
  expect(await get("/", {})).toBe(401);

  // The next link is for the same browser too, cookie or not.
  const again = await openPages();
  expect((await ask(again.link, { headers: browser })).status).toBe(302);
  expect(await again.end()).toBe(0);
  expect(await pages.end()).toBe(0);
});

test("a browser finds the pages under their own name, where no other server sees its cookie, and they work there", async () => {
  const pages = await openPages();
  const browser = await openBrowser();
  const { page, context } = browser;
  await page.goto(pages.link);
  await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
  await page.getByText("Recent changes").waitFor();
  const { origin, port } = new URL(pages.link);
  expect(page.url()).toBe(`${origin}/`);
  expect(await page.evaluate("isSecureContext")).toBe(true);
  await page.goto(`${origin}/import`);
  const live = page.waitForEvent("websocket");
  await page.reload();
  const socket = await live;
  expect(socket.url()).toBe(`${origin.replace("http", "ws")}/api/live`);
  expect(await context.cookies(origin)).toHaveLength(1);
  for (const neighbour of ["http://localhost:3000", `http://localhost:${port}`]) {
    expect(await context.cookies(neighbour)).toEqual([]);
  }
  await browser.close();
  expect(await pages.end()).toBe(0);
});

test("when its server ends, `serve --http` prints the link of the next one", async () => {
  const pages = await openPages();
  process.kill(folder.server().pid, "SIGKILL");
  const next = await pages.nextLink();
  expect(next).not.toBe(pages.link);
  expect((await ask(next)).status).toBe(302);
  expect(await pages.end()).toBe(0);
});

test("an address that is none is refused, and nothing is logged", async () => {
  await (await folder.connectV1("Editor")).close();
  const before = await readFile(join(folder.path, "server.log"), "utf8");
  const { port } = folder.server();
  expect(await statusOf(port, "//", { host: `localhost:${port}` })).toBe(400);
  expect(await statusOf(port, "//", { host: "evil.example" })).toBe(403);
  expect(await readFile(join(folder.path, "server.log"), "utf8")).toBe(before);
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
    [await put("restored", "data", "as it was"), /The keys of .* are missing/],
    [await put("somebody", "keys", "of my house"), /The keys of .* are missing/],
    [await put("tables", "data.csv", "1,2"), /holds other files \(data\.csv\)/],
  ];
  for (const [path, sentence] of cases) {
    const { code, stdout, stderr } = await runProgram(["--db-path", path]);
    expect(stderr).toMatch(sentence);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect([path, code, stdout]).toEqual([path, 1, ""]);
  }
  // Nobody's file was changed, and no folder was closed to others.
  expect(await readFile(join(parent, "somebody/keys"), "utf8")).toBe("of my house");
  expect((await stat(join(parent, "somebody"))).mode & 0o777).toBe(0o755);
  await rm(parent, { recursive: true });
});

test("a folder that was made in Finder is as good as empty", async () => {
  const fresh = await newFolder();
  await mkdir(fresh.path);
  await writeFile(join(fresh.path, ".DS_Store"), "");
  expect((await fresh.run(["save", "Cerys knits"])).code).toBe(0);
  await fresh.remove();
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

/** An address as it is written, where URL would mend it. */
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

interface Pages {
  readonly link: string;
  /** Printed after the one before. */
  nextLink(): Promise<string>;
  /** As Ctrl+C does. @returns the exit code */
  end(): Promise<number | null>;
}

async function openPages(): Promise<Pages> {
  const child = spawn(
    process.execPath,
    [programFile, "serve", "--http", "--db-path", folder.path],
    {
      env: { ...process.env, ...folder.env },
    },
  );
  let printed = "";
  child.stdout.on("data", (chunk) => (printed += String(chunk)));
  const links = () => printed.match(/http:\S+(?=\s+Ctrl\+C)/g) ?? [];
  const linkAt = async (index: number): Promise<string> => {
    await expect.poll(() => links().length, PATIENCE).toBeGreaterThan(index);
    return links()[index] ?? "";
  };
  return {
    link: await linkAt(0),
    nextLink: () => linkAt(1),
    end() {
      const ended = new Promise<number | null>((done) => child.once("exit", done));
      child.kill("SIGINT");
      return ended;
    },
  };
}

/** As the person does on the pages. */
async function revokeAll({ server }: ServedFolder): Promise<void> {
  const { port, token } = server();
  const asked = await ask(`http://localhost:${port}/local/link`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
  });
  const { url } = JSON.parse(asked.text);
  const { origin } = new URL(url);
  const [cookie = ""] = (await ask(url)).headers["set-cookie"] ?? [];
  const headers = { cookie: cookie.split(";")[0] ?? "", origin };
  const account = await ask(`${origin}/account`, { headers: { cookie: headers.cookie } });
  for (const [, id] of account.text.matchAll(/name="id" value="([^"]+)"/g)) {
    const form = { ...headers, "content-type": "application/x-www-form-urlencoded" };
    await ask(`${origin}/grants/revoke`, { method: "POST", headers: form, body: `id=${id}` });
  }
}

function readServer({ path }: ServedFolder): { enginePid: number | null } | null {
  try {
    return JSON.parse(readFileSync(join(path, "server.json"), "utf8"));
  } catch {
    // There is none, yet or any more.
    return null;
  }
}

/** The program as it is installed, with another plan. */
async function programWith(change: (plan: Record<string, any>) => void): Promise<string> {
  const root = join(programFile, "../../..");
  const copy = await mkdtemp(join(tmpdir(), "cofio-program-"));
  for (const name of ["dist", "apps/cli/cofio.js", "package.json"]) {
    await cp(join(root, name), join(copy, name), { recursive: true });
  }
  for (const name of ["public", "node_modules"]) await symlink(join(root, name), join(copy, name));
  const file = join(copy, "dist/plan.json");
  const plan = JSON.parse(await readFile(file, "utf8"));
  change(plan);
  await writeFile(file, JSON.stringify(plan));
  return copy;
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

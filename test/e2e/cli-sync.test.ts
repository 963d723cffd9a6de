/** `cofio sync` as a person runs it: a local folder, a deployment, and Ctrl+C or SIGKILL in between. */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pick, seededRandom } from "../support/random.ts";
import { writeChatExport } from "./support/chat-export.ts";
import { openFaultyProxy, SOUND, type FaultyProxy } from "./support/faulty-proxy.ts";
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

test("killed with SIGKILL at any moment, the same command finishes it: both sides are equal, and nothing is lost", async () => {
  const sides = await differingSides();
  const random = seededRandom(26);
  for (let round = 0; round < 6; round++) {
    const program = startSync(sides);
    atRequest(sides.proxy, {
      // So early that something is left for each round.
      number: 2 + random(8),
      // It does not arrive, its answer gets lost, or the program goes on for a moment: with the folder, or with the next request.
      when: pick(["before", "after", "later"], random),
      laterMs: random(60),
      act: program.killGroup,
    });
    expect(await program.ended).toMatchObject({ code: null, signal: "SIGKILL" });
  }
  await expectFinished(sides);
  await sides.end();
});

test("whose local server is killed amid it, a sync starts another one and goes on: both sides are equal, and nothing is lost", async () => {
  const sides = await differingSides();
  const program = startSync(sides);
  const killed: number[] = [];
  const killServer = (): void => {
    const { pid, enginePid } = sides.folder.server();
    killed.push(pid);
    for (const one of [pid, enginePid]) process.kill(one, "SIGKILL");
  };
  atRequest(sides.proxy, {
    number: 5,
    when: "before",
    act() {
      killServer();
      atRequest(sides.proxy, { number: 5, when: "later", laterMs: 5, act: killServer });
    },
  });
  expect(await program.ended).toMatchObject({ code: 0 });
  expect(killed).toHaveLength(2);
  expect(killed).not.toContain(sides.folder.server().pid);
  await expectFinished(sides);
  await sides.end();
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

interface Sides {
  readonly folder: ServedFolder;
  /** The way to the deployment. */
  readonly proxy: FaultyProxy;
  readonly token: string;
  /** All that was ever said on either side. */
  readonly texts: readonly string[];
  readonly end: () => Promise<void>;
}

/** Of the chats, fifty are brought at once. */
const OWN_CHATS = 180;
const SHARED_CHATS = 30;
const OWN_MEMORIES = 60;
const SHARED_MEMORIES = 20;
/** When both sides are equal. */
const CHATS = 2 * OWN_CHATS + SHARED_CHATS;
const MEMORIES = 2 * OWN_MEMORIES + SHARED_MEMORIES;

/** Each with memories and chats of its own, and some that both have, under ids of their own. */
async function differingSides(): Promise<Sides> {
  const [own, proxy] = [await newFolder(), await openFaultyProxy(server)];
  const token = await trustedToken(`user of ${own.path}`);
  const importTo = {
    here: (args: readonly string[]) => own.run(["import", ...args]),
    there: (args: readonly string[]) =>
      runProgram(["import", ...args, "--url", server.origin], { env: { COFIO_TOKEN: token } }),
  };
  const said = {
    here: [...linesOf("here", OWN_MEMORIES), ...linesOf("both", SHARED_MEMORIES)],
    there: [...linesOf("there", OWN_MEMORIES), ...linesOf("both", SHARED_MEMORIES)],
  };
  for (const side of ["here", "there"] as const) {
    const list = join(files, `${side}.txt`);
    await writeFile(list, said[side].join("\n"));
    const done = [await importTo[side](["--as", "list", list])];
    for (const [name, conversations] of [
      [side, OWN_CHATS],
      ["both", SHARED_CHATS],
    ] as const) {
      const file = join(files, `${name}.zip`);
      await writeChatExport(file, { conversations, name, fillerBytes: 100 });
      done.push(await importTo[side]([file]));
    }
    expect(done.map(({ code }) => code)).toEqual([0, 0, 0]);
  }
  return {
    folder: own,
    proxy,
    token,
    texts: [...new Set([...said.here, ...said.there])],
    async end() {
      await own.remove();
      await proxy.close();
    },
  };
}

function linesOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `Shelf ${n} of ${name} holds jar ${name}${n}`);
}

interface Moment {
  readonly number: number;
  readonly when: "before" | "after" | "later";
  /** After the answer has been passed on. */
  readonly laterMs?: number;
  readonly act: () => void;
}

/** Does something once, at this request of those to come. */
function atRequest(proxy: FaultyProxy, { number, when, laterMs = 0, act }: Moment): void {
  proxy.plant(async (_, pass) => {
    const isNow = proxy.seen.length === number;
    if (isNow && when === "before") act();
    const reply = await pass();
    if (isNow && when === "after") act();
    if (isNow && when === "later") setTimeout(act, laterMs);
    return reply;
  });
}

interface Ended {
  readonly code: number | null;
  /** By which it was ended; null: by none. */
  readonly signal: string | null;
  readonly stderr: string;
}

/** In a process group of its own. */
function startSync({ folder: own, proxy, token }: Sides): {
  readonly killGroup: () => void;
  readonly ended: Promise<Ended>;
} {
  const args = ["sync", proxy.origin, "--db-path", own.path];
  const child = spawn(process.execPath, [programFile, ...args], {
    env: { ...process.env, ...own.env, COFIO_TOKEN: token },
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  const told = readText(child.stderr);
  const ended = new Promise<Ended>((done) => {
    child.once("exit", (code, signal) => {
      void told.then((stderr) => done({ code, signal, stderr }));
    });
  });
  return {
    killGroup() {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    },
    ended,
  };
}

/** The same command once more ends it, and after that there is nothing to be done, whatever the folder remembers. */
async function expectFinished({ folder: own, proxy, token, texts }: Sides): Promise<void> {
  proxy.plant(SOUND);
  const run = async (): Promise<any> => {
    const args = ["sync", proxy.origin, "--db-path", own.path, "--json"];
    const { code, stdout, stderr } = await runProgram(args, { env: { COFIO_TOKEN: token } });
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout);
  };
  expect(await run()).toMatchObject({ left: [], withheld: [], conflicts: [] });
  const { port, token: local } = own.server();
  const here = await stateOf(`http://127.0.0.1:${port}`, local);
  const there = await stateOf(server.origin, token);
  expect(there.memories).toEqual(here.memories);
  expect(there.conversations).toEqual(here.conversations);
  expect([here.memories.length, here.conversations.length]).toEqual([MEMORIES, CHATS]);
  expect(texts.filter((text) => !here.texts.has(text) || !there.texts.has(text))).toEqual([]);

  const nothing = {
    memory: { unchanged: MEMORIES },
    conversation: { unchanged: CHATS },
    operations: { here: null, there: null },
  };
  expect(await run()).toMatchObject(nothing);
  for (const name of await readdir(own.path)) {
    if (name.startsWith("sync-")) await rm(join(own.path, name));
  }
  expect(await run()).toMatchObject(nothing);
  const checked = [
    await own.run(["verify"]),
    await runProgram(["verify", "--url", server.origin], { env: { COFIO_TOKEN: token } }),
  ];
  for (const { code, stdout, stderr } of checked) expect(code, stdout + stderr).toBe(0);
}

interface SideState {
  /** What a sync compares, in a fixed order; ids and times of what both sides had before may differ. */
  readonly memories: readonly string[];
  readonly conversations: readonly string[];
  readonly texts: ReadonlySet<string>;
}

async function stateOf(origin: string, token: string): Promise<SideState> {
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    // To a folder's server: the program asks. No other server looks.
    "x-cofio-program": "1",
  };
  const ask = async (path: string, body?: object): Promise<any> => {
    const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(`${origin}/api/sync/${path}`, { headers, ...sent });
    expect(response.status).toBe(200);
    return response.json();
  };
  const list = async (kind: "memories" | "conversations") => {
    const items: any[] = [];
    for (let next: string | null = ""; next !== null;) {
      const page: any = await ask(`${kind}${next === "" ? "" : `?after=${next}`}`);
      items.push(...page.items);
      next = page.next;
    }
    return items;
  };
  const [memories, conversations] = [await list("memories"), await list("conversations")];
  const texts = new Set<string>();
  const ids = memories.map(({ id }) => id);
  for (let from: string | null = ""; from !== null;) {
    const page: any = await ask("lines", { memories: ids, ...(from !== "" && { from }) });
    for (const { content } of page.lines) texts.add(content);
    from = page.next;
  }
  const seen = (items: readonly any[]) =>
    items.map((item) => JSON.stringify({ ...item, id: undefined, updated_at: undefined }));
  return { memories: seen(memories).sort(), conversations: seen(conversations).sort(), texts };
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

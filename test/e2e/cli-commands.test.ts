/** The commands of the program `cofio`, on a local folder and on a server elsewhere. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeChatExport } from "./support/chat-export.ts";
import { newFolder, programFile, runProgram, type ServedFolder } from "./support/program.ts";
import { startServer, type Server } from "./support/server.ts";

const COMMANDS = [
  "serve",
  "connect",
  "save",
  "search",
  "import",
  "export",
  "sync",
  "backup",
  "rules",
  "verify",
  "doctor",
];

let folder: ServedFolder;
let files: string;

beforeAll(async () => {
  folder = await newFolder();
  files = await mkdtemp(join(tmpdir(), "cofio-files-"));
});
afterAll(async () => {
  await folder.remove();
  await rm(files, { recursive: true, force: true });
});

test("--help names every command, and each of them explains itself", async () => {
  const { code, stdout, stderr } = await runProgram(["--help"]);
  expect([code, stderr]).toEqual([0, ""]);
  expect([...stdout.matchAll(/^ {2}(\w+) {2,}\S/gm)].map(([, name]) => name)).toEqual(COMMANDS);
  for (const name of COMMANDS) {
    const help = await runProgram([name, "--help"]);
    expect([name, help.code, help.stderr]).toEqual([name, 0, ""]);
    expect(help.stdout).toMatch(new RegExp(`^cofio \\[?${name}`));
    expect((await runProgram(["help", name])).stdout).toBe(help.stdout);
  }
});

test("wrong use is exit code 2 and says where help is", async () => {
  for (const args of [
    ["remember"],
    ["save"],
    ["search", "--colour", "red"],
    ["import"],
    ["rules", "max_memories"],
    ["export", "--format", "pdf"],
    ["save", "x", "--token", "cofio_x"],
    ["save", "x", "--url", "http://cofio.example.com", "--token", "cofio_x"],
    ["serve", "--port", "80"],
    ["import", "x.zip", "--undo", "y"],
    ["doctor", "--readmit", "Editor", "--url", "https://cofio.example.com"],
  ]) {
    const { code, stdout, stderr } = await runProgram(args);
    expect([args, code, stdout]).toEqual([args, 2, ""]);
    expect(stderr).toContain("--help");
  }
});

test("what was saved from the shell is found there, in words and as JSON", async () => {
  const saved = await folder.run(["save", "Gwen", "plays", "the harp", "--tag", "music", "--json"]);
  expect(saved).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(saved.stdout)).toMatchObject({
    outcome: "created",
    memory: {
      content: "Gwen plays the harp",
      tags: ["music"],
      origin: "user",
      client: "Cofio CLI",
    },
  });
  expect((await folder.run(["save", "-"], "Gwen lives in Bangor\n")).code).toBe(0);
  const found = await folder.run(["search", "harp"]);
  expect(found).toMatchObject({ code: 0, stderr: "" });
  expect(found.stdout).toMatch(/^\[\w+\] Gwen plays the harp #music\n$/);
  const asJson = await folder.run(["search", "where does Gwen live", "--limit", "1", "--json"]);
  expect(JSON.parse(asJson.stdout)["results"]).toMatchObject([{ content: "Gwen lives in Bangor" }]);
});

test("words that begin with a dash are saved and found as they are", async () => {
  expect((await folder.run(["save", "--tag", "list", "--json"], "")).code).toBe(2);
  // Options stand before it.
  const run = (...args: readonly string[]) =>
    runProgram([args[0] ?? "", "--db-path", folder.path, ...args.slice(1)], { env: folder.env });
  expect((await run("save", "--", "-h")).stdout).toContain("-h");
  expect((await run("save", "--", "- buy oat milk")).code).toBe(0);
  expect((await run("save", "Gwen drinks oat tea")).code).toBe(0);
  expect((await run("search", "oat -tea")).stdout).toMatch(/^\[\w+\] - buy oat milk\n$/);
});

test("an export is imported, from a file, a folder and stdin, and again without a change", async () => {
  const file = join(files, "chats.zip");
  await writeChatExport(file, { conversations: 30, name: "chats", fillerBytes: 100 });
  const checked = await folder.run(["import", file, "--dry-run"]);
  expect(checked.stdout).toContain("Checked only: nothing was written.");
  const imported = await folder.run(["import", file]);
  expect(imported.code).toBe(0);
  expect(imported.stdout).toMatch(/^Import finished\.\nconversation 30 found = 30 new/);
  // Plain lines, because this is no terminal.
  expect(imported.stderr).toMatch(/^100 % {2}30 of 30 conversations/m);
  expect(imported.stderr).not.toContain("\r");
  const piped = await folder.run(["import", "-", "--json"], await readFile(file));
  expect(JSON.parse(piped.stdout)["items"]["by_kind"]["conversation"]).toMatchObject({
    found: 30,
    unchanged: 30,
  });
  expect((await folder.run(["import", files])).stdout).toContain("30 unchanged");
  const missing = await folder.run(["import", join(files, "none.zip")]);
  expect(missing).toMatchObject({ code: 1, stdout: "" });
  const found = await folder.run(["search", "--conversations", "bread", "--limit", "2"]);
  expect(found.stdout.trim().split("\n")).toHaveLength(2);
});

test("a list that an assistant printed is imported by --as list: a memory a line, with its date where it has one", async () => {
  const fresh = await newFolder();
  const list = join(files, "list.md");
  const lines = [
    "Here is everything I have stored about you:",
    "",
    "```text",
    "[2026-05-02] - Prefers metric units in recipes",
    "[2025-11] - Moved to Machynlleth",
    "[unknown] - Sings second alto",
    "Sister Lowri keeps goats",
    "[2026-05-02] - Prefers metric units in recipes",
    "```",
    "That is the complete set.",
  ];
  await writeFile(list, lines.join("\n"));
  const checked = await fresh.run(["import", list, "--as", "list", "--dry-run"]);
  expect(checked.stdout).toContain("memory       4 found = 4 new");
  expect((await fresh.run(["search", "goats"])).stdout).toBe("Nothing found.\n");
  const imported = await fresh.run(["import", list, "--as", "list"]);
  expect(imported.stdout).toMatch(
    /^Import finished\.\nmemory {7}4 found = 4 new \+ 0 updated \+ 0 unchanged \+ 0 skipped\nTo take/,
  );
  for (const [words, content] of [
    ["metric", "Prefers metric units in recipes"],
    ["Machynlleth", "Moved to Machynlleth"],
    ["alto", "Sings second alto"],
    ["goats", "Sister Lowri keeps goats"],
  ] as const) {
    const found = await fresh.run(["search", words, "--limit", "1"]);
    expect(found.stdout).toMatch(new RegExp(`^\\[\\w+\\] ${content}\n$`));
  }
  const client = await fresh.connectV2("Desk");
  const { memories } = await client.call("list_memories", { limit: 10 });
  const days = memories.map((memory: { content: string; created_at: string; source: string }) => [
    memory.content,
    memory.created_at.slice(0, 10),
    memory.source,
  ]);
  // Without a date it is as old as the import.
  const [undated = ""] = days.flatMap(([content, day]: string[]) =>
    content === "Sings second alto" ? [day] : [],
  );
  expect(Date.now() - Date.parse(undated)).toBeLessThan(2 * 86_400_000);
  expect(days.toSorted()).toEqual([
    ["Moved to Machynlleth", "2025-11-01", "paste"],
    ["Prefers metric units in recipes", "2026-05-02", "paste"],
    ["Sings second alto", undated, "paste"],
    ["Sister Lowri keeps goats", undated, "paste"],
  ]);
  await client.close();
  // The same from stdin, where it is an older answer with headings, changes nothing but what it adds.
  const longer = [...lines.slice(3, 7), "**Home:**", "- Has a blue front door"].join("\n");
  const piped = await fresh.run(["import", "-", "--as", "list", "--json"], longer);
  expect(JSON.parse(piped.stdout)["items"]["by_kind"]["memory"]).toMatchObject({
    found: 5,
    new: 1,
    unchanged: 4,
  });
  expect((await fresh.run(["search", "door", "--limit", "1"])).stdout).toMatch(
    /front door #Home\n$/,
  );
  await fresh.remove();
});

test("an import is taken back as its report says", async () => {
  const fresh = await newFolder();
  const file = join(files, "mistake.zip");
  await writeChatExport(file, { conversations: 2, name: "mistake", fillerBytes: 10 });
  const { stdout } = await fresh.run(["import", file]);
  const command = /cofio (import --undo \w+)$/m.exec(stdout)?.[1] ?? "none";
  const undone = await fresh.run(command.split(" "));
  expect(undone).toMatchObject({ code: 0, stderr: "" });
  expect(undone.stdout).toContain("2 conversations");
  const gone = await fresh.run(["import", "--undo", "none"]);
  expect(gone).toMatchObject({ code: 1, stdout: "" });
  await fresh.remove();
});

test("what is piped into an import is nowhere on the disk when it is stopped", async () => {
  const own = await mkdtemp(join(tmpdir(), "cofio-piped-"));
  const child = spawn(process.execPath, [programFile, "import", "-", "--db-path", folder.path], {
    env: { ...process.env, TMPDIR: own, TMP: own, TEMP: own },
  });
  child.stdin.write("all of my chats");
  // Node's own cache lies there too.
  const folders = async () => (await readdir(own)).filter((name) => name.startsWith("cofio"));
  const kept = async () => {
    const [inside = "none"] = await folders();
    return readFile(join(own, inside, "stdin"), "utf8").catch(() => null);
  };
  await expect.poll(kept, { timeout: 20_000 }).toBe("all of my chats");
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  expect(await ended).toBe(128 + 15);
  expect(await folders()).toEqual([]);
  await rm(own, { recursive: true });
});

test.skipIf(process.platform === "win32")(
  "an export that the disk has no room for is said to have failed, and nothing of it is left",
  async () => {
    const out = join(files, "full.json");
    // Before, because a server that this started would have the limit too; and more than the limit.
    await folder.run(["save", randomBytes(8_000).toString("hex")]);
    // A limit of the system on the size of files stops a write in its middle, as a full disk does. In blocks of 1,024 bytes.
    const command = `ulimit -f 4; exec "$0" "$@"`;
    const args = [process.execPath, programFile, "export", "--format", "json", "--output", out];
    const child = spawn("bash", ["-c", command, ...args, "--db-path", folder.path]);
    let said = "";
    child.stderr.on("data", (chunk) => (said += String(chunk)));
    expect(await new Promise((done) => child.once("close", done))).toBe(1);
    expect(said).toMatch(/EFBIG/);
    expect(said).not.toContain("    at ");
    expect((await readdir(files)).filter((name) => name.startsWith("full"))).toEqual([]);
  },
);

test("an export goes into a file of its own, whatever lies in its place", async () => {
  const archive = join(files, "own.zip");
  await writeFile(`${archive}.part`, "older", { mode: 0o644 });
  expect((await folder.run(["export", "--output", archive])).code).toBe(0);
  expect((await stat(archive)).mode & 0o777).toBe(0o600);
});

test("everything goes out as one file, and another folder becomes the same from it", async () => {
  const archive = join(files, "all.zip");
  const exported = await folder.run(["export", "--output", archive, "--json"]);
  expect(exported.code).toBe(0);
  const { counts, bytes } = JSON.parse(exported.stdout);
  expect(counts).toMatchObject({ memories: 6, conversations: 30 });
  expect(await stat(archive)).toMatchObject({ size: bytes });
  expect((await stat(archive)).mode & 0o777).toBe(0o600);
  const again = await folder.run(["export", "--output", archive]);
  expect(again).toMatchObject({ code: 1, stdout: "" });
  expect(again.stderr).toContain("is there already");
  const piped = await folder.run(["export", "--format", "json", "--output", "-"]);
  expect(JSON.parse(piped.stdout)).toMatchObject({ format: "cofio" });

  const other = await newFolder();
  expect((await other.run(["import", archive])).stdout).toContain("Import finished.");
  const ids = async (one: ServedFolder) =>
    JSON.parse((await one.run(["search", "Gwen", "--json"])).stdout)["results"].map(
      ({ id }: { id: string }) => id,
    );
  expect(await ids(other)).toEqual(await ids(folder));
  await other.remove();
  expect((await readdir(files)).filter((name) => name.endsWith(".part"))).toEqual([]);
});

test("rules are shown, changed and reset; a backup is made and listed; doctor finds nothing wrong", async () => {
  expect((await folder.run(["rules"])).stdout).toMatch(/^max_memories +10000$/m);
  const changed = await folder.run(["rules", "max_memories=5000", "secrets=refuse"]);
  expect(changed.stdout).toMatch(/^max_memories +5000 {2}\(yours\)$/m);
  expect(changed.stdout).toMatch(/^secrets +"refuse" {2}\(yours\)$/m);
  const reset = await folder.run(["rules", "max_memories=null", "--json"]);
  expect(JSON.parse(reset.stdout)).toMatchObject({
    own: ["secrets"],
    rules: { max_memories: 10000 },
  });
  const refused = await folder.run(["rules", "max_memories=many"]);
  expect(refused).toMatchObject({ code: 1, stdout: "" });

  expect((await folder.run(["backup", "--list"])).stdout).toBe("There is no backup yet.\n");
  const made = await folder.run(["backup"]);
  expect(made.stdout).toMatch(/^\w+ {2}\S+ {2}finished {2}\d+ rows/);
  expect((await folder.run(["backup", "--list"])).stdout).toBe(made.stdout);

  expect(await folder.run(["verify"])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+ rows checked\.\nNothing to repair\.\n$/),
  });

  const healthy = await folder.run(["doctor"]);
  expect(healthy.code).toBe(0);
  expect(healthy.stdout.match(/^\w+/gm)).toEqual(["ok", "ok", "ok", "ok"]);
  const ill = await runProgram(["doctor", "--db-path", "/dev/null/cofio", "--json"]);
  expect(ill.code).toBe(1);
  expect(JSON.parse(ill.stdout)["findings"].at(-1)).toMatchObject({
    check: "folder",
    ok: false,
    repair: expect.stringContaining("--db-path"),
  });
  const mistyped = join(files, "no such folder");
  const missing = await runProgram(["doctor", "--db-path", mistyped]);
  expect(missing.code).toBe(1);
  expect(missing.stdout).toContain(`There is no ${mistyped} yet.`);
  await expect(stat(mistyped)).rejects.toThrow("ENOENT");
});

test("with --url the same commands work on a deployment, with the rights of the token", async () => {
  const server: Server = await startServer();
  const url = ["--url", server.origin];
  const env = { COFIO_TOKEN: await server.token("someone") };
  const run = (args: readonly string[]) => runProgram([...args, ...url], { env });
  expect((await run(["save", "Huw bakes bread"])).stdout).toContain("Huw bakes bread");
  expect((await run(["search", "bread"])).stdout).toContain("Huw bakes bread");
  const file = join(files, "remote.zip");
  await writeChatExport(file, { conversations: 3, name: "remote", fillerBytes: 10 });
  expect((await run(["import", file])).stdout).toContain("3 new");
  const out = join(files, "remote-export.zip");
  expect((await run(["export", "--output", out])).code).toBe(0);
  expect((await run(["backup"])).stdout).toContain("finished");
  expect((await run(["doctor"])).stdout).toContain("12 tools");
  // A token that is not trusted reads the rules and does not change them.
  expect((await run(["rules"])).code).toBe(0);
  expect((await run(["rules", "max_memories=1"])).stderr).toContain("may read the memory rules");

  const wrong = { COFIO_TOKEN: "cofio_wrong" };
  for (const command of [["save", "x"], ["rules"], ["doctor"]]) {
    const refused = await runProgram([...command, ...url], { env: wrong });
    expect([command, refused.code]).toEqual([command, 1]);
    expect(refused.stdout + refused.stderr).toContain("token");
  }
  await server.stop();
  const gone = await run(["search", "bread"]);
  expect(gone).toMatchObject({ code: 1, stdout: "" });
  expect(gone.stderr).toContain("does not answer");
});

test.each([403, 404, 500])(
  "a server that is none, and answers with %s, is said in words by every command",
  async (status) => {
    const server = createServer((request, response) => {
      const isHealthy = request.url === "/healthz";
      response.writeHead(isHealthy ? 200 : status).end("\u001B[31mBlocked");
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as AddressInfo; // it listens on TCP
    const url = ["--url", `http://localhost:${port}`, "--token", "cofio_x"];
    for (const command of [["save", "x"], ["search", "x"], ["rules"], ["backup"], ["export"]]) {
      const { code, stdout, stderr } = await runProgram([...command, ...url]);
      expect([command, code, stdout]).toEqual([command, 1, ""]);
      expect(stderr).not.toContain("    at ");
      expect(stderr).not.toContain("\u001B");
      expect(stderr).toContain(`http://localhost:${port}`);
    }
    const doctor = await runProgram(["doctor", "--json", ...url]);
    expect(doctor.code).toBe(1);
    expect(JSON.parse(doctor.stdout)["findings"].at(-1)).toMatchObject({
      check: "server",
      ok: false,
    });
    server.close();
  },
);

test("a command that a server's limit holds up says so, waits as long as it is told, and goes on", async () => {
  let refusals = 0;
  const checked = {
    state: "finished",
    checked: { memories: 3 },
    repaired: {},
    left: {},
    named: [],
  };
  const server = createServer((request, response) => {
    const isRefused = request.url === "/api/verify" && refusals++ < 2;
    response
      .writeHead(isRefused ? 429 : 200, isRefused ? { "retry-after": "0" } : {})
      .end(JSON.stringify({ check: checked }));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const url = ["--url", `http://localhost:${port}`, "--token", "cofio_x"];
  const { code, stdout, stderr } = await runProgram(["verify", ...url]);
  server.close();
  expect([code, refusals]).toEqual([0, 3]);
  expect(stdout).toContain("3 rows checked.");
  expect(stderr).toContain("going on in 0 s");
});

/** Which folder the program `cofio` takes when none is named, and what it says of one that it may not use. */
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import * as z from "zod";
import { callsOf } from "./support/all-tools.ts";
import { newFolder, programFile, runProgram, type ServedFolder } from "./support/program.ts";

const readme = resolve(import.meta.dirname, "../../README.md");
const configurationSchema = z.object({
  mcpServers: z.object({
    "ai-memory": z.object({ command: z.literal("cofio"), args: z.array(z.string()) }),
  }),
});

test("what a client with the README's configuration saves is found by a command that names no folder", async () => {
  const folder = await newFolder(".cofio/memory");
  const env = homeOf(folder);
  const [line = ""] =
    /^\{ "mcpServers": .*"ai-memory".*$/m.exec(await readFile(readme, "utf8")) ?? [];
  const { args } = configurationSchema.parse(JSON.parse(line)).mcpServers["ai-memory"];
  const client = new Client({ name: "Desk", version: "1.0.0" });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [programFile, ...args],
      env: { ...variables(), ...env },
      cwd: tmpdir(),
    }),
  );
  await callsOf(client)("save_memory", { content: "Eirlys keeps bees" });
  await client.close();
  const found = await runProgram(["search", "bees"], { env });
  expect(found).toMatchObject({ code: 0, stderr: "" });
  expect(found.stdout).toContain("Eirlys keeps bees");
  // And nothing lies elsewhere.
  expect(await readdir(join(env.HOME, ".cofio"))).toEqual(["memory"]);
  expect((await stat(join(env.HOME, ".cofio"))).mode & 0o777).toBe(0o700);
  await folder.remove();
});

test("data that stands in ~/.cofio itself is found as long as there is none in ~/.cofio/memory", async () => {
  const earlier = await newFolder(".cofio");
  const env = homeOf(earlier);
  await earlier.run(["save", "Meurig tunes pianos"]);
  // An empty variable, as clients leave it, names no folder.
  const found = await runProgram(["search", "pianos"], { env: { ...env, COFIO_DB_PATH: "" } });
  expect(found.stdout).toContain("Meurig tunes pianos");
  expect(await readdir(earlier.path)).not.toContain("memory");
  await earlier.stop();

  const memory = join(earlier.path, "memory");
  await mkdir(memory);
  const stamp = { format: 2, migrations: [], vaultKeyHash: "0" };
  await writeFile(join(memory, "cofio.json"), JSON.stringify(stamp));
  const other = await runProgram(["search", "pianos"], { env });
  expect(other).toMatchObject({ code: 1, stdout: "" });
  expect(other.stderr).toContain(`${memory} was written by a newer Cofio`);
  await earlier.remove();
});

test("a folder that may not be written, or that a file is in the way of, is said in a sentence with the way out", async (context) => {
  if (process.getuid === undefined) return context.skip("Windows knows no such permissions");
  const parent = await mkdtemp(join(tmpdir(), "cofio-cli-"));
  const user = await plainUser(parent);
  if (user === null)
    return context.skip("Root may write everywhere, and nobody else can run this checkout");
  const closed = join(parent, "closed");
  await mkdir(closed);
  await chmod(closed, 0o500);
  const file = join(parent, "file");
  await writeFile(file, "Dear diary");
  await chown(closed, user, user);
  const env = { HOME: parent };
  const written = "Choose another one with --db-path, or make it yours.";
  const inTheWay = "A file stands there, or above it: choose another one with --db-path.";
  const cases: [string, string, string][] = [
    [closed, "EACCES", written],
    [join(closed, "below"), "EACCES", written],
    [file, "EEXIST", inTheWay],
    [join(file, "below"), "ENOTDIR", inTheWay],
  ];
  for (const [path, code, hint] of cases) {
    const sentence = `The data folder ${path} cannot be written (${code}).`;
    for (const command of [
      [],
      ["save", "x"],
      ["serve", "--http"],
      ["import", file, "--as", "list"],
    ]) {
      const finished = await runProgram([...command, "--db-path", path], { env, user });
      expect(finished).toEqual({
        code: 1,
        stdout: "",
        stderr: `${command[0] === "import" ? "Reading …\n" : ""}${sentence} ${hint}\n`,
      });
    }
  }
  const doctor = await runProgram(["doctor", "--db-path", closed, "--json"], { env, user });
  expect(doctor.code).toBe(1);
  expect(JSON.parse(doctor.stdout)["findings"].at(-1)).toEqual({
    check: "folder",
    ok: false,
    found: `The data folder ${closed} cannot be written (EACCES).`,
    repair: written,
  });
  expect(await readdir(closed)).toEqual([]);
  expect(await readFile(file, "utf8")).toBe("Dear diary");
  await rm(parent, { recursive: true });
});

function homeOf({ path, env }: ServedFolder) {
  const home = path.slice(0, path.lastIndexOf(".cofio") - 1);
  return { ...env, HOME: home, USERPROFILE: home };
}

/** Whom permissions bind: who runs the tests, or nobody where root does. Null: nobody may read this checkout. */
async function plainUser(home: string): Promise<number | null> {
  const own = process.getuid?.() ?? 0;
  if (own !== 0) return own;
  const nobody = Number(execFileSync("id", ["-u", "nobody"], { encoding: "utf8" }));
  await chown(home, nobody, nobody);
  const as = { uid: nobody, gid: nobody, cwd: home };
  return spawnSync(process.execPath, [programFile, "--version"], as).status === 0 ? nobody : null;
}

function variables(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}

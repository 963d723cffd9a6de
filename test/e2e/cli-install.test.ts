/** The program `cofio` installed from its package into an empty folder, without this checkout and its development dependencies. */
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { TOOLS } from "./support/all-tools.ts";
import { installProgram } from "./support/installed-program.ts";
import { newFolder, runProgram } from "./support/program.ts";

/** Nearly all of it is workerd. A development dependency that slips in brings tens of megabytes. */
const MAX_INSTALLED_BYTES = 210e6;

// What it depends on comes from npm's registry, which the other tests do without.
test.runIf(inject("isRelease"))(
  "installed from its package it saves, searches and serves an MCP client, with what it needs and no more",
  async () => {
    const prefix = await mkdtemp(join(tmpdir(), "cofio-installed-"));
    const { file, folder: installed, installedBytes } = await installProgram(prefix);
    const program = process.platform === "win32" ? "cofio.cmd" : "bin/cofio";
    expect(await readdir(join(prefix, program, ".."))).toContain("cofio");
    if (process.platform !== "win32") {
      expect(await realpath(join(prefix, program))).toBe(await realpath(file));
    }
    expect(installedBytes).toBeLessThan(MAX_INSTALLED_BYTES);
    const dependencies = await readdir(join(installed, "node_modules"));
    expect(dependencies).toEqual(expect.arrayContaining(["miniflare", "workerd"]));
    expect(dependencies).not.toEqual(expect.arrayContaining(["wrangler"]));
    expect(dependencies).not.toEqual(expect.arrayContaining(["vite"]));

    const memory = await newFolder();
    const run = (...args: string[]) =>
      runProgram([...args, "--db-path", memory.path], { file, cwd: prefix, env: memory.env });
    const saved = await run("save", "Angharad restores looms");
    expect(saved).toMatchObject({ code: 0, stderr: "" });
    expect((await run("search", "looms")).stdout).toMatch(/^\[\w+\] Angharad restores looms\n$/);
    expect((await run("doctor")).stdout.match(/^\w+/gm)).toEqual(["ok", "ok", "ok", "ok"]);

    const client = new Client({ name: "Desk", version: "1.0.0" });
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [file, "--db-path", memory.path],
        env: memory.env,
        cwd: prefix,
      }),
    );
    expect(client.getServerVersion()).toMatchObject({ name: "cofio" });
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(TOOLS);
    await client.close();
    await memory.remove();
    await rm(prefix, { recursive: true });
  },
);

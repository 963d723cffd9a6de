/** What the program `cofio` shows a person: bars on a terminal, plain lines elsewhere, and nothing that a terminal would obey. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeChatExport } from "./support/chat-export.ts";
import { newFolder, programFile, runProgram, type ServedFolder } from "./support/program.ts";

/** To the start of the line, and what stands there goes. */
const REDRAW = "\r\u001B[K";
const COLUMNS = 60;
/** Control characters but those of plain text. */
const OBEYED = /(?![\n\t])\p{Cc}/u;
/** It opens a pseudo terminal. Those of macOS and BusyBox take other arguments. */
const script = spawnSync("script", ["--version"], { encoding: "utf8" });
const hasTerminal = script.error === undefined && script.stdout.includes("util-linux");

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

test("on a terminal an import and an export draw their bar over itself, and leave the report alone", async (context) => {
  if (!hasTerminal) context.skip("No `script` of util-linux opens a terminal here");
  const chats = join(files, "chats.zip");
  await writeChatExport(chats, { conversations: 300, name: "chats", fillerBytes: 3_000 });
  const imported = await onTerminal(["import", chats]);
  expect(imported.code).toBe(0);
  expect(imported.bars.length).toBeGreaterThan(1);
  const shares = imported.bars.map(shareOf);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  // Full only when everything is done.
  expect(imported.bars.filter((bar) => bar.includes("100 %"))).toEqual(
    imported.bars.filter((bar) => bar.includes("300 of 300")),
  );
  expect(imported.bars.at(-1)).toMatch(/^\[#{24}\] 100 % {2}300 of 300 conversations/);
  expect(imported.report).toMatch(/^Import finished\.\r\nconversation 300 found = 300 new/);

  const archive = join(files, "all.zip");
  const exported = await onTerminal(["export", "--output", archive]);
  expect(exported.code).toBe(0);
  expect(exported.bars.at(-1)).toMatch(/^\[#{24}\] 100 % {2}(\S+ kB) of \1$/);
  expect(exported.report).toMatch(
    /all\.zip: 300 conversations, 1200 messages, 1 operation \(\S+ kB\)\r\n$/,
  );
});

test("elsewhere an import and an export write plain lines, and stdout is the report alone", async () => {
  const chats = join(files, "few.zip");
  await writeChatExport(chats, { conversations: 3, name: "few", fillerBytes: 10 });
  const imported = await folder.run(["import", chats]);
  expect(imported.stderr).toBe("Reading …\n100 %  3 of 3 conversations, 15 of 15 messages\n");
  expect(imported.stdout).toMatch(/^Import finished\.\nconversation 3 found = 3 new/);
  const exported = await folder.run(["export", "--output", join(files, "few-out.zip")]);
  expect(exported.stderr).toMatch(/^Collecting everything …\n100 % {2}(\S+ kB) of \1\n$/);
});

test("what a terminal would obey in a memory is shown as a question mark, and is the same in JSON", async () => {
  const content = "Ysgol\u001B]52;c;cm0gLXJm\u0007 gate \u009B31mred\nis green";
  expect((await folder.run(["save", "-"], content)).stdout).not.toMatch(OBEYED);
  const shown = await folder.run(["search", "Ysgol", "--limit", "1"]);
  expect(shown.stdout).toMatch(/^\[\w+\] Ysgol\?\]52;c;cm0gLXJm\? gate \?31mred\nis green\n$/);
  const asJson = await folder.run(["search", "Ysgol", "--limit", "1", "--json"]);
  expect(asJson.stdout).not.toMatch(OBEYED);
  expect(JSON.parse(asJson.stdout)["results"][0]["content"]).toBe(content);
});

test("options that are none, lack their value or have a wrong one are said in one sentence of the program's own", async () => {
  const cases: [string[], string, string][] = [
    [["save", "--colour", "x"], "There is no option --colour here.", "cofio save"],
    [["--colour"], "There is no option --colour here.", "cofio"],
    [["save", "x", "--tag"], "--tag needs a value: --tag=VALUE", "cofio save"],
    [["save", "x", "--tag", "-a"], "--tag needs a value: --tag=VALUE", "cofio save"],
    [
      ["save", "x", "--importance", "9"],
      '--importance is a whole number from 1 to 5, not "9".',
      "cofio save",
    ],
    [
      ["search", "x", "--limit", "0"],
      '--limit is a whole number from 1 to 50, not "0".',
      "cofio search",
    ],
    [["save", "x", "--db-path="], "--db-path needs a folder.", "cofio save"],
  ];
  for (const [args, sentence, command] of cases) {
    const finished = await runProgram(args);
    const stderr = `${sentence}\nHow it is used: ${command} --help\n`;
    expect(finished).toEqual({ code: 2, stdout: "", stderr });
  }
});

test("an export into a folder that is not there is refused before anything is collected", async () => {
  const out = join(files, "nowhere/all.zip");
  expect(await folder.run(["export", "--output", out])).toEqual({
    code: 1,
    stdout: "",
    stderr: `There is no folder ${join(files, "nowhere")}. Choose another --output.\n`,
  });
});

test("a text that is no export is refused with the way to import it as a list", async () => {
  const text = join(files, "notes.txt");
  await writeFile(text, "Ilan drives a tram\n");
  const refused = await folder.run(["import", text]);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toMatch(/^Reading …\nThis is no export.*\n.*--as list\.\n$/);
});

interface OnTerminal {
  readonly code: number | null;
  /** Each drawn over the one before. */
  readonly bars: readonly string[];
  /** What stands on the terminal when the program has ended. */
  readonly report: string;
}

async function onTerminal(args: readonly string[]): Promise<OnTerminal> {
  const words = [process.execPath, programFile, ...args, "--db-path", folder.path];
  const command = `stty cols ${COLUMNS} && ${words.map((word) => `'${word}'`).join(" ")}`;
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    env: { ...process.env, ...folder.env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((done) => child.once("close", done));
  const frames = (await readText(child.stdout)).split(REDRAW);
  const drawn = frames.slice(0, -1);
  // Each in one line, which it does not fill: a full one would break, and the next would be drawn below it.
  expect(drawn.filter((frame) => frame.includes("\n") || frame.length >= COLUMNS)).toEqual([]);
  return {
    code: await ended,
    bars: drawn.filter((frame) => frame.startsWith("[")),
    report: frames.at(-1) ?? "",
  };
}

/** In per cent, as it is said; drawn is the same. */
function shareOf(bar: string): number {
  const [, full = "", said = ""] = /^\[(#*)·*\] +(\d+) %/.exec(bar) ?? [];
  expect(Math.abs(full.length / 24 - Number(said) / 100)).toBeLessThan(1 / 24);
  return Number(said);
}

/** The computer of a person who tries a program: a home of its own, nothing but Cofio to reach, and a browser that this test holds. */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { END_SIGNALS } from "../../../apps/cli/end-signals.ts";
import { commandOf, PROGRAM_NAMES } from "./programs.ts";

/** Arbitrary: the slowest of them needs some 12 s to list its servers on two busy cores. */
const RUN_TIMEOUT_MS = 90_000;
const PAGE_TIMEOUT_MS = 60_000;
/** Nobody listens there. It is the way out of every program that asks for one; `scripts/clients.ts` takes the others away. */
const NO_PROXY_THERE = "http://127.0.0.1:9";

/** What the programs send home, or fetch, unless they are told not to. */
const QUIET = {
  DO_NOT_TRACK: "1",
  DISABLE_TELEMETRY: "1",
  DISABLE_AUTOUPDATER: "1",
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  GEMINI_TELEMETRY_ENABLED: "false",
  OPENCODE_DISABLE_AUTOUPDATE: "1",
  OPENCODE_DISABLE_MODELS_FETCH: "1",
  COPILOT_AUTO_UPDATE: "false",
};

export interface Computer {
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs a line of shell in the home folder, to its end. What it prints on either stream, without colours. */
  run(line: string, options?: RunOptions): Promise<Ran>;
  /** The same, while it runs. `terminal`: in one of its own, in which it may ask things. */
  start(line: string, options?: RunOptions & { readonly terminal?: boolean }): Started;
  write(path: string, text: string): Promise<void>;
  read(path: string): Promise<string>;
  /** The next page that a program opens in the person's browser. */
  openedPage(): Promise<URL>;
  remove(): Promise<void>;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Below the home folder. */
  readonly folder?: string;
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  /** Both streams. */
  readonly output: string;
}

export interface Started {
  /** Until it has printed this. */
  printed(text: RegExp): Promise<RegExpExecArray>;
  type(text: string): void;
  readonly ended: Promise<Ran>;
  stop(): Promise<void>;
}

export async function newComputer(): Promise<Computer> {
  const home = await mkdtemp(join(tmpdir(), "cofio-client-"));
  const bin = join(home, ".test-bin");
  const opened = join(bin, "opened");
  await mkdir(bin);
  for (const name of PROGRAM_NAMES) {
    await executable(join(bin, name), `exec ${commandOf(name).map(quoted).join(" ")} "$@"`);
  }
  // By both ways in which programs find the browser: each address that they open becomes a line.
  const browser = join(bin, "xdg-open");
  await executable(browser, `echo "$1" >> ${quoted(opened)}`);
  await writeFile(opened, "");
  let seen = 0;
  const running = new Set<ChildProcess>();
  // A group of its own does not end with this process, which may end before its time.
  const endNow = (): void => {
    try {
      for (const child of running) endGroup(child);
    } finally {
      rmSync(home, REMOVAL);
    }
  };
  // Vitest lets nobody call `process.exit`.
  const endBy = (signal: NodeJS.Signals): void => {
    endNow();
    process.kill(process.pid, signal);
  };
  process.once("exit", endNow);
  for (const signal of END_SIGNALS) process.once(signal, endBy);
  const env = {
    ...QUIET,
    PATH: [bin, dirname(process.execPath), process.env.PATH ?? ""].join(delimiter),
    HOME: home,
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_DATA_HOME: join(home, ".local/share"),
    XDG_STATE_HOME: join(home, ".local/state"),
    XDG_CACHE_HOME: join(home, ".cache"),
    TERM: "xterm-256color",
    LANG: "C.UTF-8",
    BROWSER: browser,
    HTTP_PROXY: NO_PROXY_THERE,
    HTTPS_PROXY: NO_PROXY_THERE,
    NO_PROXY: "localhost,127.0.0.1,::1",
  };

  function launch(
    [command, ...args]: readonly [string, ...string[]],
    options: RunOptions,
  ): ChildProcess {
    const child = spawn(command, args, {
      cwd: join(home, options.folder ?? "."),
      // The type has the Worker's variables in it, which programs of others do not get.
      env: { ...env, ...options.env } as unknown as NodeJS.ProcessEnv,
      stdio: ["pipe", "pipe", "pipe"],
      // A group, so that all that it starts ends with it.
      detached: true,
    });
    running.add(child);
    child.once("close", () => running.delete(child));
    return child;
  }
  function follow(child: ChildProcess, line: string): Started {
    let stdout = "";
    let output = "";
    child.stdout?.on("data", (chunk) => {
      stdout += String(chunk);
      output += String(chunk);
    });
    child.stderr?.on("data", (chunk) => (output += String(chunk)));
    const ended = new Promise<Ran>((done, fail) => {
      const timer = setTimeout(() => {
        endGroup(child);
        fail(new Error(`“${line}” did not end. It printed:\n${stripVTControlCharacters(output)}`));
      }, RUN_TIMEOUT_MS);
      child.once("close", (code) => {
        clearTimeout(timer);
        done({
          code,
          stdout: stripVTControlCharacters(stdout),
          output: stripVTControlCharacters(output),
        });
      });
    });
    // Whoever does not wait for it has stopped it.
    ended.catch(() => {});
    return {
      ended,
      async printed(text) {
        const deadline = Date.now() + PAGE_TIMEOUT_MS;
        while (Date.now() < deadline) {
          const found = text.exec(stripVTControlCharacters(output));
          if (found !== null) return found;
          await sleep(50);
        }
        throw new Error(`It did not print ${text}, but:\n${stripVTControlCharacters(output)}`);
      },
      type: (text) => void child.stdin?.write(text),
      async stop() {
        endGroup(child);
        await ended;
      },
    };
  }
  return {
    home,
    env,
    run(line, options = {}) {
      const child = launch(["sh", "-c", line], options);
      child.stdin?.end();
      return follow(child, line).ended;
    },
    start(line, { terminal = false, ...options } = {}) {
      // util-linux's `script` is the terminal.
      const child = terminal
        ? launch(["script", "-qefc", line, "/dev/null"], options)
        : launch(["sh", "-c", line], options);
      return follow(child, line);
    },
    async write(path, text) {
      await mkdir(dirname(join(home, path)), { recursive: true });
      await writeFile(join(home, path), text);
    },
    read: (path) => readFile(join(home, path), "utf8"),
    async openedPage() {
      const deadline = Date.now() + PAGE_TIMEOUT_MS;
      while (Date.now() < deadline) {
        const lines = (await readFile(opened, "utf8")).split("\n").filter((line) => line !== "");
        const next = lines[seen];
        if (next !== undefined) {
          seen++;
          return new URL(next);
        }
        await sleep(50);
      }
      throw new Error("No page was opened");
    },
    async remove() {
      for (const child of running) endGroup(child);
      await rm(home, REMOVAL);
      process.off("exit", endNow);
      for (const signal of END_SIGNALS) process.off(signal, endBy);
    },
  };
}

/** What they left running may still write. */
const REMOVAL = { recursive: true, force: true, maxRetries: 10 } as const;

async function executable(path: string, line: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${line}\n`);
  await chmod(path, 0o755);
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    // It has ended.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** The program `cofio`: which command, its help, and what its end means. */
import { UserError } from "../../src/errors.ts";
import { ImportRefused } from "../../src/transfer/send.ts";
import { HelpWanted, WrongUse } from "./arguments.ts";
import type { Command } from "./command.ts";
import { versionOf } from "./plan.ts";
import { print, warn } from "./terminal.ts";

interface Entry {
  readonly summary: string;
  /** When it is asked for: the way to an MCP client's first answer is short. */
  readonly load: () => Promise<Command>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  serve: {
    summary: "the local memory: for an MCP client over stdio, or in the browser (--http)",
    load: async () => (await import("./serve.ts")).serve,
  },
  connect: {
    summary: "a bridge to a deployment, for an MCP client that only speaks stdio",
    load: async () => (await import("./connect.ts")).connect,
  },
  save: {
    summary: "save a memory",
    load: async () => (await import("./save.ts")).save,
  },
  search: {
    summary: "find memories, or conversations, by any words",
    load: async () => (await import("./search.ts")).search,
  },
  import: {
    summary: "import exports of ChatGPT, Claude and others, of any size",
    load: async () => (await import("./import.ts")).importFiles,
  },
  export: {
    summary: "everything as one file",
    load: async () => (await import("./export.ts")).exportAll,
  },
  sync: {
    summary: "make the local memory and a deployment alike, in both directions",
    load: async () => (await import("./sync.ts")).syncFolder,
  },
  backup: {
    summary: "make a backup inside Cofio, or list those that there are",
    load: async () => (await import("./backup.ts")).backup,
  },
  rules: {
    summary: "show or change what assistants may store",
    load: async () => (await import("./rules.ts")).rules,
  },
  verify: {
    summary: "check that all rows agree, and repair what is derived",
    load: async () => (await import("./verify.ts")).verify,
  },
  doctor: {
    summary: "check that everything works, and say how to repair it",
    load: async () => (await import("./doctor.ts")).doctor,
  },
};

/** Exit codes: done; what was asked for failed; it was asked for wrongly. */
const FAILED = 1;
const WRONG_USE = 2;

const HELP = ["-h", "--help", "help"];
const VERSION = ["-v", "--version", "version"];

process.exitCode = await run(process.argv.slice(2));

async function run(argv: readonly string[]): Promise<number> {
  const [first = "", ...rest] = argv;
  // As an MCP client starts it, with options alone.
  if (first === "" || (first.startsWith("-") && ![...HELP, ...VERSION].includes(first))) {
    return runCommand("serve", argv);
  }
  if (VERSION.includes(first)) {
    print(versionOf());
    return 0;
  }
  if (first === "host") return (await import("./host.ts")).host(rest);
  if (first === "help" && rest[0] !== undefined) return runCommand(rest[0], ["--help"]);
  if (HELP.includes(first)) {
    print(overview());
    return 0;
  }
  return runCommand(first, rest);
}

async function runCommand(name: string, argv: readonly string[]): Promise<number> {
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) {
    warn(`There is no command "${name}". Those that there are: cofio --help`);
    return WRONG_USE;
  }
  const command = await entry.load();
  try {
    return await command.run(argv);
  } catch (error) {
    if (error instanceof HelpWanted) {
      print(command.usage);
      return 0;
    }
    if (error instanceof WrongUse) {
      // `cofio --colour` names no command: whoever types it looks for all that there is.
      const about = process.argv[2] === name ? `cofio ${name}` : "cofio";
      warn(`${error.message}\nHow it is used: ${about} --help`);
      return WRONG_USE;
    }
    if (error instanceof UserError || error instanceof ImportRefused) {
      warn(`${error.message} ${error.hint}`.trim());
      return FAILED;
    }
    // The system's own words name what it refused: a full disk, a file that may not be read.
    if (error instanceof Error && "syscall" in error) {
      warn(error.message);
      return FAILED;
    }
    throw error;
  }
}

function overview(): string {
  const lines = Object.entries(COMMANDS).map(
    ([name, { summary }]) => `  ${name.padEnd(9)} ${summary}`,
  );
  return `Cofio: one memory for all of your AI assistants, that you own.

An MCP client (Claude Desktop, Cursor and others) starts it with this in its configuration:
  {"mcpServers": {"cofio": {"command": "cofio", "args": ["--db-path", "~/.cofio/memory"]}}}
All data stays in that folder, encrypted with a key that lies beside it.

Commands, for the local memory, or with --url for a deployment:
${lines.join("\n")}

More about one: cofio COMMAND --help`;
}

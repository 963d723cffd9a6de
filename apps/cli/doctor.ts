import { existsSync, statSync } from "node:fs";
import { readArguments, TARGET_USAGE, targetOptions, WrongUse } from "./arguments.ts";
import { UserError } from "../../src/errors.ts";
import type { Command } from "./command.ts";
import { examineDeployment } from "./examine-deployment.ts";
import { expandHome, folderOf, openFolder } from "./folder.ts";
import { PROGRAM } from "./local-client.ts";
import { joinServer } from "./local-server.ts";
import { readPlan, versionOf } from "./plan.ts";
import { listTools, openTarget, reach, type TargetValues } from "./target.ts";
import { print, printJson, warn } from "./terminal.ts";

interface Check {
  readonly name: string;
  /** What was found. @throws UserError what is wrong, and how to repair it */
  readonly run: () => Promise<string> | string;
}

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly found: string;
  readonly repair?: string;
}

const TOOLS = 12;

export const doctor: Command = {
  usage: `cofio doctor
  Checks, one after the other, what a working Cofio needs, and says how to repair what is wrong. Exit code 1: something is.

  --readmit NAME    let an MCP client in again that was revoked on the pages of the local memory
${TARGET_USAGE}

cofio doctor URL
  Walks the way of Claude, Claude Code, ChatGPT, Cursor and the Inspector to a server such as https://cofio.example.com, and says which switch
  to turn. Without access it goes as far as the sign-in page (and leaves three unused registrations there, which end by themselves).
  What \`cofio connect\` keeps for this server is used and renewed.

  --token TOKEN     go on with this personal access token; better in COFIO_TOKEN
  --sign-in         sign in anew first, in the browser
  --no-browser      only print the address of the sign-in page`,
  async run(argv) {
    const { values, positionals } = readArguments(argv, {
      ...targetOptions,
      readmit: { type: "string" },
      "sign-in": { type: "boolean", default: false },
      "no-browser": { type: "boolean", default: false },
    });
    const [address, ...rest] = positionals;
    if (address !== undefined) {
      const isOther = [values.url, values["db-path"], values.readmit].some(
        (one) => one !== undefined,
      );
      if (rest.length > 0 || isOther)
        throw new WrongUse("Give one address, and what goes with it.");
      return (await examineDeployment(address, values)) ? 0 : 1;
    }
    if (values["sign-in"] || values["no-browser"])
      throw new WrongUse("Sign in where? Give an address.");
    if (values.readmit !== undefined && values.url !== undefined) {
      throw new WrongUse(
        "--readmit is for the local memory; a deployment's clients sign in again.",
      );
    }
    if (values.readmit !== undefined) await readmit(values.readmit, folderOf(values["db-path"]));
    const findings: Finding[] = [];
    for (const check of checksOf(values)) {
      const finding = await examine(check);
      findings.push(finding);
      if (!values.json) print(lineOf(finding));
      // What comes after it builds on it.
      if (!finding.ok) break;
    }
    if (values.json) printJson({ findings });
    return findings.every(({ ok }) => ok) ? 0 : 1;
  },
};

function checksOf(values: TargetValues): Check[] {
  const program: Check = {
    name: "program",
    run: () => `Cofio ${versionOf()} on Node ${process.versions.node}, ${process.platform}`,
  };
  const server: Check = { name: "server", run: () => examineServer(values) };
  if (values.url !== undefined) return [program, server];
  return [
    program,
    { name: "build", run: () => `Worker and program ${readPlan().build}` },
    { name: "folder", run: () => examineFolder(folderOf(values["db-path"])) },
    server,
  ];
}

async function examine({ name, run }: Check): Promise<Finding> {
  try {
    return { check: name, ok: true, found: await run() };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { check: name, ok: false, found: error.message, repair: error.hint };
  }
}

async function readmit(name: string, path: string): Promise<void> {
  const server = await joinServer(path, { client: () => PROGRAM, warn });
  try {
    if (await server.readmit(name)) return;
    throw new UserError(
      "not_found",
      `No client called "${name}" was ever here.`,
      "It is let in when it comes.",
    );
  } finally {
    server.close();
  }
}

function examineFolder(given: string): string {
  const path = expandHome(given);
  // A mistyped one is not to be made.
  if (!existsSync(path)) {
    throw new UserError(
      "not_found",
      `There is no ${path} yet.`,
      "The first client or command that uses it makes it, such as cofio save. Or check --db-path.",
    );
  }
  const folder = openFolder(path);
  // Windows has no such modes.
  const secrets = process.getuid === undefined ? [] : [folder.keys, folder.clients, folder.server];
  for (const file of secrets) {
    if (existsSync(file) && (statSync(file).mode & 0o077) !== 0) {
      throw new UserError("forbidden", `${file} can be read by others.`, `Run: chmod 600 ${file}`);
    }
  }
  return `${folder.path} is yours alone`;
}

async function examineServer(values: TargetValues): Promise<string> {
  const target = await openTarget(values);
  try {
    const health = await reach(target, "/healthz");
    if (!health.ok) {
      throw new UserError(
        "not_found",
        `${target.name}/healthz answers with status ${health.status}.`,
        "Is this the address of a Cofio?",
      );
    }
    const tools = await listTools(target);
    if (tools.length !== TOOLS) {
      throw new UserError(
        "invalid_input",
        `${target.name} lists ${tools.length} tools instead of ${TOOLS}.`,
        "Update Cofio there, or here.",
      );
    }
    return `${target.name} answers, with ${tools.length} tools`;
  } finally {
    target.close();
  }
}

function lineOf({ check, ok, found, repair }: Finding): string {
  const line = `${ok ? "ok  " : "FAIL"}  ${check.padEnd(8)} ${found}`;
  return repair === undefined ? line : `${line}\n      ${"".padEnd(8)} ${repair}`;
}

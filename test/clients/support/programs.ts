/** The programs that are tried, as npm installed them in this folder. */
import { join } from "node:path";

const modules = join(import.meta.dirname, "../node_modules");
const platform = `${process.platform}-${process.arch}`;

/** By the name that a person types: what is run. Of those that are binaries, the package of this platform. */
const PROGRAMS = {
  "add-mcp": { file: ".bin/add-mcp" },
  amp: { file: `@ampcode/cli-${platform}/amp`, isBinary: true },
  claude: { file: `@anthropic-ai/claude-code-${platform}/claude`, isBinary: true },
  codex: { file: ".bin/codex" },
  copilot: { file: ".bin/copilot" },
  droid: { file: `@factory/cli-${platform}/bin/droid`, isBinary: true },
  gemini: { file: ".bin/gemini" },
  "mcp-inspector": { file: ".bin/mcp-inspector" },
  "mcp-remote": { file: ".bin/mcp-remote" },
  mcporter: { file: ".bin/mcporter" },
  opencode: { file: `opencode-${platform}/bin/opencode`, isBinary: true },
  qwen: { file: ".bin/qwen" },
} as const satisfies Record<string, { file: string; isBinary?: true }>;

export type ProgramName = keyof typeof PROGRAMS;
/** True because `PROGRAMS` has nothing else. */
export const PROGRAM_NAMES = Object.keys(PROGRAMS) as readonly ProgramName[];

/** The command and its first arguments. */
export function commandOf(name: ProgramName): readonly [string, ...string[]] {
  const program = PROGRAMS[name];
  const path = join(modules, program.file);
  return "isBinary" in program ? [path] : [process.execPath, path];
}

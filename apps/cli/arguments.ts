import { parseArgs, type ParseArgsOptionsConfig } from "node:util";

/** The person asked how to use a command. */
export class HelpWanted extends Error {}

/** The command was not used as it is meant to be. */
export class WrongUse extends Error {}

/** Options that several commands share. */
export const targetOptions = {
  "db-path": { type: "string" },
  url: { type: "string" },
  token: { type: "string" },
  json: { type: "boolean", default: false },
} as const satisfies ParseArgsOptionsConfig;

export const TARGET_USAGE = `  --db-path FOLDER  the local memory (default: COFIO_DB_PATH, else ~/.cofio)
  --url URL         a deployment instead, such as https://cofio.example.com
  --token TOKEN     its access token; better in COFIO_TOKEN, where no other user sees it
  --json            the answer as JSON`;

/** @throws HelpWanted, WrongUse */
export function readArguments<Options extends ParseArgsOptionsConfig>(
  argv: readonly string[],
  options: Options,
) {
  const end = argv.indexOf("--");
  const asked = end === -1 ? argv : argv.slice(0, end);
  if (asked.includes("--help") || asked.includes("-h")) throw new HelpWanted();
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    if (error instanceof TypeError) throw new WrongUse(error.message);
    throw error;
  }
}

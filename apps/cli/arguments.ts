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

export const TARGET_USAGE = `  --db-path FOLDER  the local memory (default: COFIO_DB_PATH, else ~/.cofio/memory)
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
    if (error instanceof TypeError) throw new WrongUse(inWords(error.message));
    throw error;
  }
}

/** Undefined: the option was not given. @throws WrongUse */
export function readWholeNumber(
  option: string,
  text: string | undefined,
  { least, most }: { readonly least: number; readonly most: number },
): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/u.test(text) && number >= least && number <= most) return number;
  throw new WrongUse(`${option} is a whole number from ${least} to ${most}, not "${text}".`);
}

/** Node's own sentences go on about arguments that begin with a dash, over several lines. */
function inWords(message: string): string {
  const unknown = /^Unknown option '([^']+)'/u.exec(message)?.[1];
  if (unknown !== undefined) return `There is no option ${unknown} here.`;
  const bare = /^Option '.*?(--[\w-]+)(?: <value>)?' argument (?:missing|is ambiguous)/u.exec(
    message,
  );
  return bare?.[1] === undefined ? `${message}.` : `${bare[1]} needs a value: ${bare[1]}=VALUE`;
}

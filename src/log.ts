/** Logs what was nobody's mistake. Returns what whoever asked is told: a sentence with the reference of the log line. */
export function reportError(where: string, error: unknown): string {
  const reference = crypto.randomUUID().slice(0, REFERENCE_CHARS);
  logError(reference, where, error);
  return `Something went wrong on the server (reference ${reference}).`;
}

/** 32 bits: enough to find one line of a day's log by. */
const REFERENCE_CHARS = 8;

/** Log lines hold codes, ids and timings. Never a person's text, a token, an address, or an error message of the database. */
export function logError(reference: string, where: string, error: unknown): void {
  const name = error instanceof Error ? error.name : typeof error;
  const frames = error instanceof Error ? framesOf(error).slice(0, 8) : undefined;
  console.error(
    JSON.stringify({ level: "error", reference, where, name, cause: causeOf(error), frames }),
  );
}

/** A function or none, and a place with line and column. */
const FRAME = /^\s+at (?:[\w$.<>#[\] ]+ \()?[^\s()]+:\d+:\d+\)?$/u;

/** The name before the message: "TypeError: ", "Error [CODE]: ", or the name alone. */
const NAME = /^[\w$.]+(?: \[\w+\])?(?:: )?/u;

/**
 * A stack begins with name and message, and the message may quote what a person wrote (Drizzle's holds every parameter) in lines that
 * look like frames. Where it was changed afterwards nobody knows where it ends: no frames then.
 */
function framesOf({ message, stack = "" }: Error): string[] {
  const rest = stack.replace(NAME, "");
  if (!rest.startsWith(`${message}\n`)) return [];
  return rest
    .slice(message.length + 1)
    .split("\n")
    .filter((line) => FRAME.test(line));
}

/** The name of the root cause, and D1's own error code if it has one. */
function causeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.cause instanceof Error) return causeOf(error.cause) ?? error.cause.name;
  return /\b(?:SQLITE_[A-Z_]+|D1_[A-Z_]+)\b/.exec(error.message)?.[0];
}

/** What the OAuth library refused, in its own fixed words: a refresh token used twice, for example, is worth knowing. */
export function logRefusal(category: string, reason: string): void {
  console.warn(JSON.stringify({ level: "warn", where: category, reason }));
}

/** Something that whoever runs the deployment should see, in Cofio's own words: no text of a person is in it. */
export function logProblem(where: string, problem: string): void {
  console.error(JSON.stringify({ level: "error", where, problem }));
}

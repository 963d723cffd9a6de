/** Log lines hold codes, ids and timings. Never a person's text, a token, an address, or an error message of the database. */
export function logError(reference: string, where: string, error: unknown): void {
  const { name, stack } = error instanceof Error ? error : { name: typeof error, stack: undefined };
  // The first line of a stack repeats the message, which may quote what a person wrote (Drizzle's holds every parameter).
  const frames = stack
    ?.split("\n")
    .filter((line) => line.trimStart().startsWith("at "))
    .slice(0, 8);
  console.error(
    JSON.stringify({ level: "error", reference, where, name, cause: causeOf(error), frames }),
  );
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

/** A command of the program; each is one file. */
export interface Command {
  /** For `--help`. */
  readonly usage: string;
  /** @returns the exit code @throws HelpWanted, WrongUse, UserError */
  readonly run: (argv: readonly string[]) => Promise<number>;
}

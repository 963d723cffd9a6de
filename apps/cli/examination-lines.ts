/** An examination for a terminal: a line for each step, and at the end what to do. */
import { repairsOf, type Step } from "../doctor/step.ts";

const NAME_CHARS = 15;

export function linesOf({ name, found, faults }: Step): string {
  const lines =
    faults.length === 0
      ? [`✓ ${label(name)} ${found}`]
      : faults.map(({ what }) => `✗ ${label(name)} ${what}`);
  return lines.join("\n");
}

export function adviceOf(steps: readonly Step[], isSignedIn: boolean): string {
  const repairs = repairsOf(steps);
  if (repairs.length > 0) {
    const lines = repairs.map((repair, index) => `  ${index + 1}. ${repair}`);
    return `\nWhat to do:\n${lines.join("\n")}`;
  }
  return isSignedIn
    ? "\nNothing is wrong here. A client that does not connect has to look at its own side: remove the connector and add it again."
    : "\nNothing is wrong as far as a stranger gets. What comes after signing in is tried with --sign-in, or a token in COFIO_TOKEN.";
}

function label(name: string): string {
  return name.padEnd(NAME_CHARS);
}

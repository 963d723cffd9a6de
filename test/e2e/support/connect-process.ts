/** `cofio connect` as a client starts it: a process, JSON-RPC on its stdin and stdout, words for a person on stderr. */
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../..");
const program = join(root, "apps/cli/main.ts");

/** For clients of the SDKs, which start it themselves. */
export function connectCommand(...args: readonly string[]): { command: string; args: string[] } {
  return { command: process.execPath, args: [program, "connect", ...args] };
}

export interface ConnectProcess {
  readonly child: ChildProcess;
  /** Lines of stdout. */
  readonly lines: string[];
  stderr(): string;
  send(message: object): void;
  /** The next line that answers this id. */
  answerTo(id: number): Promise<any>;
  /** Its exit code; null: a signal ended it. */
  readonly ended: Promise<number | null>;
  /** After its input was closed. */
  end(): Promise<number | null>;
}

export function startConnect(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ConnectProcess {
  const { command, args: argv } = connectCommand(...args);
  const child = spawn(command, argv, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const lines: string[] = [];
  let stderr = "";
  child.stderr.on("data", (chunk) => (stderr += String(chunk)));
  const arrivals = new Set<() => void>();
  let held = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    const [end = "", ...more] = String(chunk).split("\n");
    held += end;
    for (const next of more) {
      lines.push(held);
      held = next;
    }
    for (const arrived of arrivals) arrived();
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    child,
    lines,
    ended,
    stderr: () => stderr,
    send: (message) => void child.stdin.write(`${JSON.stringify(message)}\n`),
    answerTo: (id) =>
      new Promise((resolve, fail) => {
        const look = (): void => {
          const answer = lines.map((line) => JSON.parse(line)).find((one) => one.id === id);
          if (answer === undefined) return;
          arrivals.delete(look);
          resolve(answer);
        };
        arrivals.add(look);
        look();
        void ended.then((code) => fail(new Error(`It ended with ${code}:\n${stderr}`)));
      }),
    end() {
      child.stdin.end();
      return ended;
    },
  };
}

/** What a command says while it works: on stderr, so that stdout is the answer alone. */

/** Two lines of plain progress are at least so far apart. Arbitrary. */
const PLAIN_EVERY_MS = 5_000;
const BAR_CHARS = 24;

export interface Progress {
  /** @param share of the whole, 0 to 1; null: unknown */
  show(share: number | null, text: string): void;
  end(): void;
}

/** A bar that moves on a terminal, a plain line now and then elsewhere. */
export function openProgress(): Progress {
  return process.stderr.isTTY ? bar() : plainLines();
}

export function warn(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

export function print(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

export function clock(time: number): string {
  return new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function bar(): Progress {
  const write = (text: string) => process.stderr.write(`\r\u001B[K${text}`);
  return {
    show(share, text) {
      const line = share === null ? text : `${drawn(share)} ${percent(share)}  ${text}`;
      write(line.slice(0, Math.max(0, (process.stderr.columns ?? 80) - 1)));
    },
    end: () => void write(""),
  };
}

function plainLines(): Progress {
  let saidAt = 0;
  let said = "";
  return {
    show(share, text) {
      const line = share === null ? text : `${percent(share)}  ${text}`;
      const now = Date.now();
      if (line === said || (now - saidAt < PLAIN_EVERY_MS && share !== 1)) return;
      saidAt = now;
      said = line;
      warn(line);
    },
    end() {},
  };
}

function drawn(share: number): string {
  const full = Math.round(Math.min(1, share) * BAR_CHARS);
  return `[${"#".repeat(full)}${"·".repeat(BAR_CHARS - full)}]`;
}

function percent(share: number): string {
  return `${String(Math.floor(Math.min(1, share) * 100)).padStart(3)} %`;
}

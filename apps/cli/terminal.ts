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
  process.stderr.write(`${harmless(sentence)}\n`);
}

export function print(text: string): void {
  process.stdout.write(`${harmless(text.replace(/\n$/u, ""))}\n`);
}

/** What JSON leaves as it is and a terminal would obey is written as JSON too: it says the same. */
export function printJson(value: unknown): void {
  const escaped = (character: string) => `\\u00${character.charCodeAt(0).toString(16)}`;
  const text = JSON.stringify(value, null, 2).replaceAll(/[\u007f-\u009f]/gu, escaped);
  process.stdout.write(`${text}\n`);
}

/** Of a file or a download, for a person. */
export function sizeText(bytes: number): string {
  const [size, unit] =
    bytes < 1e6 ? [bytes / 1e3, "kB"] : bytes < 1e9 ? [bytes / 1e6, "MB"] : [bytes / 1e9, "GB"];
  return `${size.toFixed(1)} ${unit}`;
}

export function clock(time: number): string {
  return new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** Anybody's words may have been saved or imported, and a terminal obeys control characters: it would write to the clipboard, for one. */
function harmless(text: string): string {
  return text.replaceAll(/(?![\n\t])\p{Cc}/gu, "?");
}

function bar(): Progress {
  let isShown = false;
  const write = (text: string) => process.stderr.write(`\r\u001B[K${text}`);
  return {
    show(share, text) {
      const line = share === null ? text : `${drawn(share)} ${percent(share)}  ${text}`;
      write(line.slice(0, width() - 1));
      isShown = true;
    },
    end() {
      if (isShown) write("");
      isShown = false;
    },
  };
}

/** Some terminals do not say, and some say 0. */
function width(): number {
  return process.stderr.columns || 80;
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

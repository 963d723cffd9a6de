/** A text that one side took out for good is taken out on both, in whatever states it stands. Pure. */
import type { MemoryLine } from "./archive-lines.ts";
import { memoryDigest, renumbered, type History, type State } from "./sync-states.ts";

export interface WithoutTexts {
  /** As it will be. */
  readonly history: History<MemoryLine>;
  /** States to be written over, without their text. */
  readonly redacted: readonly MemoryLine[];
  /** States that follow the one of now, where that holds such a text: only earlier states are written over. */
  readonly closing: History<MemoryLine>;
}

type Redaction = NonNullable<MemoryLine["redacted"]>;

export async function withoutTexts(
  history: History<MemoryLine>,
  other: History<MemoryLine>,
): Promise<WithoutTexts> {
  const gone = new Map([...goneFrom(history), ...goneFrom(other)]);
  const redactionOf = (state: State<MemoryLine>, all: History<MemoryLine>) =>
    state.line.redacted === undefined
      ? timesOf(state, all).flatMap((time) => gone.get(time) ?? [])[0]
      : undefined;
  const redacted: MemoryLine[] = [];
  const cleaned = await Promise.all(
    history.map(async (state): Promise<State<MemoryLine>> => {
      const redaction = redactionOf(state, history);
      if (redaction === undefined) return state;
      const line = redactedLine(state.line, redaction);
      redacted.push(line);
      return { version: state.version, digest: await memoryDigest(line), line };
    }),
  );
  const [now, otherNow] = [cleaned.at(-1), other.at(-1)];
  if (now === undefined || !redacted.includes(now.line)) {
    return { history: cleaned, redacted, closing: [] };
  }
  const hasText =
    otherNow !== undefined &&
    otherNow.line.redacted === undefined &&
    redactionOf(otherNow, other) === undefined;
  const closing = [await closingState(now, hasText ? otherNow : null)];
  return { history: [...cleaned, ...closing], redacted, closing };
}

/** Texts that were taken out, by the times of their states. One that is said again, and in use, is not gone. */
function goneFrom(history: History<MemoryLine>): Map<string, Redaction> {
  const now = history.at(-1);
  const isInUse = now !== undefined && now.line.status !== "trashed" && !now.line.redacted;
  const used = new Set(isInUse ? timesOf(now, history) : []);
  return new Map(
    history.flatMap((state) => {
      const { redacted } = state.line;
      if (redacted === undefined) return [];
      return timesOf(state, history).flatMap((time) =>
        used.has(time) ? [] : [[time, redacted] as const],
      );
    }),
  );
}

/**
 * When the state and its text came to be: by that they are known on both sides, because a sync changes numbers and not times. No memory
 * changes twice in a millisecond.
 */
function timesOf({ version, line }: State<MemoryLine>, history: History<MemoryLine>): string[] {
  const textVersion = line.text_version ?? version;
  const first = history.find((state) => state.version === textVersion);
  return first === undefined ? [line.updated_at] : [line.updated_at, first.line.updated_at];
}

/** As the store that took it out has it: what the row says stays, what the text said is gone. */
function redactedLine(line: MemoryLine, redacted: Redaction): MemoryLine {
  const { asked_as: _asked, supersedes: _replaced, path: _path, store: _store, ...rest } = line;
  const { is_twin: _twin, ...kept } = rest;
  return { ...kept, content: "", tags: [], redacted };
}

/** The other side's state of now; without one, nothing but what is left, in the trash. */
async function closingState(
  now: State<MemoryLine>,
  otherNow: State<MemoryLine> | null,
): Promise<State<MemoryLine>> {
  const version = now.version + 1;
  if (otherNow !== null) return renumbered(otherNow, version);
  const { text_version = now.version, trashed_at = now.line.updated_at } = now.line;
  const line = { ...now.line, version, text_version, status: "trashed" as const, trashed_at };
  return { version, digest: await memoryDigest(line), line };
}

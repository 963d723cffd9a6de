/**
 * Batches as they leave the machine. Conversations are named by their digests first, those of several batches at once; only what the server
 * does not know as it stands in the file is sent. The batches stay those that the reading gives, so that an import goes on at any of them.
 */
import { namedLimit, type BatchLimits, type BatchRecord, type ReadRecord } from "./batches.ts";

export interface NumberedBatch {
  readonly number: number;
  readonly records: readonly ReadRecord[];
}

/** Batches that follow each other. */
export type BatchWindow = readonly [NumberedBatch, ...NumberedBatch[]];

/** What one request carries: one batch, or several that hold nothing but names. */
export interface SentBatch {
  readonly number: number;
  readonly through: number;
  readonly records: readonly BatchRecord[];
}

export interface SentAnswer {
  /** Places of the records that must be sent as they are. Then nothing was taken. */
  readonly wanted?: readonly number[] | undefined;
  /** The number of the batch that is awaited. */
  readonly next: number;
}

/** Of the texts in a window: with the window that is made meanwhile, what a reader holds. Arbitrary; a batch of a paid plan has a third. */
const WINDOW_CHARS = 4_000_000;

export async function* windowsOf(
  batches: AsyncGenerator<NumberedBatch, void>,
  limits: BatchLimits,
): AsyncGenerator<BatchWindow, void> {
  let window: NumberedBatch[] = [];
  let size = { chars: 0, conversations: 0 };
  for await (const batch of batches) {
    const own = sizeOf(batch);
    const isFull =
      size.chars + own.chars > WINDOW_CHARS ||
      size.conversations + own.conversations > namedLimit(limits);
    if (isFull && isWindow(window)) {
      yield window;
      window = [];
      size = { chars: 0, conversations: 0 };
    }
    window.push(batch);
    size = {
      chars: size.chars + own.chars,
      conversations: size.conversations + own.conversations,
    };
  }
  if (isWindow(window)) yield window;
}

export async function sendWindow(
  window: BatchWindow,
  send: (batch: SentBatch) => Promise<SentAnswer>,
): Promise<void> {
  const whole = new Set(window.flatMap(({ records }) => copiesIn(records)));
  const isNamed = (record: ReadRecord) => record.type === "conversation" && !whole.has(record);
  const isNamedOnly = ({ records }: NumberedBatch) =>
    records.every((record) => record.type === "skipped" || isNamed(record));
  let rest: readonly NumberedBatch[] = window;
  while (isWindow(rest)) {
    const carrying = rest.findIndex((batch) => !isNamedOnly(batch));
    const run = rest.slice(0, carrying === -1 ? rest.length : Math.max(1, carrying));
    const [{ number }] = rest;
    const through = run.at(-1)?.number ?? number;
    const records = run.flatMap((batch) => batch.records);
    const sent = records.map((record) => (isNamed(record) ? named(record) : asItIs(record)));
    const { wanted, next } = await send({ number, through, records: sent });
    for (const place of wanted ?? []) {
      const record = records[place];
      if (record !== undefined) whole.add(record);
    }
    rest = rest.filter((batch) => batch.number >= next);
  }
}

function isWindow(batches: readonly NumberedBatch[]): batches is BatchWindow {
  return batches.length > 0;
}

function sizeOf({ records }: NumberedBatch): { chars: number; conversations: number } {
  let [chars, conversations] = [0, 0];
  for (const record of records) {
    if (record.type !== "conversation") continue;
    conversations += 1;
    for (const { text, attachments } of record.conversation.messages) {
      chars += text.length;
      for (const file of attachments) chars += file.text?.length ?? 0;
    }
  }
  return { chars, conversations };
}

/** A chat that stands twice in a batch is compared with itself there, so both are sent. */
function copiesIn(records: readonly ReadRecord[]): ReadRecord[] {
  const chats = records.filter((record) => record.type === "conversation");
  const groups = Map.groupBy(chats, ({ conversation: { provenance } }) =>
    JSON.stringify([provenance.platform, provenance.id, provenance.isDerived]),
  );
  return [...groups.values()].flatMap((group) => (group.length > 1 ? group : []));
}

function named(record: ReadRecord): BatchRecord {
  if (record.type !== "conversation" || record.digest === undefined) return asItIs(record);
  const { conversation, part, digest } = record;
  const { provenance, messages } = conversation;
  return {
    type: "unchanged",
    provenance,
    digest,
    messages: messages.length,
    isLast: part?.isLast ?? true,
  };
}

function asItIs(record: ReadRecord): BatchRecord {
  if (record.type !== "conversation") return record;
  const { digest: _, ...sent } = record;
  return sent;
}

/** What a side shows of itself to a sync: a list without text, then the lines of the items that differ. */
import { UserError } from "../errors.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import type { ArchiveLine } from "./archive-lines.ts";
import {
  conversationLine,
  conversationVersionLine,
  memoryLine,
  memoryVersionLine,
  messageLine,
  messageVersionLine,
} from "./archive-rows.ts";
import { conversationDigest, memoryDigest, originDigest, statementDigest } from "./sync-states.ts";
import type { LinesPage, SyncItem, SyncKind, SyncPage } from "./sync-wire.ts";

/** By id, whatever their status. Pages are as large as the plan's batches: each row of one is opened. */
export async function listItems(at: OpenAccount, kind: SyncKind, after: string): Promise<SyncPage> {
  return kind === "memory" ? listMemories(at, after) : listConversations(at, after);
}

async function listMemories(at: OpenAccount, after: string): Promise<SyncPage> {
  const { rows, isLast } = await at.exportRows.memories(after);
  const shown = rows.slice(0, at.plan.batch.memories);
  const redacted = await at.syncRows.redactedStates(shown.map(({ id }) => id));
  const items = await Promise.all(
    shown.map(async (row): Promise<SyncItem> => {
      const line = await memoryLine(at.keys, row);
      const [digest, origin, statement] = await Promise.all([
        memoryDigest(line),
        originDigest(line),
        statementDigest(line),
      ]);
      return {
        id: line.id,
        version: line.version,
        status: line.status,
        digest,
        updated_at: line.updated_at,
        ...(redacted.has(line.id) ? { redacted: redacted.get(line.id) ?? 0 } : {}),
        ...(origin === null ? {} : { origin }),
        ...(statement === null ? {} : { statement }),
      };
    }),
  );
  const isAll = isLast && shown.length === rows.length;
  return { items, next: isAll ? null : (items.at(-1)?.id ?? null) };
}

async function listConversations(at: OpenAccount, after: string): Promise<SyncPage> {
  const rows = await at.exportRows.conversations(after);
  const items = await Promise.all(
    rows.map(async (row): Promise<SyncItem> => {
      const line = await conversationLine(at.keys, row);
      const [digest, origin] = await Promise.all([conversationDigest(line), originDigest(line)]);
      return {
        id: line.id,
        version: line.version,
        status: line.status,
        digest,
        updated_at: line.updated_at,
        ...(origin === null ? {} : { origin }),
        messages: row.messageCount,
      };
    }),
  );
  return { items, next: items.at(-1)?.id ?? null };
}

/** Which part of the items is read, and the place of the last row in it. */
type Place = readonly [part: number, ...last: (number | string)[]];

/** Items with their earlier states, conversations with their messages; page by page. @throws UserError invalid_input */
export async function readLines(
  at: OpenAccount,
  kind: SyncKind,
  { ids, from }: { readonly ids: readonly string[]; readonly from: string | undefined },
): Promise<LinesPage> {
  const parts = kind === "memory" ? memoryParts(at, ids) : conversationParts(at, ids);
  const place = from === undefined ? FIRST : parsePlace(from);
  if (parts[place[0]] === undefined) throw unknownPlace();
  const lines: ArchiveLine[] = [];
  let next: Place | null = place;
  // Items of few states fit one answer.
  while (next !== null && lines.length < LINES_A_PAGE) {
    const [index, ...after]: Place = next;
    const part: Part | undefined = parts[index];
    if (part === undefined) break;
    const page: Awaited<ReturnType<Part>> = await part(after);
    lines.push(...page.lines);
    next =
      page.last !== null ? [index, ...page.last] : index + 1 < parts.length ? [index + 1] : null;
  }
  return { lines, next: next === null ? null : JSON.stringify(next) };
}

/** From then on what remains is another page, which may have as many lines itself. Arbitrary: a megabyte of ordinary text. */
const LINES_A_PAGE = 300;

const FIRST: Place = [0];

type Part = (after: readonly (number | string)[]) => Promise<{
  readonly lines: readonly ArchiveLine[];
  /** Where the page ends; null: there is nothing beyond. */
  readonly last: readonly (number | string)[] | null;
}>;

function memoryParts({ syncRows, keys }: OpenAccount, ids: readonly string[]): readonly Part[] {
  const indexOf = indexesOf(ids);
  return [
    async ([item = -1]) => {
      const { rows, isLast } = await syncRows.memories(ids, Number(item));
      const lines = await Promise.all(rows.map((row) => memoryLine(keys, row)));
      return { lines, last: lastOf(rows, isLast, ({ id }) => [indexOf(id)]) };
    },
    async ([item = -1, version = 0]) => {
      const page = await syncRows.memoryVersions(ids, [Number(item), Number(version)]);
      const { rows, isLast } = page;
      const lines = await Promise.all(rows.map((row) => memoryVersionLine(keys, row)));
      return { lines, last: lastOf(rows, isLast, (row) => [indexOf(row.id), row.version]) };
    },
  ];
}

function conversationParts(
  { syncRows, keys }: OpenAccount,
  ids: readonly string[],
): readonly Part[] {
  const indexOf = indexesOf(ids);
  return [
    async ([item = -1]) => {
      const { rows, isLast } = await syncRows.conversations(ids, Number(item));
      const lines = await Promise.all(rows.map((row) => conversationLine(keys, row)));
      return { lines, last: lastOf(rows, isLast, ({ id }) => [indexOf(id)]) };
    },
    async ([item = -1, version = 0]) => {
      const page = await syncRows.conversationVersions(ids, [Number(item), Number(version)]);
      const { rows, isLast } = page;
      const lines = await Promise.all(rows.map((row) => conversationVersionLine(keys, row)));
      return { lines, last: lastOf(rows, isLast, (row) => [indexOf(row.id), row.version]) };
    },
    async ([item = -1, position = 0, seq = 0]) => {
      const place = [Number(item), Number(position), Number(seq)] as const;
      const { rows, isLast } = await syncRows.messages(ids, place);
      const lines = await Promise.all(rows.map((row) => messageLine(keys, row)));
      const placeOf = (row: (typeof rows)[number]) => [
        indexOf(row.conversation),
        row.position,
        row.seq,
      ];
      return { lines, last: lastOf(rows, isLast, placeOf) };
    },
    async ([item = -1, id = "", version = 0]) => {
      const place = [Number(item), String(id), Number(version)] as const;
      const { rows, isLast } = await syncRows.messageVersions(ids, place);
      const lines = await Promise.all(rows.map((row) => messageVersionLine(keys, row)));
      const placeOf = (row: (typeof rows)[number]) => [
        indexOf(row.conversation),
        row.id,
        row.version,
      ];
      return { lines, last: lastOf(rows, isLast, placeOf) };
    },
  ];
}

function lastOf<Row>(
  rows: readonly Row[],
  isLast: boolean,
  placeOf: (row: Row) => readonly (number | string)[],
): readonly (number | string)[] | null {
  const row = rows.at(-1);
  return isLast || row === undefined ? null : placeOf(row);
}

function indexesOf(ids: readonly string[]): (id: string) => number {
  const indexes = new Map(ids.map((id, index) => [id, index]));
  return (id) => indexes.get(id) ?? -1;
}

function parsePlace(text: string): Place {
  try {
    const place: unknown = JSON.parse(text);
    if (Array.isArray(place) && typeof place[0] === "number") {
      // True as far as it is used: what follows is converted where it is bound.
      return place as unknown as Place;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw unknownPlace();
}

function unknownPlace(): UserError {
  return new UserError(
    "invalid_input",
    "`from` is no place in these lines.",
    "Send `next` of the answer before, with the same ids.",
  );
}

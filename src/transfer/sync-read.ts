/** What a side shows of itself to a sync: a list without text, then the lines of the items that differ. */
import { UserError } from "../errors.ts";
import { ROOT } from "../memory/file-path.ts";
import { ROWS_A_PAGE, type Page } from "../storage/export-rows.ts";
import type { OpenAccount } from "../storage/open-account.ts";
import type { AskedItems } from "../storage/sync-rows.ts";
import type { ArchiveLine } from "./archive-lines.ts";
import {
  conversationLine,
  conversationVersionLine,
  memoryLine,
  memoryVersionLine,
  messageLine,
  messageVersionLine,
} from "./archive-rows.ts";
import {
  conversationHeadDigest,
  memoryDigest,
  originDigest,
  rootDigest,
  statementDigest,
  storeDigest,
} from "./sync-states.ts";
import type { LinesPage, SyncItem, SyncKind, SyncPage } from "./sync-wire.ts";

/** By id, whatever their status. Pages are as large as the plan's batches: each row of one is opened. */
export async function listItems(at: OpenAccount, kind: SyncKind, after: string): Promise<SyncPage> {
  return kind === "memory" ? listMemories(at, after) : listConversations(at, after);
}

async function listMemories(at: OpenAccount, after: string): Promise<SyncPage> {
  const limit = Math.min(ROWS_A_PAGE, at.plan.batch.memories);
  const { rows, isLast } = await at.exportRows.memories(after, limit);
  const redacted = await at.syncRows.redactedStates(rows.map(({ id }) => id));
  const items = await Promise.all(
    rows.map(async (row): Promise<SyncItem> => {
      const line = await memoryLine(at.keys, row);
      const [digest, origin, statement, root, store] = await Promise.all([
        memoryDigest(line),
        originDigest(line),
        statementDigest(line),
        line.path === ROOT ? rootDigest(line.project ?? "") : null,
        storeDigest(line),
      ]);
      return {
        id: line.id,
        version: line.version,
        status: line.status,
        digest,
        updated_at: line.updated_at,
        ...(redacted.has(line.id) ? { redacted: redacted.get(line.id) ?? 0 } : {}),
        ...(line.redacted === undefined ? {} : { is_redacted: true }),
        ...(origin === null ? {} : { origin }),
        ...(statement === null ? {} : { statement }),
        ...(root === null ? {} : { root }),
        ...(store === null ? {} : { store }),
      };
    }),
  );
  return { items, next: isLast ? null : (items.at(-1)?.id ?? null) };
}

async function listConversations(at: OpenAccount, after: string): Promise<SyncPage> {
  const rows = await at.exportRows.conversations(after, at.plan.batch.conversations);
  const underWay = await at.syncRows.importsUnderWay();
  const items = await Promise.all(
    rows.map(async (row): Promise<SyncItem> => {
      const line = await conversationLine(at.keys, row);
      const [digest, origin] = await Promise.all([
        conversationHeadDigest(line),
        originDigest(line),
      ]);
      return {
        id: line.id,
        version: line.version,
        status: line.status,
        digest,
        updated_at: line.updated_at,
        ...(origin === null ? {} : { origin }),
        messages: row.messageCount,
        ...(underWay.has(row.changedOp) ? { unfinished: true } : {}),
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
  // A line costs a fraction of what writing it does.
  const limit = Math.min(ROWS_A_PAGE, at.plan.batch[kind === "memory" ? "memories" : "messages"]);
  const asked = { ids, limit };
  const parts = kind === "memory" ? memoryParts(at, asked) : conversationParts(at, asked);
  const place = from === undefined ? FIRST : parsePlace(from);
  if (parts[place[0]] === undefined) throw unknownPlace();
  const lines: ArchiveLine[] = [];
  let next: Place | null = place;
  // Items of few states fit one answer. A page that was cut was as large as an answer may be.
  for (let isCut = false; next !== null && !isCut && lines.length < limit;) {
    const [index, ...after]: Place = next;
    const part: Part | undefined = parts[index];
    if (part === undefined) break;
    const page: Awaited<ReturnType<Part>> = await part(after);
    lines.push(...page.lines);
    isCut = page.last !== null;
    next =
      page.last !== null ? [index, ...page.last] : index + 1 < parts.length ? [index + 1] : null;
  }
  return { lines, next: next === null ? null : JSON.stringify(next) };
}

const FIRST: Place = [0];

type Part = (after: readonly (number | string)[]) => Promise<{
  readonly lines: readonly ArchiveLine[];
  /** Where the page ends; null: there is nothing beyond. */
  readonly last: readonly (number | string)[] | null;
}>;

function memoryParts({ syncRows, keys }: OpenAccount, asked: AskedItems): readonly Part[] {
  const indexOf = indexesOf(asked.ids);
  return [
    async ([item = -1]) =>
      pageOf(await syncRows.memories(asked, Number(item)), {
        lineOf: (row) => memoryLine(keys, row),
        placeOf: ({ id }) => [indexOf(id)],
      }),
    async ([item = -1, version = 0]) =>
      pageOf(await syncRows.memoryVersions(asked, [Number(item), Number(version)]), {
        lineOf: (row) => memoryVersionLine(keys, row),
        placeOf: (row) => [indexOf(row.id), row.version],
      }),
  ];
}

function conversationParts({ syncRows, keys }: OpenAccount, asked: AskedItems): readonly Part[] {
  const indexOf = indexesOf(asked.ids);
  return [
    async ([item = -1]) =>
      pageOf(await syncRows.conversations(asked, Number(item)), {
        lineOf: (row) => conversationLine(keys, row),
        placeOf: ({ id }) => [indexOf(id)],
      }),
    async ([item = -1, version = 0]) =>
      pageOf(await syncRows.conversationVersions(asked, [Number(item), Number(version)]), {
        lineOf: (row) => conversationVersionLine(keys, row),
        placeOf: (row) => [indexOf(row.id), row.version],
      }),
    async ([item = -1, position = 0, seq = 0]) =>
      pageOf(await syncRows.messages(asked, [Number(item), Number(position), Number(seq)]), {
        lineOf: (row) => messageLine(keys, row),
        placeOf: (row) => [indexOf(row.conversation), row.position, row.seq],
      }),
    async ([item = -1, id = "", version = 0]) =>
      pageOf(await syncRows.messageVersions(asked, [Number(item), String(id), Number(version)]), {
        lineOf: (row) => messageVersionLine(keys, row),
        placeOf: (row) => [indexOf(row.conversation), row.id, row.version],
      }),
  ];
}

async function pageOf<Row>(
  { rows, isLast }: Page<Row>,
  of: {
    readonly lineOf: (row: Row) => Promise<ArchiveLine>;
    readonly placeOf: (row: Row) => readonly (number | string)[];
  },
): ReturnType<Part> {
  const row = rows.at(-1);
  return {
    lines: await Promise.all(rows.map(of.lineOf)),
    last: isLast || row === undefined ? null : of.placeOf(row),
  };
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

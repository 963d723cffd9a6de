/**
 * What two sides hold of one item, compared and brought together. No clock and no key is trusted: a state is known by a plain digest of what
 * a person sees of it, and a side is ahead when its history holds what the other side has. Pure, so that it runs in Node and in the Worker.
 */
import { bytesToHex } from "@noble/hashes/utils.js";
import { canonicalText } from "../memory/canonical.ts";
import { foldName } from "../vault/blind.ts";
import { utf8 } from "../vault/bytes.ts";
import type { ConversationLine, MemoryLine, MessageLine } from "./archive-lines.ts";

/** One state of an item, as an archive writes it. */
export interface State<Line> {
  readonly version: number;
  readonly digest: string;
  readonly line: Line;
}

/** All states that one side has of an item, by version; the last is the one of now. Never empty. */
export type History<Line> = readonly State<Line>[];

interface StateLine {
  readonly version: number;
  readonly text_version?: number | undefined;
}

/** What each side lacks: states to be written after its own, the last of them to be the one of now. */
export interface Merged<Line> {
  readonly toHere: History<Line>;
  readonly toThere: History<Line>;
  /** Whose state stays where both sides changed the item; null: no conflict. */
  readonly winner: "here" | "there" | null;
}

/** 96 bits: among a million states two of one digest are less likely than a broken disk. */
const DIGEST_BYTES = 12;

/** Of what a person sees and may change. Ids, versions, times and clients are no part of it: sides may differ in them. */
export function memoryDigest(line: MemoryLine): Promise<string> {
  return digestOf([
    line.status,
    line.content,
    line.category,
    line.tags,
    line.project,
    line.importance,
    line.asked_as,
    line.superseded_by !== undefined,
    line.supersedes !== undefined,
    line.path,
    line.store === undefined
      ? null
      : [
          Object.entries(line.store.metadata).sort(([one], [other]) => (one < other ? -1 : 1)),
          line.store.archived_at,
        ],
    line.redacted !== undefined,
    line.expires_at,
  ]);
}

/** Of the conversation itself: its messages have digests of their own. */
export function conversationHeadDigest(line: ConversationLine): Promise<string> {
  return digestOf([line.status, line.title, line.project, line.created_at, line.updated_at]);
}

export function messageDigest(line: MessageLine): Promise<string> {
  return digestOf([
    line.role,
    line.text,
    line.name,
    line.model,
    line.attachments?.map(({ name, text }) => [name, text]),
    line.created_at,
  ]);
}

/** By which the same import is known on both sides. Null: it is no import. */
export async function originDigest(line: MemoryLine | ConversationLine): Promise<string | null> {
  if (line.provenance === undefined) return null;
  const { platform, id, derived } = line.provenance;
  return digestOf([platform, id, derived]);
}

/** By which memories that say the same are known, and files at one place. Null: it is not in use. */
export async function statementDigest(line: MemoryLine): Promise<string | null> {
  if (line.status === "trashed" || line.superseded_by !== undefined) return null;
  const { content, path, project = "" } = line;
  const says = path === undefined ? canonicalText(content) : `\0${path}`;
  return digestOf([says, foldName(project)]);
}

/** By which the root of a memory store is known from a file in it. */
export function rootDigest(project: string): Promise<string> {
  return digestOf(["root", foldName(project)]);
}

/** By which the store is known that a file keeps in use. Null: it keeps none. */
export async function storeDigest(line: MemoryLine): Promise<string | null> {
  const { path, status, project, superseded_by } = line;
  const isInUse = path !== undefined && status !== "trashed" && superseded_by === undefined;
  return isInUse && project !== undefined ? rootDigest(project) : null;
}

/** Unique within its conversation, and alike on both sides. */
export function messageKeyOf({ id, provenance }: MessageLine): string {
  return provenance === undefined
    ? `id ${id}`
    : `${provenance.derived === true ? "derived" : "given"} ${provenance.id}`;
}

/**
 * Sides with the same states need nothing. The one whose state of now the other side has had already gets what is beyond it, version by
 * version. Where both went on, each gets what it lacks and then the state that stays: so both histories hold both texts.
 * Written to one side only, because something broke off, this comes to the same end when it is done again.
 * @param hereIsLater which of the two states of now stays in a conflict
 */
export function mergeHistories<Line extends StateLine>(
  here: History<Line>,
  there: History<Line>,
  hereIsLater: boolean,
): Merged<Line> {
  const [hereNow, thereNow] = [nowOf(here), nowOf(there)];
  const [hereHas, thereHas] = [digestsOf(here), digestsOf(there)];
  const lackedHere = there.filter(({ digest }) => !hereHas.has(digest));
  const lackedThere = here.filter(({ digest }) => !thereHas.has(digest));
  const isSame = hereNow.digest === thereNow.digest;
  if (isSame && lackedHere.length === 0 && lackedThere.length === 0) {
    // The same with other version numbers, as after the same edit on both sides, stays so.
    if (hereNow.version === thereNow.version) return NOTHING;
  }
  if (isAhead(here, thereNow, { lacked: lackedHere, gets: lackedThere })) {
    return { ...NOTHING, toThere: beyond(here, thereNow.version) };
  }
  if (isAhead(there, hereNow, { lacked: lackedThere, gets: lackedHere })) {
    return { ...NOTHING, toHere: beyond(there, hereNow.version) };
  }
  const winner = hereIsLater ? hereNow : thereNow;
  const both = hereIsLater ? [...lackedHere, ...lackedThere] : [...lackedThere, ...lackedHere];
  const states = both.at(-1)?.digest === winner.digest ? both : [...both, winner];
  const last = Math.max(hereNow.version, thereNow.version);
  const appended = states.map((state, at) => renumbered(state, last + 1 + at));
  return {
    toHere: appended,
    toThere: appended,
    winner: isSame ? null : hereIsLater ? "here" : "there",
  };
}

/** Whether both say the same now, and ever said the same, whatever their numbers. */
export function hasSameStates<Line>(here: History<Line>, there: History<Line>): boolean {
  return (
    here.at(-1)?.digest === there.at(-1)?.digest &&
    digestsOf(here).symmetricDifference(digestsOf(there)).size === 0
  );
}

/** The state as one of another version, with a text of its own. */
export function renumbered<Line extends StateLine>(
  { digest, line }: State<Line>,
  version: number,
): State<Line> {
  const { text_version: _, ...rest } = line;
  // True because a line may leave out the version of its text.
  return { version, digest, line: { ...rest, version } as Line };
}

export function nowOf<Line>(history: History<Line>): State<Line> {
  const now = history.at(-1);
  if (now === undefined) throw new Error("An item without a state");
  return now;
}

const NOTHING = { toHere: [], toThere: [], winner: null } as const;

/** Whether a history goes on from what the other side has now, and holds all that it ever had. */
function isAhead<Line>(
  history: History<Line>,
  other: State<Line>,
  {
    lacked,
    gets,
  }: {
    readonly lacked: readonly State<Line>[];
    readonly gets: readonly State<Line>[];
  },
): boolean {
  return (
    nowOf(history).version > other.version &&
    lacked.length === 0 &&
    history.some(({ version, digest }) => version >= other.version && digest === other.digest) &&
    gets.every(({ version }) => version > other.version)
  );
}

function beyond<Line>(history: History<Line>, version: number): History<Line> {
  return history.filter((state) => state.version > version);
}

function digestsOf<Line>(history: History<Line>): Set<string> {
  return new Set(history.map(({ digest }) => digest));
}

/** What is not given counts as null. */
async function digestOf(parts: readonly unknown[]): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", utf8(JSON.stringify(parts)));
  return bytesToHex(new Uint8Array(hash, 0, DIGEST_BYTES));
}

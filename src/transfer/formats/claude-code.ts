/**
 * Claude Code's session files: JSON lines, each pointing to the one before it. An edited prompt and a rewind leave branches; a
 * compaction begins a new root, after which the same conversation goes on.
 */
import { agentReading, sessionRecords } from "./agent-session.ts";
import { isClaudeCodeLine, lineMessage, type LineMessage } from "./claude-code-line.ts";
import type { MessageReading } from "./conversation.ts";
import type { SequenceFormat, SequenceReader } from "./format.ts";
import { idOf, isObject, type JsonObject } from "./json.ts";
import { textOf, timeFromIso, trimmedTextOf } from "./text.ts";
import { selectBranch, type TreeNode } from "./tree.ts";

export const claudeCode = {
  kind: "sequence",
  name: "Claude Code session",
  source: "claude_code",
  elementKind: "message",
  repeatsMemories: false,
  matches: isClaudeCodeLine,
  open,
} satisfies SequenceFormat;

/** A message, of one line or several. */
interface Item {
  readonly uuid: string | null;
  readonly createdAt: number | null;
  /** As of the first line; what the others hold is added to its content. */
  readonly message: LineMessage;
}

/** A place in the chain: of a message, or of a structural line. */
interface Link {
  readonly id: string;
  /** What the line says; undefined where it says nothing. */
  readonly parentUuid: string | null | undefined;
  readonly logicalParentUuid: string | null;
  readonly item: Item | null;
}

interface Session {
  id: string | null;
  cwd: string;
  /** As the person named it. */
  customTitle: string;
  aiTitle: string;
  readonly links: Link[];
  /** By the `uuid` of each line; a message of several lines is one link. */
  readonly linkIds: Map<string, string>;
  /** Of the lines that are messages. */
  readonly uuids: Set<string>;
  /** By the id that all lines of a message share. */
  readonly begun: Map<string, { readonly item: Item; readonly linkId: string | null }>;
  /** What stands outside the chain: none of it is a message. */
  readonly outside: MessageReading[];
}

function open(): SequenceReader {
  let session = newSession(null);
  const sessions = [session];
  const byId = new Map<string, Session>();
  /** By the last line of what is summed up: that may stand in another file. */
  const summaries = new Map<string, string>();

  /** Lines without a session belong to the one around them, those before the first to the first. */
  function enter(id: string | null): void {
    if (id === null || id === session.id) return;
    const known = byId.get(id);
    if (known !== undefined) session = known;
    else if (session.id === null) session.id = id;
    else {
      session = newSession(id);
      sessions.push(session);
    }
    byId.set(id, session);
  }

  return {
    take(line) {
      if (!isObject(line) || typeof line["type"] !== "string") {
        session.outside.push({ outcome: "skipped", reason: "unreadable" });
        return [];
      }
      enter(idOf(textOf(line["sessionId"])));
      session.cwd ||= textOf(line["cwd"]);
      session.customTitle = trimmedTextOf(line["customTitle"]) || session.customTitle;
      session.aiTitle = trimmedTextOf(line["aiTitle"]) || session.aiTitle;
      if (line["type"] === "summary") {
        summaries.set(textOf(line["leafUuid"]), trimmedTextOf(line["summary"]));
      }
      const message = lineMessage(line, line["type"]);
      if (message !== null) takeMessage(session, line, message);
      else if (line["isSidechain"] !== true) addLink(session, line, null);
      return [];
    },
    end: () =>
      sessions.flatMap((each) => {
        const readings = readingsOf(each);
        if (readings.length === 0) return [];
        const { id: originId, cwd, customTitle, aiTitle } = each;
        const title = customTitle || aiTitle || summaryOf(each, summaries);
        return sessionRecords({ source: "claude_code", originId, title, cwd }, readings);
      }),
  };
}

function newSession(id: string | null): Session {
  return {
    id,
    cwd: "",
    customTitle: "",
    aiTitle: "",
    links: [],
    linkIds: new Map(),
    uuids: new Set(),
    begun: new Map(),
    outside: [],
  };
}

/** The last summary of something in this session, or one that does not say of what. */
function summaryOf({ linkIds }: Session, summaries: ReadonlyMap<string, string>): string {
  let title = "";
  for (const [leaf, summary] of summaries) {
    if (leaf === "" || linkIds.has(leaf)) title = summary || title;
  }
  return title;
}

function takeMessage(session: Session, line: JsonObject, message: LineMessage): void {
  const uuid = idOf(line["uuid"]);
  // A resumed session may repeat lines of the one it goes on with.
  if (uuid !== null && session.uuids.has(uuid)) {
    session.outside.push({ outcome: "skipped", reason: "duplicate_in_file" });
    return;
  }
  if (uuid !== null) session.uuids.add(uuid);

  const begun = message.id === null ? undefined : session.begun.get(message.id);
  if (begun !== undefined) {
    extend(begun.item.message, message);
    if (uuid !== null && begun.linkId !== null) session.linkIds.set(uuid, begun.linkId);
    return;
  }
  const item = { uuid, createdAt: timeFromIso(line["timestamp"]), message };
  let linkId: string | null = null;
  if (line["isSidechain"] === true) session.outside.push(readItem(item));
  else linkId = addLink(session, line, item);
  if (message.id !== null) session.begun.set(message.id, { item, linkId });
}

function extend({ reason, content }: LineMessage, { content: more }: LineMessage): void {
  // Nothing is kept of a message that is left out.
  if (reason !== null) return;
  for (const text of more.texts) content.texts.push(text);
  for (const attachment of more.attachments) content.attachments.push(attachment);
  for (const kind of more.reasons) content.reasons.add(kind);
}

/** @returns its id, unlike that of any other link */
function addLink({ links, linkIds }: Session, line: JsonObject, item: Item | null): string | null {
  const uuid = idOf(line["uuid"]);
  // Nothing can point to a line without a uuid.
  if (item === null && uuid === null) return null;
  const id = String(links.length);
  const { parentUuid } = line;
  links.push({
    id,
    parentUuid: typeof parentUuid === "string" || parentUuid === null ? parentUuid : undefined,
    logicalParentUuid: idOf(line["logicalParentUuid"]),
    item,
  });
  if (uuid !== null) linkIds.set(uuid, id);
  return id;
}

/** The branch that the session ended on, then what was left out. */
function readingsOf(session: Session): MessageReading[] {
  const { links, outside } = session;
  const items = new Map<string, Item>();
  for (const { id, item } of links) {
    if (item !== null) items.set(id, item);
  }
  // Lines are only ever added at the end, so the last message is the current one.
  const current = links.findLast(({ item }) => item !== null)?.id ?? null;
  const readings: MessageReading[] = [];
  for (const id of selectBranch(nodesOf(session), current)) {
    const item = items.get(id);
    if (item !== undefined) readings.push(readItem(item));
    items.delete(id);
  }
  for (const item of items.values()) {
    const reading = readItem(item);
    // The results of tools that ran side by side are branches too, and nobody left them.
    readings.push(reading.outcome === "message" ? OTHER_BRANCH : reading);
  }
  for (const reading of outside) readings.push(reading);
  return readings;
}

const OTHER_BRANCH: MessageReading = { outcome: "skipped", reason: "other_branch" };

/**
 * The lines as a tree. A prompt without a parent begins anew, because it is the first one, edited. Any other line without one goes on
 * with what stands above it: after a compaction, below damaged lines, and in a file where no line names a parent.
 */
function nodesOf({ links, linkIds }: Session): TreeNode[] {
  const isList = !links.some(({ parentUuid }) => typeof parentUuid === "string");
  let previous: string | null = null;
  return links.map(({ id, parentUuid, logicalParentUuid, item }) => {
    const named = linkIds.get(parentUuid ?? logicalParentUuid ?? "") ?? id;
    const isEditedStart = parentUuid === null && !isList && isPrompt(item);
    const parent = named !== id ? named : isEditedStart ? null : previous;
    previous = id;
    return { id, parent, children: [], time: item?.createdAt ?? null };
  });
}

function isPrompt(item: Item | null): boolean {
  if (item === null || item.message.reason !== null || item.message.role !== "user") return false;
  const { texts, attachments } = item.message.content;
  return texts.length + attachments.length > 0;
}

function readItem({ uuid, createdAt, message }: Item): MessageReading {
  const { role, model, reason, content } = message;
  if (reason !== null) return { outcome: "skipped", reason };
  return agentReading({ id: uuid, role, createdAt, model }, content);
}

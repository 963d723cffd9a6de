/**
 * Claude's memories and projects, of the single zip of before August 2026 and of the split one since.
 *
 * A project gives memories: its instructions (`prompt_template`), and each document of at most 64 KiB as knowledge; its description is
 * left out. A larger document would fill the memory with one file; it is counted as too large.
 */
import type { ImportRecord, SkipReason } from "../records.ts";
import { skipped } from "./conversation.ts";
import type { ElementFormat, ReadContext } from "./format.ts";
import { has, idOf, isObject, listOf, type JsonObject } from "./json.ts";
import { textOf, timeFromIso, trimmedTextOf } from "./text.ts";

export const claudeMemories = {
  kind: "elements",
  name: "Claude memories",
  source: "claude",
  elementKind: "memory",
  repeatsMemories: false,
  matches: (element) =>
    isObject(element) &&
    ["conversations_memory", "project_memories", "memory_files"].some((key) => has(element, key)),
  read: readMemories,
  accountOf: (element) => (isObject(element) ? idOf(element["account_uuid"]) : null),
} satisfies ElementFormat;

export const claudeProjects = {
  kind: "elements",
  name: "Claude projects",
  source: "claude",
  elementKind: "memory",
  repeatsMemories: false,
  matches: (element) =>
    isObject(element) && has(element, "prompt_template") && has(element, "docs"),
  read: readProject,
  accountOf: (element) => {
    const creator = isObject(element) ? element["creator"] : null;
    return isObject(creator) ? idOf(creator["uuid"]) : null;
  },
  projectOf: (element) => {
    if (!isObject(element)) return null;
    const id = idOf(element["uuid"]);
    const name = trimmedTextOf(element["name"]);
    return id === null || name === "" ? null : { id, name };
  },
} satisfies ElementFormat;

function readMemories(element: unknown, context: ReadContext): readonly ImportRecord[] {
  return isObject(element)
    ? [...memoryRecords(element, context)]
    : [skipped("memory", "unreadable")];
}

function* memoryRecords(
  element: JsonObject,
  { projectNames }: ReadContext,
): Generator<ImportRecord> {
  yield* markdownMemories(textOf(element["conversations_memory"]), {});
  const byProject = element["project_memories"];
  for (const [id, text] of isObject(byProject) ? Object.entries(byProject) : []) {
    // Without the projects file a short name made of the id keeps the project's memories apart from the others.
    const project = projectNames.get(id) ?? `Claude project ${textOf(id).slice(0, 8)}`;
    if (typeof text === "string") yield* markdownMemories(textOf(text), { project });
    else yield skipped("memory", "unreadable", { example: project });
  }
  for (const file of listOf(element["memory_files"])) {
    const path = isObject(file) ? textOf(file["path"]) : "";
    if (!isObject(file) || typeof file["content"] !== "string") {
      yield skipped("memory", "unreadable", { example: path });
      continue;
    }
    const updatedAt = timeFromIso(file["updated_at"]);
    const name = path.split("/").at(-1)?.replace(/\.md$/, "") ?? "";
    yield* markdownMemories(textOf(file["content"]), {
      ...(name === "" ? {} : { tag: name }),
      ...(updatedAt === null ? {} : { updatedAt }),
    });
  }
}

const HEADING = /^(?:#{1,6}\s+(.+?)\s*#*|\*\*(.+?)\*\*:?)$/;
/** A longer line is a paragraph. Arbitrary; it also keeps the pattern's work small. */
const MAX_HEADING_CHARS = 200;
const BULLET = /^(?:[-*+•]|\d{1,3}[.)])\s+/;

/** One memory per paragraph or bullet, tagged with the heading above it. */
function markdownMemories(
  markdown: string,
  { tag, project, updatedAt }: { tag?: string; project?: string; updatedAt?: number },
): ImportRecord[] {
  const records: ImportRecord[] = [];
  let heading: string | null = null;
  let lines: string[] = [];
  const endParagraph = (): void => {
    const content = lines.join("\n").trim();
    lines = [];
    if (content === "") return;
    records.push({
      type: "memory",
      memory: {
        source: "claude",
        originId: null,
        content,
        tags: [tag, heading].filter((name) => typeof name === "string"),
        ...(project === undefined ? {} : { project }),
        ...(updatedAt === undefined ? {} : { updatedAt }),
      },
    });
  };
  for (const line of markdown.split("\n")) {
    const text = line.trim();
    const [, hashed, bold] = (text.length <= MAX_HEADING_CHARS && HEADING.exec(text)) || [];
    const title = hashed ?? bold;
    if (title !== undefined) {
      endParagraph();
      heading = title.trim();
    } else if (BULLET.test(text)) {
      endParagraph();
      lines = [text.replace(BULLET, "")];
    } else if (text === "") endParagraph();
    else lines.push(text);
  }
  endParagraph();
  return records;
}

/** Of a project's document, in bytes: longer ones are files to look things up in, not something to remember. Chosen, not measured. */
const MAX_DOCUMENT_BYTES = 64 * 1024;

function readProject(element: unknown): readonly ImportRecord[] {
  if (!isObject(element)) return [skipped("memory", "unreadable")];
  const projectId = idOf(textOf(element["uuid"]));
  const name = trimmedTextOf(element["name"]);
  const createdAt = timeFromIso(element["created_at"]);
  const updatedAt = timeFromIso(element["updated_at"]);
  const shared = {
    source: "claude",
    ...(name === "" ? {} : { project: name }),
    ...(createdAt === null ? {} : { createdAt }),
    ...(updatedAt === null ? {} : { updatedAt }),
  } as const;
  const records: ImportRecord[] = [];
  const instructions = trimmedTextOf(element["prompt_template"]);
  if (instructions !== "") {
    records.push({
      type: "memory",
      memory: {
        ...shared,
        originId: projectId === null ? null : `${projectId}/prompt_template`,
        content: instructions,
        tags: [],
        category: "instructions",
      },
    });
  }
  for (const doc of listOf(element["docs"])) {
    if (!isObject(doc)) {
      records.push(skipped("memory", "unreadable", { example: name }));
      continue;
    }
    const filename = textOf(doc["filename"]);
    const content = trimmedTextOf(doc["content"]);
    const reason = documentSkipReason(content);
    if (reason !== null) {
      records.push(skipped("memory", reason, { example: filename }));
      continue;
    }
    const docId = idOf(textOf(doc["uuid"]));
    const docCreatedAt = timeFromIso(doc["created_at"]);
    records.push({
      type: "memory",
      memory: {
        ...shared,
        originId: projectId === null || docId === null ? null : `${projectId}/${docId}`,
        content,
        tags: filename === "" ? [] : [filename],
        category: "knowledge",
        ...(docCreatedAt === null ? {} : { createdAt: docCreatedAt }),
      },
    });
  }
  return records;
}

function documentSkipReason(content: string): SkipReason | null {
  if (content === "") return "empty";
  return new TextEncoder().encode(content).length > MAX_DOCUMENT_BYTES ? "too_large" : null;
}

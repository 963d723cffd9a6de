/**
 * Real exports, of which there are none here. Without these variables there is nothing to read; the last three are regular expressions of
 * paths within the folder.
 *
 * - COFIO_SAMPLES: a folder with some. Each file is one upload, of at most 25 MiB.
 * - COFIO_SAMPLES_TOGETHER: files whose matches are the same text are one upload, as the files of one export.
 * - COFIO_SAMPLES_LISTS: pasted lists, which only the person can know for what they are.
 * - COFIO_SAMPLES_NOT_READ: what is no export, and has to be refused. Every other file has to be read.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readable } from "../../src/conversations/conversation.ts";
import { UserError } from "../../src/errors.ts";
import { canonicalText } from "../../src/memory/canonical.ts";
import { pastedList } from "../../src/transfer/formats/pasted-list.ts";
import { readExport } from "../../src/transfer/read.ts";
import {
  ITEM_KINDS,
  type ImportedConversation,
  type ImportedMemory,
} from "../../src/transfer/records.ts";
import { expandZips, READER_LIMITS } from "../../src/transfer/unzip.ts";
import { collect, type Read } from "../transfer/fixtures/reading.ts";
import { expectSound } from "../transfer/fixtures/sound.ts";
import { startServer, type Server } from "./support/server.ts";
import { readStored, type Stored } from "./support/stored.ts";

const folder = process.env["COFIO_SAMPLES"] ?? "";
const together = patternOf("COFIO_SAMPLES_TOGETHER");
const lists = patternOf("COFIO_SAMPLES_LISTS");
const notRead = patternOf("COFIO_SAMPLES_NOT_READ");

interface Upload {
  readonly name: string;
  readonly paths: readonly string[];
}

const paths = folder === "" ? [] : pathsIn(folder);
const uploads = uploadsOf(paths);

describe.skipIf(folder === "")("samples", () => {
  let server: Server;
  /** What a run has compared, for whoever quotes it. */
  const compared = { refused: 0, imported: 0, conversations: 0, messages: 0, memories: 0 };

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(async () => {
    console.info(`Compared with what was read: ${JSON.stringify(compared)}`);
    await server?.stop();
  });

  test("there are exports", () => {
    expect(uploads.length).toBeGreaterThan(0);
  });

  test.for(uploads)(
    "$name is imported as it was read, and again without a change",
    async (upload) => {
      const token = await server.token(upload.name);
      const read = await readUpload(upload);
      const startedAt = new Date().toISOString();
      const first = await importUpload(server, token, upload);
      if (read === null) {
        expect(first.status).toBe(415);
        expect(first.answer["error"]).toMatchObject({
          code: "unsupported_format",
          message: expect.stringMatching(/./),
          hint: expect.stringMatching(/./),
        });
        expect(await readStored(server, token)).toEqual({ conversations: [], memories: [] });
        expect(upload.paths.filter((path) => !isNoExport(path))).toEqual([]);
        compared.refused += 1;
        return;
      }

      expectSound(read);
      expect(first.status, JSON.stringify(first.answer)).toBe(200);
      const files: any[] = first.answer["files"];
      const named = files.filter((file) => !("not_read" in file)).map(({ name }) => name);
      expect(withoutRead(upload.paths, named)).toEqual(upload.paths.filter(isNoExport));

      const expected = expectedOf(read);
      const fresh = {
        conversation: expected.conversations.length,
        message: read.conversations.reduce((sum, { messages }) => sum + messages.length, 0),
        memory: expected.memories.length,
      };
      const repeated = await importUpload(server, token, upload);
      expect(repeated.status, JSON.stringify(repeated.answer)).toBe(200);
      for (const kind of ITEM_KINDS) {
        const found = read.reading.totals[kind];
        const skipped = found - fresh[kind];
        const base = { found, new: 0, updated: 0, unchanged: 0, skipped };
        expectCounts(first.answer, kind, { ...base, new: fresh[kind] });
        if (kind !== "memory") {
          expectCounts(repeated.answer, kind, { ...base, unchanged: fresh[kind] });
          continue;
        }
        // A text that the file repeats is a duplicate the first time, and there already the second time.
        const twice = read.memories.length - fresh.memory;
        const there = { skipped: skipped - twice, unchanged: fresh.memory + twice };
        expectCounts(repeated.answer, kind, { ...base, ...there });
      }

      const stored = withoutImportTime(await readStored(server, token), startedAt);
      expect(stored.conversations.toSorted(byJson)).toEqual(
        expected.conversations.toSorted(byJson),
      );
      expect(stored.memories.toSorted(byJson)).toEqual(expected.memories.toSorted(byJson));
      compared.imported += 1;
      compared.conversations += fresh.conversation;
      compared.messages += fresh.message;
      compared.memories += fresh.memory;
    },
  );

  test("all of them in one upload add up, and name what is not read", async () => {
    const exports = paths.filter((path) => !lists.test(path));
    const reading = await readExport(await expandZips(exports.map(open), READER_LIMITS));
    const recognised = reading.recognised.filter(({ outcome }) => outcome === "read");
    const names = recognised.map(({ name }) => name);
    expect(withoutRead(exports, names)).toEqual(exports.filter(isNoExport));
    expectSound(await collect(reading));
  });
});

/** What does not stand in the file. */
const AT_IMPORT = "at import";

/** The same as the API gives it. */
function expectedOf({ conversations, memories }: Read): Stored {
  const said = new Set<string>();
  return {
    conversations: conversations.map(conversationAsStored),
    memories: memories
      .filter(({ content, project = "" }) => {
        const text = JSON.stringify([project, canonicalText(content)]);
        return !said.has(text) && said.add(text);
      })
      .map(memoryAsStored),
  };
}

function conversationAsStored({
  source,
  title,
  project,
  createdAt,
  updatedAt,
  messages,
}: ImportedConversation): Stored["conversations"][number] {
  const times = messages.flatMap((message) => message.createdAt ?? []);
  const last = updatedAt ?? times.at(-1) ?? null;
  return {
    title: title ?? "",
    platform: source,
    ...(project === undefined ? {} : { project }),
    created_at: isoOf(createdAt ?? times[0] ?? updatedAt),
    // Platforms date some conversations before their last message.
    updated_at: isoOf(last === null ? null : Math.max(last, ...times)),
    messages: messages.map(({ role, text, name, model, createdAt: saidAt, attachments }) => ({
      role,
      text: readable({ text, attachments }),
      ...(name === undefined ? {} : { name }),
      ...(model === undefined ? {} : { model }),
      ...(saidAt === null ? {} : { created_at: isoOf(saidAt) }),
    })),
  };
}

function memoryAsStored({
  content,
  category = "other",
  tags,
  project,
  source,
  createdAt,
  updatedAt,
}: ImportedMemory): Stored["memories"][number] {
  const created = createdAt ?? updatedAt ?? null;
  return {
    content,
    category,
    ...(tags.length === 0 ? {} : { tags }),
    ...(project === undefined ? {} : { project }),
    source,
    created_at: isoOf(created),
    updated_at: isoOf(updatedAt ?? created),
  };
}

function isoOf(time: number | null): string {
  return time === null ? AT_IMPORT : new Date(time).toISOString();
}

/** Exports are of before they are imported: a later time is none of theirs. */
function withoutImportTime({ conversations, memories }: Stored, startedAt: string): Stored {
  const timed = <T extends { readonly created_at: string; readonly updated_at: string }>(
    item: T,
  ) => ({
    ...item,
    created_at: item.created_at >= startedAt ? AT_IMPORT : item.created_at,
    updated_at: item.updated_at >= startedAt ? AT_IMPORT : item.updated_at,
  });
  return { conversations: conversations.map(timed), memories: memories.map(timed) };
}

function expectCounts(answer: any, kind: string, expected: Readonly<Record<string, number>>): void {
  expect({ kind, ...answer.items.by_kind[kind] }).toEqual({ kind, ...expected });
  const reasons: any[] = answer.skipped_reasons ?? [];
  const skipped = reasons
    .filter((reason) => reason.kind === kind)
    .reduce((sum, { count }) => sum + count, 0);
  expect({ kind, skipped }).toEqual({ kind, skipped: expected["skipped"] });
}

/** Those of which nothing was read. @param named what was read; of a zip the files in it are named */
function withoutRead(paths: readonly string[], named: readonly string[]): string[] {
  const isOf = (path: string) => (name: string) => name === path || name.startsWith(`${path}/`);
  return paths.filter((path) => !named.some(isOf(path)));
}

/** Null where the reader refuses all of it. */
async function readUpload({ paths }: Upload): Promise<Read | null> {
  const as = paths.some((path) => lists.test(path)) ? pastedList : null;
  try {
    const files = await expandZips(paths.map(open), READER_LIMITS);
    return await collect(await readExport(files, { as }));
  } catch (error) {
    if (error instanceof UserError && error.code === "unsupported_format") return null;
    throw error;
  }
}

async function importUpload(
  { origin }: Server,
  token: string,
  { paths }: Upload,
): Promise<{ readonly status: number; readonly answer: Record<string, any> }> {
  const form = new FormData();
  for (const path of paths) form.append("files", open(path));
  const as = paths.some((path) => lists.test(path)) ? "?as=list" : "";
  const response = await fetch(`${origin}/api/imports${as}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: form,
  });
  return { status: response.status, answer: (await response.json()) as Record<string, any> }; // an object, whatever it answers
}

function open(path: string): File {
  return new File([readFileSync(join(folder, path))], path);
}

function isNoExport(path: string): boolean {
  return notRead.test(path);
}

function uploadsOf(paths: readonly string[]): Upload[] {
  const groups = Map.groupBy(paths, (path) => together.exec(path)?.[0] ?? path);
  return [...groups].map(([name, paths]) => ({ name, paths }));
}

function pathsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** Not given, it matches nothing. */
function patternOf(variable: string): RegExp {
  return new RegExp(process.env[variable] ?? "(?!)", "u");
}

function byJson(one: unknown, other: unknown): number {
  return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1;
}

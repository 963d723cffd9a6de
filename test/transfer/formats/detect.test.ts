import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { detectFormat, FORMATS } from "../../../src/transfer/formats/index.ts";
import * as chatgpt from "../fixtures/chatgpt.ts";
import * as claudeCode from "../fixtures/claude-code.ts";
import * as claude from "../fixtures/claude.ts";
import * as codex from "../fixtures/codex.ts";
import * as cursor from "../fixtures/cursor.ts";
import * as deepseek from "../fixtures/deepseek.ts";
import * as geminiCli from "../fixtures/gemini-cli.ts";
import * as grok from "../fixtures/grok.ts";
import * as kimi from "../fixtures/kimi.ts";
import * as leChat from "../fixtures/le-chat.ts";
import * as openWebui from "../fixtures/open-webui.ts";
import * as perplexity from "../fixtures/perplexity.ts";
import { readTexts, readValues } from "../fixtures/reading.ts";

const recognised = async (...values: readonly unknown[]) =>
  (await readValues(...values)).reading.recognised.map((file) =>
    file.outcome === "read" ? file.format : file.reason,
  );

test("every format is recognised by its structure, behind damaged elements too", async () => {
  expect(
    await recognised(
      [null, 3, { conversation_id: "x", rating: 1 }, chatgpt.slim()],
      chatgpt.branched(),
      { exported: 1, conversations: [chatgpt.slim()] },
      [null, claude.branched()],
      claude.memories(),
      [claude.project()],
      claude.designChat(),
      [null, deepseek.branched()],
      deepseek.answer(),
      [3, openWebui.branched()],
      grok.grokExport(["x", null, grok.branched()]),
      kimi.branched(),
      kimi.shared(),
      [3, ...leChat.chat()],
      perplexity.thread(),
      perplexity.siteThread(),
      geminiCli.session(),
      [3, ...geminiCli.log()],
      [null, ...codex.session()],
      [{}, ...claudeCode.session()],
      claudeCode.branched().slice(-1),
      [{}, ...cursor.transcript()],
    ),
  ).toEqual([
    "ChatGPT export",
    "ChatGPT export",
    "ChatGPT export",
    "Claude conversations",
    "Claude memories",
    "Claude projects",
    "Claude design chats",
    "DeepSeek export",
    "DeepSeek export",
    "Open WebUI export",
    "Grok export",
    "Kimi conversation",
    "Kimi conversation",
    "Le Chat export",
    "Perplexity thread",
    "Perplexity thread",
    "Gemini CLI session",
    "Gemini CLI session",
    "Codex session",
    "Claude Code session",
    "Claude Code session",
    "Cursor transcript",
  ]);
});

test("files that are never read are named beside those that are", async () => {
  const manifest = {
    data_files: [
      { category: "conversations", filename: "conversations-000.zip", export_url: "https://x" },
    ],
  };
  const users = [{ uuid: "u", full_name: "Elin", email_address: "elin@example.org" }];
  const user = { id: "user-1", email: "elin@example.org", birth_year: 1990 };
  const settings = { user_id: "user-1", settings: { theme: "dark" } };
  const { reading, records } = await readValues(
    manifest,
    users,
    user,
    settings,
    [],
    [claude.branched()],
  );
  expect(
    reading.recognised.map((file) => (file.outcome === "read" ? file.format : file.reason)),
  ).toEqual([
    "manifest",
    "personal_data",
    "personal_data",
    "personal_data",
    "empty",
    "Claude conversations",
  ]);
  expect(reading.recognised[0]).toMatchObject({
    hint: expect.stringContaining("conversations-000.zip"),
  });
  expect(JSON.stringify([reading.recognised, records])).not.toMatch(/elin@|https:\/\/x/);
  await expect(readValues(users)).rejects.toThrow(/account data/);
});

test("other platforms are named, not taken for one that is known", async () => {
  const examples: Record<string, string> = {
    LibreChat: '{"conversationId":"x","messages":[]}',
    "Portable AI Memory embeddings": '{"schema":"portable-ai-memory-embeddings","embeddings":[]}',
    "zip archive": "PK\u0003\u0004rest",
    "no export that Cofio knows": '{"name":"package"}',
  };
  for (const [name, text] of Object.entries(examples)) {
    const error: unknown = await readTexts(text).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      code: "unsupported_format",
      message: expect.stringContaining(name),
    });
  }
});

test("detection takes any values, and only ever refuses", () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.array(fc.jsonValue()),
      (head, members, elements) => {
        try {
          expect(detectFormat({ head, members, elements }).outcome).toMatch(/format|not_read/);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      },
    ),
  );
  expect(new Set(FORMATS.map(({ name }) => name)).size).toBe(FORMATS.length);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { readExport } from "../../../src/transfer/read.ts";
import { damaged } from "../fixtures/damage.ts";
import { studioPrompt } from "../fixtures/gemini.ts";
import { collect, lines, readTexts } from "../fixtures/reading.ts";

const readAs = async (name: string, value: unknown) =>
  collect(await readExport([{ name, bytes: JSON.stringify(value) }]));

test("a prompt is a conversation named like its file, without thoughts, tools and drafts", async () => {
  const { reading, conversations, skipped, sums, records } = await readAs(
    "Studio/Letters home",
    studioPrompt(),
  );
  expect(reading.recognised).toMatchObject([{ format: "Google AI Studio prompt" }]);
  expect(conversations).toMatchObject([
    { source: "gemini", originId: null, title: "Letters home", createdAt: null, updatedAt: null },
  ]);
  expect(lines(conversations[0])).toEqual([
    "user: Sum this up",
    "assistant: It is short.",
    "user: And this?",
    "assistant: One.",
  ]);
  expect(conversations[0]?.messages[1]).toEqual({
    originId: null,
    role: "assistant",
    text: "It is short.",
    createdAt: null,
    model: "gemini-3-pro",
    attachments: [],
  });
  expect(conversations[0]?.messages[2]?.attachments).toEqual([{ name: "image/png" }]);
  expect(conversations[0]?.messages[3]?.createdAt).toBe(Date.UTC(2026, 4, 1, 10));
  expect(skipped).toEqual({
    "message system": 1,
    "message media_only": 1,
    "message reasoning": 1,
    "message tool": 2,
    "message empty": 1,
    "message unsupported": 1,
    "message unreadable": 1,
    "message hidden": 1,
  });
  expect(sums).toEqual({ conversation: 1, message: 13, memory: 0 });
  expect(JSON.stringify(records)).not.toMatch(/NEVER IMPORT|AAAA|not sent/);
});

test("a download's extension is no part of the title, and a file without chunks is unreadable", async () => {
  expect((await readAs("Notes.json", studioPrompt())).conversations[0]?.title).toBe("Notes");
  const { skipped } = await readAs("Empty", { chunkedPrompt: { chunks: null } });
  expect(skipped).toEqual({ "conversation unreadable": 1 });
});

test("whatever is damaged, nothing throws and every chunk is counted once", async () => {
  await fc.assert(
    fc.asyncProperty(damaged(studioPrompt()), async (prompt) => {
      const { reading, sums } = await readTexts(JSON.stringify([studioPrompt(), prompt]));
      expect(sums).toEqual(reading.totals);
      expect(sums.conversation).toBe(2);
      const chunks: unknown = Object(Object(prompt)["chunkedPrompt"])["chunks"];
      const least = 13 + (Array.isArray(chunks) ? chunks.length : 0);
      // An instruction and drafts count where they are text.
      expect(sums.message).toBeGreaterThanOrEqual(least);
      expect(sums.message).toBeLessThanOrEqual(least + 3);
    }),
    { numRuns: 500 },
  );
});

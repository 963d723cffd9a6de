import fc from "fast-check";
import { expect, test } from "vitest";
import { readExport } from "../../../src/transfer/read.ts";
import { said, transcript } from "../fixtures/cursor.ts";
import { damaged } from "../fixtures/damage.ts";
import { collect, lines, readTexts } from "../fixtures/reading.ts";
import { asLines } from "../fixtures/server-memory.ts";

test("a transcript is one conversation, of what was typed and answered", async () => {
  const { conversations, skipped, sums, records } = await readTexts(asLines(transcript()));
  expect(conversations).toEqual([
    {
      source: "cursor",
      originId: null,
      title: "Plan a <b>hedge</b>.",
      createdAt: null,
      updatedAt: null,
      messages: [
        ["user", "Plan a <b>hedge</b>."],
        ["assistant", "I will look around."],
        ["assistant", "Plant hazel.\nThen [REDACTED] hawthorn."],
        ["user", "Thanks"],
      ].map(([role, text]) => ({ originId: null, role, text, createdAt: null, attachments: [] })),
    },
  ]);
  expect(skipped).toEqual({ "message reasoning": 1, "message tool": 1, "message hidden": 1 });
  expect(sums).toEqual({ conversation: 1, message: 7, memory: 0 });
  expect(JSON.stringify(records)).not.toContain("NEVER IMPORT");
});

test("the file's name is the conversation's id where Cursor gave it one", async () => {
  const bytes = asLines([said("user", "Hello")]);
  const id = "0f4e1b2a-7c3d-4e5f-8a9b-0c1d2e3f4a5b";
  const names = [`agent-transcripts/${id}/${id}.jsonl`, "hedges.jsonl"];
  const reading = await readExport(names.map((name) => ({ name, bytes })));
  const { conversations } = await collect(reading);
  expect(conversations.map(({ originId }) => originId)).toEqual([id, null]);
});

test("content may be plain text, a query may lack its end, and what is not known is counted", async () => {
  const { conversations, skipped } = await readTexts(
    asLines([
      { role: "user", message: { content: "Plain" } },
      said("user", "<user_query>\nNo end"),
      said("assistant", { type: "image" }),
      said("assistant", { type: "hologram" }),
      said("assistant"),
      said("critic", "No"),
      { type: "telepathy" },
      { role: "assistant", message: null },
      7,
    ]),
  );
  expect(lines(conversations[0])).toEqual(["user: Plain", "user: No end"]);
  expect(skipped).toEqual({
    "message media_only": 1,
    "message unsupported": 3,
    "message empty": 1,
    "message unreadable": 2,
  });
});

test("whatever is damaged, nothing throws and every line is counted once", async () => {
  await fc.assert(
    fc.asyncProperty(damaged(transcript()), async (elements) => {
      const sound = [said("user", "Sound"), said("assistant", "Sound")];
      const file: unknown[] = [...sound, ...(Array.isArray(elements) ? elements : [])];
      const { reading, sums } = await readTexts(asLines(file));
      expect(sums).toEqual(reading.totals);
      const ends = file.filter((element) => Object(element)["type"] === "turn_ended");
      expect(sums).toEqual({ conversation: 1, message: file.length - ends.length, memory: 0 });
    }),
    { numRuns: 300 },
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { cofioExport } from "../fixtures/cofio.ts";
import { damaged } from "../fixtures/damage.ts";
import { readTexts, readValues } from "../fixtures/reading.ts";

test("an export comes back with ids, sources, approval and times; its trash stays trash", async () => {
  const { memories, conversations, skipped, sums } = await readValues(cofioExport());
  expect(memories).toEqual([
    {
      source: "mcp",
      originPlatform: "cofio",
      originId: "mem1mem1mem1",
      ownId: "mem1mem1mem1",
      content: "Prefers metric units.",
      tags: ["units"],
      project: "Hedges",
      category: "user_preferences",
      importance: 4,
      createdAt: Date.UTC(2026, 9, 1, 10),
      updatedAt: Date.UTC(2026, 9, 2, 10, 0, 0, 500),
      expiresAt: Date.UTC(2027, 0, 1),
      supersededBy: "mem2mem2mem2",
      origin: "assistant",
      status: "pending",
      askedAs: ["Which units?"],
    },
  ]);
  expect(conversations).toEqual([
    {
      source: "chatgpt",
      originPlatform: "cofio",
      originId: "conv1conv1conv1",
      ownId: "conv1conv1conv1",
      title: "Bees",
      project: "Hives",
      createdAt: Date.UTC(2026, 8, 1, 10),
      updatedAt: Date.UTC(2026, 8, 1, 11),
      messages: [
        {
          originId: "msg1",
          ownId: "msg1",
          role: "user",
          text: "When do bees swarm?",
          createdAt: Date.UTC(2026, 8, 1, 10),
          attachments: [{ name: "hive.jpg" }, { name: "log.txt", text: "day 1" }],
        },
        {
          originId: "msg2",
          ownId: "msg2",
          role: "assistant",
          text: "In May.",
          model: "gpt-6",
          createdAt: null,
          attachments: [],
        },
      ],
    },
  ]);
  expect(skipped).toEqual({ "memory trashed": 1, "memory unreadable": 1, "message unreadable": 1 });
  expect(sums).toEqual({ conversation: 1, message: 3, memory: 3 });
});

test("the export reads alike with its keys sorted, and an empty one is an export too", async () => {
  const sorted = Object.fromEntries(
    Object.entries(cofioExport()).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
  const expected = await readValues(cofioExport());
  const { memories, conversations } = await readValues(sorted);
  expect({ memories, conversations }).toEqual({
    memories: expected.memories,
    conversations: expected.conversations,
  });
  for (const lists of [{ memories: [], conversations: [] }, {}]) {
    const empty = await readValues({ format: "cofio", version: 1, ...lists });
    expect(empty.reading.recognised).toMatchObject([{ outcome: "read", source: "cofio" }]);
    expect(empty.sums).toEqual({ conversation: 0, message: 0, memory: 0 });
  }
});

test("an export of a later version is refused, with what to do", async () => {
  await expect(readValues({ ...cofioExport(), version: 2 })).rejects.toMatchObject({
    code: "unsupported_format",
    hint: expect.stringContaining("Update the server"),
  });
});

test("whatever is damaged, nothing throws and every item is counted once", async () => {
  const whole = [cofioExport()["memories"], cofioExport()["conversations"]];
  await fc.assert(
    fc.asyncProperty(damaged(whole), async (lists) => {
      const [memories, conversations] = Array.isArray(lists) ? lists : [];
      if (!Array.isArray(memories) || !Array.isArray(conversations)) return;
      const { reading, sums } = await readTexts(
        JSON.stringify({ format: "cofio", version: 1, memories, conversations }),
      );
      expect(sums).toEqual(reading.totals);
      expect(sums.memory).toBe(memories.length);
      expect(sums.conversation).toBe(conversations.length);
    }),
    { numRuns: 500 },
  );
});

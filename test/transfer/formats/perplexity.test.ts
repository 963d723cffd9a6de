import { expect, test } from "vitest";
import { entry, siteThread, thread } from "../fixtures/perplexity.ts";
import { lines, readValues } from "../fixtures/reading.ts";

test("a thread is its questions and answers, known by the first of them and called what the file calls it", async () => {
  const { reading, conversations, skipped, sums, records } = await readValues(thread());
  expect(reading.recognised).toMatchObject([{ format: "Perplexity thread", source: "perplexity" }]);
  expect(conversations).toEqual([
    {
      source: "perplexity",
      originId: "first entry e1",
      title: "Beans",
      createdAt: Date.UTC(2026, 4, 1),
      updatedAt: Date.UTC(2026, 4, 1, 0, 5),
      messages: [
        {
          originId: "e1/user",
          role: "user",
          text: "How deep do I sow broad beans?",
          createdAt: Date.UTC(2026, 4, 1),
          attachments: [],
        },
        {
          originId: "e1/assistant",
          role: "assistant",
          text: "Five centimetres [1].",
          createdAt: Date.UTC(2026, 4, 1),
          model: "sonar",
          attachments: [],
        },
        {
          originId: "e2/user",
          role: "user",
          text: "And leeks?",
          createdAt: Date.UTC(2026, 4, 1, 0, 5),
          attachments: [],
        },
      ],
    },
  ]);
  expect(skipped).toEqual({
    "message duplicate_in_file": 2,
    "message empty": 1,
    "message unreadable": 1,
  });
  expect(sums).toEqual({ conversation: 1, message: 7, memory: 0 });
  expect(JSON.stringify(records)).not.toContain("NEVER IMPORT");
});

test("what a thread is called may stand after its entries, and be no name: then its first question is one", async () => {
  const { conversations, metadata } = thread();
  const after = await readValues({ conversations, metadata });
  expect(after.conversations).toMatchObject([{ title: "Beans" }]);
  const unnamed = ["metadata", null, 3, { thread_title: " " }, { thread_title: [] }];
  for (const odd of unnamed) {
    const read = await readValues({ metadata: odd, conversations });
    expect(read.conversations).toMatchObject([{ title: "How deep do I sow broad beans?" }]);
  }
});

test("the site's own answer is the same thread, and names it", async () => {
  const { conversations, skipped, sums, records } = await readValues(siteThread());
  expect(conversations).toMatchObject([
    {
      originId: "first entry e1",
      title: "Beans",
      createdAt: Date.UTC(2026, 4, 1, 0, 0, 0, 125),
    },
  ]);
  expect(conversations.map(lines)).toEqual([
    [
      "user: How deep do I sow broad beans?",
      "assistant: Five centimetres [1].",
      "user: And leeks?",
      "user: Are you there?",
    ],
  ]);
  expect(skipped).toEqual({ "message empty": 1 });
  expect(sums.message).toBe(5);
  expect(JSON.stringify(records)).not.toContain("NEVER IMPORT");
});

test("a thread of nothing that can be read is counted, and so is one without a word", async () => {
  const nothing = await readValues(thread([entry("e1", null, 3), null]));
  expect(nothing.conversations).toEqual([]);
  expect(nothing.skipped).toEqual({
    "conversation empty": 1,
    "message empty": 2,
    "message unreadable": 1,
  });
  const damaged = await readValues({ entries: [null, 3] }, thread());
  expect(damaged.reading.recognised[0]).toMatchObject({ outcome: "not_read" });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { readExport } from "../../../src/transfer/read.ts";
import { damaged } from "../fixtures/damage.ts";
import { allResponses, branched, conversation, grokExport, response } from "../fixtures/grok.ts";
import { collect, readTexts, readValues } from "../fixtures/reading.ts";

test("a conversation is the way to its newest response", async () => {
  const { conversations, skipped, sums, records } = await readValues(grokExport([branched()]));
  expect(conversations).toEqual([
    {
      source: "grok",
      originId: "ferry",
      title: "About ferry",
      createdAt: Date.UTC(2026, 8, 20, 8, 0, 0, 120),
      updatedAt: Date.UTC(2026, 8, 20, 9),
      messages: [
        {
          originId: "q2",
          role: "user",
          text: "What to pack for a ferry?",
          createdAt: 1_790_000_003_000,
          attachments: [],
        },
        {
          originId: "a2",
          role: "assistant",
          text: "A warm layer.",
          createdAt: 1_790_000_004_500,
          model: "grok-5",
          attachments: [],
        },
      ],
    },
  ]);
  expect(skipped).toEqual({ "message other_branch": 2 });
  expect(sums).toEqual({ conversation: 1, message: 4, memory: 0 });
  expect(JSON.stringify(records)).not.toContain("NEVER IMPORT");
});

test("whatever stands in the list of responses is taken or left out for its reason", async () => {
  const { conversations, skipped, sums, records } = await readValues(grokExport([allResponses()]));
  expect(conversations[0]?.messages).toEqual([
    {
      originId: "3",
      role: "user",
      text: "Draw the ferry",
      createdAt: 1_790_000_000_120,
      attachments: [{ name: "asset-2" }],
    },
    {
      originId: "8",
      role: "assistant",
      text: "It sails daily. Not on Sundays: <grok:render is never closed.",
      createdAt: Date.UTC(2026, 8, 20, 10),
      model: "grok-5",
      attachments: [],
    },
  ]);
  expect(skipped).toEqual({
    "message unreadable": 5,
    "message media_only": 2,
    "message reasoning": 1,
    "message empty": 1,
    "message system": 1,
    "message duplicate_in_file": 1,
  });
  expect(sums.message).toBe(13);
  expect(JSON.stringify(records)).not.toMatch(/NEVER.IMPORT/);
});

test("items of the list of conversations may be anything", async () => {
  const { conversations, skipped, sums } = await readValues(
    grokExport([
      "a string",
      17,
      null,
      { response: null },
      { conversation: null, responses: [response("1", null, "human", "Without a frame")] },
      conversation("lost", null),
    ]),
  );
  expect(conversations).toEqual([
    {
      source: "grok",
      originId: null,
      title: "",
      createdAt: null,
      updatedAt: null,
      messages: [
        {
          originId: "1",
          role: "user",
          text: "Without a frame",
          createdAt: 1_790_000_000_120,
          attachments: [],
        },
      ],
    },
  ]);
  expect(skipped).toEqual({ "conversation unreadable": 5 });
  expect(sums).toEqual({ conversation: 6, message: 1, memory: 0 });
});

test("the account's sessions and billing are never read", async () => {
  const { reading, records } = await readValues(
    { user: { email: "elin@example.org" }, sessions: [{ ip: "192.0.2.1" }] },
    { balance: "secret", invoices: [{ card: "secret" }] },
    grokExport([branched()]),
  );
  expect(reading.recognised.map(({ outcome }) => outcome)).toEqual([
    "not_read",
    "not_read",
    "read",
  ]);
  expect(JSON.stringify([reading.recognised, records])).not.toMatch(/elin@|192\.0|secret/);
});

test("another account's conversations can be left out", async () => {
  const foreign = { ...conversation("theirs", [response("1", null, "human", "Theirs")]) };
  Object.assign(Object(foreign["conversation"]), { user_id: "account-2" });
  const reading = await readExport([
    { name: "grok.json", bytes: JSON.stringify(grokExport([branched(), foreign])) },
  ]);
  expect(reading.accounts).toEqual(
    new Map([
      ["account-1", 1],
      ["account-2", 1],
    ]),
  );
  const { conversations, skipped } = await collect(reading, { account: "account-1" });
  expect(conversations.map(({ originId }) => originId)).toEqual(["ferry"]);
  expect(skipped).toMatchObject({ "conversation other_account": 1, "message other_account": 1 });
});

test("a megabyte of openings without an end is read in good time", async () => {
  const { conversations } = await readValues(
    grokExport([
      conversation("cards", [
        response("1", null, "assistant", "<grok:render ".repeat(80_000)),
        response("2", "1", "assistant", `${"<grok:render></grok:render>".repeat(40_000)}End.`),
      ]),
    ]),
  );
  expect(conversations[0]?.messages[0]?.text).toHaveLength(13 * 80_000);
  expect(conversations[0]?.messages[1]?.text).toBe("End.");
});

test("a chain of 20,000 responses is one conversation, in any order of the list", async () => {
  const responses = Array.from({ length: 20_000 }, (_, index) =>
    response(`${index}`, index === 0 ? null : `${index - 1}`, "human", `turn ${index}`),
  );
  const { conversations } = await readValues(
    grokExport([conversation("long", responses.toReversed())]),
  );
  expect(conversations[0]?.messages).toHaveLength(20_000);
  expect(conversations[0]?.messages.at(-1)?.text).toBe("turn 19999");
});

test("whatever is damaged, nothing throws and every item is counted once", async () => {
  await fc.assert(
    fc.asyncProperty(damaged([branched(), allResponses()]), async (elements) => {
      const list: unknown[] = [branched(), ...(Array.isArray(elements) ? elements : [elements])];
      const { reading, sums } = await readTexts(JSON.stringify(grokExport(list)));
      expect(sums).toEqual(reading.totals);
      expect(sums.conversation).toBe(list.length);
      expect(sums.message).toBe(
        list.reduce<number>((count, element) => {
          const responses: unknown = Object(element)["responses"];
          return count + (Array.isArray(responses) ? responses.length : 0);
        }, 0),
      );
    }),
    { numRuns: 500 },
  );
});

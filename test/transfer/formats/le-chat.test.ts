import { expect, test } from "vitest";
import { chat, chunks, message } from "../fixtures/le-chat.ts";
import { lines, readTexts, readValues } from "../fixtures/reading.ts";

test("a chat is its messages in the file's order, with the text that comes in pieces put together", async () => {
  const { reading, conversations, skipped, sums, records } = await readValues(chat());
  expect(reading.recognised).toMatchObject([{ format: "Le Chat export", source: "le_chat" }]);
  expect(conversations).toEqual([
    {
      source: "le_chat",
      originId: "chat-1",
      title: "When does hazel flower?",
      createdAt: Date.UTC(2026, 2, 1, 9, 0, 0, 250),
      updatedAt: Date.UTC(2026, 2, 1, 9, 0, 4),
      messages: [
        {
          originId: "m1",
          role: "user",
          text: "When does hazel flower?",
          createdAt: Date.UTC(2026, 2, 1, 9, 0, 0, 250),
          attachments: [{ name: "hazel.jpg" }],
        },
        {
          originId: "m2",
          role: "assistant",
          text: "In February.",
          createdAt: Date.UTC(2026, 2, 1, 9, 0, 4),
          attachments: [],
        },
      ],
    },
    expect.objectContaining({ originId: "chat-2", title: "Another chat", createdAt: null }),
  ]);
  expect(skipped).toEqual({
    "message duplicate_in_file": 1,
    "message media_only": 2,
    "message system": 1,
    "message tool": 1,
    "message unreadable": 2,
    "message unsupported": 1,
  });
  expect(sums).toEqual({ conversation: 2, message: 11, memory: 0 });
  expect(JSON.stringify(records)).not.toContain("NEVER IMPORT");
});

test("a chat of 20,000 messages without ids or times keeps their order", async () => {
  const { conversations } = await readValues(
    Array.from({ length: 20_000 }, (_, index) =>
      message("", "user", "", {
        ...chunks({ type: "text", text: `turn ${index}` }),
        createdAt: null,
      }),
    ),
  );
  expect(lines(conversations[0])).toHaveLength(20_000);
  expect(lines(conversations[0]).at(-1)).toBe("user: turn 19999");
});

test("a chat that is cut off gives what was complete", async () => {
  const { reading, conversations, skipped, sums } = await readTexts(
    JSON.stringify(chat().slice(0, 2)).slice(0, -20),
  );
  expect(reading.recognised).toMatchObject([{ truncated: true }]);
  expect(conversations.map(lines)).toEqual([["user: When does hazel flower?"]]);
  expect(skipped).toEqual({ "message truncated_file": 1 });
  expect(sums).toEqual(reading.totals);
});

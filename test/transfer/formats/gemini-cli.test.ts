import fc from "fast-check";
import { expect, test } from "vitest";
import { damaged } from "../fixtures/damage.ts";
import { everyMessage, log, message, session } from "../fixtures/gemini-cli.ts";
import { lines, readTexts, readValues } from "../fixtures/reading.ts";
import { asLines } from "../fixtures/server-memory.ts";

const at = (minute: number) => Date.UTC(2026, 1, 3, 8, minute);

test("a session is a conversation, without thoughts, tools and the program's own lines", async () => {
  const { conversations, skipped, sums, records } = await readValues(session());
  expect(conversations).toEqual([
    {
      source: "gemini_cli",
      originId: "session-1",
      title: "When do bees swarm?",
      createdAt: at(1),
      updatedAt: at(9),
      messages: [
        {
          originId: "m1",
          role: "user",
          text: "When do bees swarm?",
          createdAt: at(1),
          attachments: [],
        },
        {
          originId: "m4",
          role: "assistant",
          text: "In May.",
          createdAt: at(4),
          model: "gemini-4-pro",
          attachments: [],
        },
        { originId: "m6", role: "user", text: "@hive.md why?", createdAt: at(6), attachments: [] },
        {
          originId: "m9",
          role: "assistant",
          text: "They\n\nneed room.",
          createdAt: at(9),
          attachments: [],
        },
      ],
    },
  ]);
  expect(skipped).toEqual({
    "message hidden": 1,
    "message tool": 2,
    "message reasoning": 1,
    "message system": 1,
    "message media_only": 1,
    "message unsupported": 1,
    "message empty": 1,
    "message unreadable": 1,
  });
  expect(sums).toEqual({ conversation: 1, message: 13, memory: 0 });
  expect(JSON.stringify(records)).not.toContain("NEVER IMPORT");
});

test("in JSON lines a message is what it became, and what was gone back to is another branch", async () => {
  const { conversations, skipped, sums } = await readTexts(asLines(log()));
  expect(conversations.map(lines)).toEqual([
    ["user: When do bees swarm?", "assistant: In May.", "user: Why?", "assistant: They need room."],
  ]);
  expect(conversations[0]).toMatchObject({ originId: "session-1", title: "Swarming bees" });
  expect(skipped).toEqual({ "message other_branch": 2 });
  expect(sums).toEqual({ conversation: 1, message: 6, memory: 0 });
});

test("an old session that was resumed goes on in lines", async () => {
  const { conversations } = await readTexts(
    asLines([
      session([message("m1", "user", "Then")], { summary: "Bees" }),
      { $rewindTo: "m7" },
      message("m2", "gemini", "Now"),
    ]),
  );
  expect(conversations.map(({ title }) => title)).toEqual(["Bees"]);
  expect(lines(conversations[0])).toEqual(["user: Then", "assistant: Now"]);
});

test("a subagent's session is hidden, and one without a list of messages is unreadable", async () => {
  const { conversations, skipped } = await readValues([
    { $set: { summary: "x" } },
    3,
    session([message("m1", "user", "Search"), message("m2", "gemini", "Found")], {
      kind: "subagent",
    }),
    session(null),
    session([], { sessionId: "session-2" }),
  ]);
  expect(conversations).toEqual([]);
  expect(skipped).toEqual({
    "message unreadable": 1,
    "conversation hidden": 1,
    "message hidden": 2,
    "conversation unreadable": 1,
    "conversation empty": 1,
  });
});

test("whatever is damaged, nothing throws and every message is counted once", async () => {
  const sound = session([message("m0", "user", "Sound")], { sessionId: "sound" });
  await fc.assert(
    fc.asyncProperty(damaged([session(everyMessage())]), async (elements) => {
      const file: unknown[] = [sound, ...(Array.isArray(elements) ? elements : [elements])];
      const { reading, sums } = await readValues(file);
      expect(sums).toEqual(reading.totals);
      expect(sums.message).toBe(1 + messagesOf(file[1]));
    }),
    { numRuns: 300 },
  );
});

test("whatever is damaged in the lines, the sums agree", async () => {
  await fc.assert(
    fc.asyncProperty(damaged(log()), async (elements) => {
      const file: unknown[] = [session([]), ...(Array.isArray(elements) ? elements : [])];
      const { reading, sums } = await readTexts(asLines(file));
      expect(sums).toEqual(reading.totals);
      expect(sums.conversation).toBeGreaterThan(0);
    }),
    { numRuns: 300 },
  );
});

/** Of what is no session, the element itself is a message, if an unreadable one. Equal ids are one message. */
function messagesOf(element: unknown): number {
  const isSession = !Array.isArray(element) && Object.hasOwn(Object(element), "projectHash");
  const { messages } = Object(element);
  if (!isSession) return 1;
  if (!Array.isArray(messages)) return 0;
  const ids = messages.map((entry) => Object(entry)["id"]);
  const named = ids.filter((id) => typeof id === "string" && id !== "");
  return messages.length - named.length + new Set(named).size;
}

import { expect, test } from "vitest";
import { history } from "../fixtures/copilot.ts";
import { lines, readTexts } from "../fixtures/reading.ts";

test("a chat is the rows of one name, oldest first, and a long pause begins another", async () => {
  const { reading, conversations, skipped, sums } = await readTexts(`\uFEFF${history()}`);
  expect(reading.recognised).toMatchObject([
    { format: "Microsoft Copilot history", source: "copilot" },
  ]);
  expect(conversations.map(lines)).toEqual([
    ['user: Plan "2" days,\r\nplease', 'assistant: Day 1: "Llandudno"\r\nDay 2: rest'],
    ["user: Or?", "assistant: By sea."],
  ]);
  expect(conversations[0]).toMatchObject({
    title: "Trip, north",
    createdAt: Date.UTC(2026, 1, 17, 14, 36, 11),
    updatedAt: Date.UTC(2026, 1, 17, 14, 36, 20),
  });
  const ids = conversations.flatMap(({ originId, messages }) => [
    originId,
    ...messages.map((message) => message.originId),
  ]);
  expect(new Set(ids).size).toBe(6);
  expect(skipped).toEqual({});
  expect(sums).toEqual({ conversation: 2, message: 4, memory: 0 });
});

test("a later export with more rows knows the earlier messages by the same ids", async () => {
  const ids = async (text: string) =>
    (await readTexts(text)).conversations.flatMap(({ messages }) =>
      messages.map(({ originId }) => originId),
    );
  const earlier = await ids(history());
  const later = await ids(
    history().replace(
      "Message\r\n",
      'Message\r\n"Trip, north",2026-02-18T09:00:00,user,Thanks\r\n',
    ),
  );
  expect(later).toEqual(expect.arrayContaining(earlier));
  expect(later).toHaveLength(earlier.length + 1);
});

test("other columns are read too: American times, and prompts alone", async () => {
  const activity = await readTexts(
    'CreatedAt,MessageContent,Author,ChatName\n2/17/2026 9:05:03 -08:00,Hello,user,Hi\n2/17/2026 9:05:04 -08:00,"Hi, you",AI,Hi\n',
  );
  expect(activity.conversations.map(lines)).toEqual([["user: Hello", "assistant: Hi, you"]]);
  expect(activity.conversations[0]).toMatchObject({
    title: "Hi",
    createdAt: Date.UTC(2026, 1, 17, 17, 5, 3),
  });
  const prompts = await readTexts(
    '"Timestamp","ClientApp","Prompt"\n"2026-02-17 09:05:03","Word","Shorten this"\n"soon","Excel","Sum"',
  );
  expect(prompts.conversations.map(({ title, createdAt }) => [title, createdAt])).toEqual([
    ["Word", Date.UTC(2026, 1, 17, 9, 5, 3)],
    ["Excel", null],
  ]);
});

test("rows that are cut off, too short or said by nobody are counted, and equal rows stay two", async () => {
  const { conversations, skipped, sums, reading } = await readTexts(
    [
      "Conversation,Time,Author,Message",
      "A,2026-02-17T14:00:00,user,Twice",
      "A,2026-02-17T14:00:00,user,Twice",
      "A,2026-02-17T14:00:00",
      "",
      "A,2026-02-17T14:00:00,narrator,?",
      "A,2026-02-17T14:00:00,,?",
      "A,2026-02-17T14:00:00,AI,",
      'A,2026-02-17T14:00:00,AI,"and then',
    ].join("\n"),
  );
  expect(conversations.map(lines)).toEqual([["user: Twice", "user: Twice"]]);
  expect(new Set(conversations[0]?.messages.map(({ originId }) => originId)).size).toBe(2);
  expect(skipped).toEqual({
    "message empty": 1,
    "message truncated_file": 1,
    "message unreadable": 2,
    "message unsupported": 1,
  });
  expect(sums).toEqual(reading.totals);
});

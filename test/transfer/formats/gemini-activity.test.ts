import fc from "fast-check";
import { expect, test } from "vitest";
import { damaged } from "../fixtures/damage.ts";
import { activity, event } from "../fixtures/gemini.ts";
import { lines, readTexts, readValues } from "../fixtures/reading.ts";

test("events become conversations by their link, or by the time between them", async () => {
  const { conversations, skipped, sums, records } = await readValues(activity());
  expect(conversations.map(({ originId, title }) => [originId, title])).toEqual([
    ["c0ffee12", "A recipe for sole"],
    ["reconstructed 1 2026-02-28T20:00:00Z What is a quoin?", "What is a quoin?"],
    ["reconstructed 1 2026-03-02T10:00:00Z How do I prune roses?", "How do I prune roses?"],
  ]);
  expect(conversations.map(lines)).toEqual([
    ["user: A recipe for sole", "assistant: Fry it.", "user: And the sauce?", "assistant: Butter."],
    ["user: What is a quoin?"],
    [
      "user: How do I prune roses?",
      "assistant: In March.",
      "user: And in winter?",
      "assistant: Cover them.",
    ],
  ]);
  expect(conversations[2]).toMatchObject({
    source: "gemini",
    createdAt: Date.UTC(2026, 2, 2, 10),
    updatedAt: Date.UTC(2026, 2, 2, 10, 20, 0, 500),
  });
  expect(conversations[2]?.messages.slice(0, 2)).toEqual([
    {
      originId: "prompt 1 2026-03-02T10:00:00Z How do I prune roses?",
      role: "user",
      text: "How do I prune roses?",
      createdAt: Date.UTC(2026, 2, 2, 10),
      attachments: [],
    },
    {
      originId: "answer 1 2026-03-02T10:00:00Z How do I prune roses?",
      role: "assistant",
      text: "In March.",
      createdAt: Date.UTC(2026, 2, 2, 10),
      attachments: [],
    },
  ]);
  expect(skipped).toEqual({ "message unsupported": 3 });
  expect(sums).toEqual({ conversation: 3, message: 12, memory: 0 });
  expect(JSON.stringify(records)).not.toContain("PRIVATE");
});

test("the log is recognised by any of its first events", async () => {
  const { reading, skipped } = await readValues([null, 3, ...activity()]);
  expect(reading.recognised).toMatchObject([
    { format: "Gemini activity (JSON)", source: "gemini", truncated: false },
  ]);
  expect(skipped).toEqual({ "message unreadable": 2, "message unsupported": 3 });
});

test("a log that was cut off keeps what is complete", async () => {
  const whole = JSON.stringify(activity());
  const { conversations, skipped } = await readTexts(whole.slice(0, whole.lastIndexOf('"time"')));
  expect(conversations.map(lines)[0]).toEqual(["user: And the sauce?", "assistant: Butter."]);
  expect(skipped).toEqual({ "message unsupported": 3, "message truncated_file": 1 });
});

test("a later export of the same account makes the same ids", async () => {
  const before = await readValues(activity().slice(1));
  const later = await readValues([
    event("Prompted Something else", "2026-03-05T08:00:00Z"),
    ...activity(),
  ]);
  const idsOf = ({ conversations }: typeof before) =>
    new Set(
      conversations.flatMap(({ originId, messages }) =>
        messages.map((message) => `${originId}/${message.originId}`),
      ),
    );
  expect(idsOf(later).isSupersetOf(idsOf(before))).toBe(true);
});

test("equal prompts in one second stay two, and the order of a file that somebody sorted is its times'", async () => {
  const twice = [
    event("Prompted Again", "2026-03-02T10:00:00.900Z", "<p>two</p>"),
    event("Prompted Again", "2026-03-02T10:00:00.100Z", "<p>one</p>"),
  ];
  const expected = [
    ["prompt 1 2026-03-02T10:00:00Z Again", "Again"],
    ["answer 1 2026-03-02T10:00:00Z Again", "one"],
    ["prompt 2 2026-03-02T10:00:00Z Again", "Again"],
    ["answer 2 2026-03-02T10:00:00Z Again", "two"],
  ];
  for (const file of [twice, twice.toReversed()]) {
    const { conversations } = await readValues(file);
    expect(conversations).toHaveLength(1);
    expect(conversations[0]?.messages.map(({ originId, text }) => [originId, text])).toEqual(
      expected,
    );
  }
});

test("a pause of more than half an hour begins another conversation", async () => {
  const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
  const { conversations } = await readValues([
    event("Prompted four", at(91)),
    event("Prompted three", at(60)),
    event("Prompted two", at(30)),
    event("Prompted one", at(0)),
  ]);
  expect(conversations.map(lines)).toEqual([
    ["user: one", "user: two", "user: three"],
    ["user: four"],
  ]);
});

test("an event without a time keeps its place inside a conversation, and stands alone between two", async () => {
  const { conversations } = await readValues([
    event("Prompted newest", "no time"),
    event("Prompted third", "2026-03-02T10:10:00Z"),
    event("Prompted second", null),
    event("Prompted first", "2026-03-02T10:00:00Z"),
    event("Prompted between", "0000-00-00T00:00:00Z"),
    event("Prompted long ago", "2026-01-01T00:00:00Z"),
  ]);
  expect(conversations.map(lines)).toEqual([
    ["user: long ago"],
    ["user: between"],
    ["user: first", "user: second", "user: third"],
    ["user: newest"],
  ]);
  expect(conversations[2]?.messages.map(({ createdAt }) => createdAt)).toEqual([
    Date.UTC(2026, 2, 2, 10),
    null,
    Date.UTC(2026, 2, 2, 10, 10),
  ]);
  expect(conversations[1]?.originId).toBe("reconstructed 1 untimed between");
});

test("what stands before a prompt is stripped where it is known, and the title is kept whole elsewhere", async () => {
  const titles: Record<string, string | null> = {
    "Prompted Why?": "Why?",
    "Prompted with: Why?": "Why?",
    "Asked Bard: Why?": "Why?",
    "Eingegebener Prompt: Warum?": "Warum?",
    "送信したメッセージ: なぜ": "なぜ",
    "Vložena zahteva:\u00a0Zakaj?": "Zakaj?",
    "Requête envoyée\u00a0:\u00a0Pourquoi\u00a0: oui": "Pourquoi\u00a0: oui",
    "Wysłano Dlaczego?": "Wysłano Dlaczego?",
    "Created Gemini Canvas titled Plan": null,
    Canvas: null,
    "Used an Assistant feature": null,
    "Gave feedback: Bad response": null,
  };
  for (const [title, prompt] of Object.entries(titles)) {
    const { conversations, skipped } = await readValues([
      event(title, "2026-03-02T10:00:00Z", "<p>So.</p>", { header: "Gemini アプリ" }),
    ]);
    expect(lines(conversations[0])).toEqual(
      prompt === null ? [] : [`user: ${prompt}`, "assistant: So."],
    );
    expect(skipped).toEqual(prompt === null ? { "message unsupported": 1 } : {});
  }
});

test("a title that is not known needs an answer to be a prompt", async () => {
  const { skipped, sums } = await readValues([
    event("Coś innego", "2026-03-02T10:00:00Z"),
    event("Prompted", "2026-03-02T10:00:00Z"),
    event("Prompted", "2026-03-02T10:00:00Z", "<img src='x'>"),
  ]);
  expect(skipped).toEqual({ "message unsupported": 1, "message empty": 3 });
  expect(sums.conversation).toBe(0);
});

test("older variants keep prompt and answer in details, or in interactions as text, JSON or objects", async () => {
  const url = { titleUrl: "https://gemini.google.com/u/1/app/c/deadbeef" };
  const { conversations, skipped } = await readValues([
    event("Used Gemini Apps", "2024-05-01T10:02:00Z", undefined, {
      ...url,
      userInteractions: [
        {
          userInteraction: {
            request: '{"prompt":"Third"}',
            response: '[{"text":"<p>3 &lt; 4</p>"}]',
          },
        },
        { userInteraction: { request: { parts: [{ text: "Fourth" }] } } },
        { userInteraction: null },
        null,
      ],
    }),
    event("Used Gemini Apps", "2024-05-01T10:01:00Z", undefined, {
      ...url,
      userInteractions: [{ userInteraction: { request: '{"a":1}', response: "List<String>" } }],
    }),
    event("Gemini", "2024-05-01T10:00:00Z", undefined, {
      ...url,
      details: [null, { name: "Response", value: "<p>1</p>" }, { name: "Request", value: "First" }],
    }),
  ]);
  expect(conversations.map(({ originId }) => originId)).toEqual(["deadbeef"]);
  expect(lines(conversations[0])).toEqual([
    "user: First",
    "assistant: 1",
    'user: {"a":1}',
    "assistant: List<String>",
    "user: Third",
    "assistant: 3 < 4",
    "user: Fourth",
  ]);
  expect(skipped).toEqual({});
});

test("whatever is damaged, nothing throws and every event is counted", async () => {
  await fc.assert(
    fc.asyncProperty(damaged(activity()), async (events) => {
      const file: unknown[] = [...activity(), ...(Array.isArray(events) ? events : [events])];
      const { reading, sums, conversations } = await readTexts(JSON.stringify(file));
      expect(sums).toEqual(reading.totals);
      expect(sums.message).toBeGreaterThanOrEqual(file.length);
      expect(sums.message).toBeLessThanOrEqual(2 * file.length);
      for (const { messages } of conversations) {
        expect(new Set(messages.map(({ originId }) => originId)).size).toBe(messages.length);
      }
    }),
    { numRuns: 500 },
  );
});

test("20,000 events without a time are read in good time", { timeout: 30_000 }, async () => {
  const file = Array.from({ length: 20_000 }, (_, index) => event(`Prompted p${index % 7}`, null));
  const { conversations } = await readValues(file);
  expect(conversations).toHaveLength(20_000);
  expect(new Set(conversations.map(({ originId }) => originId)).size).toBe(20_000);
});

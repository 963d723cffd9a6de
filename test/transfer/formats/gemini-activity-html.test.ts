import fc from "fast-check";
import { expect, test } from "vitest";
import { activityTime } from "../../../src/transfer/formats/activity-time.ts";
import { geminiActivityHtml } from "../../../src/transfer/formats/gemini-activity-html.ts";
import { cell, event, page, titledCell } from "../fixtures/gemini.ts";
import { lines, readTexts, readValues } from "../fixtures/reading.ts";

test("a cell is a prompt, its date and the answer; the caption names the conversation", async () => {
  const { reading, conversations, skipped, sums, records } = await readTexts(
    page(
      cell("Cleared previous feedback", "Sep 2, 2026, 1:26:27\u202fPM PDT"),
      cell(
        "Prompted\u00a0And the sauce?",
        "Sep 2, 2026, 12:12:52\u202fPM PDT",
        "<p>Butter &amp; <strong>salt</strong>.</p><ul><li>a</li></ul>",
        { conversation: "c0ffee12" },
      ),
      cell("Searched for\u00a0PRIVATE", "Sep 2, 2026, 12:11:00\u202fPM PDT", "", {
        product: "Search",
      }),
      cell(
        "Prompted\u00a0A recipe<br>for &lt;sole&gt;",
        "Sep 2, 2026, 12:05:26\u202fPM PDT",
        '<p>See <a href="https://gemini.google.com/app/another1">this</a>.</p>',
        { conversation: "c0ffee12" },
      ),
      cell("Prompted\u00a0Alone", "Sep 1, 2026, 12:05:26\u202fAM PDT"),
    ),
  );
  expect(reading.recognised).toMatchObject([
    { format: "Gemini activity (HTML)", source: "gemini" },
  ]);
  expect(conversations.map(({ originId }) => originId)).toEqual([
    "c0ffee12",
    "reconstructed 1 2026-09-01T07:05:26Z Alone",
  ]);
  expect(lines(conversations[0])).toEqual([
    "user: A recipe\nfor <sole>",
    "assistant: See this.",
    "user: And the sauce?",
    "assistant: Butter & salt.\n\n- a",
  ]);
  expect(conversations[0]).toMatchObject({
    createdAt: Date.UTC(2026, 8, 2, 19, 5, 26),
    updatedAt: Date.UTC(2026, 8, 2, 19, 12, 52),
  });
  expect(skipped).toEqual({ "message unsupported": 2 });
  expect(sums).toEqual({ conversation: 2, message: 7, memory: 0 });
  expect(JSON.stringify(records)).not.toContain("PRIVATE");
});

test("an event has the same ids in the HTML and the JSON of the log", async () => {
  const json = await readValues([
    event("Prompted A  recipe for sole", "2026-09-02T19:05:26.123Z", "<p>Fry it.</p>"),
  ]);
  const html = await readTexts(
    page(cell("Prompted\u00a0A recipe for sole", "2 Sep 2026, 20:05:26 BST", "<p>Fry it.</p>")),
  );
  const idsOf = ({ conversations }: typeof json) =>
    conversations.map(({ originId, messages }) => [
      originId,
      messages.map((message) => message.originId),
    ]);
  expect(idsOf(html)).toEqual(idsOf(json));
});

test("label and date may stand in the header; then the first paragraph is the prompt", async () => {
  const { conversations, skipped } = await readTexts(
    page(
      titledCell("Canvas", "Jan 3, 2026, 3:04:05 PM PST", "a canvas", "its text"),
      titledCell("Prompted", "Jan 2, 2026, 3:04:05 PM EST", "The prompt", "The answer", "goes on"),
    ),
  );
  expect(conversations.map(lines)).toEqual([
    ["user: The prompt", "assistant: The answer\n\ngoes on"],
  ]);
  expect(conversations[0]?.createdAt).toBe(Date.UTC(2026, 0, 2, 20, 4, 5));
  expect(skipped).toEqual({ "message unsupported": 1 });
});

test("files that came with a prompt are its attachments", async () => {
  const file =
    '<br>2 attached files.<br>-&nbsp; <a href="rose-1.png">rose.png</a><br>- <a href="b.pdf">b.pdf</a>';
  const { conversations, skipped } = await readTexts(
    page(
      cell(`Prompted\u00a0What is this?${file}`, "Sep 2, 2026, 1:00:00 PM UTC", "<p>A rose.</p>"),
      cell(`Prompted${file}`, "Sep 1, 2026, 1:00:00 PM UTC"),
    ),
  );
  expect(conversations.map(lines)).toEqual([["user: What is this?", "assistant: A rose."]]);
  expect(conversations[0]?.messages[0]?.attachments).toEqual([
    { name: "rose.png" },
    { name: "b.pdf" },
  ]);
  expect(skipped).toEqual({ "message media_only": 1 });
});

test("a date that is not known costs the time, not the order or the text", async () => {
  const { conversations, skipped } = await readTexts(
    page(
      cell("Prompted\u00a0third", "2. syyskuuta 2026 klo 12.20.00 UTC+3", "<p>3</p>", {
        conversation: "c0ffee12",
      }),
      cell("Prompted\u00a0second", "2/9/2026, 12:10:00 UTC", "<p>2</p>", {
        conversation: "c0ffee12",
      }),
      cell("Prompted\u00a0first", "2 Sep 2026, 12:00:00 IST", "<p>1</p>", {
        conversation: "c0ffee12",
      }),
      cell("Prompted\u00a0lost", "some time last week", "<p>0</p>"),
      '<div class="outer-cell"><div class="header-cell">Gemini</div></div>',
    ),
  );
  expect(conversations.map(lines)).toEqual([
    ["user: first", "assistant: 1", "user: second", "assistant: 2", "user: third", "assistant: 3"],
  ]);
  expect(conversations[0]?.messages.every(({ createdAt }) => createdAt === null)).toBe(true);
  expect(skipped).toEqual({ "message unreadable": 2 });
});

test("a date inside a prompt or an answer does not divide them", async () => {
  const log = "Sep 1, 2026, 11:00:00 AM UTC";
  const { conversations } = await readTexts(
    page(
      cell(
        `Prompted\u00a0Explain<br>${log}<br>this log`,
        "Sep 2, 2026, 1:00:00 PM UTC",
        `<p>${log}<br>is a date</p>`,
      ),
    ),
  );
  expect(lines(conversations[0])).toEqual([
    `user: Explain\n${log}\nthis log`,
    `assistant: ${log}\nis a date`,
  ]);
  expect(conversations[0]?.createdAt).toBe(Date.UTC(2026, 8, 2, 13));

  const { conversations: unknown } = await readTexts(
    page(cell(`Prompted\u00a0Explain<br>${log}`, "٢ سبتمبر ٢٠٢٦، ١:٠٠:٠٠ م UTC", "<p>A log.</p>")),
  );
  expect(lines(unknown[0])).toEqual([`user: Explain\n${log}`, "assistant: A log."]);
  expect(unknown[0]?.createdAt).toBeNull();
});

test("dates are read in the languages and zones that are known, and never guessed", () => {
  const noon = Date.UTC(2026, 8, 2, 12, 0, 5);
  for (const date of [
    "Sep 2, 2026, 12:00:05 PM UTC",
    "Sep 2, 2026, 5:00:05\u202fAM PDT",
    "2 Sept 2026, 13:00:05 BST",
    "02.09.2026, 14:00:05 MESZ",
    "2. sep. 2026, 14:00:05 CEST",
    "2 de set. de 2026, 09:00:05 BRT",
    "2 sept. 2026, 14:00:05 UTC+02:00",
    "2 set 2026, 14:00:05 CEST",
    "2 sep. 2026 14:00:05 GMT+2",
    "2026/09/02 21:00:05 JST",
    "2026年9月2日 17:30:05 GMT+5:30",
    "Sep 2, 2026, 8:30:05 AM GMT−3:30",
  ]) {
    expect(activityTime(date), date).toBe(noon);
  }
  for (const date of [
    "",
    "02/09/2026, 12:00:05 UTC",
    "2 syys 2026, 12:00:05 UTC",
    "Sep 2, 2026, 12:00:05 PM IST",
    "Sep 2, 2026, 12:00:05 PM",
    "Sep 2, 2026, 13:00:05 PM UTC",
    "Sep 31, 2026, 12:00:05 PM UTC",
    "31.13.2026, 12:00:05 MEZ",
    "Sep 2, 2026, 12:00:65 PM UTC",
    "Sep 2, 2026, 12:00:05 PM GMT+15",
  ]) {
    expect(activityTime(date), date).toBeNull();
  }
  fc.assert(fc.property(fc.string(), (line) => activityTime(line) === null));
});

test("other pages are not taken for an activity log", () => {
  expect(geminiActivityHtml.matchesText("<html><head><title>ChatGPT</title>")).toBe(false);
  expect(geminiActivityHtml.matchesText("# Notes on mdl-grid and outer-cell")).toBe(false);
  expect(geminiActivityHtml.matchesText(page().slice(0, 4_096))).toBe(true);
});

test("whatever is damaged, nothing throws and every cell is counted", async () => {
  const whole = page(
    cell("Prompted\u00a0One", "Sep 2, 2026, 1:00:00 PM UTC", "<p>1</p>", {
      conversation: "c0ffee12",
    }),
    titledCell("Prompted", "Sep 2, 2026, 1:00:00 PM UTC", "Two", "2"),
    cell("Prompted\u00a0Three", "nonsense", "<p>3</p>"),
  );
  const start = whole.indexOf("<body>");
  const cut = fc.record({
    at: fc.integer({ min: start, max: whole.length }),
    length: fc.nat(80),
    instead: fc.oneof(
      fc.string(),
      fc.constantFrom("<", "<div class='outer-cell'>", "<br>", '"', "<!--", "\ud800\0"),
    ),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(cut, { minLength: 1, maxLength: 4 }), async (cuts) => {
      const text = cuts.reduce(
        (html, { at, length, instead }) => html.slice(0, at) + instead + html.slice(at + length),
        whole,
      );
      const { reading, sums, conversations } = await readTexts(text);
      expect(sums).toEqual(reading.totals);
      const cells = text.match(/<div\b[^<>]*class=["']outer-cell\b[^<>]*>/g)?.length ?? 0;
      expect(sums.message).toBeGreaterThanOrEqual(cells);
      for (const { messages } of conversations) {
        for (const { text: written } of messages) expect(written.isWellFormed()).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

test(
  "megabytes of cells, breaks and half tags are read in linear time",
  { timeout: 60_000 },
  () => {
    const hostile = [
      '<div class="outer-cell">',
      "<div class='content-cell'>",
      "<div ",
      "<br>",
      "Sep 2, 2026, 1:00:00 PM UTC<br>",
      "<p>",
      "<",
      'class="outer-cell',
      '<div class="outer-cell"><div class="header-cell">Gemini</div><div class="content-cell">',
    ];
    for (const piece of hostile) {
      const html = page(cell("Prompted\u00a0x", piece.repeat(Math.ceil(1_000_000 / piece.length))));
      const started = performance.now();
      geminiActivityHtml.read(html);
      expect(performance.now() - started, piece).toBeLessThan(10_000);
    }
  },
);

/** Files that are no JSON, cut off or in another order: what of them is said afterwards. That no file does a reader harm stands in `hostile-files.test.ts`. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { FORMATS } from "../../src/transfer/formats/index.ts";
import { pastedList } from "../../src/transfer/formats/pasted-list.ts";
import { readExport } from "../../src/transfer/read.ts";
import { HISTORY_HEAD } from "./fixtures/copilot.ts";
import * as gemini from "./fixtures/gemini.ts";
import { collect, type Read } from "./fixtures/reading.ts";
import { expectSound } from "./fixtures/sound.ts";
import { runs } from "../support/runs.ts";

interface TextFile {
  readonly format: string;
  readonly before: string;
  /** Each is an item of its own, with what ends it. */
  readonly items: readonly string[];
  readonly after: string;
}

const FILES: readonly TextFile[] = [
  {
    format: "Gemini activity (HTML)",
    before: gemini.page().replace("</div></body></html>", ""),
    items: [
      gemini.cell(
        "Prompted\u00a0How do bees winter?",
        "Nov 20, 2026, 10:05:00\u202fAM PDT",
        "<p>In a cluster.</p><ul><li>They shiver.</li></ul>",
        { conversation: "c0ffee12" },
      ),
      gemini.cell("Prompted\u00a0Why?", "Nov 19, 2026, 10:06:00\u202fAM PDT", "<p>Warmth.</p>"),
      gemini.titledCell("Prompted", "Nov 18, 2026, 9:00:00\u202fAM PDT", "And wasps?", "They die."),
      gemini.cell("Prompted\u00a0And in May?", "Nov 17, 2026, 10:06:00\u202fAM PDT"),
    ],
    after: "</div></body></html>",
  },
  {
    format: "Microsoft Copilot history",
    before: `${HISTORY_HEAD}\r\n`,
    items: [
      'Hives,2026-02-17T18:00:00,AI,"Close ""the"" entrance,\r\nand wait."\r\n',
      "Hives,2026-02-17T17:59:00,user,Mice?\r\n",
      "Trip,2026-01-02T08:01:00,AI,By sea.\r\n",
      '"Trip, south",2025-12-02T08:01:00,user,"How?"\r\n',
    ],
    after: "",
  },
  {
    format: "mem0 Markdown file",
    before: "",
    items: [
      "---\nid: a\ncategories: bees, winter\n---\nKeeps bees\nin two hives.\n\n",
      "---\nid: b\ncategories:\n  - food\ncreated_at: 2026-05-02T10:00:00Z\n---\nBakes rye bread.\n\n",
      "---\nid: c\ncategories: work\n---\nWrites manuals.\n\n---\n\nAnd mends clocks.\n\n",
    ],
    after: "",
  },
  {
    format: "Pasted list",
    before: "Here is all that I remember:\n```\n",
    items: [
      "[2026-05-02] - Keeps bees in two hives\n",
      "[unknown] - Bakes rye bread\n",
      "- Writes manuals: two a year\n",
      "4. Mends clocks\n",
    ],
    after: "```\nThat is all.\n",
  },
];

const CASES = FILES.map((file) => [file.format, file] as const);

function read({ format }: Pick<TextFile, "format">, text: string | Uint8Array): Promise<Read> {
  const as = format === pastedList.name ? pastedList : null;
  return readExport([{ name: "file", bytes: text }], { as }).then((reading) => collect(reading));
}

function textOf(file: TextFile, items = file.items): string {
  return `${file.before}${items.join("")}${file.after}`;
}

/** What is said, in whichever conversation: those are put together by when things were said. */
function saidIn({ conversations, memories }: Read): string[] {
  return [
    ...conversations.flatMap(({ messages }) =>
      messages.map(({ role, text, createdAt }) => JSON.stringify({ role, text, createdAt })),
    ),
    ...memories.map((memory) => JSON.stringify(memory)),
  ];
}

/** The texts alone. */
function textsIn({ conversations, memories }: Read): string[] {
  return [
    ...conversations.flatMap(({ messages }) => messages.map(({ text }) => text)),
    ...memories.map(({ content }) => content),
  ];
}

async function saidByItem(file: TextFile): Promise<string[][]> {
  return Promise.all(
    file.items.map(async (item) => saidIn(await read(file, textOf(file, [item])))),
  );
}

test("every format of text whose files hold several items is tried here", () => {
  const several = FORMATS.filter(
    ({ kind, name }) => kind === "text" && name !== "Markdown note with front matter",
  );
  expect(FILES.map(({ format }) => format).toSorted()).toEqual(
    [...several, pastedList].map(({ name }) => name).toSorted(),
  );
});

test.for(CASES)("%s: all items are read, each as it is alone", async ([, file]) => {
  const whole = await read(file, textOf(file));
  expectSound(whole);
  const alone = (await saidByItem(file)).flat();
  expect(saidIn(whole).toSorted()).toEqual(alone.toSorted());
  expect(alone.length).toBeGreaterThanOrEqual(file.items.length);
});

test.for(CASES)(
  "%s: cut off anywhere, the items before are read as they are, and nothing is said that the file does not say",
  async ([, file]) => {
    const alone = await saidByItem(file);
    const whole = textsIn(await read(file, textOf(file)));
    const text = textOf(file);
    // With less than a line nobody can say what the file is.
    for (let cut = Math.max(file.before.length, 10); cut <= text.length; cut++) {
      const found = await read(file, text.slice(0, cut));
      expectSound(found);
      const ends = file.items.map((_, index) => textOf(file, file.items.slice(0, index + 1)));
      const count = ends.filter((end) => end.length - file.after.length <= cut).length;
      const said = saidIn(found);
      expect([cut, said]).toEqual([cut, expect.arrayContaining(alone.slice(0, count).flat())]);
      // Of the item that was cut there is its beginning, and of those behind it nothing.
      const others = textsIn(found).filter((one) => !whole.includes(one));
      expect([cut, others.filter((one) => !whole.some((all) => all.startsWith(one)))]).toEqual([
        cut,
        [],
      ]);
    }
  },
);

test.for(CASES)("%s: items say the same in any order", async ([, file]) => {
  const alone = (await saidByItem(file)).flat().toSorted();
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([...file.items], { minLength: file.items.length }),
      async (items) => {
        const found = await read(file, textOf(file, items));
        expectSound(found);
        expect(saidIn(found).toSorted()).toEqual(alone);
      },
    ),
    { numRuns: runs(10, 100) },
  );
});

test.for(CASES)(
  "%s: what a part of the items holds does not hang on the others",
  async ([, file]) => {
    const alone = await saidByItem(file);
    await fc.assert(
      fc.asyncProperty(fc.subarray([...file.items.keys()], { minLength: 1 }), async (places) => {
        const items = places.map((place) => file.items[place] ?? "");
        const found = await read(file, textOf(file, items));
        const expected = places.flatMap((place) => alone[place] ?? []);
        expect(saidIn(found).toSorted()).toEqual(expected.toSorted());
      }),
      { numRuns: runs(10, 100) },
    );
  },
);

test("a note that is cut off in its text keeps what there is of it; in its front matter it says nothing, and is named as cut off", async () => {
  const head = "---\ntitle: Hives\ntags: [bees, winter]\npermalink: farm/hives\n---\n";
  const body = "# Hives\n\nClose the entrance.\n- Against mice\n---\nOpen it in March.";
  const note = { format: "Markdown note with front matter" };
  for (let cut = "---\ntitle:".length; cut <= (head + body).length; cut++) {
    const found = await read(note, (head + body).slice(0, cut));
    expectSound(found);
    const begun = body.slice(0, Math.max(0, cut - head.length)).trim();
    const [memory] = found.memories;
    if (memory === undefined) {
      expect([cut, begun, Object.values(found.skipped)]).toEqual([cut, "", [1]]);
      continue;
    }
    // Until the heading is whole, it is no heading that repeats the title.
    expect([cut, memory.content.endsWith(begun)]).toEqual([cut, true]);
    expect(memory).toMatchObject({ originId: "farm/hives", tags: ["bees", "winter"] });
    expect(memory.content).not.toContain("permalink");
  }
});

test("the end of a front matter that is missing is told only where there is one: lines that look like it stay text", async () => {
  const kept = async (text: string) => textsIn(await read({ format: "" }, text));
  expect(await kept("---\nid: a\n---\nKeeps bees.\n---\nWhy: for honey")).toEqual([
    "Keeps bees.\n---\nWhy: for honey",
  ]);
  expect(await kept("---\nNote: call back\nThen rest.")).toEqual([
    "---\nNote: call back\nThen rest.",
  ]);
});

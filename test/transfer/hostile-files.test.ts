/** What no file may do to a reader, whatever its format. What one format does with its own damage stands in that format's tests. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { FORMATS } from "../../src/transfer/formats/index.ts";
import { slotsOf } from "./fixtures/damage.ts";
import {
  elementTexts,
  readAs,
  SOUND_EXPORTS,
  textOf,
  type SoundExport,
} from "./fixtures/exports.ts";
import { utf16 } from "./fixtures/bytes.ts";
import { expectSound } from "./fixtures/sound.ts";
import type { Read } from "./fixtures/reading.ts";
import { runs } from "../support/runs.ts";

const CASES = SOUND_EXPORTS.map((file, index) => [`${index} ${file.format.name}`, file] as const);
/** One file of each format, for what takes long. */
const OF_EACH_FORMAT = [...new Map(CASES.map((one) => [one[1].format, one])).values()];
const OF_JSON = CASES.filter(([, { format }]) => format.kind !== "text");
const OF_ELEMENTS = CASES.filter(([, { format }]) => format.kind === "elements");

/** Null where nobody can say what the file is. */
async function readOrRefuse(file: SoundExport, bytes: string | Uint8Array): Promise<Read | null> {
  try {
    const read = await readAs(file, bytes);
    expectSound(read);
    return read;
  } catch (error) {
    if (error instanceof UserError && error.code === "unsupported_format") return null;
    throw error;
  }
}

/** What is kept of a reading, one text for each conversation and memory. */
const keptOf = ({ records }: Read): string[] =>
  records.flatMap((record) => (record.type === "skipped" ? [] : [JSON.stringify(record)]));

/** What one damaged element may cost no other. Of a memory that a platform repeats, the copy that is read decides what is said of it. */
const ofOthers = ({ format }: SoundExport, read: Read): string[] =>
  format.repeatsMemories
    ? read.conversations.map((conversation) => JSON.stringify(conversation))
    : keptOf(read);

/** The lines that were said or noted, wherever they stand. */
const linesOf = ({ conversations, memories }: Read): string[] =>
  [
    ...conversations.flatMap(({ messages }) =>
      messages.map(({ role, text }) => text.replaceAll(/^/gm, `${role}: `)),
    ),
    ...memories.map(({ content }) => content),
  ]
    .flatMap((text) => text.split("\n"))
    .toSorted();

/** What a file says whatever the order of its lists, where that is not its lines. */
const ORDER_DECIDES: ReadonlyMap<string, (read: Read) => unknown> = new Map([
  // A text is cut anywhere into pieces: in another order they are other lines of the same letters.
  ["Google AI Studio prompt", (read) => [...linesOf(read).join("")].toSorted()],
  // Two answers of this file have the same id: the first one stands, so only what was asked is the same.
  ["Grok export", (read) => linesOf(read).filter((line) => line.startsWith("user: "))],
]);

/** Thousands of readings, or megabytes: seconds on an idle machine. */
const LONG = { timeout: 120_000 };

/** Nested deeper than a reader goes, and than `structuredClone` can. */
const DEEP = `${"[".repeat(1_000)}${"]".repeat(1_000)}`;

test("every format has a sound file here, which is read as that format and holds something", async () => {
  for (const [name, file] of CASES) {
    const read = await readAs(file, textOf(file));
    expectSound(read);
    expect(read.reading.recognised, name).toMatchObject([
      { outcome: "read", format: file.format.name, truncated: false },
    ]);
    expect(keptOf(read).length, name).toBeGreaterThan(0);
  }
  const covered = new Set(SOUND_EXPORTS.map(({ format }) => format));
  expect(FORMATS.filter((format) => !covered.has(format))).toEqual([]);
});

test.for(OF_JSON)(
  "%s: cut off within an element, the file is refused, or the report says that it was cut",
  async ([, file]) => {
    const texts = elementTexts(file);
    const start = file.before.length;
    for (const [index, text] of texts.entries()) {
      const before = textOf({ ...file, after: file.between }, texts.slice(0, index));
      const from = index === 0 ? start : before.length;
      // In its middle: of its last byte it may have no need.
      for (const cut of [1, Math.floor(text.length / 2), text.length - 1]) {
        const read = await readOrRefuse(file, textOf(file).slice(0, from + cut));
        if (read === null) continue;
        expect([cut, read.reading.recognised]).toMatchObject([cut, [{ truncated: true }]]);
        // An element that was cut is counted, unless the file has nothing but it.
        expect(Object.keys(read.skipped).some((key) => key.endsWith(" truncated_file"))).toBe(true);
      }
    }
  },
);

test.for(CASES)("%s: cut off at any byte, what stood before is read", async ([, file]) => {
  const texts = elementTexts(file);
  const bytes = new TextEncoder().encode(textOf(file));
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length), async (cut) => {
      const read = await readOrRefuse(file, bytes.slice(0, cut));
      const start = new TextDecoder().decode(bytes.slice(0, cut));
      const whole = texts.findLastIndex((_, index) =>
        start.startsWith(textOf({ ...file, after: file.between }, texts.slice(0, index + 1))),
      );
      if (whole === -1 || file.format.kind === "text") return;
      const before = await readOrRefuse(file, textOf(file, texts.slice(0, whole + 1)));
      // Of a sequence the first elements may not tell what it is.
      if (before === null) return;
      if (file.format.kind === "elements") {
        expect(read === null ? null : keptOf(read)).toEqual(expect.arrayContaining(keptOf(before)));
        return;
      }
      // An element that was cut off before what separates it from the next one is whole as well, and may change what those before it say.
      const withNext = await readOrRefuse(file, textOf(file, texts.slice(0, whole + 2)));
      expect([keptOf(before), withNext === null ? null : keptOf(withNext)]).toContainEqual(
        read === null ? null : keptOf(read),
      );
    }),
    { numRuns: runs(20, 200) },
  );
});

const JUNK = [
  "null",
  "7",
  '"text"',
  "[]",
  "{}",
  "[null,[]]",
  '{"__proto__":{"a":1}}',
  '{"a":tru}',
  DEEP,
];

test.for(OF_JSON)("%s: junk between its elements changes nothing else", async ([, file]) => {
  const texts = elementTexts(file);
  const sound = await readAs(file, textOf(file));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(texts.length), fc.constantFrom(...JUNK)), { maxLength: 6 }),
      async (junk) => {
        const mixed = texts.flatMap((text, index) => [
          ...junk.flatMap(([at, value]) => (at === index ? [value] : [])),
          text,
        ]);
        const behind = junk.flatMap(([at, value]) => (at === texts.length ? [value] : []));
        const read = await readAs(file, textOf(file, [...mixed, ...behind]));
        expectSound(read);
        expect(keptOf(read)).toEqual(keptOf(sound));
      },
    ),
    { numRuns: runs(10, 100) },
  );
});

/** Each is tried in every place. */
const REPLACEMENTS: readonly unknown[] = [null, 7, "x", [null]];
/** One of these is tried in every place, each in its turn. */
const MORE_REPLACEMENTS: readonly unknown[] = [
  true,
  0,
  -1,
  1e300,
  "",
  "\ud800 \0 \udc00",
  "9999-12-31T23:59:59Z",
  [],
  {},
  JSON.parse('{"__proto__":null,"constructor":"x","toString":null,"length":-1,"then":1}'),
  JSON.parse(DEEP.slice(960, -960)),
];

test.for(OF_JSON)(
  "%s: whatever any one value is instead, the rest is read",
  LONG,
  async ([, file]) => {
    const texts = elementTexts(file);
    for (const [index, element] of file.elements.entries()) {
      // One beside it is enough for what is read alone.
      const others =
        file.format.kind === "elements"
          ? texts.slice(0, 2).filter((_, other) => other !== index)
          : texts.toSpliced(index, 1);
      const sound = others.length === 0 ? null : await readOrRefuse(file, textOf(file, others));
      const copy = structuredClone(element);
      for (const [place, slot] of slotsOf(copy).entries()) {
        const more = MORE_REPLACEMENTS[place % MORE_REPLACEMENTS.length];
        for (const replacement of [...REPLACEMENTS, more]) {
          slot.replace(replacement);
          const damaged = others.toSpliced(index, 0, JSON.stringify(copy));
          const read = await readOrRefuse(file, textOf(file, damaged));
          if (file.format.kind !== "elements" || !sound) continue;
          expect(read === null ? null : ofOthers(file, read)).toEqual(
            expect.arrayContaining(ofOthers(file, sound)),
          );
        }
        slot.replace(slot.value);
      }
    }
  },
);

test.for(OF_JSON)("%s: keys that every object has are keys like any other", async ([, file]) => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
  const keys = [
    ...new Set(
      textOf(file)
        .matchAll(/"(\w+)":/g)
        .map(([, key]) => key),
    ),
  ];
  for (const key of keys) {
    for (const name of names) {
      await readOrRefuse(file, textOf(file).replaceAll(`"${key}":`, `"${name}":`));
    }
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test.for(OF_JSON)("%s: parents may name anyone, and circles end", async ([, file]) => {
  const ids = slotsOf(file.elements).flatMap(({ key, value }) =>
    /id$/i.test(key) && typeof value === "string" ? [value] : [],
  );
  const id = fc.constantFrom(...ids, "nobody", "__proto__", "");
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(id), async (chosen) => {
      const copy = structuredClone(file.elements);
      for (const slot of slotsOf(copy)) {
        if (/parent|current|leaf/i.test(slot.key)) slot.replace(chosen.next().value);
      }
      expectSound(await readAs(file, textOf({ ...file, elements: copy })));
    }),
    { numRuns: runs(10, 100) },
  );
});

test.for(OF_ELEMENTS)(
  "%s: elements, nodes and members may stand in any order",
  async ([, file]) => {
    const sound = await readAs(file, textOf(file));
    const said = ORDER_DECIDES.get(file.format.name) ?? linesOf;
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const elements =
          fc.sample(fc.shuffledSubarray([...file.elements], { minLength: file.elements.length }), {
            seed,
            numRuns: 1,
          })[0] ?? [];
        const read = await readAs(file, textOf({ ...file, elements }));
        expectSound(read);
        expect(keptOf(read).toSorted()).toEqual(keptOf(sound).toSorted());
        const moved = structuredClone(file.elements);
        shuffle(moved, seed, { lists: false });
        // Memories of one element come in the order of its members.
        const inOrder = await readAs(file, textOf({ ...file, elements: moved }));
        expect(keptOf(inOrder).toSorted()).toEqual(keptOf(sound).toSorted());
        const copy = structuredClone(file.elements);
        shuffle(copy, seed, { lists: true });
        const shuffled = await readOrRefuse(file, textOf({ ...file, elements: copy }));
        if (shuffled === null) return;
        expect(shuffled.sums.message).toBe(sound.sums.message);
        expect(said(shuffled)).toEqual(said(sound));
      }),
      { numRuns: runs(8, 80) },
    );
  },
);

/** Every object's members, and every list where those are meant too, at any depth. */
function shuffle(root: unknown, seed: number, { lists }: { readonly lists: boolean }): void {
  for (const holder of new Set(slotsOf(root).map((slot) => slot.holder))) {
    if (Array.isArray(holder) && !lists) continue;
    const slots = slotsOf(holder).filter((slot) => slot.holder === holder);
    const [order = []] = fc.sample(fc.shuffledSubarray(slots, { minLength: slots.length }), {
      seed,
      numRuns: 1,
    });
    if (Array.isArray(holder)) {
      for (const [index, { value }] of order.entries()) holder[index] = value;
    } else {
      const members = order.map(({ key, value }) => [key, value] as const);
      for (const { key } of slots) Reflect.deleteProperty(holder, key);
      Object.assign(holder, Object.fromEntries(members));
    }
  }
}

test.for(OF_JSON)("%s: what stands twice is read once", async ([, file]) => {
  const sound = await readAs(file, textOf(file));
  const twice = await readAs(
    file,
    textOf(
      file,
      elementTexts(file).flatMap((text) => [text, text]),
    ),
  );
  expectSound(twice);
  // Without an id of the platform, two copies are told apart only from what is stored.
  if (file.format.kind === "elements")
    expect(new Set(keptOf(twice))).toEqual(new Set(keptOf(sound)));
  for (const { value: list } of slotsOf(structuredClone(file.elements))) {
    if (!Array.isArray(list)) continue;
    const doubled = structuredClone(file.elements);
    for (const { value } of slotsOf(doubled)) {
      if (Array.isArray(value) && JSON.stringify(value) === JSON.stringify(list)) {
        value.push(...structuredClone(value));
      }
    }
    await readOrRefuse(file, textOf({ ...file, elements: doubled }));
  }
});

test.for(CASES)("%s: a byte order mark and other line ends change nothing", async ([, file]) => {
  const sound = await readAs(file, textOf(file));
  for (const text of [
    `\uFEFF${textOf(file)}`,
    textOf({ ...file, between: file.between.replace("\n", "\r\n") }),
    `\uFEFF\r\n${textOf({ ...file, between: `${file.between}\r\n` })}\r\n`,
  ]) {
    const isLoose = file.format.kind === "text";
    const read = await readOrRefuse(file, text);
    if (!isLoose) expect(read === null ? null : keptOf(read)).toEqual(keptOf(sound));
  }
});

test.for(CASES)(
  "%s: in UTF-16 with its mark it is read, and without, or in no encoding at all, refused or sound",
  async ([, file]) => {
    const text = textOf(file);
    const sound = await readAs(file, text);
    for (const isLittle of [true, false]) {
      const wide = utf16(text, isLittle);
      expect(keptOf(await readAs(file, wide))).toEqual(keptOf(sound));
      await readOrRefuse(file, wide.subarray(2));
    }
    const bytes = new TextEncoder().encode(text);
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 20 }), async (changes) => {
        const changed = bytes.slice();
        for (const [at, byte] of changes) changed[at] = byte;
        await readOrRefuse(file, changed);
      }),
      { numRuns: runs(20, 200) },
    );
  },
);

/** The file with another text in place of the first that a reading keeps. */
async function withText(file: SoundExport): Promise<(text: string) => string> {
  const marker = "a text to be found again";
  if (file.format.kind === "text") {
    const place = elementTexts(file).findLastIndex((text) =>
      /Close|Keeps|Because|Bakes|please/.test(text),
    );
    return (text) =>
      textOf(
        file,
        elementTexts(file).with(
          place,
          String(file.elements[place]).replace(
            /(?:Close|Keeps|Because|Bakes|please).*?(?=<|"|$)/,
            () => text,
          ),
        ),
      );
  }
  for (let place = 0; ; place += 1) {
    const copy = structuredClone(file.elements);
    const slot = slotsOf(copy)[place];
    if (slot === undefined) throw new Error(`${file.format.name} keeps no text`);
    if (typeof slot.value !== "string") continue;
    slot.replace(marker);
    const read = await readOrRefuse(file, textOf({ ...file, elements: copy }));
    const kept = read?.records.some(
      (record) =>
        (record.type === "conversation" &&
          record.conversation.messages.some(({ text }) => text.includes(marker))) ||
        (record.type === "memory" && record.memory.content.includes(marker)),
    );
    if (kept === true) {
      return (text) => {
        slot.replace(text);
        return textOf({ ...file, elements: copy });
      };
    }
  }
}

test.for(OF_EACH_FORMAT)("%s: a text of 16 MiB is read whole", LONG, async ([, file]) => {
  const words = "sixteen bytes ok".repeat(1_048_576);
  const read = await readAs(file, (await withText(file))(words));
  expectSound(read);
  const texts = [
    ...read.conversations.flatMap(({ messages }) => messages.map(({ text }) => text)),
    ...read.memories.map(({ content }) => content),
  ];
  expect(Math.max(...texts.map(({ length }) => length))).toBeGreaterThanOrEqual(words.length);
});

/** What a reader looks for in a text, with no end to it. A step that goes back for each of them would not come to an end in the time that a test has. */
const REPEATED = [
  ["<", "&", "[", "(", "{", '"', "'", "`", "#", "-", "*", ".", ":", "\n", "\t", " ", "\\", "/"],
  ["é", "\ud800", "\0"],
  ["&#", "&lt;", "<b ", "<div", "</", "<!--", "<p>", "<br>", "</p>", "<script>", "<style "],
  ['<details type="reasoning">', "</details>", "<grok:render ", "<user_query>", "</user_query>"],
  ["<command-name>", "<local-command-stdout>", "<environment_context>", "<attached_files>"],
  ["【4:0†", "\ue200cite\ue202turn0", "\ue201", 'entity["city","a",', "[REDACTED]", "]( ", "[["],
  ["```\n", "```", "- ", "1. ", "[2026-05-02] - ", "[2026-05-02]. ", "# a\n", "**a**\n\n", "**"],
  ["---\n", "a: [", "a: '", "tags: a,\n", "  - a\n", "Prompted ", "a:\u00a0", "\r\n", "🐝"],
].flat();

test.for(OF_EACH_FORMAT)(
  "%s: no text takes more than its length in time",
  LONG,
  async ([, file]) => {
    const write = await withText(file);
    for (const part of REPEATED) {
      const text = part.repeat(40_000 / part.length);
      await readOrRefuse(file, write(`${text} x ${text}`));
    }
  },
);

test("files without anything in them are called empty", async () => {
  const [, file] = CASES[0] ?? [];
  if (file === undefined) throw new Error("There are cases");
  for (const text of ["", " \r\n", "\uFEFF", "[]", " [ ]\n"]) {
    await expect(readAs(file, text)).rejects.toMatchObject({
      code: "unsupported_format",
      message: "There is nothing in this file.",
    });
  }
});

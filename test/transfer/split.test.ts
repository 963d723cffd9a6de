import fc from "fast-check";
import { expect, test } from "vitest";
import { splitElements, SPLIT_LIMITS, type SplitItem } from "../../src/transfer/split.ts";
import { chunked } from "./fixtures/bytes.ts";

async function split(text: string, { size = 7, limits = SPLIT_LIMITS } = {}): Promise<SplitItem[]> {
  const items: SplitItem[] = [];
  for await (const item of splitElements(chunked(text, size), limits)) items.push(item);
  return items;
}

const valuesOf = (items: readonly SplitItem[]): unknown[] =>
  items.flatMap((item) => (item.type === "element" ? [item.value] : []));

const jsonValues = fc.array(
  fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value))),
);

test("any list of values comes back whole, in chunks of any size, in any layout", async () => {
  await fc.assert(
    fc.asyncProperty(
      jsonValues,
      fc.integer({ min: 1, max: 50 }),
      fc.nat(3),
      async (values, size, indent) => {
        const text = JSON.stringify(values, null, indent);
        expect(await split(text, { size })).toEqual(
          values.map((value) => ({ type: "element", container: null, value })),
        );
      },
    ),
  );
});

test("JSON lines come back whole, also with a broken line, empty lines and no last line break", async () => {
  await fc.assert(
    fc.asyncProperty(jsonValues, fc.integer({ min: 1, max: 50 }), async (values, size) => {
      const objects = values.map((value) => ({ value }));
      const text = objects.map((object) => JSON.stringify(object)).join("\n\r\n");
      expect(valuesOf(await split(text, { size }))).toEqual(objects);
    }),
  );
  expect(await split('{"a":1}\n{"b":"cut off\n[{"c":\n{"d":4}\n{"e":')).toEqual([
    { type: "element", container: null, value: { a: 1 } },
    { type: "skipped", container: null, reason: "unreadable", example: null },
    { type: "skipped", container: null, reason: "unreadable", example: null },
    { type: "element", container: null, value: { d: 4 } },
    { type: "skipped", container: null, reason: "truncated_file", example: null },
    { type: "truncated" },
  ]);
});

test("lists inside an object are split under their key, whatever stands around them", async () => {
  const text = JSON.stringify({
    format: "x",
    note: { conversations: [1] },
    conversations: [1, null, "a,b]", { c: [2] }],
    between: true,
    memories: [],
    last: [1, 2],
  });
  expect(await split(text)).toEqual([
    { type: "members", value: { format: "x", note: { conversations: [1] } } },
    { type: "element", container: "conversations", value: 1 },
    { type: "element", container: "conversations", value: null },
    { type: "element", container: "conversations", value: "a,b]" },
    { type: "element", container: "conversations", value: { c: [2] } },
    { type: "members", value: { between: true } },
    { type: "members", value: { last: [1, 2] } },
  ]);
});

test("a single object is one element, also behind a byte order mark", async () => {
  const object = { mapping: { a: null }, conversations: "no list" };
  expect(await split(`\uFEFF${JSON.stringify(object, null, 2)}\n`)).toEqual([
    { type: "element", container: null, value: object },
  ]);
});

test("a file cut off anywhere keeps what was complete and says so", async () => {
  const values = [{ title: "One", list: ["]", '"'] }, null, [1], { deep: { er: "Ŵ 🐝" } }];
  const bytes = new TextEncoder().encode(JSON.stringify(values));
  for (let cut = 1; cut < bytes.length; cut += 1) {
    const items: SplitItem[] = [];
    for await (const item of splitElements(oneChunk(bytes.slice(0, cut)))) items.push(item);
    expect(items.at(-1)).toEqual({ type: "truncated" });
    const found = valuesOf(items);
    expect(found).toEqual(values.slice(0, found.length));
    expect(items.filter((item) => item.type === "skipped").length).toBeLessThanOrEqual(1);
  }
});

test("an element over a limit is skipped by its title, and the next one is read", async () => {
  const limits = { depth: 8, elementBytes: 100 };
  const deep = `{"name":"Deep","x":${"[".repeat(9)}${"]".repeat(9)}}`;
  const large = JSON.stringify({ title: 'Large "one"', text: "x".repeat(200) });
  expect(await split(`[${deep},${large},{"small":1}]`, { limits })).toEqual([
    { type: "skipped", container: null, reason: "unreadable", example: "Deep" },
    { type: "skipped", container: null, reason: "too_large", example: 'Large "one"' },
    { type: "element", container: null, value: { small: 1 } },
  ]);
  expect(await split(large, { limits })).toMatchObject([{ reason: "too_large" }]);
  expect(await split(deep, { limits })).toMatchObject([{ reason: "unreadable" }]);
});

test("a million brackets neither overflow nor reach the parser", async () => {
  expect(await split(`[${"[".repeat(1_000_000)}`, { size: 65_536 })).toMatchObject([
    { type: "skipped", reason: "unreadable" },
    { type: "truncated" },
  ]);
});

test("a damaged element costs only itself", async () => {
  expect(await split('[{"a":1},{"b":tru},{"c" 3},{"d":4},]')).toMatchObject([
    { value: { a: 1 } },
    { reason: "unreadable" },
    { reason: "unreadable" },
    { value: { d: 4 } },
  ]);
});

test("no bytes whatever make it throw", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc
          .array(fc.constantFrom(...'[]{},:"\\\n 1nté'.split(""), '"conversations":['), {
            maxLength: 80,
          })
          .map((parts) => new TextEncoder().encode(parts.join(""))),
      ),
      async (bytes) => {
        for await (const item of splitElements(oneChunk(bytes))) {
          expect(item.type).toMatch(/element|members|skipped|truncated/);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

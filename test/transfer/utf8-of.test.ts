import fc from "fast-check";
import { expect, test } from "vitest";
import { utf8Of } from "../../src/transfer/utf8-of.ts";
import { chunked, utf16 } from "./fixtures/bytes.ts";

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  for await (const chunk of utf8Of(chunks)) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

test("UTF-16 with its mark is the same text in UTF-8, and UTF-8 stays as it is, however the bytes come", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "grapheme", maxLength: 40 }),
      fc.integer({ min: 1, max: 7 }),
      async (text, size) => {
        const said = text.toWellFormed();
        for (const isLittle of [true, false]) {
          expect(await textOf(chunked(utf16(said, isLittle), size))).toBe(said);
        }
        const plain = new TextEncoder().encode(said);
        expect(await textOf(chunked(plain, size))).toBe(said);
      },
    ),
  );
});

test("a long file is decoded in slices, and half a character at its end is marked", async () => {
  const long = "é🍵".repeat(60_000);
  const sizes: number[] = [];
  for await (const { length } of utf8Of(chunked(utf16(long, true), 1_000_000))) sizes.push(length);
  expect(Math.max(...sizes)).toBeLessThan(200_000);
  expect(await textOf(chunked(utf16("a🍵", false).subarray(0, -1), 3))).toBe("a\uFFFD");
});

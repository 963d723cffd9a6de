import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { readExport, type ExportFile } from "../../src/transfer/read.ts";
import {
  expandZips,
  READER_LIMITS,
  SERVER_LIMITS,
  type UnzipLimits,
} from "../../src/transfer/unzip.ts";
import * as chatgpt from "./fixtures/chatgpt.ts";
import { collect, lines } from "./fixtures/reading.ts";
import { bytesIn, deflatedBomb, zipOf, type ZippedFile } from "./fixtures/zip.ts";

// These tests run in workerd, which unzips as the server, and in Node, which does as the person's own machine.
const isServer = navigator.userAgent === "Cloudflare-Workers";
const HERE = isServer ? SERVER_LIMITS : READER_LIMITS;

async function textOf({ bytes }: ExportFile): Promise<string> {
  if (typeof bytes !== "function") throw new Error("A file of an upload can be opened again");
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of bytes()) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

/** Name and text of every file. */
async function contentsOf(
  uploaded: File | readonly File[],
  limits: UnzipLimits = HERE,
): Promise<[name: string, text: string][]> {
  const contents: [string, string][] = [];
  const files = uploaded instanceof File ? [uploaded] : uploaded;
  for (const file of await expandZips(files, limits)) {
    contents.push([file.name, await textOf(file)]);
  }
  return contents;
}

async function refusalOf(zip: File): Promise<UserError> {
  const error: unknown = await contentsOf(zip).then(
    () => "nothing was refused",
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UserError)) throw new Error("No UserError", { cause: error });
  return error;
}

/** Text that does not shrink. */
const noise = (bytes: number) =>
  Array.from({ length: bytes / 36 }, () => crypto.randomUUID()).join("");

/** A file of zeros after the text, 1:1032, that states how large it is, or does not. */
async function bomb(
  text = "[",
  { name = "bomb.json", size = 3 * 2 ** 30 } = {},
): Promise<ZippedFile> {
  const content = await deflatedBomb(text, 4 * 1_048_576);
  return { name, content, method: 0, states: { method: 8, size, crc: 0 } };
}

test("a zip is its files; media, folders, links and resource forks are left out", async () => {
  const zip = await zipOf([
    { name: "conversations.json", content: "[1]" },
    { name: "sub/", method: 0 },
    { name: "sub/notes.json", content: "[2]", method: 0 },
    { name: "folder/", content: "data that a folder cannot have" },
    { name: "link.json", content: "/etc/passwd", unixMode: 0o120777 },
    { name: "photo.png", content: "…" },
    { name: "__MACOSX/._conversations.json", content: "x" },
    { name: "__MACOSX\\._notes.json", content: "x" },
  ]);
  const loose = new File(["[3]"], "loose.json");
  expect(await contentsOf([zip, loose])).toEqual([
    ["export.zip/conversations.json", "[1]"],
    ["export.zip/sub/notes.json", "[2]"],
    ["loose.json", "[3]"],
  ]);
  const [file] = await expandZips([zip], HERE);
  if (file === undefined) throw new Error("There is a file");
  expect([await textOf(file), await textOf(file)]).toEqual(["[1]", "[1]"]);
});

test("zips as streams, large archives, old systems and installers write them are read", async () => {
  const name = "Gespräche 🐝.json";
  const shapes = {
    descriptor: await zipOf([{ name, content: "[1]", hasDescriptor: true }]),
    "stored with a descriptor": await zipOf([
      { name, content: "[1]", hasDescriptor: true, method: 0 },
    ]),
    zip64: await zipOf([{ name, content: "[1]", isZip64: true }], { isZip64: true }),
    "no flag for UTF-8": await zipOf([{ name, content: "[1]", flags: 0 }]),
    "something before it": await zipOf([{ name, content: "[1]" }], {
      prefix: new TextEncoder().encode("MZ a program that unpacks itself"),
    }),
  };
  for (const [shape, zip] of Object.entries(shapes)) {
    expect(await contentsOf(zip), shape).toEqual([[`export.zip/${name}`, "[1]"]]);
  }
  expect(await contentsOf(await zipOf([]))).toEqual([]);
});

test("two files of one name are two files", async () => {
  const zip = await zipOf([
    { name: "conversations.json", content: "[1]" },
    { name: "conversations.json", content: "[2]" },
  ]);
  expect((await contentsOf(zip)).map(([, text]) => text)).toEqual(["[1]", "[2]"]);
});

test("a zip of zips is opened, one in that is named and not read", async () => {
  const inner = await zipOf([
    { name: "conversations.json", content: JSON.stringify([chatgpt.branched()]) },
  ]);
  const middle = await zipOf([{ name: "inner.zip", content: await bytesIn(inner) }]);
  const outer = await zipOf([
    { name: "middle.zip", content: await bytesIn(middle) },
    { name: "conversations-000.zip", content: await bytesIn(inner) },
  ]);
  const reading = await readExport(await expandZips([outer], HERE));
  expect(reading.recognised).toMatchObject([
    { outcome: "not_read", reason: "archive", name: "export.zip/middle.zip/inner.zip" },
    { outcome: "read", name: "export.zip/conversations-000.zip/conversations.json" },
  ]);
  expect((await collect(reading)).conversations.map(lines)).toHaveLength(1);
});

test("a bomb is refused unread, and where it lies about its size, at that size", async () => {
  for (const limits of new Set([HERE, { ...READER_LIMITS, inflatesNatively: !isServer }])) {
    const readTo = async (size: number) => {
      const [file] = await expandZips([await zipOf([await bomb("[", { size })])], limits);
      if (typeof file?.bytes !== "function") throw new Error("There is a file");
      let bytes = 0;
      const reading = (async (open) => {
        for await (const chunk of open()) bytes += chunk.length;
      })(file.bytes);
      const error = await reading.catch((thrown: unknown) => thrown);
      return { bytes, error };
    };
    expect(await readTo(4 * 2 ** 30 - 1)).toMatchObject({
      bytes: 0,
      error: { code: "too_large", hint: expect.stringContaining("200 times") },
    });
    const lying = await readTo(10_000_000);
    expect(lying.bytes).toBeLessThanOrEqual(10_000_000);
    expect(lying.error).toMatchObject({ message: expect.stringContaining("another size") });
  }
});

test("bombs inside of zips are refused before anything is read", async () => {
  const inner = await zipOf([await bomb()]);
  const outer = await zipOf([{ name: "inner.zip", content: await bytesIn(inner), method: 0 }]);
  expect(await refusalOf(outer)).toMatchObject({ code: "too_large" });
  const asZip = await zipOf([
    await bomb("PK\u0003\u0004", { name: "inner.zip", size: 500 * 2 ** 20 }),
  ]);
  await expect(expandZips([asZip], HERE)).rejects.toMatchObject({ code: "too_large" });
});

test("files that share their bytes are refused", async () => {
  const file = { name: "a.json", content: noise(3_600) };
  const zip = await zipOf([
    file,
    ...Array.from({ length: 50 }, () => ({ ...file, states: { offset: 0 } })),
  ]);
  expect((await refusalOf(zip)).message).toMatch(/same bytes/);
  // One within the other: the outer one's data holds the inner one whole.
  const whole = await bytesIn(await zipOf([{ name: "b.json", content: "[]" }]));
  const quoting = await zipOf([
    { name: "a.json", content: whole, method: 0 },
    { name: "b.json", content: "[]", states: { offset: 36 } },
  ]);
  expect((await refusalOf(quoting)).message).toMatch(/same bytes/);
});

test("an entry above the limit stops there", async () => {
  const zip = await zipOf([{ name: "a.json", content: noise(72_000), method: 0 }]);
  const limits = { ...HERE, entryBytes: 10_000 };
  await expect(contentsOf(zip, limits)).rejects.toMatchObject({ code: "too_large" });
});

test("zips inside zips share one limit, counted as they come out", async () => {
  const inner = await zipOf([{ name: "a.json", content: noise(7_200), method: 0 }]);
  const content = await bytesIn(inner);
  const outer = await zipOf([
    { name: "one.zip", content, method: 0 },
    { name: "two.zip", content, method: 0 },
  ]);
  const limits = { ...HERE, innerZipBytes: 2 * inner.size };
  expect(await expandZips([outer], limits)).toHaveLength(2);
  await expect(
    expandZips([outer], { ...limits, innerZipBytes: 2 * inner.size - 1 }),
  ).rejects.toMatchObject({ code: "too_large" });
});

test("more files than can be looked at are refused, in one zip or in several", async () => {
  const files = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ name: `${index}.png`, method: 0 }));
  const zip = await zipOf(files(5_000));
  expect(await contentsOf([zip, zip])).toEqual([]);
  await expect(expandZips([zip, zip, await zipOf(files(1))], HERE)).rejects.toMatchObject({
    code: "too_large",
    message: expect.stringContaining("10000"),
  });
  const outer = await zipOf([
    { name: "one.zip", content: await bytesIn(zip) },
    { name: "two.zip", content: await bytesIn(zip) },
  ]);
  await expect(expandZips([outer], HERE)).rejects.toMatchObject({ code: "too_large" });
});

test("a list of files too long to be held is not", async () => {
  const long = { name: `${"x".repeat(60_000)}.png`, method: 0 };
  const zip = await zipOf(Array.from({ length: 280 }, () => long));
  expect(await refusalOf(zip)).toMatchObject({ code: "too_large" });
});

test("names that point outside of the zip are refused", async () => {
  for (const name of [
    "../../etc/passwd",
    "sub/../../x.json",
    "..\\..\\x.json",
    "/etc/passwd",
    "\\server\\x.json",
    "C:\\x.json",
    "c:/x.json",
    "..",
  ]) {
    const error = await refusalOf(await zipOf([{ name, content: "[]" }]));
    expect(error.message, name).toMatch(/^"export.zip" .*outside of the zip/);
  }
});

test("odd names are only names", async () => {
  const name = "nul\0 \ud83d\udc1d dots..in..it ~ %2e%2e.json";
  const long = `${"folder/".repeat(5_000)}notes.json`;
  const invalid = new Uint8Array([0x61, 0xff, 0xfe, 0x2e, 0x6a, 0x73, 0x6f, 0x6e]);
  const zip = await zipOf([
    { name, content: "[1]" },
    { name: long, content: "[2]" },
    { name: invalid, content: "[3]" },
    { name: "", content: "[4]" },
    { name: "__proto__", content: "[5]" },
    { name: "sub\\notes.json", content: "[6]" },
  ]);
  const contents = await contentsOf(zip);
  expect(contents.map(([, text]) => text)).toEqual(["[1]", "[2]", "[3]", "[4]", "[5]", "[6]"]);
  for (const [shown] of contents) {
    expect(shown).not.toContain("\0");
    expect(shown.isWellFormed()).toBe(true);
    expect(shown.length).toBeLessThan(320);
  }
  expect(contents[0]?.[0]).toContain("🐝");
  expect(contents[1]?.[0]).toMatch(/\/notes\.json$/);
});

const AES = new Uint8Array([0x01, 0x99, 7, 0, 2, 0, 0x41, 0x45, 3, 8, 0]);

test.for<[reason: RegExp, files: ZippedFile[]]>([
  [/encrypted/, [{ name: "a.json", content: "12 bytes, then", flags: 0x0801 }]],
  [/encrypted/, [{ name: "a.json", content: "x", flags: 0x0801, method: 99, extra: AES }]],
  [/encrypted/, [{ name: "a.json", content: "x", flags: 0x0841 }]],
  [/another size/, [{ name: "a.json", content: "[1,2,3]", states: { size: 3 } }]],
  // Where the platform inflates, its check of the bytes covers their number.
  [/another size|checksum/, [{ name: "a.json", content: "[1,2,3]", states: { size: 30 } }]],
  [/another size/, [{ name: "a.json", content: "[1,2]", method: 0, states: { size: 3 } }]],
  [/cut off/, [{ name: "a.json", content: "[1,2]", states: { compressedSize: 5_000 } }]],
  [/damaged/, [{ name: "a.json", content: noise(72), states: { compressedSize: 9 } }]],
  [/checksum/, [{ name: "a.json", content: "[1,2,3]", states: { crc: 7 } }]],
  [/checksum/, [{ name: "a.json", content: "[1,2,3]", method: 0, states: { crc: 7 } }]],
  [
    /checksum|damaged/,
    [{ name: "a.json", content: "no deflate", method: 0, states: { method: 8 } }],
  ],
  [/compressed by a method/, [{ name: "a.json", content: "BZh9", method: 12 }]],
  [/compressed by a method/, [{ name: "a.json", content: "\u0028\u00b5", method: 93 }]],
  [/compressed by a method/, [{ name: "a.json", content: "", method: 14 }]],
  [/contradicts/, [{ name: "a.json", content: "[1]", locally: { method: 0 } }]],
  [/contradicts/, [{ name: "a.json", content: "[1]", locally: { size: 99 } }]],
  [/contradicts/, [{ name: "a.json", content: "[1]", locally: { flags: 0x0801 } }]],
  [/damaged/, [{ name: "a.json", content: "[1]", states: { offset: 5 } }]],
  [/damaged/, [{ name: "a.json", content: "[1]", states: { offset: 0xff_ff_ff_f0 } }]],
])("refused as one that %s: %o", async ([reason, files]) => {
  const error = await refusalOf(await zipOf(files));
  expect(error.code).toBe("unsupported_format");
  expect(error.message).toMatch(reason);
  expect(error.hint).toMatch(/Download the export again/);
});

test("a name that is another in the file's own header changes nothing", async () => {
  const zip = await zipOf([{ name: "a.json", content: "[1]", locally: { name: "../b.exe" } }]);
  expect(await contentsOf(zip)).toEqual([["export.zip/a.json", "[1]"]]);
});

test("parts of a split zip are named as such", async () => {
  const last = await zipOf([{ name: "a.json", content: "[1]" }], { disk: 1 });
  const first = new File(["PK\u0007\u0008PK\u0003\u0004 and so on and on"], "export.z01");
  expect((await refusalOf(last)).message).toMatch(/one part of a zip/);
  expect((await refusalOf(first)).message).toMatch(/one part of a zip/);
});

test("an end that lies about the list of files is refused", async () => {
  const files = [{ name: "a.json", content: "[1]" }];
  for (const states of [{ entries: 2 }, { entries: 60_000 }, { directoryBytes: 0xff_ff_ff_f0 }]) {
    expect(await refusalOf(await zipOf(files, { states }))).toBeInstanceOf(UserError);
  }
});

test("a zip cut off anywhere is refused, and never waits for what does not come", async () => {
  const whole = await bytesIn(
    await zipOf([
      { name: "a.json", content: noise(360) },
      { name: "b.json", content: "[2]", hasDescriptor: true },
    ]),
  );
  for (let cut = 4; cut < whole.length; cut += 1) {
    expect((await refusalOf(new File([whole.slice(0, cut)], "cut.zip"))).message).toMatch(/^"cut/);
  }
});

test("whatever bytes of a zip are changed, it is read or refused", async () => {
  // In workerd not deflated: where data is both damaged and too long, its `pipeThrough` leaves a rejection unhandled, which fails the run.
  const method = isServer ? 0 : 8;
  const inner = await zipOf([{ name: "b.json", content: "[2]", method }]);
  const files: ZippedFile[] = [
    { name: "a.json", content: JSON.stringify([chatgpt.slim()]), method },
    { name: "inner.zip", content: await bytesIn(inner), method },
    { name: "c.json", content: "[3]", method, hasDescriptor: true, isZip64: true },
  ];
  const whole = await bytesIn(await zipOf(files, { isZip64: true }));
  const change = fc.tuple(fc.nat(whole.length - 1), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const bytes = whole.slice();
      for (const [offset, byte] of changes) bytes[offset] = byte;
      await contentsOf(new File([bytes], "changed.zip")).catch((error: unknown) => {
        expect(error).toBeInstanceOf(UserError);
      });
    }),
    { numRuns: 500 },
  );
});

test("a reader that only looks at the head leaves nothing behind", async () => {
  const numbers = Array.from({ length: 200_000 }, (_, index) => index);
  const zip = await zipOf([{ name: "a.json", content: JSON.stringify(numbers) }]);
  const [file] = await expandZips([zip], HERE);
  if (file === undefined || typeof file.bytes !== "function") throw new Error("One file");
  for await (const chunk of file.bytes()) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  expect((await textOf(file)).endsWith("199999]")).toBe(true);
});

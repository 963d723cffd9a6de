import {
  BlobReader,
  BlobWriter,
  TextReader,
  ZipWriter,
} from "@zip.js/zip.js/lib/zip-core-native.js";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import type { ExportFile } from "../../src/transfer/read.ts";
import { expandZips } from "../../src/transfer/unzip.ts";

async function zipOf(files: Readonly<Record<string, string | Blob>>, options = {}): Promise<File> {
  const writer = new ZipWriter(new BlobWriter("application/zip"), { useWebWorkers: false });
  for (const [name, content] of Object.entries(files)) {
    await writer.add(
      name,
      typeof content === "string" ? new TextReader(content) : new BlobReader(content),
      options,
    );
  }
  return new File([await writer.close()], "export.zip");
}

async function textOf({ bytes }: ExportFile): Promise<string> {
  if (typeof bytes !== "function") throw new Error("A file of an upload can be opened again");
  return new Blob(await Array.fromAsync(bytes() as AsyncIterable<Uint8Array<ArrayBuffer>>)).text();
}

test("a zip is its files; media, folders and resource forks are left out", async () => {
  const zip = await zipOf({
    "conversations.json": "[1]",
    "sub/notes.json": "[2]",
    "photo.png": "…",
    "__MACOSX/._conversations.json": "x",
  });
  const files = await expandZips([zip, new File(["[3]"], "loose.json")]);
  expect(files.map(({ name }) => name)).toEqual([
    "export.zip/conversations.json",
    "export.zip/sub/notes.json",
    "loose.json",
  ]);
  expect(await Promise.all(files.map(textOf))).toEqual(["[1]", "[2]", "[3]"]);
  expect(await textOf(files[0] ?? { name: "", bytes: "" })).toBe("[1]");
});

test("a zip of zips is opened, one in that is not", async () => {
  const inner = await zipOf({ "conversations.json": "[1]" });
  const middle = await zipOf({ "inner.zip": inner });
  const [file] = await expandZips([await zipOf({ "conversations-000.zip": inner })]);
  expect(file?.name).toBe("export.zip/conversations-000.zip/conversations.json");
  const [deep] = await expandZips([await zipOf({ "middle.zip": middle })]);
  expect(deep?.name).toMatch(/inner\.zip$/);
});

test("a bomb stops at its ratio, whatever it says of its size", async () => {
  const zip = await zipOf({ "bomb.json": "0".repeat(5_000_000) });
  const [file] = await expandZips([zip]);
  await expect(textOf(file ?? { name: "", bytes: "" })).rejects.toMatchObject({
    code: "too_large",
  });
});

test("an entry above the limit stops there", async () => {
  const [file] = await expandZips(
    [await zipOf({ "a.json": crypto.randomUUID().repeat(2_000) }, { level: 0 })],
    {
      entries: 10,
      entryBytes: 10_000,
      innerZipBytes: 10_000,
      ratio: 200,
    },
  );
  await expect(textOf(file ?? { name: "", bytes: "" })).rejects.toMatchObject({
    code: "too_large",
  });
});

test("encrypted, truncated and unsafe zips are refused with the reason", async () => {
  const secret = await zipOf({ "a.json": "[]" }, { password: "secret" });
  await expect(expandZips([secret])).rejects.toThrow(/encrypted/);
  const whole = await zipOf({ "a.json": "[]" });
  await expect(expandZips([new File([whole.slice(0, 40)], "cut.zip")])).rejects.toBeInstanceOf(
    UserError,
  );
  await expect(
    expandZips([
      await zipOf({ "../../etc/passwd": "x" }).catch(() => new File(["PK\u0003\u0004"], "x.zip")),
    ]),
  ).rejects.toBeInstanceOf(UserError);
});

test("a reader that only looks at the head leaves nothing behind", async () => {
  const [file] = await expandZips([
    await zipOf({ "a.json": JSON.stringify(Array.from({ length: 200_000 }, (_, index) => index)) }),
  ]);
  if (file === undefined || typeof file.bytes !== "function") throw new Error("One file");
  for await (const chunk of file.bytes()) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  expect((await textOf(file)).endsWith("199999]")).toBe(true);
});

test("zips inside a zip share one limit, counted as they come out", async () => {
  const inner = await zipOf({ "a.json": crypto.randomUUID().repeat(200) }, { level: 0 });
  const outer = await zipOf({ "one.zip": inner, "two.zip": inner }, { level: 0 });
  const limits = { entries: 10, entryBytes: 100_000, ratio: 200 };
  const enough = await expandZips([outer], { ...limits, innerZipBytes: 2 * inner.size });
  expect(enough).toHaveLength(2);
  await expect(
    expandZips([outer], { ...limits, innerZipBytes: 2 * inner.size - 1 }),
  ).rejects.toMatchObject({ code: "too_large" });
});

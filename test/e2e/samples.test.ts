/** Real exports, of which there are none here: COFIO_SAMPLES names a folder with some. Without it there is nothing to read. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { readExport } from "../../src/transfer/read.ts";
import { expandZips, READER_LIMITS } from "../../src/transfer/unzip.ts";
import { collect } from "../transfer/fixtures/reading.ts";
import { expectSound } from "../transfer/fixtures/sound.ts";

const folder = process.env["COFIO_SAMPLES"] ?? null;
const samples =
  folder === null
    ? []
    : readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));

const open = (path: string) => new File([readFileSync(path)], path.slice((folder ?? "").length));

test.for(samples)(
  "%s is sound and read the same twice, or refused with the reason",
  async (path) => {
    try {
      const reading = await readExport(await expandZips([open(path)], READER_LIMITS));
      const read = await collect(reading);
      expectSound(read);
      expect(read.records.length).toBeGreaterThan(0);
      expect((await collect(reading)).records).toEqual(read.records);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      expect(error.code).toMatch(/unsupported_format|too_large/);
    }
  },
);

test("all of them in one upload add up", async (context) => {
  if (samples.length === 0) context.skip("COFIO_SAMPLES names no folder");
  const reading = await readExport(await expandZips(samples.map(open), READER_LIMITS));
  expect(reading.recognised).toHaveLength(samples.length);
  expectSound(await collect(reading));
});

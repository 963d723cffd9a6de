import fc from "fast-check";
import { expect, test } from "vitest";
import { damaged } from "../fixtures/damage.ts";
import { doobidooExport, memoriesOf } from "../fixtures/doobidoo.ts";
import { readValues } from "../fixtures/reading.ts";

test("a memory keeps its hash as its id, its times, and its type as a tag", async () => {
  const { memories, skipped, sums } = await readValues(doobidooExport([...memoriesOf(), 7]));
  expect(memories).toEqual([
    {
      source: "doobidoo",
      originId: "hash-1",
      content: "The hives stand behind the barn.",
      tags: ["bees", "farm", "note"],
      createdAt: 1_790_000_000_500,
      updatedAt: 1_790_000_600_000,
    },
    {
      source: "doobidoo",
      originId: "hash-2",
      content: "Order frames in March.",
      tags: ["bees", "shopping"],
    },
  ]);
  expect(skipped).toEqual({ "memory empty": 1, "memory unreadable": 1 });
  expect(sums).toEqual({ conversation: 0, message: 0, memory: 4 });
});

test("it is known by its metadata, by its memories where that stands behind them, and when it is empty", async () => {
  const { export_metadata: metadata, memories } = doobidooExport();
  const many = Array.from({ length: 30 }, (_, index) => ({
    ...memoriesOf()[0],
    content: `Frame ${index}`,
    content_hash: `hash-${index}`,
  }));
  const { reading, sums } = await readValues(
    doobidooExport([null, "damaged"]),
    { memories, export_metadata: metadata },
    { memories: many, export_metadata: metadata },
    doobidooExport([]),
  );
  expect(reading.recognised.map((file) => file.outcome === "read" && file.format)).toEqual(
    Array.from({ length: 4 }, () => "doobidoo memory export"),
  );
  expect(sums.memory).toBe(35);
});

test("whatever is damaged, nothing throws and every memory is counted once", async () => {
  await fc.assert(
    fc.asyncProperty(damaged(memoriesOf()), async (value) => {
      const list = Array.isArray(value) ? value : [value];
      const { reading, sums } = await readValues(doobidooExport(list));
      expect(sums).toEqual(reading.totals);
      expect(sums.memory).toBe(list.length);
    }),
    { numRuns: 300 },
  );
});

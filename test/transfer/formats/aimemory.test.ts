import fc from "fast-check";
import { expect, test } from "vitest";
import { memories } from "../fixtures/aimemory.ts";
import { damaged } from "../fixtures/damage.ts";
import { readValues } from "../fixtures/reading.ts";

test("memories are taken from the export's object and from a bare list, tags also out of JSON text", async () => {
  const whole = { count: 4, memories: memories(), exported_at: "2026-06-01T00:00:00Z" };
  const read = await readValues(whole);
  expect(read.reading.recognised).toMatchObject([{ format: "aimemory export" }]);
  expect(read.memories).toEqual([
    {
      source: "aimemory",
      originId: "12",
      content: "Prefers spelt to rye.",
      tags: ["food", "bread"],
      createdAt: Date.UTC(2026, 4, 1, 8),
      updatedAt: Date.UTC(2026, 4, 2, 8),
    },
    { source: "aimemory", originId: "b", content: "Has a daughter.", tags: ["family"] },
    { source: "aimemory", originId: "c", content: "Rides to work.", tags: ["[not json"] },
  ]);
  expect(read.skipped).toEqual({ "memory empty": 1 });
  expect(read.sums).toEqual({ conversation: 0, message: 0, memory: 4 });

  const bare = await readValues(memories());
  expect(bare.memories).toEqual(read.memories);
});

test("whatever is damaged, nothing throws and every memory is counted once", async () => {
  await fc.assert(
    fc.asyncProperty(damaged(memories()), async (value) => {
      const list: unknown[] = [...memories(), ...(Array.isArray(value) ? value : [value])];
      const { reading, sums } = await readValues(list);
      expect(sums).toEqual(reading.totals);
      expect(sums.memory).toBe(list.length);
    }),
    { numRuns: 300 },
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { damaged } from "../fixtures/damage.ts";
import { results } from "../fixtures/mem0.ts";
import { readValues } from "../fixtures/reading.ts";

test("memories are taken as they are, in the API's object and as a bare list", async () => {
  const { memories, skipped, sums, reading } = await readValues({
    results: [...results(), null, { id: "m-4" }],
    count: 5,
  });
  expect(reading.recognised).toMatchObject([{ format: "mem0 export", source: "mem0" }]);
  expect(memories).toEqual([
    {
      source: "mem0",
      originId: "m-1",
      content: "Keeps bees in Brecon",
      tags: ["hobbies", "places"],
      createdAt: Date.UTC(2026, 2, 1, 17),
      updatedAt: Date.UTC(2026, 2, 2, 17, 0, 0, 250),
    },
    { source: "mem0", originId: "m-3", content: "Allergic to nuts", tags: ["health", "food"] },
  ]);
  expect(skipped).toEqual({ "memory empty": 1, "memory unreadable": 2 });
  expect(sums).toEqual({ conversation: 0, message: 0, memory: 5 });

  const bare = await readValues([null, ...results()]);
  expect(bare.memories).toEqual(memories);
  expect(bare.sums.memory).toBe(4);
});

test("whatever is damaged, nothing throws and every memory is counted once", async () => {
  await fc.assert(
    fc.asyncProperty(damaged(results()), async (value) => {
      const list: unknown[] = [...results(), ...(Array.isArray(value) ? value : [value])];
      const { reading, sums } = await readValues({ results: list });
      expect(sums).toEqual(reading.totals);
      expect(sums.memory).toBe(list.length);
    }),
    { numRuns: 300 },
  );
});

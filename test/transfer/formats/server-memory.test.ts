import fc from "fast-check";
import { expect, test } from "vitest";
import { damaged } from "../fixtures/damage.ts";
import { readTexts } from "../fixtures/reading.ts";
import { asLines, graph, variant } from "../fixtures/server-memory.ts";

test("an observation is a memory of its entity, a relation a sentence, and a bare entity is empty", async () => {
  const { reading, memories, skipped, sums, records } = await readTexts(asLines(graph()));
  expect(reading.recognised).toMatchObject([{ format: "server-memory file" }]);
  expect(memories[0]).toEqual({
    source: "server_memory",
    originId: null,
    content: "Keeps bees",
    tags: ["Elin", "person"],
  });
  expect(memories.map(({ content, tags }) => [content, tags])).toEqual([
    ["Keeps bees", ["Elin", "person"]],
    ["Lives in Brecon", ["Elin", "person"]],
    ["Tomos: lives in Brecon.", ["Tomos", "person"]],
    ["Tomos: Keeps bees", ["Tomos", "person"]],
    ["Plays the harp", ["Tomos", "person"]],
    ["Tomos works_at Farm shop", ["Tomos", "Farm shop"]],
  ]);
  expect(skipped).toEqual({ "memory empty": 2 });
  expect(records.at(-1)).toMatchObject({ reason: "empty", example: "Nobody" });
  expect(sums).toEqual({ conversation: 0, message: 0, memory: 8 });
});

test("relations by id are told with the names, wherever the entities stand", async () => {
  const { memories, skipped } = await readTexts(asLines(variant()));
  expect(memories.map(({ content, tags }) => [content, tags])).toEqual([
    ["Surveys hedges", ["Elin", "person"]],
    ["Elin mother_of Nia", ["Elin", "Nia"]],
  ]);
  expect(skipped).toEqual({});
});

test("the same line twice is one memory, and damaged lines are counted for what they are", async () => {
  const [relation, elin] = graph();
  const lines = [
    elin,
    elin,
    relation,
    { type: "relation", from: "Elin", relationType: "knows" },
    { type: "entity", name: "Odd", observations: [{ text: "no string" }, null] },
    { type: "entity" },
    { type: "note", name: "Other" },
    17,
  ];
  const { memories, skipped, sums } = await readTexts(
    `${asLines(lines)}\n{"type":"entity","name":"Cut o`,
  );
  expect(memories).toHaveLength(3);
  expect(skipped).toEqual({
    "memory duplicate_in_file": 2,
    "memory empty": 2,
    "memory unreadable": 5,
    "memory unsupported": 1,
    "memory truncated_file": 1,
  });
  expect(sums.memory).toBe(14);
});

test("whatever is damaged, nothing throws and every item is counted once", async () => {
  await fc.assert(
    fc.asyncProperty(damaged([...graph(), ...variant()]), async (value) => {
      // The splitter takes a list for a file of its own.
      const lines = [...graph(), ...(Array.isArray(value) ? value : [])].filter(
        (line) => !Array.isArray(line),
      );
      const { reading, sums } = await readTexts(asLines(lines));
      expect(sums).toEqual(reading.totals);
      const [least, most] = itemsOf(lines);
      expect(sums.memory).toBeGreaterThanOrEqual(least);
      expect(sums.memory).toBeLessThanOrEqual(most);
    }),
    { numRuns: 300 },
  );
});

/** An entity without observations is an item only where no relation names it. */
function itemsOf(lines: readonly unknown[]): [least: number, most: number] {
  let least = 0;
  let bare = 0;
  for (const line of lines) {
    const { type, observations, name, id }: Record<string, unknown> = Object(line);
    if (type !== "entity") least += 1;
    else if (Array.isArray(observations) && observations.length > 0) least += observations.length;
    else if (observations != null && !Array.isArray(observations)) least += 1;
    else if (isName(name) || isName(id)) bare += 1;
    else least += 1;
  }
  return [least, least + bare];
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value.replaceAll("\0", "").trim() !== "";
}

/**
 * What people type, over 310 memories in ten languages. The memories, the questions that an assistant would give with them (`asked_as`)
 * and the queries were written by different hands before the ranking; half of the queries by one who has not read the tokeniser.
 */
import { beforeAll, expect, test } from "vitest";
import { everydayExport, idOf } from "./fixtures/everyday-export.ts";
import memories from "./fixtures/everyday-memories.json" with { type: "json" };
import blind from "./fixtures/everyday-queries-blind.json" with { type: "json" };
import informed from "./fixtures/everyday-queries-informed.json" with { type: "json" };
import { callTool, fetchWorker, newPerson, type Person } from "../support/people.ts";

interface Query {
  readonly query: string;
  readonly lang: string;
  readonly expects: readonly string[];
  readonly shares_word: boolean;
}

const queries: readonly Query[] = [...blind, ...informed];
let person: Person;

beforeAll(async () => {
  person = await newPerson();
  const response = await fetchWorker("/api/imports", {
    method: "POST",
    headers: { authorization: `Bearer ${person.token}`, "content-type": "application/json" },
    body: everydayExport(memories),
  });
  expect(await response.json()).toMatchObject({
    items: { by_kind: { memory: { new: memories.length } } },
  });
});

test("what shares a word with a memory finds it among the first three", async () => {
  const asked = queries.filter((query) => query.shares_word);
  const misses = await missesOf(asked);
  expect(misses.length / asked.length, misses.join("\n")).toBeLessThanOrEqual(0.03);
});

test("what shares no word with a memory finds it by the questions that it answers, mostly", async () => {
  const asked = queries.filter((query) => !query.shares_word);
  const misses = await missesOf(asked);
  expect(misses.length / asked.length, misses.join("\n")).toBeLessThanOrEqual(0.4);
});

async function missesOf(asked: readonly Query[]): Promise<string[]> {
  const misses: string[] = [];
  for (const { query, lang, expects } of asked) {
    const { data } = await callTool(person, "search_memory", { query, limit: 3 });
    const found: string[] = data["results"].map(({ id }: { id: string }) => id);
    if (!expects.some((key) => found.includes(idOf(key)))) {
      misses.push(`${lang} ${expects.join(" ")}: ${query}`);
    }
  }
  return misses;
}

/** What imports say that they write, by which the free plan's day is paced, beside what D1 meters. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { downloadArchive, uploadZip } from "../support/archives.ts";
import { chat } from "../support/backups.ts";
import { meterWrites } from "../support/batches.ts";
import { syncSides } from "../support/sync.ts";
import { callTool, newPerson, type Person } from "../support/people.ts";

const MANY = 20;

async function spent(): Promise<number> {
  return (await env.DB.prepare("SELECT sum(rows_written) AS n FROM import_days").first("n")) ?? 0;
}

/** What was said and what was written meanwhile. */
async function paced(person: Person, work: () => Promise<unknown>) {
  const metered = await meterWrites(person);
  const before = await spent();
  await work();
  return { said: (await spent()) - before, written: metered() };
}

function chats(texts: readonly string[], title = "Title") {
  return Array.from({ length: MANY }, (_, at) => chat(`c${at}`, texts, `${title} ${at}`));
}

test("never fewer rows are reckoned with than imports, restores and syncs write, and not half as many more", async () => {
  const person = await newPerson({ trusted: true });
  const items = (of: unknown[]) => () => callTool(person, "import_data", { items: of });
  const facts = Array.from({ length: MANY }, (_, at) => ({ content: `Fact ${at}`, tags: ["x"] }));
  const [owner, other] = [await newPerson({ trusted: true }), await newPerson({ trusted: true })];
  const sides = { here: person, there: other, base: null, requests: [] };
  const found = new Map<string, { said: number; written: number }>();
  for (const [what, who, work] of [
    ["new", person, items(chats(["Which soil?"]))],
    ["grown", person, items(chats(["Which soil?", "Acid."]))],
    ["changed", person, items(chats(["Which soil is it?", "Acid."]))],
    ["renamed", person, items(chats(["Which soil is it?", "Acid."], "Renamed"))],
    ["memories", person, items(facts)],
    ["synced", other, () => syncSides(sides)],
    ["restored", owner, async () => uploadZip(owner, (await downloadArchive(person)).zip)],
  ] as const) {
    found.set(what, await paced(who, work));
  }
  for (const [what, { said, written }] of found) {
    expect([what, said, written, said >= written]).toEqual([what, said, written, true]);
    expect([what, said, written, said <= written * 1.5]).toEqual([what, said, written, true]);
  }
  const { said, written } = found.get("new") ?? {};
  expect(said).toBe(written);
});

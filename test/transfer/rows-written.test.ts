/** What imports say that they write, by which the free plan's day is paced, beside what D1 meters. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { downloadArchive, uploadZip } from "../support/archives.ts";
import { chat } from "../support/backups.ts";
import { meterWrites } from "../support/batches.ts";
import { syncSides } from "../support/sync.ts";
import { callApi, callTool, newPerson, type Person } from "../support/people.ts";

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

test("undoing an import of conversations that were not there before writes as many rows for 200 messages each as for 2, and so does undoing that", async () => {
  const written = async (messages: number) => {
    const person = await newPerson();
    const texts = Array.from({ length: messages }, (_, at) => `Word${at} of the garden`);
    const { data } = await callTool(person, "import_data", { items: chats(texts) });
    const metered = await meterWrites(person);
    const undo = async (operation: string) => {
      const before = metered();
      const { data: undone } = await callApi(person, "POST", `/api/operations/${operation}/undo`);
      expect(undone).toMatchObject({ undone: { conversations: MANY }, left: [] });
      return { rows: metered() - before, operation: undone["operation_id"] as string };
    };
    const undone = await undo(data["operation_id"]);
    const redone = await undo(undone.operation);
    return [undone.rows, redone.rows];
  };
  const few = await written(2);
  expect(Math.min(...few)).toBeGreaterThan(MANY);
  expect(await written(200)).toEqual(few);
});

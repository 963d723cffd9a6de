/** What may happen around a write: its answer gets lost, or something else comes first. On the real database of one person's object. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { UserAgent } from "../../src/user-agent.ts";
import type { Person } from "./people.ts";

/** From now on every write succeeds while its first answer gets lost. @returns how many got lost so far */
export async function loseAnswers(person: Person): Promise<() => number> {
  let lost = 0;
  const answered = new WeakSet<D1PreparedStatement[]>();
  await interceptBatches(person, async (statements, run) => {
    const results = await run();
    const isRead = results.every(({ meta }) => meta.rows_written === 0);
    if (isRead || answered.has(statements)) return results;
    answered.add(statements);
    lost += 1;
    throw new Error("Network connection lost.");
  });
  return () => lost;
}

/**
 * Does something else when the object is about to run a batch, and lets that go on then.
 * @param passing how many batches go before it: each request begins with one that reads the account
 */
export async function beforeNextBatch(
  person: Person,
  act: () => Promise<unknown>,
  passing = 0,
): Promise<void> {
  let left = passing;
  await interceptBatches(person, async (_statements, run) => {
    left -= 1;
    if (left === -1) await act();
    return run();
  });
}

/** From now on no batch after the first writes is carried out. @returns ends it */
export async function failAfterWrites(person: Person, writes: number): Promise<() => void> {
  let left = writes;
  let isOver = false;
  await interceptBatches(person, async (_statements, run) => {
    if (!isOver && left === 0) throw new Error("Injected: it failed");
    const results = await run();
    if (results.some(({ meta }) => meta.rows_written > 0)) left -= 1;
    return results;
  });
  return () => void (isOver = true);
}

/** From now on D1's own meter counts what batches write, indexes included. @returns rows so far */
export async function meterWrites(person: Person): Promise<() => number> {
  let rows = 0;
  await interceptBatches(person, async (_statements, run) => {
    const results = await run();
    for (const { meta } of results) rows += meta.rows_written;
    return results;
  });
  return () => rows;
}

async function interceptBatches(
  { userId }: Person,
  batch: (statements: D1PreparedStatement[], run: () => Promise<D1Result[]>) => Promise<D1Result[]>,
): Promise<void> {
  const d1 = new Proxy(env.DB, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      if (key !== "batch") return value.bind(target);
      return (statements: D1PreparedStatement[]) =>
        batch(statements, () => target.batch(statements));
    },
  });
  const intercepted = new Proxy(env, {
    get: (target, key) => (key === "DB" ? d1 : Reflect.get(target, key)),
  });
  await runInDurableObject(env.USERS.getByName(userId), (instance: UserAgent) => {
    Object.defineProperty(instance, "env", { value: intercepted, configurable: true });
  });
}

/** The real database and bucket, whose calls fail where a test says so. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { UserAgent } from "../../src/user-agent.ts";
import { watched } from "./watched-d1.ts";
import type { Person } from "./people.ts";

export interface Faults {
  /** Calls so far. */
  calls: number;
  /** What the free plan counts so far, 50 an invocation: every statement of a batch, and every object. */
  asked: number;
  /**
   * Asked before every call by its number, from 1. `"before"`: it does not happen. `"after"`: it does, and its answer gets lost.
   */
  failing: (call: number) => "before" | "after" | null;
  /** Told of every call that changed something, by its number: in the database one whose answer says so, which `run`, `all` and `batch` do. */
  wrote?: (call: number) => void;
}

export function withFaults(faults: Faults): Pick<Env, "DB" | "ARCHIVES"> {
  async function fail(
    asked: number,
    call: () => unknown,
    { writes = false } = {},
  ): Promise<unknown> {
    faults.calls += 1;
    faults.asked += asked;
    const number = faults.calls;
    const failing = faults.failing(number);
    if (failing === "before") throw new Error("Injected: refused");
    const answer = await call();
    if (writes || hasWritten(answer)) faults.wrote?.(number);
    if (failing === "after") throw new Error("Injected: answer lost");
    return answer;
  }
  return {
    DB: watched(env.DB, (statements, call) => fail(statements, call)),
    ARCHIVES: new Proxy(env.ARCHIVES, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        return (...values: unknown[]) =>
          fail(1, () => Reflect.apply(value, target, values) as unknown, {
            writes: WRITES_OF_R2.has(key),
          });
      },
    }),
  };
}

const WRITES_OF_R2: ReadonlySet<string | symbol> = new Set(["put", "delete"]);

/** Of D1's answers that have `meta`: those of `first` and `raw`, by which Drizzle reads and does `returning`, have none, nor have R2's. */
function hasWritten(answer: unknown): boolean {
  const results = [answer].flat() as ({ meta?: { rows_written?: number } } | null | undefined)[];
  return results.some((result) => (result?.meta?.rows_written ?? 0) > 0);
}

/** `lost`: it was carried out, and only its answer did not arrive. */
export type Fault = "refused" | "lost";

/** @param at the number of the call that fails, from 1; every later one too where `isLasting`. 0: none */
export function faultyEnv(
  at: number,
  { fault = "refused", isLasting = false }: { fault?: Fault; isLasting?: boolean } = {},
): { readonly env: Env; readonly calls: () => number } {
  const faults: Faults = {
    calls: 0,
    asked: 0,
    failing: (call) => {
      const fails = call === at || (isLasting && call > at);
      if (!fails) return null;
      return fault === "refused" ? "before" : "after";
    },
  };
  return { env: { ...env, ...withFaults(faults) }, calls: () => faults.calls };
}

/** From now on what a person's object asks of database and bucket goes through the faults that are returned: none so far. */
export async function injectFaults({ userId }: Person): Promise<Faults> {
  const faults: Faults = { calls: 0, asked: 0, failing: () => null };
  const faulty: Env = { ...env, ...withFaults(faults) };
  await runInDurableObject(env.USERS.getByName(userId), (instance: UserAgent) => {
    Object.defineProperty(instance, "env", { value: faulty, configurable: true });
  });
  return faults;
}

/** Drizzle wraps what a statement throws. */
export function isInjected(error: unknown): boolean {
  return (
    error instanceof Error && (error.message.startsWith("Injected") || isInjected(error.cause))
  );
}

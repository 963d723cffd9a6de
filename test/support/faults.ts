/** The real database and bucket, whose calls fail where a test says so. */
import { env } from "cloudflare:workers";
import { watched } from "./counting.ts";

export interface Faults {
  /** Calls so far. */
  calls: number;
  /** What the free plan counts so far, 50 an invocation: every statement of a batch, and every object. */
  asked: number;
  /**
   * Asked before every call by its number, from 1. `"before"`: it does not happen. `"after"`: it does, and its answer gets lost.
   */
  failing: (call: number) => "before" | "after" | null;
}

export function withFaults(faults: Faults): Pick<Env, "DB" | "ARCHIVES"> {
  async function fail(asked: number, call: () => unknown): Promise<unknown> {
    faults.calls += 1;
    faults.asked += asked;
    const failing = faults.failing(faults.calls);
    if (failing === "before") throw new Error("Injected: refused");
    const answer = await call();
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
          fail(1, () => Reflect.apply(value, target, values) as unknown);
      },
    }),
  };
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

/** Drizzle wraps what a statement throws. */
export function isInjected(error: unknown): boolean {
  return (
    error instanceof Error && (error.message.startsWith("Injected") || isInjected(error.cause))
  );
}

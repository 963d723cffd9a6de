/** A database and a bucket that note how much they hand over at once. */

export interface BufferMeter {
  /** Characters of the largest answer of the database; D1 gives ciphertext as hex, a byte a character. */
  largestAnswer: number;
  /** Bytes of the largest object that was written. */
  largestObject: number;
}

export function meteredBuffers<Bindings extends { DB: D1Database; ARCHIVES: R2Bucket }>(
  env: Bindings,
  meter: BufferMeter,
): Bindings {
  const originals = new WeakMap<object, D1PreparedStatement>();

  function noted<T>(answer: T): T {
    meter.largestAnswer = Math.max(meter.largestAnswer, charsOf(answer));
    return answer;
  }

  function wrap(statement: D1PreparedStatement): D1PreparedStatement {
    const wrapped = new Proxy(statement, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (key === "bind") return (...values: unknown[]) => wrap(target.bind(...values));
        if (typeof value !== "function") return value;
        return async (...values: unknown[]) =>
          noted((await Reflect.apply(value, target, values)) as unknown);
      },
    });
    originals.set(wrapped, statement);
    return wrapped;
  }

  const d1 = new Proxy(env.DB, {
    get(target, key) {
      if (key === "prepare") return (query: string) => wrap(target.prepare(query));
      if (key !== "batch") throw new Error(`${String(key)} is not metered`);
      return async (statements: D1PreparedStatement[]) =>
        noted(await target.batch(statements.map((one) => originals.get(one) ?? one)));
    },
  });
  const bucket = new Proxy(env.ARCHIVES, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return (...values: unknown[]): unknown => {
        const [, body] = values;
        if (key === "put" && (body instanceof Uint8Array || typeof body === "string")) {
          meter.largestObject = Math.max(meter.largestObject, body.length);
        }
        return Reflect.apply(value, target, values);
      };
    },
  });
  return { ...env, DB: d1, ARCHIVES: bucket };
}

/** Of the texts in it; numbers as the eight bytes that they take. */
function charsOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value === "number") return 8;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, part) => sum + charsOf(part), 0);
}

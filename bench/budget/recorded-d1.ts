/** A database that tells what it is asked, so that the same can be asked of it again. */

export interface Asked {
  /** How the results are asked for. */
  readonly method: "all" | "run" | "raw" | "first" | "batch";
  /** One, but in a batch. */
  readonly statements: readonly Statement[];
}

interface Statement {
  readonly query: string;
  readonly values: readonly unknown[];
}

export function recordedD1(d1: D1Database, tell: (asked: Asked) => void): D1Database {
  const known = new WeakMap<object, Statement & { readonly original: D1PreparedStatement }>();

  function wrap(original: D1PreparedStatement, statement: Statement): D1PreparedStatement {
    const wrapped = new Proxy(original, {
      get(target, key) {
        switch (key) {
          case "bind":
            return (...values: unknown[]) =>
              wrap(target.bind(...values), { query: statement.query, values });
          case "all":
          case "run":
          case "raw":
          case "first":
            return (...args: unknown[]): unknown => {
              tell({ method: key, statements: [statement] });
              return Reflect.apply(target[key], target, args);
            };
          default:
            throw new Error(`${String(key)} is not recorded`);
        }
      },
    });
    known.set(wrapped, { ...statement, original });
    return wrapped;
  }

  return new Proxy(d1, {
    get(target, key) {
      if (key === "prepare") {
        return (query: string) => wrap(target.prepare(query), { query, values: [] });
      }
      if (key !== "batch") throw new Error(`${String(key)} is not recorded`);
      return (batch: D1PreparedStatement[]) => {
        const statements = batch.flatMap((one) => known.get(one) ?? []);
        tell({
          method: "batch",
          statements: statements.map(({ query, values }) => ({ query, values })),
        });
        return target.batch(statements.map(({ original }) => original));
      };
    },
  });
}

/** Whether nothing would change if it were asked again. */
export function isReading({ statements }: Asked): boolean {
  return statements.every(({ query }) => /^\s*(?:select|with)\b/iu.test(query));
}

/** One after the other, as it was asked or would have been had nothing been asked at once. */
export async function askAgain(d1: D1Database, asked: readonly Asked[]): Promise<void> {
  for (const { method, statements } of asked) {
    const prepared = statements.map(({ query, values }) => d1.prepare(query).bind(...values));
    const [single] = prepared;
    if (method === "batch") await d1.batch(prepared);
    else if (method === "first") await single?.first();
    else if (method === "raw") await single?.raw();
    else await single?.all();
  }
}

/** A real D1 whose every way to run a statement passes through one function. */

/** Runs a call, or does otherwise. `statements`: how many it asks the database for. */
export type Around = (statements: number, call: () => unknown) => unknown;

/** The real database; every way to run a statement goes through `around`. */
export function watched(d1: D1Database, around: Around): D1Database {
  const originals = new WeakMap<object, D1PreparedStatement>();

  function wrapStatement(statement: D1PreparedStatement): D1PreparedStatement {
    const wrapped = new Proxy(statement, {
      get(target, key) {
        if (key === "bind") {
          return (...values: unknown[]) => wrapStatement(target.bind(...values));
        }
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        return (...values: unknown[]): unknown =>
          around(1, () => Reflect.apply(value, target, values) as unknown);
      },
    });
    originals.set(wrapped, statement);
    return wrapped;
  }

  return new Proxy(d1, {
    get(target, key) {
      switch (key) {
        case "prepare":
          return (query: string) => wrapStatement(target.prepare(query));
        case "batch":
          return (statements: D1PreparedStatement[]) =>
            around(statements.length, () =>
              target.batch(statements.map((one) => originals.get(one) ?? one)),
            );
        case "exec":
        case "withSession":
        case "dump":
          throw new Error(`${key} is not watched`);
        default:
          return Reflect.get(target, key);
      }
    },
  });
}

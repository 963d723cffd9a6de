/** A database that remembers what it is asked, so that the same can be asked again without what was around it. */

export type Ask = () => Promise<unknown>;

/** @returns the same database; every way to run a statement is added to `asked` */
export function recordedD1(d1: D1Database, asked: Ask[]): D1Database {
  const originals = new WeakMap<object, D1PreparedStatement>();

  function record<T>(ask: () => Promise<T>): Promise<T> {
    asked.push(ask);
    return ask();
  }

  function wrap(statement: D1PreparedStatement): D1PreparedStatement {
    const wrapped = new Proxy(statement, {
      get(target, key) {
        switch (key) {
          case "bind":
            return (...values: unknown[]) => wrap(target.bind(...values));
          case "all":
            return () => record(() => target.all());
          case "raw":
            return () => record(() => target.raw());
          default:
            throw new Error(`${String(key)} is not recorded`);
        }
      },
    });
    originals.set(wrapped, statement);
    return wrapped;
  }

  return new Proxy(d1, {
    get(target, key) {
      switch (key) {
        case "prepare":
          return (query: string) => wrap(target.prepare(query));
        case "batch":
          return (statements: D1PreparedStatement[]) =>
            record(() => target.batch(statements.map((one) => originals.get(one) ?? one)));
        default:
          throw new Error(`${String(key)} is not recorded`);
      }
    },
  });
}

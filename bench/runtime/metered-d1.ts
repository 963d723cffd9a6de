/** A database that counts what it is asked. */

export interface Meter {
  /** Waits for the database: a batch is one. */
  roundTrips: number;
  /** Those of a batch one by one. */
  statements: number;
  /** As D1 counts them, of all statements together. */
  rowsRead: number;
  rowsWritten: number;
}

export function newMeter(): Meter {
  return { roundTrips: 0, statements: 0, rowsRead: 0, rowsWritten: 0 };
}

/** @returns the same database; every result's rows are added to `meter` */
export function meteredD1(d1: D1Database, meter: Meter): D1Database {
  const originals = new WeakMap<object, D1PreparedStatement>();

  function count(results: readonly D1Result[]): void {
    meter.roundTrips += 1;
    meter.statements += results.length;
    for (const { meta } of results) {
      meter.rowsRead += meta.rows_read;
      meter.rowsWritten += meta.rows_written;
    }
  }

  function wrap(statement: D1PreparedStatement, query: string): D1PreparedStatement {
    const wrapped = new Proxy(statement, {
      get(target, key) {
        switch (key) {
          case "bind":
            return (...values: unknown[]) => wrap(target.bind(...values), query);
          case "all":
          case "run":
            return async () => {
              const result = await target[key]();
              count([result]);
              return result;
            };
          case "raw":
            // Its answer comes without the count, so the same is read twice; a write is made once, and no two of its columns have one name.
            return async () => {
              const result = await target.all();
              count([result]);
              return /^\s*(?:select|with)\b/iu.test(query)
                ? target.raw()
                : result.results.map((row) => Object.values(row));
            };
          case "first":
            return async (column?: string) => {
              const result = await target.all();
              count([result]);
              const row = result.results[0] ?? null;
              return column === undefined ? row : (row?.[column] ?? null);
            };
          default:
            throw new Error(`${String(key)} is not metered`);
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
          return (query: string) => wrap(target.prepare(query), query);
        case "batch":
          return async (statements: D1PreparedStatement[]) => {
            const results = await target.batch(statements.map((one) => originals.get(one) ?? one));
            count(results);
            return results;
          };
        default:
          throw new Error(`${String(key)} is not metered`);
      }
    },
  });
}

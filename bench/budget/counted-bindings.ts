/**
 * The product's bindings, counted by what Cloudflare puts a price on. Only approximately: D1's rows are those of its local meter; a read of
 * many KV keys counts as one, and lists and deletions as writes, though the free plan has an allowance of its own for each; of an R2 upload
 * in parts only the beginning counts; of an object neither alarms, which are requests and written rows, nor what does not pass its `sql`.
 * Workflows are not counted at all.
 */
import { meteredD1, newMeter, type Meter } from "../runtime/metered-d1.ts";

export interface Counts {
  readonly d1: Meter;
  kvReads: number;
  kvWrites: number;
  /** Class A: what changes or lists. Class B: what reads. Deleting costs nothing. */
  r2ClassA: number;
  r2ClassB: number;
  /** Each call of a method of an object, and each request to it. */
  objectRequests: number;
  /** In the objects' own SQLite. */
  objectRowsRead: number;
  objectRowsWritten: number;
}

export function newCounts(): Counts {
  return {
    d1: newMeter(),
    kvReads: 0,
    kvWrites: 0,
    r2ClassA: 0,
    r2ClassB: 0,
    objectRequests: 0,
    objectRowsRead: 0,
    objectRowsWritten: 0,
  };
}

export function countedBindings(env: Env, counts: Counts): Env {
  return {
    ...env,
    DB: meteredD1(env.DB, counts.d1),
    OAUTH_KV: told(env.OAUTH_KV, (method) => {
      if (method.startsWith("get")) counts.kvReads += 1;
      // A list and a delete are priced as a write is.
      else counts.kvWrites += 1;
    }),
    ARCHIVES: told(env.ARCHIVES, (method) => {
      if (method === "get" || method === "head") counts.r2ClassB += 1;
      else if (method !== "delete") counts.r2ClassA += 1;
    }),
    USERS: countedObjects(env.USERS, counts),
  };
}

/** Told of each call of a method. */
function told<T extends object>(binding: T, tell: (method: string) => void): T {
  return new Proxy(binding, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function" || typeof key !== "string") return value;
      return (...args: unknown[]): unknown => {
        tell(key);
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
}

function countedObjects(users: Env["USERS"], counts: Counts): Env["USERS"] {
  return new Proxy(users, {
    get(target, key) {
      if (key !== "getByName") throw new Error(`${String(key)} is not counted`);
      return (name: string) =>
        told(target.getByName(name), () => {
          counts.objectRequests += 1;
        });
    },
  });
}

/** Every statement of an object's own database, whose rows are known when it has been read to its end. */
export function countSql(sql: SqlStorage, cursors: SqlStorageCursor<never>[]): void {
  const exec = sql.exec.bind(sql);
  Object.defineProperty(sql, "exec", {
    value: (query: string, ...bindings: unknown[]) => {
      const cursor = exec(query, ...bindings);
      cursors.push(cursor as SqlStorageCursor<never>); // only its counters are read
      return cursor;
    },
  });
}

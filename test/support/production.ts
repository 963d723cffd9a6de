/**
 * What Cloudflare refuses and this machine lets pass. Long values and PBKDF2 with many iterations are refused in every test (`setup.ts`);
 * more statements than an invocation may ask D1 for, in those that ask for it.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { env } from "cloudflare:workers";
import { readPlan } from "../../src/storage/plan.ts";

/** developers.cloudflare.com/d1/platform/limits */
const MAX_PARAMETERS = 100;
const MAX_VALUE_BYTES = 2_000_000;
const MAX_SQL_BYTES = 100_000;
/** The runtime throws a NotSupportedError above it, in deployments only. */
const MAX_PBKDF2_ITERATIONS = 100_000;

/** What one invocation has asked for. */
interface Invocation {
  readonly name: string;
  statements: number;
}

const invocations = new AsyncLocalStorage<Invocation>();

/** Of all invocations of a name so far. */
export const statementsOf = new Map<string, number>();

/** Its methods are the prototype's, which the Worker's own binding has too. */
type Methods = Record<string, (...given: never[]) => unknown>;

export function enforceD1Limits(db: D1Database): void {
  const database = methodsOf(db);
  const statement = methodsOf(db.prepare("SELECT 1"));
  before(database, "prepare", (query: string) => {
    if (bytesOf(query) > MAX_SQL_BYTES) refuse(`SQL of ${bytesOf(query)} bytes`);
  });
  before(statement, "bind", (...values: unknown[]) => {
    if (values.length > MAX_PARAMETERS) refuse(`${values.length} bound parameters`);
    for (const value of values) {
      if (bytesOf(value) > MAX_VALUE_BYTES) refuse(`a value of ${bytesOf(value)} bytes`);
    }
  });
  for (const run of ["first", "run", "all", "raw"]) before(statement, run, () => count(1));
  before(database, "batch", (statements: unknown[]) => count(statements.length));
}

export function enforceCryptoLimits(): void {
  const subtle = methodsOf(crypto.subtle);
  for (const derive of ["deriveBits", "deriveKey"]) {
    before(subtle, derive, (algorithm: { readonly iterations?: number }) => {
      const { iterations = 0 } = algorithm;
      if (iterations > MAX_PBKDF2_ITERATIONS) refuse(`PBKDF2 with ${iterations} iterations`);
    });
  }
}

/** From now on statements are counted: each call of one of the ways into the Worker, or into a user's object, is an invocation. */
export async function countInvocations(): Promise<void> {
  const [{ default: worker }, { UserAgent }] = await Promise.all([
    import("../../src/index.ts"),
    import("../../src/user-agent.ts"),
  ]);
  around(worker, "fetch");
  // True: its methods are functions.
  const objects = UserAgent.prototype as unknown as Methods;
  for (const name of [
    "serveMcp",
    "serveApi",
    "upkeep",
    "emptyTrash",
    "backUp",
    "checkIntegrity",
    "deleteAccount",
  ]) {
    around(objects, name);
  }
}

/** Runs what production would run as one invocation. */
export function asInvocation<T>(name: string, work: () => T): T {
  return invocations.run({ name, statements: 0 }, work);
}

function around(owner: Methods, name: string): void {
  const method = owner[name];
  if (method === undefined) throw new Error(`There is no ${name}`);
  owner[name] = function (this: unknown, ...given: never[]): unknown {
    return asInvocation(name, () => Reflect.apply(method, this, given));
  };
}

function before(owner: Methods, name: string, check: (...given: any[]) => void): void {
  const method = owner[name];
  if (method === undefined) throw new Error(`There is no ${name}`);
  owner[name] = function (this: unknown, ...given: never[]): unknown {
    check(...given);
    return Reflect.apply(method, this, given);
  };
}

function count(statements: number): void {
  const invocation = invocations.getStore();
  if (invocation === undefined) return;
  invocation.statements += statements;
  const { name } = invocation;
  statementsOf.set(name, (statementsOf.get(name) ?? 0) + statements);
  const allowed = readPlan(env.PLAN).statements;
  if (invocation.statements > allowed) {
    // The platform's own words; what asked is in the stack.
    throw new Error("D1_ERROR: Too many API requests by single worker invocation.");
  }
}

function refuse(what: string): never {
  throw new Error(`In production ${what} would be refused`);
}

function bytesOf(value: unknown): number {
  if (typeof value === "string") {
    // UTF-8 has at most three bytes for what a string counts as one.
    return value.length * 3 <= MAX_SQL_BYTES
      ? value.length
      : new TextEncoder().encode(value).length;
  }
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return value.byteLength;
  return 0;
}

function methodsOf(value: object): Methods {
  // True: D1's objects have their methods on their prototypes.
  return Object.getPrototypeOf(value) as Methods;
}

/** What one person's clients may ask of a deployment, and what it keeps for one person: the deployer's figures (`LIMITS`) on top of the built-in ones. */
import * as z from "zod";
import { UserError } from "../errors.ts";

/** Null: without a limit. */
export interface Limits {
  /** Requests under one grant or token, and of one person's clients together, in a minute; so many may also come at once. */
  readonly grantCallsAMinute: number | null;
  readonly userCallsAMinute: number | null;
  /** Of ciphertext, as `get_stats` counts it. */
  readonly maxBytes: number | null;
  /** Of one person, begun and not ended. */
  readonly importsInFlight: number | null;
}

/**
 * Calls: an assistant that calls ten tools at once every second makes 600 a minute, and no person's assistants were ever seen to do so for
 * long; two such at once are let through. A script that meets the limit is told when to go on.
 *
 * Bytes: rows, tokens and index entries take 4 to 4.5 times the ciphertext (80,000 messages: 55 MB and 250; a million memories: 247 MB and
 * 1.0 GB), and D1 ends at 500 MB on the free plan and 10 GB on paid ones. Full databases refuse deleting too; before that this refuses
 * saving.
 *
 * Imports: of one person they run one after the other anyway; each leaves a row with its report.
 */
const BUILT_IN = { grantCallsAMinute: 600, userCallsAMinute: 1_200, importsInFlight: 10 } as const;
const MAX_BYTES = { free: 90_000_000, paid: 2_000_000_000 } as const;

const UNLIMITED: Limits = {
  grantCallsAMinute: null,
  userCallsAMinute: null,
  maxBytes: null,
  importsInFlight: null,
};

/** For one's own machine, where nobody else pays or waits. */
const NO_LIMITS = "none";

/** Not at module scope: hardly any isolate needs it. */
function settingsSchema() {
  const limit = z.int().min(1).nullable();
  return z
    .strictObject({
      grant_calls_a_minute: limit,
      user_calls_a_minute: limit,
      max_bytes: limit,
      imports_in_flight: limit,
    })
    .partial();
}

let last: { readonly of: string; readonly limits: Limits } | undefined;

/** @param plan a name that `readPlan` knows @throws Error for a deployer's mistake */
export function readLimits({
  LIMITS,
  PLAN,
}: {
  readonly LIMITS: string;
  readonly PLAN: string;
}): Limits {
  const of = `${PLAN} ${LIMITS}`;
  if (last?.of === of) return last.limits;
  const limits = LIMITS.trim() === NO_LIMITS ? UNLIMITED : { ...builtIn(PLAN), ...parse(LIMITS) };
  last = { of, limits };
  return limits;
}

function builtIn(plan: string): Limits {
  return { ...BUILT_IN, maxBytes: plan === "paid" ? MAX_BYTES.paid : MAX_BYTES.free };
}

function parse(text: string): Partial<Limits> {
  if (text.trim() === "") return {};
  const read = settingsSchema().safeParse(parseJson(text));
  if (!read.success) {
    throw new Error(
      `LIMITS cannot be used: ${z.prettifyError(read.error)}. Write it as {"grant_calls_a_minute": 600}, or ${NO_LIMITS}.`,
    );
  }
  const { data } = read;
  return {
    ...(data.grant_calls_a_minute === undefined
      ? {}
      : { grantCallsAMinute: data.grant_calls_a_minute }),
    ...(data.user_calls_a_minute === undefined
      ? {}
      : { userCallsAMinute: data.user_calls_a_minute }),
    ...(data.max_bytes === undefined ? {} : { maxBytes: data.max_bytes }),
    ...(data.imports_in_flight === undefined ? {} : { importsInFlight: data.imports_in_flight }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Asked before texts are written. The sum is that of the request's begin, so what one request brings may go beyond it.
 * @throws UserError limit_reached
 */
export function requireSpace(at: SpaceOf): void {
  const refusal = spaceRefusal(at);
  if (refusal !== null) throw refusal;
}

/** An upload to the API: what the Worker reads itself; it has 128 MB of memory. Arbitrary below that. */
export const MAX_UPLOAD_BYTES = 25 * 1_048_576;

/**
 * Asked before lines of an archive are restored: an account may be above the limit by what its last request brought, and its archive takes
 * as much again.
 * @throws UserError limit_reached
 */
export function requireSpaceForArchive(at: SpaceOf): void {
  const refusal = spaceRefusal(at, MAX_UPLOAD_BYTES);
  if (refusal !== null) throw refusal;
}

interface SpaceOf {
  readonly row: { readonly bytes: number };
  readonly limits: Limits;
}

/** Null: there is room. @param beyond bytes that the limit may be passed by */
export function spaceRefusal({ row, limits: { maxBytes } }: SpaceOf, beyond = 0): UserError | null {
  if (maxBytes === null || row.bytes < maxBytes + beyond) return null;
  return new UserError(
    "limit_reached",
    `This account holds ${megabytes(row.bytes)} MB, and this server keeps ${megabytes(maxBytes)} MB for one person.`,
    "Deleting conversations makes room at once, deleting memories when they leave the trash. Or ask whoever runs the server to raise max_bytes (LIMITS).",
    { limit: "max_bytes", bytes: row.bytes, max_bytes: maxBytes },
  );
}

/** Null: an empty account may become what takes so much. As `requireSpaceForArchive` has it. */
export function refusalOfArchive(bytes: number, { maxBytes }: Limits): UserError | null {
  if (maxBytes === null || bytes <= maxBytes + MAX_UPLOAD_BYTES) return null;
  return new UserError(
    "limit_reached",
    `This archive takes ${megabytes(bytes)} MB, and this server keeps ${megabytes(maxBytes)} MB for one person. Nothing was restored.`,
    "Ask whoever runs the server to raise max_bytes (LIMITS), or import single files of it.",
    { limit: "max_bytes", bytes, max_bytes: maxBytes },
  );
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}

/** What the deployer's Workers plan allows. */
import { retryAfter, UserError } from "../errors.ts";

export interface Plan {
  /** What one batch of an import may hold. */
  readonly batch: {
    readonly chars: number;
    readonly conversations: number;
    readonly messages: number;
    readonly memories: number;
  };
  /** That imports may write; null: as many as there are. */
  readonly rowsADay: number | null;
  /** Of clients by strangers, all together; null: as many as come. */
  readonly registrationsADay: number | null;
  /** How much a step of a backup or restore may do, as a multiple of what 50 statements and objects allow. */
  readonly stepSize: number;
  /** What the trash may be emptied of in one go, of which there is one an hour. */
  readonly trashPart: TrashPart;
  /** Rows that D1 may read for the check of one account that comes by itself, on the average of nights; null: as many as there are. */
  readonly checkReads: number | null;
  /** Of the database, in one request (developers.cloudflare.com/d1/platform/limits). */
  readonly statements: number;
}

export interface TrashPart {
  readonly memories: number;
  readonly conversations: number;
  readonly messages: number;
}

/** On a paid plan a batch is bounded by memory and by the time that others wait for the database: 1,000 messages are 0.2 s of work. */
const PAID: Plan = {
  batch: { chars: 1_500_000, conversations: 200, messages: 1_000, memories: 1_000 },
  rowsADay: null,
  registrationsADay: null,
  // 1,000 statements and 10,000 objects; not all of them, because a step that fails is begun anew.
  stepSize: 10,
  // Arbitrary: seconds of work for the database.
  trashPart: { memories: 3_000, conversations: 1_000, messages: 10_000 },
  checkReads: null,
  statements: 1_000,
};

/**
 * On the free plan D1 writes 100,000 rows a day for all databases of an account, and refuses more until midnight UTC
 * (developers.cloudflare.com/d1/platform/limits); a fifth of them is left for saving and searching. A message takes 110–160 µs of work and an
 * invocation has 10 ms.
 */
const FREE: Plan = {
  batch: { chars: 250_000, conversations: 20, messages: 40, memories: 40 },
  rowsADay: 80_000,
  // KV writes 1,000 values a day (developers.cloudflare.com/kv/platform/limits): the rest is for those who connect and refresh their tokens.
  registrationsADay: 300,
  stepSize: 1,
  // D1 counts 2 rows written for a message and some 7 for a memory, so a part writes 2,000, and a day of hourly ones half of what it may.
  trashPart: { memories: 150, conversations: 50, messages: 500 },
  // A fiftieth of the day's 5 million, for all databases of an account: searches read too, and there may be several people.
  checkReads: 100_000,
  statements: 50,
};

/** The batches of what is only compared, and of what is in the server's hands already: nothing is paced that writes nothing. */
export const LARGE_BATCH = PAID.batch;

/** @throws Error on any other word: a deployer's mistake */
export function readPlan(name: string): Plan {
  switch (name) {
    case "free":
      return FREE;
    case "paid":
      return PAID;
    default:
      throw new Error('PLAN must be "free" or "paid"');
  }
}

const DAY_MS = 86_400_000;

/** The plan's days begin at midnight UTC. @returns days since 1970 */
export function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}

/** When the next one begins. Milliseconds UTC. */
export function nextDay(now: number): number {
  return (dayOf(now) + 1) * DAY_MS;
}

/** Of D1, once a free account's day is used up. Drizzle gives it as a cause. */
export function isDayUsedUp(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    /exceeded D1's free tier daily row (?:read|write) limit/u.test(error.message) ||
    isDayUsedUp(error.cause)
  );
}

/** Of the platform, where one request asks for more than its plan allows, in the words that others report: no deployment was seen to say it. */
function isTooMuchAtOnce(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    /Too many (?:API requests by single worker|subrequests)/u.test(error.message) ||
    isTooMuchAtOnce(error.cause)
  );
}

/** What a caller is told of an error; null: only that something failed. */
export function userErrorOf(error: unknown): UserError | null {
  if (error instanceof UserError) return error;
  if (isTooMuchAtOnce(error)) {
    return new UserError(
      "too_large",
      "One request may not do so much on this server's Cloudflare plan; a part of it may be done.",
      "Send less at once. Of an export the page /import and `cofio import` send parts that fit; what is there already changes nothing.",
      { partial: true },
    );
  }
  if (!isDayUsedUp(error)) return null;
  return new UserError(
    "limit_reached",
    "This server has used what Cloudflare's free plan allows it for today.",
    "Try again after midnight UTC. Nothing that was saved is lost.",
    retryAfter(nextDay(Date.now()) - Date.now()),
  );
}

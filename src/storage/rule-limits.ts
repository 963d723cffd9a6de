/** What a memory rule may be set to: for the schema of the server, and for the form that asks for it. */

/** Memories. Arbitrary, far beyond what anyone has saved; a D1 database of 10 GB holds some millions. */
export const MAX_MAX_MEMORIES = 1_000_000;
export const MAX_EXPIRY_DAYS = 36_500;
export const MAX_BLOCKED_TAGS = 100;
/** Characters. */
export const MAX_BLOCKED_TAG = 64;

/** Rows that are looked at for each count of what a rule is about; arbitrary, and as many memories as an account has at most by default. */
export const MAX_EFFECT_ROWS = 10_000;

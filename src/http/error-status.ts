import type { UserErrorCode } from "../errors.ts";

/** The status with which the API answers each refusal. */
export const STATUS = {
  not_found: 404,
  invalid_input: 400,
  too_large: 413,
  version_conflict: 409,
  idempotency_conflict: 409,
  unsupported_format: 415,
  forbidden: 403,
  expired: 410,
  limit_reached: 429,
  rate_limited: 429,
  unavailable: 503,
} as const satisfies Record<UserErrorCode, number>;

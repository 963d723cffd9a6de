/** What went wrong, as a stable word that callers may branch on. */
export type UserErrorCode =
  | "not_found"
  | "invalid_input"
  | "too_large"
  | "version_conflict"
  | "idempotency_conflict"
  | "unsupported_format"
  | "forbidden"
  | "expired"
  | "limit_reached"
  | "rate_limited"
  | "unavailable";

/**
 * A condition that the person or the model can fix.
 * `message`: what happened, one sentence. `hint`: the next call or step. `details`: plain JSON given to the caller with the error.
 */
export class UserError extends Error {
  readonly code: UserErrorCode;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(
    code: UserErrorCode,
    message: string,
    hint: string,
    details?: Readonly<Record<string, unknown>>,
  ) {
    super(message);
    this.name = "UserError";
    this.code = code;
    this.hint = hint;
    this.details = details;
  }
}

/** In `details`, where waiting helps. */
interface RetryDetails {
  readonly retry_after_seconds?: number;
}

/** What goes with a refusal that ends by itself. @param ms until then */
export function retryAfter(ms: number): Required<RetryDetails> {
  return { retry_after_seconds: Math.max(1, Math.ceil(ms / 1_000)) };
}

/** For `Retry-After` (RFC 9110 §10.2.3). Without one, waiting does not help. */
export function retryHeaders({ details = {} }: UserError): { readonly "Retry-After"?: string } {
  // True because `retryAfter` alone makes it.
  const { retry_after_seconds: seconds } = details as RetryDetails;
  return seconds === undefined ? {} : { "Retry-After": String(seconds) };
}

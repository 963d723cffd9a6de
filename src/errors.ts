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
  | "limit_reached";

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

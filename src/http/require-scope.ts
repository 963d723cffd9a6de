import { UserError } from "../errors.ts";
import { readOnly } from "../refusals.ts";
import { isScope, isWriting, type Scope } from "../scopes.ts";
import type { ApiContext } from "./api.ts";

/** @throws UserError forbidden */
export function requireScope(scopes: readonly Scope[], scope: Scope): void {
  if (!scopes.includes(scope)) {
    throw new UserError(
      "forbidden",
      `This access does not include ${scope}.`,
      "Make a token with that scope.",
      { error: "insufficient_scope", scope },
    );
  }
}

/** What takes room and work without changing what is remembered is no reading either. @throws UserError forbidden */
export function refuseReadOnly({
  isReadOnly,
  publicOrigin,
}: Pick<ApiContext, "isReadOnly" | "publicOrigin">): void {
  if (isReadOnly) throw readOnly(publicOrigin);
}

/** The scopes of what the person made read-only. */
export function readingOnly(scopes: readonly Scope[]): Scope[] {
  return scopes.filter((scope) => !isWriting(scope));
}

/** A right that the person took away by that is missing for another reason than one that was never given. */
export function explained(
  error: Error,
  { isReadOnly, publicOrigin }: Pick<ApiContext, "isReadOnly" | "publicOrigin">,
): Error {
  const missing = error instanceof UserError ? error.details?.["scope"] : undefined;
  const isTakenAway = typeof missing === "string" && isScope(missing) && isWriting(missing);
  return isReadOnly && isTakenAway ? readOnly(publicOrigin) : error;
}

import { UserError } from "../errors.ts";
import type { Scope } from "../scopes.ts";

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

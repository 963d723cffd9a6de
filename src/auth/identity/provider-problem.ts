import { logProblem } from "../../log.ts";

/** The words for what the person did there, or what the provider is not able to do now, and for what looks like a forgery. */
export type ProblemKind = "declined" | "unavailable" | "untrusted";

/** What came of asking a provider, where that is no identity. */
export class ProviderProblem extends Error {
  readonly kind: ProblemKind;

  constructor(kind: ProblemKind, what: string) {
    super(what);
    this.name = "ProviderProblem";
    this.kind = kind;
  }
}

/** RFC 6749 §4.1.2.1 and §5.2 have their codes of these letters: nothing else that an answer says is shown or logged. */
export function errorCode(code: string): string {
  return /^[a-z_]{1,40}$/.test(code) ? code : "an error";
}

/** For who runs the server, who alone can mend it: a wrong secret, for example. The message is Cofio's own, or a code. */
export function logProviderProblem(provider: string, { kind, message }: ProviderProblem): void {
  if (kind !== "declined") logProblem(`sign-in by ${provider}`, message);
}

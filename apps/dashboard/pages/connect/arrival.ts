/** How far a client that connects has come, from the steps that were seen of it. */
import { HANDSHAKE_STEPS, type Handshake, type HandshakeStep } from "../../../../src/handshake.ts";

export interface Arrival {
  /** As it names itself; null: nobody knows yet who it is. */
  readonly client: string | null;
  /** The latest that it took, and all before it, though of some nothing is seen. Null: none. */
  readonly last: HandshakeStep | null;
  /** What it does next; null: it is connected, and used. */
  readonly next: HandshakeStep | null;
  readonly seen: ReadonlySet<HandshakeStep>;
  /** Others that use the memory, allowed earlier or with a token. */
  readonly inUse: readonly string[];
}

/** Of several clients the one that took a step of getting its permission last. */
export function arrivalIn({ steps }: Pick<Handshake, "steps">): Arrival {
  const newcomers = steps.filter(({ step }) => isOfPermission(step)).map(({ client }) => client);
  const client = newcomers.at(-1) ?? null;
  const own = steps.filter((one) => one.client === null || one.client === client);
  const seen = new Set(own.map(({ step }) => step));
  const reached = HANDSHAKE_STEPS.findLastIndex((step) => seen.has(step) && isOwn(step));
  return {
    client,
    last: HANDSHAKE_STEPS[reached] ?? null,
    next: HANDSHAKE_STEPS[reached + 1] ?? null,
    seen,
    inUse: steps
      .filter(({ step }) => step === "first_call")
      .flatMap((one) => (one.client === null || one.client === client ? [] : [one.client])),
  };

  /** Calls before the key is fetched come by an earlier permission of a client of the same name. */
  function isOwn(step: HandshakeStep): boolean {
    return (step !== "reached" && step !== "first_call") || seen.has("token_issued");
  }
}

function isOfPermission(step: HandshakeStep): boolean {
  return step === "consent_shown" || step === "authorised" || step === "token_issued";
}

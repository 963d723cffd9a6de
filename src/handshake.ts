/** The steps of a client that connects, as a person's pages are shown them while they watch. */

/** In their order. Of the first two nobody knows whose client it is. */
export const HANDSHAKE_STEPS = [
  "metadata_read",
  "registered",
  "consent_shown",
  "authorised",
  "token_issued",
  "reached",
  "first_call",
] as const;
export type HandshakeStep = (typeof HANDSHAKE_STEPS)[number];

/** Times are milliseconds UTC. */
export interface Handshake {
  readonly watchedUntil: number;
  /** Each once for each attempt of a client. */
  readonly steps: readonly {
    readonly step: HandshakeStep;
    readonly at: number;
    /** As it names itself; null: some client, perhaps another person's. */
    readonly client: string | null;
  }[];
}

/** A page that is still open asks again. */
export const WATCH_MS = 600_000;
/** Several clients at once, and none that fills the page. */
const MAX_STEPS = 30;

/** From the beginning where nobody was watching. */
export function watched(before: Handshake | undefined, now: number): Handshake {
  const isWatched = before !== undefined && before.watchedUntil > now;
  return { watchedUntil: now + WATCH_MS, steps: isWatched ? before.steps : [] };
}

/** Null: nothing that is to be shown. */
export function withStep(
  handshake: Handshake | undefined,
  { step, client, now }: { step: HandshakeStep; client: string | null; now: number },
): Handshake | null {
  if (handshake === undefined || handshake.watchedUntil <= now) return null;
  const steps = isNewAttempt(step)
    ? handshake.steps.filter((one) => one.client !== client || isBefore(one.step, step))
    : handshake.steps;
  const isKnown = steps.some((one) => one.step === step && one.client === client);
  if (isKnown || steps.length === MAX_STEPS) return null;
  return { ...handshake, steps: [...steps, { step, at: now, client }] };
}

/** What a client reached by an earlier permission says nothing of the one that is on its way. The calls of a connection, however, go on. */
function isNewAttempt(step: HandshakeStep): boolean {
  return step === "consent_shown" || step === "authorised" || step === "token_issued";
}

function isBefore(one: HandshakeStep, other: HandshakeStep): boolean {
  return HANDSHAKE_STEPS.indexOf(one) < HANDSHAKE_STEPS.indexOf(other);
}

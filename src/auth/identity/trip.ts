/**
 * A way to an identity provider and back, in a signed cookie: only the browser that set out comes back from it, to where it began, and
 * only what this server wrote there counts (that the set-up code was right, for one). One at a time; nothing of it is stored.
 */
import { deleteCookie, getSignedCookie, setSignedCookie } from "hono/cookie";
import * as z from "zod";
import { equalInConstantTime } from "../../vault/bytes.ts";
import type { PageContext } from "../bindings.ts";
import { randomLetters } from "../letters.ts";

const tripSchema = z.object({
  provider: z.string(),
  /** What the person is about to do. Whoever links is signed in, and `userId` is who. */
  purpose: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("sign-in") }),
    z.object({ kind: z.literal("sign-up"), name: z.string(), timeZone: z.string() }),
    z.object({ kind: z.literal("link"), userId: z.string() }),
  ]),
  /** Whoever set out is signed in, and confirms that it is them. */
  isAgain: z.boolean().default(false),
  /** A page of this server, as `safeNext` lets through. */
  next: z.string(),
  /** RFC 6749 §10.12, OpenID Connect Core §3.1.2.1, RFC 7636 §4.1. */
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  /** Milliseconds UTC. */
  startedAt: z.number(),
});

export type Trip = z.output<typeof tripSchema>;

/** Arbitrary: time to sign in elsewhere, with a second factor. */
const TRIP_SECONDS = 600;
const COOKIE = "trip";
/** Browsers keep 4,096 bytes of name and value, of which the signature is some 60. An authorization request is most of it; who brings a longer one is led to the start page. */
const MAX_VALUE_BYTES = 4_000;

/** @returns what the provider is to be asked with */
export async function setOut(
  c: PageContext,
  begun: Pick<Trip, "provider" | "purpose" | "isAgain" | "next">,
): Promise<Trip> {
  const whole = {
    ...begun,
    state: randomText(),
    nonce: randomText(),
    verifier: randomText(),
    startedAt: Date.now(),
  };
  const isTooLong = encodeURIComponent(JSON.stringify(whole)).length > MAX_VALUE_BYTES;
  const trip = isTooLong ? { ...whole, next: "/" } : whole;
  await setSignedCookie(c, COOKIE, JSON.stringify(trip), secretOf(c.env), {
    prefix: "host",
    httpOnly: true,
    secure: true,
    // Coming back is a visit from another site.
    sameSite: "Lax",
    path: "/",
    maxAge: TRIP_SECONDS,
  });
  return trip;
}

/**
 * The trip that this browser is on, which ends with this. Null: it is on none, on another one than the answer is of, or began too long ago.
 * @param answered what the callback was called with
 */
export async function comeBack(
  c: PageContext,
  answered: Pick<Trip, "provider" | "state">,
): Promise<Trip | null> {
  const text = await getSignedCookie(c, secretOf(c.env), COOKIE, "host");
  // False: the signature is wrong.
  if (text === undefined || text === false) return null;
  const trip = tripSchema.parse(JSON.parse(text));
  const isThis =
    trip.provider === answered.provider && equalInConstantTime(trip.state, answered.state);
  // A stranger's link to the callback leaves it as it is.
  if (!isThis) return null;
  deleteCookie(c, COOKIE, { prefix: "host", secure: true, path: "/" });
  return Date.now() - trip.startedAt < TRIP_SECONDS * 1000 ? trip : null;
}

/** The sessions' cookie is signed with the same secret: neither passes for the other. */
function secretOf(env: Env): string {
  return `trip/v1\0${env.AUTH_SECRET}`;
}

/** 260 bits. */
function randomText(): string {
  return randomLetters(52);
}

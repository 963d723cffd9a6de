/**
 * Signing up and in by another issuer's word, and adding that way to an account: out by a form of this server's pages, back to
 * `/sign-in/PROVIDER/callback`. It works without a script. Without the settings of a provider none of its addresses is there.
 */
import { Hono } from "hono";
import { newUserId } from "../../vault/ids.ts";
import type { PageContext, PageEnv } from "../bindings.ts";
import { isConfirmed } from "../confirmed.ts";
import { createAccount, localeOf } from "../create-account.ts";
import { displayName } from "../display-name.ts";
import { type Form, readForm } from "../form.ts";
import { LeavePage, Notice } from "../layout.tsx";
import { findPerson } from "../session.ts";
import { safeNext, SignUpClosed, withNext } from "../sign-in-page.tsx";
import { addAuthUser, isSetupCodeRight, isSignUpOpen } from "../sign-up.ts";
import type { Identified } from "./ask.ts";
import { addIdentity, findIdentity } from "./identities.ts";
import { logProviderProblem, type ProblemKind, ProviderProblem } from "./provider-problem.ts";
import { findProvider, type IdentityProvider } from "./providers.ts";
import { comeBack, setOut, type Trip } from "./trip.ts";

const SECURITY = "/security";
/** Arbitrary: longer than any zone's name. */
const MAX_TIME_ZONE = 64;

export const identityPages = new Hono<PageEnv>()
  .post("/sign-in/:provider", async (c) => {
    const provider = findProvider(c.env, c.req.param("provider"));
    if (provider === null) return c.notFound();
    const next = nextOf(c, await readForm(c.req.raw));
    return leaveFor(c, provider, { purpose: { kind: "sign-in" }, next });
  })
  .post("/sign-up/:provider", async (c) => {
    const provider = findProvider(c.env, c.req.param("provider"));
    if (provider === null) return c.notFound();
    const form = await readForm(c.req.raw);
    const next = nextOf(c, form);
    if ((await findPerson(c)) !== null) return c.redirect(next, 303);
    if (!(await isSignUpOpen(c.env))) return c.html(<SignUpClosed next={next} />, 403);
    if (!isSetupCodeRight(c.env, form.value("setup_code"))) {
      return c.html(
        <Notice title="The set-up code is wrong">
          <p>It was printed when this server was deployed. It proves that the server is yours.</p>
          <p class="actions">
            <a class="button" href={withNext("/sign-up", next)}>
              Try again
            </a>
          </p>
        </Notice>,
        403,
      );
    }
    const purpose = {
      kind: "sign-up",
      name: displayName(form.value("name"), ""),
      timeZone: form.value("time_zone").slice(0, MAX_TIME_ZONE),
    } as const;
    return leaveFor(c, provider, { purpose, next });
  })
  .post("/link/:provider", async (c) => {
    const provider = findProvider(c.env, c.req.param("provider"));
    if (provider === null) return c.notFound();
    const person = await findPerson(c);
    if (person === null) return c.redirect(withNext("/sign-in", SECURITY), 303);
    if (!isConfirmed(person, Date.now())) return c.redirect(withNext("/confirm", SECURITY), 303);
    const purpose = { kind: "link", userId: person.id } as const;
    return leaveFor(c, provider, { purpose, next: SECURITY });
  })
  .get("/sign-in/:provider/callback", async (c) => {
    const provider = findProvider(c.env, c.req.param("provider"));
    if (provider === null) return c.notFound();
    const answer = new URL(c.req.url).searchParams;
    const trip = await comeBack(c, { provider: provider.id, state: answer.get("state") ?? "" });
    if (trip === null) return c.html(<Lost />, 400);
    try {
      const { identify } = await import("./ask.ts");
      const callback = callbackOf(c.env, provider);
      return await arrive(c, {
        provider,
        trip,
        identified: await identify(provider, trip, { answer, callback }),
      });
    } catch (error) {
      return refuse(c, provider, { error, trip });
    }
  });

/** The address that a provider is told of, character by character. */
function callbackOf({ PUBLIC_ORIGIN }: Env, { id }: IdentityProvider): string {
  return `${PUBLIC_ORIGIN}/sign-in/${id}/callback`;
}

function nextOf(c: PageContext, form: Form): string {
  return safeNext(form.value("next"), c.env.PUBLIC_ORIGIN);
}

async function leaveFor(
  c: PageContext,
  provider: IdentityProvider,
  { purpose, next }: Pick<Trip, "purpose" | "next">,
): Promise<Response> {
  const isAgain = (await findPerson(c)) !== null && purpose.kind === "sign-in";
  const trip = await setOut(c, { provider: provider.id, purpose, isAgain, next });
  try {
    const { authorizationAddress } = await import("./ask.ts");
    const callback = callbackOf(c.env, provider);
    const to = await authorizationAddress(provider, trip, { callback });
    return await c.html(
      <LeavePage to={to} title={`Going to ${provider.name}`}>
        <p>It tells this server who you are and your name, and nothing else.</p>
      </LeavePage>,
    );
  } catch (error) {
    return refuse(c, provider, { error, trip });
  }
}

interface Arrival {
  readonly provider: IdentityProvider;
  readonly trip: Trip;
  readonly identified: Identified;
}

async function arrive(c: PageContext, arrival: Arrival): Promise<Response> {
  const { provider, trip, identified } = arrival;
  const { purpose, next } = trip;
  const owner = await findIdentity(c.env, identified.identity);
  if (purpose.kind === "link") return link(c, arrival, { userId: purpose.userId, owner });
  if (owner !== null) return enter(c, provider, { userId: owner, next });
  if (purpose.kind === "sign-in") {
    const canSignUp = await isSignUpOpen(c.env);
    return c.html(<Unknown provider={provider} next={next} canSignUp={canSignUp} />, 403);
  }
  const userId = newUserId();
  const name = purpose.name || displayName(identified.name, "Me");
  if (!(await addAuthUser(c.env, { id: userId, name }, Date.now()))) {
    return c.html(<SignUpClosed next={next} />, 403);
  }
  await createAccount(c.env, userId, {
    timeZone: purpose.timeZone,
    locale: localeOf(c.req.header("accept-language") ?? ""),
  });
  // False: another window was faster. What was made here is an abandoned sign-up.
  if (await addIdentity(c.env, userId, identified.identity)) {
    return enter(c, provider, { userId, next });
  }
  return c.redirect(withNext("/sign-in", next), 302);
}

async function link(
  c: PageContext,
  { provider, trip, identified }: Arrival,
  { userId, owner }: { readonly userId: string; readonly owner: string | null },
): Promise<Response> {
  const person = await findPerson(c);
  if (person?.id !== userId) return c.html(<Lost />, 401);
  if (owner === userId) return c.redirect(trip.next, 302);
  if (owner === null && (await addIdentity(c.env, userId, identified.identity))) {
    return c.redirect(trip.next, 302);
  }
  return c.html(
    <Notice title="Nothing was added" person={person}>
      <p>
        {owner === null
          ? `Another ${provider.name} account signs you in already. Remove it first.`
          : `This ${provider.name} account opens another account here. Sign in to that one and remove it there first.`}
      </p>
      <p class="actions">
        <a class="button" href={trip.next}>
          Back
        </a>
      </p>
    </Notice>,
    403,
  );
}

async function enter(
  c: PageContext,
  provider: IdentityProvider,
  { userId, next }: { readonly userId: string; readonly next: string },
): Promise<Response> {
  const person = await findPerson(c);
  if (person !== null && person.id !== userId) {
    return c.html(
      <Notice title="This is another account" person={person}>
        <p>
          This {provider.name} account opens another account than the one that you are signed in to.
          Sign out first to go there.
        </p>
      </Notice>,
      403,
    );
  }
  const { auth } = await import("../sign-in.ts");
  const { headers } = await auth.api.signInByIdentity({
    body: { userId },
    headers: c.req.raw.headers,
    returnHeaders: true,
  });
  for (const cookie of headers.getSetCookie()) c.header("Set-Cookie", cookie, { append: true });
  return c.redirect(next, 302);
}

function Unknown({
  provider,
  next,
  canSignUp,
}: {
  readonly provider: IdentityProvider;
  readonly next: string;
  readonly canSignUp: boolean;
}) {
  return (
    <Notice title="No account here">
      <p>This {provider.name} account opens no account of this server.</p>
      <p>
        If you have one, sign in as you usually do and add {provider.name} on the page Security: an
        e-mail address in common is not enough.
      </p>
      <p class="actions">
        <a class="button" href={withNext("/sign-in", next)}>
          Sign in another way
        </a>
        {canSignUp ? (
          <a class="button" href={withNext("/sign-up", next)}>
            Create account
          </a>
        ) : null}
      </p>
    </Notice>
  );
}

/** Also what somebody sees whom a stranger's link led to the callback: it says nothing more. */
function Lost() {
  return (
    <Notice title="Start again">
      <p>
        This sign-in was not begun in this browser, or more than ten minutes ago, or another one was
        begun since. Nothing was changed.
      </p>
      <p class="actions">
        <a class="button" href="/sign-in">
          Sign in
        </a>
      </p>
    </Notice>
  );
}

const STATUS = { declined: 400, untrusted: 400, unavailable: 502 } as const;

/** In plain words; the reason is in the log, for who runs the server. */
function refuse(
  c: PageContext,
  provider: IdentityProvider,
  { error, trip }: { readonly error: unknown; readonly trip: Trip },
): Response | Promise<Response> {
  if (!(error instanceof ProviderProblem)) throw error;
  logProviderProblem(provider.id, error);
  const words: Record<ProblemKind, string> = {
    declined: `You did not allow it at ${provider.name}. Nothing was changed.`,
    unavailable: `${provider.name} did not answer as it should. Try again later, or use another way.`,
    untrusted: `The answer that came was not the one that ${provider.name} owes this sign-in. Nothing was changed.`,
  };
  const back = trip.purpose.kind === "link" ? SECURITY : withNext("/sign-in", trip.next);
  return c.html(
    <Notice title={`${provider.name} did not sign you in`}>
      <p>{words[error.kind]}</p>
      <p class="actions">
        <a class="button" href={back}>
          Back
        </a>
      </p>
    </Notice>,
    STATUS[error.kind],
  );
}

/**
 * `/authorize`: the person decides, for every client and every time, what it may do. Nothing is approved without this page,
 * and whatever the client says about itself is shown as unverified text.
 */
import {
  AuthorizationError,
  authorizationErrorRedirect,
  CimdFetchError,
  type AuthRequest,
} from "@cloudflare/workers-oauth-provider";
import { Hono } from "hono";
import { isScope, OFFLINE_ACCESS, SCOPE_MEANINGS, SCOPES, type Scope } from "../scopes.ts";
import type { PageContext, PageEnv } from "./bindings.ts";
import { displayName } from "./display-name.ts";
import { readForm } from "./form.ts";
import { tellPerson } from "./handshake-watch.ts";
import { Layout, LeavePage, Notice } from "./layout.tsx";
import { findPerson, type Person } from "./session.ts";
import { withNext } from "./sign-in-page.tsx";

/** What the page shows of a request. Every string is the client's claim, except `domain`. */
interface ConsentDetails {
  readonly name: string;
  /** Of a client known by its metadata document: a domain that it controls. */
  readonly domain: string | null;
  readonly redirectHost: string;
  readonly isLoopback: boolean;
  readonly scopes: readonly Scope[];
}

export const consent = new Hono<PageEnv>()
  .get("/authorize", async (c) => {
    const oauth = c.env.OAUTH_PROVIDER;
    try {
      // Before anything else: a client that is not in order never reaches sign-in.
      const request = await oauth.parseAuthRequest(c.req.raw);
      if (request.codeChallenge === undefined) {
        // The library demands it of public clients only; MCP demands it of all.
        const reason = "PKCE with S256 is required";
        return c.redirect(authorizationErrorRedirect(request, "invalid_request", reason), 302);
      }
      const person = await findPerson(c);
      if (person === null) {
        const { pathname, search } = new URL(c.req.url);
        return c.redirect(withNext("/sign-in", pathname + search), 302);
      }
      const details = await describe(c, request);
      const { handle, headers } = await oauth.beginConsent(request);
      addHeaders(c, headers);
      await tellPerson(c.env, person.id, { step: "consent_shown", client: details.name });
      return c.html(<ConsentPage details={details} handle={handle} person={person} />);
    } catch (error) {
      return refuse(c, error);
    }
  })
  .post("/authorize", async (c) => {
    const person = await findPerson(c);
    if (person === null) return c.redirect("/sign-in", 303);
    const form = await readForm(c.req.raw);
    const handle = form.value("handle");
    try {
      return form.value("decision") === "approve"
        ? await approve(c, { handle, person, ticked: form.values("scope").filter(isScope) })
        : await deny(c, handle);
    } catch (error) {
      return refuse(c, error, { mayRedirect: false });
    }
  });

async function approve(
  c: PageContext,
  { handle, person, ticked }: { handle: string; person: Person; ticked: readonly Scope[] },
): Promise<Response> {
  if (ticked.length === 0) {
    return c.html(
      <Notice title="Nothing was ticked" person={person}>
        <p>Go back and tick at least one thing that the app may do, or deny it.</p>
      </Notice>,
      400,
    );
  }
  const oauth = c.env.OAUTH_PROVIDER;
  const { request, headers } = await oauth.approveConsent(c.req.raw, handle);
  const offer = await describe(c, request);
  // The page narrows: what was not offered is not given, whatever the form says.
  const scopes = offer.scopes.filter((scope) => ticked.includes(scope));
  const grantId = crypto.randomUUID();
  await c.env.USERS.getByName(person.id).allowGrant({
    id: grantId,
    client: offer.name,
    clientId: request.clientId,
    redirectUri: request.redirectUri,
    scopes,
  });
  const completed = oauth.completeAuthorization({
    request,
    userId: person.id,
    // Kept, because clients that asked for it name it again when they refresh.
    scope: request.scope.includes(OFFLINE_ACCESS) ? [...scopes, OFFLINE_ACCESS] : [...scopes],
    metadata: { grantId, clientName: offer.name },
    props: { userId: person.id, grantId, clientName: offer.name },
  });
  const { redirectTo } = await completed.catch(async (error: unknown) => {
    // No token will ever come of it, so it must not stand among the connected apps.
    await c.env.USERS.getByName(person.id).revokeGrant(grantId);
    throw error;
  });
  return leave(c, { to: redirectTo, headers, title: "Connected" });
}

async function deny(c: PageContext, handle: string): Promise<Response> {
  const { redirectTo, headers } = await c.env.OAUTH_PROVIDER.denyConsent(c.req.raw, handle);
  headers.delete("location");
  return leave(c, { to: redirectTo, headers, title: "Denied" });
}

function leave(
  c: PageContext,
  { to, headers, title }: { to: string; headers: Headers; title: string },
): Response | Promise<Response> {
  addHeaders(c, headers);
  return c.html(
    <LeavePage to={to} title={title}>
      <p>Going back to the app. You can close this page.</p>
    </LeavePage>,
  );
}

async function describe(c: PageContext, request: AuthRequest): Promise<ConsentDetails> {
  const about = await c.env.OAUTH_PROVIDER.describeConsent(request);
  const asked = request.scope.filter(isScope);
  return {
    name: displayName(about.clientName, "An app without a name"),
    domain: about.clientDomain ?? null,
    redirectHost: about.redirectHost,
    isLoopback: about.redirectIsLoopback,
    // A client that names no scope leaves the choice to the server: it is offered all, and the person narrows.
    scopes: asked.length === 0 ? SCOPES : SCOPES.filter((scope) => asked.includes(scope)),
  };
}

function ConsentPage({
  details,
  handle,
  person,
}: {
  readonly details: ConsentDetails;
  readonly handle: string;
  readonly person: Person;
}) {
  const { name, domain, redirectHost, isLoopback, scopes } = details;
  return (
    <Layout title="Allow access" person={person}>
      <section class="card narrow">
        <h1>
          Allow “<bdi>{name}</bdi>” to use your memory?
        </h1>
        <dl class="facts">
          <dt>Who asks</dt>
          {domain === null ? (
            <dd>
              An app that calls itself “<bdi>{name}</bdi>”. This name is not verified.
            </dd>
          ) : (
            <dd>
              An app published by <strong>{domain}</strong>. It calls itself “<bdi>{name}</bdi>”.
            </dd>
          )}
          <dt>Access goes to</dt>
          <dd>
            <strong>{redirectHost}</strong>
            {isLoopback ? (
              <span class="warning">
                That is a program on this computer, whatever its name says. Continue only if you
                have just started this from it.
              </span>
            ) : null}
          </dd>
        </dl>
        <form method="post" action="/authorize">
          <input type="hidden" name="handle" value={handle} />
          <ScopeChoice legend="What it may do" scopes={scopes} />
          <p class="hint">Untick what you do not want. You can end the access at any time.</p>
          <p class="actions">
            <button class="primary" name="decision" value="approve">
              Allow
            </button>
            <button name="decision" value="deny">
              Deny
            </button>
          </p>
        </form>
      </section>
    </Layout>
  );
}

export function ScopeChoice({
  legend,
  scopes,
}: {
  readonly legend: string;
  readonly scopes: readonly Scope[];
}) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {scopes.map((scope) => (
        <label class="tick">
          <input type="checkbox" name="scope" value={scope} checked />
          {SCOPE_MEANINGS[scope]}
        </label>
      ))}
    </fieldset>
  );
}

/** A redirect to the client is safe only where the library says so: it has then checked client and address. */
function refuse(
  c: PageContext,
  error: unknown,
  { mayRedirect = true }: { mayRedirect?: boolean } = {},
): Response | Promise<Response> {
  if (error instanceof AuthorizationError && mayRedirect && error.redirectTo !== undefined) {
    return c.redirect(error.redirectTo, 302);
  }
  if (error instanceof AuthorizationError || error instanceof CimdFetchError) {
    return c.html(
      <Notice title="This request cannot be used">
        <p>
          {error instanceof AuthorizationError
            ? `${error.description}.`
            : "The app could not be verified: the address that describes it did not answer as it should."}
        </p>
        <p>Nothing was allowed. Start again from the app.</p>
      </Notice>,
      400,
    );
  }
  throw error;
}

function addHeaders(c: PageContext, headers: Headers): void {
  for (const [name, value] of headers) c.header(name, value, { append: name === "set-cookie" });
}

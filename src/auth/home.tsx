/** `/`, and `/account`: of the dashboard's pages what has to be there without a script too, as forms. */
import { Hono } from "hono";
import type { GrantLine } from "../grants.ts";
import { isScope, SCOPE_MEANINGS, SCOPES, type Scope } from "../scopes.ts";
import { changeUser, findUser } from "../storage/accounts.ts";
import type { PageContext, PageEnv } from "./bindings.ts";
import { addToken, listGrants, revokeGrant } from "./connected-apps.ts";
import { confirmForm } from "./confirm-page.tsx";
import { isConfirmed, NOT_CONFIRMED } from "./confirmed.ts";
import { ScopeChoice } from "./consent.tsx";
import { isTimeZone } from "./create-account.ts";
import { showDashboard } from "./dashboard.tsx";
import { displayName } from "./display-name.ts";
import { readForm } from "./form.ts";
import { BackHome, CopyLine, Layout, Notice } from "./layout.tsx";
import { findPerson, type Person } from "./session.ts";
import { withNext } from "./sign-in-page.tsx";
import { isSignUpOpen } from "./sign-up.ts";

export const home = new Hono<PageEnv>()
  .get("/", async (c) => {
    const person = await findPerson(c);
    if (person === null) {
      const canSignUp = await isSignUpOpen(c.env);
      return c.html(
        <Welcome canSignUp={canSignUp} isUnclaimed={canSignUp && c.env.SIGN_UP !== "open"} />,
      );
    }
    return showDashboard(c, person);
  })
  .get("/account", async (c) => {
    const person = await findPerson(c);
    if (person === null) return c.redirect(withNext("/sign-in", "/account"), 302);
    const [grants, user] = await Promise.all([
      listGrants(c.env, person.id),
      findUser(c.env.DB, person.id),
    ]);
    return c.html(
      <Account
        origin={c.env.PUBLIC_ORIGIN}
        person={person}
        grants={grants}
        timeZone={user?.timeZone ?? "UTC"}
      />,
    );
  })
  .post("/tokens", async (c) => {
    const person = await findPerson(c);
    if (person === null) return c.redirect("/sign-in", 303);
    const form = await readForm(c.req.raw);
    const name = displayName(form.value("name"), "");
    const scopes = form.values("scope").filter(isScope);
    const trusted = form.value("trusted") === "1";
    if (name === "" || scopes.length === 0) {
      return c.html(
        <Notice title="No token was made" person={person}>
          <p>A token needs a name and at least one thing that it may do.</p>
          <BackToAccount />
        </Notice>,
        400,
      );
    }
    if (trusted && !isConfirmed(person, Date.now())) {
      return c.html(
        <Notice title="No token was made" person={person}>
          <p>{NOT_CONFIRMED} Then make the token again: it may decide in your place.</p>
          {await confirmForm(c, person, "/account")}
          <BackToAccount />
        </Notice>,
        403,
      );
    }
    const { token } = await addToken(c.env, person.id, { name, scopes, trusted });
    return c.html(<TokenPage person={person} name={name} token={token} />);
  })
  .post("/grants/revoke", async (c) => {
    const person = await findPerson(c);
    if (person === null) return c.redirect("/sign-in", 303);
    const id = (await readForm(c.req.raw)).value("id");
    await revokeGrant(c.env, c.env.OAUTH_PROVIDER, person.id, id);
    return c.redirect("/account", 303);
  })
  .post("/time-zone", async (c) => {
    const person = await findPerson(c);
    if (person === null) return c.redirect("/sign-in", 303);
    const timeZone = (await readForm(c.req.raw)).value("time_zone");
    if (!isTimeZone(timeZone)) return unknownTimeZone(c, person);
    await changeUser(c.env.DB, person.id, { timeZone });
    return c.redirect("/account", 303);
  });

function unknownTimeZone(c: PageContext, person: Person): Response | Promise<Response> {
  return c.html(
    <Notice title="Unknown time zone" person={person}>
      <p>Nothing was changed. Choose one from the list.</p>
      <BackToAccount />
    </Notice>,
    400,
  );
}

function Welcome({
  canSignUp,
  isUnclaimed,
}: {
  readonly canSignUp: boolean;
  /** Nobody has an account here: signing in would lead nowhere. */
  readonly isUnclaimed: boolean;
}) {
  return (
    <Layout title="Cofio" person={null}>
      <section class="welcome">
        <h1>One memory for all your AI assistants</h1>
        <p>
          Cofio keeps what your assistants learn about you in one place that you own: encrypted,
          searchable, and yours to change or take away. Connect Claude, ChatGPT, Cursor or any other
          MCP client once, and what one of them learns, all of them can recall.
        </p>
        <p class="actions">
          <a class={isUnclaimed ? "button" : "button primary"} href="/sign-in">
            Sign in
          </a>
          {canSignUp ? (
            <a class={isUnclaimed ? "button primary" : "button"} href="/sign-up">
              Create account
            </a>
          ) : null}
        </p>
      </section>
    </Layout>
  );
}

function Account({
  origin,
  person,
  grants,
  timeZone,
}: {
  readonly origin: string;
  readonly person: Person;
  readonly grants: readonly GrantLine[];
  readonly timeZone: string;
}) {
  const url = `${origin}/mcp`;
  const apps = grants.filter((grant) => grant.kind === "oauth");
  const tokens = grants.filter((grant) => grant.kind !== "oauth");
  return (
    <Layout title="Account without JavaScript" person={person}>
      <h1>Account without JavaScript</h1>
      <p>
        With JavaScript there is more, such as pausing an app: <a href="/apps">Connected apps</a>{" "}
        and <a href="/security">Security</a>.
      </p>
      <section class="card">
        <h2>Connect an assistant</h2>
        <p>Give this address to Claude, ChatGPT, Cursor or any other MCP client:</p>
        <CopyLine text={url} label="the address" />
        <p>For Claude Code:</p>
        <CopyLine
          text={`claude mcp add --transport http --scope user cofio ${url}`}
          label="the command"
        />
      </section>
      <section class="card">
        <h2>Connected apps</h2>
        {apps.length === 0 ? (
          <p class="empty">None yet. An app appears here once you have allowed it.</p>
        ) : (
          <GrantList grants={apps} timeZone={timeZone} />
        )}
      </section>
      <section class="card">
        <h2>Personal access tokens</h2>
        <p>For scripts, and for clients that cannot sign in by a browser.</p>
        {tokens.length === 0 ? null : <GrantList grants={tokens} timeZone={timeZone} />}
        <details>
          <summary>Make a token</summary>
          <form method="post" action="/tokens">
            <label>
              Name
              <input
                name="name"
                maxlength={60}
                placeholder="Backup script"
                autocomplete="off"
                required
              />
            </label>
            <ScopeChoice legend="What it may do" scopes={SCOPES} />
            <label class="tick">
              <input type="checkbox" name="trusted" value="1" />
              It may decide in my place: approve waiting memories and change the memory rules. Not
              for assistants.
            </label>
            <button class="primary">Make token</button>
          </form>
        </details>
      </section>
      <section class="card">
        <h2>Import</h2>
        <p>
          Bring what other assistants know about you: exports of ChatGPT, of Claude, or of another
          Cofio.
        </p>
        <p class="actions">
          <a class="button" href="/import">
            Import files
          </a>
        </p>
      </section>
      <section class="card">
        <h2>Settings</h2>
        <form method="post" action="/time-zone" class="row">
          <label>
            Time zone
            <select name="time_zone">
              {timeZones(timeZone).map((zone) => (
                <option value={zone} selected={zone === timeZone}>
                  {zone.replaceAll("_", " ")}
                </option>
              ))}
            </select>
          </label>
          <button>Save</button>
        </form>
        <form data-passkey="add" data-next="/account" data-name={person.name} class="row">
          <p>A second passkey, on another device, lets you in when the first is lost.</p>
          <button>Add a passkey</button>
          <p role="alert" class="alert" hidden></p>
        </form>
      </section>
      <BackHome />
    </Layout>
  );
}

function GrantList({
  grants,
  timeZone,
}: {
  readonly grants: readonly GrantLine[];
  readonly timeZone: string;
}) {
  return (
    <ul class="grants">
      {grants.map((grant) => (
        <li>
          <div>
            <strong>
              <bdi>{grant.client}</bdi>
            </strong>
            {grant.redirectUri === null ? null : (
              <small>
                Access goes to {URL.parse(grant.redirectUri)?.host ?? grant.redirectUri}
              </small>
            )}
            <small>
              {meaningOf(grant.scopes)}
              {grant.trusted ? " · May approve waiting memories and change the memory rules" : ""}
            </small>
            <small>
              {grant.usedAt === null ? "Never used" : `Last used ${moment(grant.usedAt, timeZone)}`}{" "}
              · added {day(grant.createdAt, timeZone)}
            </small>
          </div>
          <form method="post" action="/grants/revoke">
            <input type="hidden" name="id" value={grant.id} />
            <button class="danger" aria-label={`Revoke ${grant.client}`}>
              Revoke
            </button>
          </form>
        </li>
      ))}
    </ul>
  );
}

function TokenPage({
  person,
  name,
  token,
}: {
  readonly person: Person;
  readonly name: string;
  readonly token: string;
}) {
  return (
    <Notice title="Your token" person={person}>
      <p>
        This is “<bdi>{name}</bdi>”. Copy it now: it is shown only once, and Cofio keeps no copy
        that could be read.
      </p>
      <CopyLine text={token} label="the token" />
      <p>
        Send it as <code>Authorization: Bearer …</code>. Whoever has it can do what you ticked,
        until you revoke it.
      </p>
      <BackToAccount />
    </Notice>
  );
}

function BackToAccount() {
  return (
    <p class="aside">
      <a href="/account">Back to your account</a>
    </p>
  );
}

function meaningOf(scopes: readonly Scope[]): string {
  if (scopes.length === SCOPES.length) return "May do everything";
  return scopes.length === 0
    ? "May do nothing"
    : scopes.map((scope) => SCOPE_MEANINGS[scope]).join(" · ");
}

function moment(time: number, timeZone: string): string {
  const format = { dateStyle: "medium", timeStyle: "short", timeZone } as const;
  return new Intl.DateTimeFormat("en-GB", format).format(time);
}

function day(time: number, timeZone: string): string {
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone }).format(time);
}

/** The list of the runtime lacks UTC and old names, one of which may be set. */
function timeZones(current: string): string[] {
  return [...new Set(["UTC", current, ...Intl.supportedValuesOf("timeZone")])].sort();
}

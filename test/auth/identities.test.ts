/** Signing in by another issuer's word. The internet is the one thing faked: the issuer of `support/issuer.ts`, and GitHub. */
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { app } from "../../src/auth/app.tsx";
import { identityProviders, providerProblems } from "../../src/auth/identity/providers.ts";
import { createIssuer, type IssuedPerson, type Issuer } from "../support/issuer.ts";
import {
  authorizePath,
  destinationIn,
  newClient,
  newVisitor,
  ORIGIN,
  signedUp,
  signIn,
  signUp,
  type Visitor,
} from "./support/visitor.ts";

const ISSUER = "https://id.example/realm";
const OTHER_ISSUER = "https://other.example";
const CALLBACK = "/sign-in/oidc/callback";
const ACCOUNT = "/api/account";
const GITHUB = { GITHUB_CLIENT_ID: "github-client", GITHUB_CLIENT_SECRET: "github-secret" };
const NAMES = [
  "GITHUB_CLIENT_ID",
  "GITHUB_CLIENT_SECRET",
  "OIDC_ISSUER",
  "OIDC_CLIENT_ID",
  "OIDC_CLIENT_SECRET",
  "OIDC_NAME",
];
/** Its binding is there when a test has set it. */
const settings = env as unknown as Record<string, string>;

let issuer: Issuer;
const issuers: Issuer[] = [];
/** What this server fetched. */
const fetched: string[] = [];
const logged: unknown[] = [];

beforeAll(async () => {
  env.SIGN_UP = "open";
  // The first sign-up of a file has better-auth transformed.
  await signedUp("First");
  issuer = await createIssuer(ISSUER, [ORIGIN + CALLBACK]);
  issuers.push(issuer);
  // In front of the guard, which would let these addresses through.
  vi.stubGlobal("fetch", async (address: string, init?: RequestInit) => {
    const request = new Request(address, init);
    fetched.push(address);
    const asked = issuers.find((one) => address.startsWith(one.settings.OIDC_ISSUER));
    return asked === undefined ? github(request) : asked.answer(request);
  });
}, 120_000);

beforeEach(async () => {
  env.SIGN_UP = "open";
  Object.assign(settings, issuer.settings, GITHUB);
  issuer.faults = {};
  fetched.length = 0;
  logged.length = 0;
  vi.spyOn(console, "error").mockImplementation((line) => void logged.push(line));
  await env.DB.prepare("DELETE FROM auth_user").run();
});

afterEach(() => {
  vi.useRealTimers();
});

test("somebody signs up by their issuer's word, and in again elsewhere", async () => {
  const person = { sub: "mair", name: "Mair\u202E Llwyd", email: "mair@example.org" };
  const { visitor, response } = await go(newVisitor(), "sign-up", person, {
    next: "/memories",
    time_zone: "Europe/Berlin",
  });
  expect([response.status, response.headers.get("location")]).toEqual([302, "/memories"]);
  const { data } = await visitor.call("GET", ACCOUNT);
  expect(data).toMatchObject({ name: "Mair Llwyd", time_zone: "Europe/Berlin", signs_in: true });
  const elsewhere = await go(newVisitor(), "sign-in", person);
  expect(elsewhere.response.headers.get("location")).toBe("/");
  expect((await elsewhere.visitor.call("GET", ACCOUNT)).data["name"]).toBe("Mair Llwyd");
  expect(await users()).toBe(1);
  // Signing up once more is signing in.
  expect((await go(newVisitor(), "sign-up", person)).response.status).toBe(302);
  expect(await users()).toBe(1);
});

test("of the issuer's answer only issuer and subject are kept, and nothing is logged", async () => {
  await go(newVisitor(), "sign-up", { sub: "mair", name: "M", email: "mair@example.org" });
  const row = await env.DB.prepare("SELECT * FROM auth_account").first();
  expect(row).toMatchObject({
    provider_id: ISSUER,
    account_id: "mair",
    access_token: null,
    refresh_token: null,
    id_token: null,
    scope: null,
  });
  const { results } = await env.DB.prepare("SELECT * FROM auth_user").all();
  expect(JSON.stringify(results)).not.toContain("example.org");
  expect(logged).toEqual([]);
});

test("each request has its own state, nonce and challenge, and asks again whoever confirms", async () => {
  const { visitor } = await go(newVisitor(), "sign-up", { sub: "mair" });
  await go(visitor, "sign-in", { sub: "mair" });
  const [first, second] = issuer.asked.slice(-2);
  for (const name of ["state", "nonce", "code_challenge"]) {
    expect(first?.get(name)).toMatch(/^[\w-]{43,}$/);
    expect(first?.get(name)).not.toBe(second?.get(name));
  }
  expect([first?.get("prompt"), second?.get("prompt")]).toEqual([null, "login"]);
  expect([first?.get("max_age"), second?.get("max_age")]).toEqual([null, "0"]);
  expect(first?.get("redirect_uri")).toBe(ORIGIN + CALLBACK);
});

test("a client's request for consent survives the way to the issuer and back", async () => {
  const next = authorizePath({ client_id: await newClient() });
  const { visitor, response } = await go(newVisitor(), "sign-up", { sub: "mair" }, { next });
  expect(response.headers.get("location")).toBe(next);
  expect(await (await visitor.get(next)).text()).toContain("to use your memory?");
  const stray = await go(
    newVisitor(),
    "sign-in",
    { sub: "mair" },
    { next: "https://evil.example" },
  );
  expect(stray.response.headers.get("location")).toBe("/");
});

test("an identity that opens nothing makes no account by signing in", async () => {
  const { response } = await go(newVisitor(), "sign-in", { sub: "stranger" });
  expect(response.status).toBe(403);
  expect(await response.text()).toContain("No account here");
  expect(await users()).toBe(0);
});

test("the same e-mail address is not the same person, and nor is the same subject of another issuer", async () => {
  const email = "mair@example.org";
  await go(newVisitor(), "sign-up", { sub: "mair", email });
  const { response } = await go(newVisitor(), "sign-in", { sub: "another", email });
  expect(response.status).toBe(403);
  await env.DB.prepare("UPDATE auth_user SET email = ?1, email_verified = 1").bind(email).run();
  expect((await go(newVisitor(), "sign-in", { sub: "another", email })).response.status).toBe(403);
  // The deployer chooses another issuer, whose people are others.
  const other = await createIssuer(OTHER_ISSUER, [ORIGIN + CALLBACK]);
  issuers.push(other);
  Object.assign(settings, other.settings);
  const foreign = await go(newVisitor(), "sign-in", { sub: "mair", email }, { issuer: other });
  expect(foreign.response.status).toBe(403);
});

test("nobody signs up where sign-up is closed, also not of two at once", async () => {
  env.SIGN_UP = "owner";
  const both = await Promise.all([
    go(newVisitor(), "sign-up", { sub: "first" }),
    go(newVisitor(), "sign-up", { sub: "second" }),
  ]);
  expect(new Set(both.map(({ response }) => response.status))).toEqual(new Set([302, 403]));
  expect(await users()).toBe(1);
  // The owner is none of those whose sign-up is given up after a while: there is no passkey, and they came in.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
  const late = await newVisitor().post("/sign-up/oidc", { next: "/" });
  expect(late.status).toBe(403);
  expect((await signUp("Third")).response.status).toBe(403);
  expect(await users()).toBe(1);
});

test("the set-up code is asked for before anybody leaves for the issuer", async () => {
  const origin = "https://cofio.example";
  const post = (setup_code: string) =>
    app.request(
      `${origin}/sign-up/oidc`,
      { method: "POST", headers: { origin }, body: new URLSearchParams({ setup_code }) },
      { ...env, SIGN_UP: "owner", PUBLIC_ORIGIN: origin },
    );
  for (const wrong of ["", "wrong"]) {
    const answer = await post(wrong);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain("The set-up code is wrong");
  }
  expect(fetched).toEqual([]);
  const answer = await post(env.SETUP_CODE);
  const asked = destinationIn(await answer.text());
  expect(asked.origin).toBe("https://id.example");
  expect(asked.searchParams.get("redirect_uri")).toBe(origin + CALLBACK);
});

test("an answer with another state, for another browser, twice, or too late signs nobody in", async () => {
  const person = { sub: "mair" };
  await go(newVisitor(), "sign-up", person);
  const start = async () => {
    const visitor = newVisitor();
    const back = await ask(await visitor.post("/sign-in/oidc", { next: "/" }), person);
    return { visitor, back };
  };
  const { visitor, back } = await start();
  const forged = new URL(back);
  forged.searchParams.set("state", "a".repeat(52));
  const none = new URL(back);
  none.searchParams.delete("state");
  for (const address of [forged, none]) {
    expect((await visitor.get(address.pathname + address.search)).status).toBe(400);
  }
  // Login CSRF: the attacker's answer in somebody's browser.
  expect((await newVisitor().get(back.pathname + back.search)).status).toBe(400);
  expect((await (await start()).visitor.get(back.pathname + back.search)).status).toBe(400);
  // For another provider than it was begun with.
  expect((await visitor.get(`/sign-in/github/callback${back.search}`)).status).toBe(400);
  expect((await visitor.get(back.pathname + back.search)).status).toBe(302);
  expect((await visitor.get(back.pathname + back.search)).status).toBe(400);
  const late = await start();
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 600_000 });
  expect((await late.visitor.get(late.back.pathname + late.back.search)).status).toBe(400);
});

test("a trip that this server did not sign is none", async () => {
  const visitor = newVisitor();
  const back = await ask(await visitor.post("/sign-in/oidc", { next: "/" }), { sub: "mair" });
  const name = "__Host-trip";
  const value = visitor.cookies.get(name) ?? "";
  const [text = "", mac] = decodeURIComponent(value).split(/\.(?=[^.]+$)/);
  const forged = text.replace('"kind":"sign-in"', '"kind":"sign-up","name":"","timeZone":""');
  expect(forged).not.toBe(text);
  visitor.cookies.set(name, encodeURIComponent(`${forged}.${mac}`));
  expect((await visitor.get(back.pathname + back.search)).status).toBe(400);
  expect(await users()).toBe(0);
});

test("an answer of another issuer, and a token that is not this sign-in's, are refused without a word of it", async () => {
  const faults = [
    { answer: { iss: "https://evil.example" } },
    { answer: { iss: "" } },
    { isForged: true },
    { claims: { nonce: "another" } },
    { claims: { nonce: undefined } },
    { claims: { iss: "https://evil.example" } },
    { claims: { aud: "another-client" } },
    { claims: { aud: [issuer.settings.OIDC_CLIENT_ID, "another-client"] } },
    { claims: { azp: "another-client" } },
    { claims: { exp: 1 } },
    { claims: { sub: "" } },
  ];
  for (const fault of faults) {
    issuer.faults = fault;
    const { response } = await go(newVisitor(), "sign-up", { sub: "mair-secret" });
    expect([fault, response.status]).toEqual([fault, 400]);
    expect(await response.text()).toContain("not the one that Example ID owes this sign-in");
  }
  expect(await users()).toBe(0);
  expect(logged).toHaveLength(faults.length);
  expect(logged.join()).not.toMatch(/mair-secret|an-access-token|evil/);
});

test("what the issuer refuses is said in plain words, and its reason is logged as a code", async () => {
  issuer.faults = { answer: { error: "access_denied", error_description: "<b>x</b>" } };
  const declined = await go(newVisitor(), "sign-in", { sub: "mair" }, { next: "/memories" });
  expect(declined.response.status).toBe(400);
  const html = await declined.response.text();
  expect(html).toContain("You did not allow it at Example ID");
  expect(html).toContain("/sign-in?next=%2Fmemories");
  expect(logged).toEqual([]);
  issuer.faults = { answer: { error: "<b>server</b>" } };
  const broken = await go(newVisitor(), "sign-in", { sub: "mair" });
  expect([broken.response.status, await broken.response.text()]).toEqual([
    502,
    expect.not.stringContaining("<b>server"),
  ]);
  issuer.faults = { tokens: { status: 401, body: { error: "invalid_client" } } };
  expect((await go(newVisitor(), "sign-in", { sub: "mair" })).response.status).toBe(502);
  issuer.faults = { tokens: { status: 200, body: { hello: "an-access-token" } } };
  expect((await go(newVisitor(), "sign-in", { sub: "mair" })).response.status).toBe(502);
  expect(logged.map((line) => JSON.parse(String(line)).problem)).toEqual([
    "The authorization endpoint answered an error",
    "/realm/token answered invalid_client",
    "/realm/token answered something else than the standard has",
  ]);
});

test("an issuer that cannot be reached is told before anybody leaves", async () => {
  Object.assign(settings, { OIDC_ISSUER: "https://nowhere.example" });
  const answer = await newVisitor().post("/sign-in/oidc", { next: "/" });
  expect([answer.status, await answer.text()]).toEqual([
    502,
    expect.stringContaining("Example ID did not answer as it should"),
  ]);
});

// Ways in of an account

test("a person with a passkey adds an identity, signs in by it, and removes it again", async () => {
  const { visitor } = await signedUp("Mair");
  expect((await visitor.call("GET", `${ACCOUNT}/identities`)).data).toEqual({
    identities: [],
    addable: [
      { id: "github", name: "GitHub" },
      { id: "oidc", name: "Example ID" },
    ],
  });
  const { response } = await go(visitor, "link", { sub: "mair" });
  expect(response.headers.get("location")).toBe("/security");
  const { data } = await visitor.call("GET", `${ACCOUNT}/identities`);
  expect(data["identities"]).toEqual([
    { id: expect.any(String), name: "Example ID", created_at: expect.any(String), is_usable: true },
  ]);
  expect(data["addable"]).toEqual([{ id: "github", name: "GitHub" }]);
  const elsewhere = await go(newVisitor(), "sign-in", { sub: "mair" });
  expect((await elsewhere.visitor.call("GET", ACCOUNT)).data["name"]).toBe("Mair");
  const path = `${ACCOUNT}/identities/${data["identities"][0].id}`;
  expect((await visitor.call("DELETE", path)).status).toBe(200);
  expect((await visitor.call("DELETE", path)).status).toBe(404);
  expect((await go(newVisitor(), "sign-in", { sub: "mair" })).response.status).toBe(403);
});

test("the last way in stays, of passkeys and identities together, also of two removals at once", async () => {
  const { visitor } = await go(newVisitor(), "sign-up", { sub: "mair" });
  const ways = async () => {
    const identities = await visitor.call("GET", `${ACCOUNT}/identities`);
    const passkeys = await visitor.call("GET", `${ACCOUNT}/passkeys`);
    return [
      ...identities.data["identities"].map(({ id }: { id: string }) => `identities/${id}`),
      ...passkeys.data["passkeys"].map(({ id }: { id: string }) => `passkeys/${id}`),
    ];
  };
  const [only] = await ways();
  const refused = await visitor.call("DELETE", `${ACCOUNT}/${only}`);
  expect([refused.status, refused.data["error"].message]).toEqual([
    403,
    "This is the last way into your account.",
  ]);
  // A recovery code is none.
  expect((await visitor.call("POST", `${ACCOUNT}/recovery-code`)).status).toBe(201);
  expect((await visitor.call("DELETE", `${ACCOUNT}/${only}`)).status).toBe(403);
  const { passkey } = await signUp("Mair", { visitor });
  const both = await ways();
  expect(both).toHaveLength(2);
  const answers = await Promise.all(both.map((way) => visitor.call("DELETE", `${ACCOUNT}/${way}`)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 403]));
  expect(await ways()).toHaveLength(1);
  const isPasskeyLeft = (await ways())[0]?.startsWith("passkeys/");
  const back = isPasskeyLeft
    ? await signIn(newVisitor(), passkey)
    : (await go(newVisitor(), "sign-in", { sub: "mair" })).response;
  expect(back.status).toBe(isPasskeyLeft ? 200 : 302);
});

test("an identity that this server has no settings for any more is no way in", async () => {
  const { visitor } = await signedUp("Mair");
  await go(visitor, "link", { sub: "mair" });
  const { data } = await visitor.call("GET", `${ACCOUNT}/passkeys`);
  const [{ id }] = data["passkeys"];
  forgetProviders();
  expect((await visitor.call("DELETE", `${ACCOUNT}/passkeys/${id}`)).status).toBe(403);
  const listed = await visitor.call("GET", `${ACCOUNT}/identities`);
  expect(listed.data).toMatchObject({
    identities: [{ name: ISSUER, is_usable: false }],
    addable: [],
  });
  const path = `${ACCOUNT}/identities/${listed.data["identities"][0].id}`;
  expect((await visitor.call("DELETE", path)).status).toBe(200);
});

test("an identity opens one account, and an account has one of an issuer", async () => {
  await go(newVisitor(), "sign-up", { sub: "mair" });
  const { visitor } = await signedUp("Another");
  const taken = await go(visitor, "link", { sub: "mair" });
  expect([taken.response.status, await taken.response.text()]).toEqual([
    403,
    expect.stringContaining("opens another account here"),
  ]);
  expect((await go(visitor, "link", { sub: "another" })).response.status).toBe(302);
  expect((await go(visitor, "link", { sub: "another" })).response.status).toBe(302);
  const second = await go(visitor, "link", { sub: "a-third" });
  expect([second.response.status, await second.response.text()]).toEqual([
    403,
    expect.stringContaining("signs you in already"),
  ]);
  const { response } = await go(visitor, "sign-in", { sub: "mair" });
  expect([response.status, await response.text()]).toEqual([
    403,
    expect.stringContaining("Sign out first"),
  ]);
  expect((await visitor.call("GET", ACCOUNT)).data["name"]).toBe("Another");
});

test("an identity is added by who began it, confirmed, and from a page of this server", async () => {
  const { visitor } = await signedUp("Mair");
  const { visitor: stranger } = await signedUp("Stranger");
  expect((await newVisitor().post("/link/oidc", {})).headers.get("location")).toMatch(
    /^\/sign-in\?/,
  );
  for (const origin of [null, "http://localhost:9"]) {
    expect((await visitor.post("/link/oidc", {}, origin)).status).toBe(403);
  }
  const back = await ask(await visitor.post("/link/oidc", {}), { sub: "mair" });
  // Signed in as somebody else meanwhile.
  const session = visitor.cookies.get("__Host-session") ?? "";
  visitor.cookies.set("__Host-session", stranger.cookies.get("__Host-session") ?? "");
  expect((await visitor.get(back.pathname + back.search)).status).toBe(401);
  visitor.cookies.set("__Host-session", session);
  expect(await env.DB.prepare("SELECT 1 FROM auth_account").first()).toBeNull();
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 660_000 });
  const late = await visitor.post("/link/oidc", {});
  expect([late.status, late.headers.get("location")]).toEqual([303, "/confirm?next=%2Fsecurity"]);
});

test("who has no passkey confirms by their identity, and the session before ends", async () => {
  const { visitor } = await go(newVisitor(), "sign-up", { sub: "mair" });
  const before = new Map(visitor.cookies);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 660_000 });
  const code = () => visitor.call("POST", `${ACCOUNT}/recovery-code`);
  expect((await code()).data["error"].reason).toBe("not_confirmed");
  const page = await (await visitor.get("/confirm?next=/security")).text();
  expect(page).toContain('formaction="/sign-in/oidc"');
  expect(page).not.toContain("Confirm with a passkey");
  const { response } = await go(visitor, "sign-in", { sub: "mair" }, { next: "/security" });
  expect(response.headers.get("location")).toBe("/security");
  expect((await code()).status).toBe(201);
  const stale = newVisitor();
  for (const [name, value] of before) stale.cookies.set(name, value);
  expect((await stale.call("GET", ACCOUNT)).status).toBe(401);
});

test("an issuer that did not ask again confirms nobody, and signs them in as ever", async () => {
  const { visitor } = await go(newVisitor(), "sign-up", { sub: "mair" });
  const hourAgo = Math.floor(Date.now() / 1000) - 3_600;
  issuer.faults = { claims: { auth_time: hourAgo } };
  const before = visitor.cookies.get("__Host-session");
  expect((await go(visitor, "sign-in", { sub: "mair" })).response.status).toBe(400);
  expect(visitor.cookies.get("__Host-session")).toBe(before);
  expect((await go(newVisitor(), "sign-in", { sub: "mair" })).response.status).toBe(302);
  issuer.faults = { claims: { auth_time: hourAgo + 3_600 } };
  expect((await go(visitor, "sign-in", { sub: "mair" })).response.status).toBe(302);
});

test("whose only provider has no settings any more adds a passkey, however late", async () => {
  const { visitor } = await go(newVisitor(), "sign-up", { sub: "mair" });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 660_000 });
  const options = "/api/auth/passkey/generate-register-options?name=Mair";
  expect((await visitor.get(options)).status).toBe(403);
  forgetProviders();
  expect(await (await visitor.get("/confirm")).text()).toContain("add a passkey first");
  const { response, passkey } = await signUp("Mair", { visitor });
  expect(response.status).toBe(200);
  // From now on there is something to confirm with.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 660_000 });
  expect((await visitor.get(options)).status).toBe(403);
  expect((await signIn(visitor, passkey)).status).toBe(200);
});

test("a long request for consent and a long name do not cost the way back", async () => {
  const next = `/authorize?state=${"%26".repeat(650)}`;
  const visitor = newVisitor();
  await visitor.post("/sign-up/oidc", { next, name: "日".repeat(60) });
  expect(visitor.cookies.get("__Host-trip")?.length).toBeLessThan(4_080);
});

// GitHub, and what is set

test("GitHub's people are known by their number, and told no nonce", async () => {
  const visitor = newVisitor();
  const leaving = await visitor.post("/sign-up/github", { next: "/" });
  const asked = destinationIn(await leaving.text());
  expect(asked.origin + asked.pathname).toBe("https://github.com/login/oauth/authorize");
  expect([...asked.searchParams.keys()].sort()).toEqual(
    [
      "client_id",
      "code_challenge",
      "code_challenge_method",
      "redirect_uri",
      "response_type",
      "state",
    ].sort(),
  );
  const state = asked.searchParams.get("state");
  const back = await visitor.get(`/sign-in/github/callback?code=right&state=${state}`);
  expect(back.status).toBe(302);
  const row = await env.DB.prepare("SELECT * FROM auth_account").first();
  expect(row).toMatchObject({
    provider_id: "https://github.com",
    account_id: "583231",
    access_token: null,
  });
  expect((await visitor.call("GET", ACCOUNT)).data["name"]).toBe("mona");
  const used = newVisitor();
  const again = destinationIn(await (await used.post("/sign-in/github", {})).text());
  const wrong = `code=used&state=${again.searchParams.get("state")}`;
  expect((await used.get(`/sign-in/github/callback?${wrong}`)).status).toBe(502);
});

test("what is not set is not shown, and not there", async () => {
  for (const path of ["/sign-in", "/sign-up"]) {
    const html = await (await newVisitor().get(path)).text();
    expect(html).toContain(`formaction="${path}/github"`);
    expect(html).toContain("Example ID");
    expect(html).not.toContain("Google");
  }
  forgetProviders();
  for (const path of ["/sign-in", "/sign-up"]) {
    expect(await (await newVisitor().get(path)).text()).not.toContain("formaction");
  }
  const { visitor } = await signedUp("Mair");
  for (const path of ["/sign-in/oidc", "/sign-up/github", "/link/google"]) {
    expect([path, (await visitor.post(path, {})).status]).toEqual([path, 404]);
  }
  expect((await visitor.get(`${CALLBACK}?state=x`)).status).toBe(404);
  expect(fetched).toEqual([]);
});

test("half a provider, and an issuer without TLS, are left out and named, and the others stay", () => {
  const given = (more: Record<string, string>) => {
    const all = { PUBLIC_ORIGIN: "https://cofio.example", ...GITHUB, ...more };
    const ids = identityProviders(all as unknown as Env).map(({ id }) => id);
    return { ids, problems: providerProblems(all) };
  };
  expect(given({})).toEqual({ ids: ["github"], problems: [] });
  expect(given({ GOOGLE_CLIENT_ID: "", OIDC_NAME: "x" })).toEqual(given({}));
  const { OIDC_ISSUER, ...others } = issuer.settings;
  const named = (more: Record<string, string>, name: string) =>
    expect([more, given(more)]).toEqual([
      more,
      { ids: ["github"], problems: [expect.stringContaining(name)] },
    ]);
  named({ GOOGLE_CLIENT_ID: "x" }, "GOOGLE_CLIENT_SECRET");
  named({ GOOGLE_CLIENT_SECRET: "x" }, "GOOGLE_CLIENT_ID");
  named(others, "OIDC_ISSUER");
  for (const wrong of [
    "http://id.example",
    "http://localhost:9",
    "id.example",
    `${OIDC_ISSUER}?x=1`,
    `${OIDC_ISSUER}#x`,
  ]) {
    named({ ...others, OIDC_ISSUER: wrong }, "OIDC_ISSUER");
  }
  const { OIDC_NAME: _, ...nameless } = issuer.settings;
  const origin = { PUBLIC_ORIGIN: ORIGIN };
  expect(identityProviders({ ...origin, ...nameless } as unknown as Env)).toMatchObject([
    { id: "oidc", name: "id.example", issuer: ISSUER },
  ]);
  const local = { ...origin, OIDC_ISSUER: "http://localhost:9" };
  expect(given({ ...others, ...local }).ids).toEqual(["github", "oidc"]);
});

test("between the secrets of a provider, which are set one by one, every request is answered", async () => {
  delete settings["GITHUB_CLIENT_SECRET"];
  settings["OIDC_ISSUER"] = "id.example";
  const answer = await newVisitor().get("/sign-in");
  expect([answer.status, await answer.text()]).toEqual([
    200,
    expect.not.stringContaining("formaction"),
  ]);
  expect((await newVisitor().postJson("/mcp", {}, {})).status).toBe(401);
});

interface Went {
  readonly visitor: Visitor;
  /** Of the callback. */
  readonly response: Response;
}

/** A form of the pages, the issuer's page, and back. */
async function go(
  visitor: Visitor,
  kind: "sign-in" | "sign-up" | "link",
  person: IssuedPerson,
  { issuer: double = issuer, ...form }: { issuer?: Issuer; next?: string; time_zone?: string } = {},
): Promise<Went> {
  const leaving = await visitor.post(`/${kind}/oidc`, form);
  const back = await ask(leaving, person, double);
  return { visitor, response: await visitor.get(back.pathname + back.search) };
}

/** @param leaving the page that leaves for the issuer @returns where the issuer sends the person */
async function ask(leaving: Response, person: IssuedPerson, double = issuer): Promise<URL> {
  const html = await leaving.text();
  expect(leaving.status, html).toBe(200);
  double.person = person;
  const answer = await double.answer(new Request(destinationIn(html)));
  return new URL(answer.headers.get("location") ?? "");
}

async function github(request: Request): Promise<Response> {
  switch (request.url) {
    case "https://github.com/login/oauth/access_token": {
      const form = await request.formData();
      const isRight = form.get("code") === "right" && form.get("client_secret") === "github-secret";
      return Response.json(
        isRight ? { access_token: "github-token" } : { error: "bad_verification_code" },
      );
    }
    case "https://api.github.com/user":
      return request.headers.get("authorization") === "Bearer github-token"
        ? Response.json({ id: 583231, login: "mona", name: null })
        : new Response(null, { status: 401 });
    default:
      throw new TypeError("No such host");
  }
}

function forgetProviders(): void {
  for (const name of NAMES) delete settings[name];
}

async function users(): Promise<number> {
  const row = await env.DB.prepare("SELECT count(*) AS n FROM auth_user").first<{ n: number }>();
  return row?.n ?? 0;
}

/** The account itself: who the person is, where and how they sign in, and the end of all of it. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { getTableName, is } from "drizzle-orm";
import { SQLiteTable } from "drizzle-orm/sqlite-core";
import { hc } from "hono/client";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { AccountApi } from "../../src/auth/account-api.ts";
import { browserName } from "../../src/auth/browser-name.ts";
import { closeAccount, deleteFiles, deleteRows } from "../../src/storage/delete-account.ts";
import { SCOPES } from "../../src/scopes.ts";
import { readPlan } from "../../src/storage/plan.ts";
import * as schema from "../../src/storage/schema.ts";
import type { UserAgent } from "../../src/user-agent.ts";
import { WAIT } from "../support/backups.ts";
import { callApi, callRaw, callTool, fetchWorker, type Person } from "../support/people.ts";
import { countInvocations } from "../support/production.ts";
import { newPasskey } from "./support/authenticator.ts";
import {
  connect,
  newVisitor,
  ORIGIN,
  signedUp,
  signIn,
  signUp,
  type Visitor,
} from "./support/visitor.ts";

const ACCOUNT = "/api/account";
const DAY = 86_400_000;
/** KV holds expiries against the machine's own clock. */
const START = Date.now();
const WORDS = { confirm: "delete my account" };

beforeAll(async () => {
  await countInvocations();
  env.SIGN_UP = "open";
  // The first sign-up of a file has better-auth transformed.
  await signedUp("First");
}, 120_000);

afterEach(() => {
  vi.useRealTimers();
});

// Profile

test("name, time zone and language are read and changed", async () => {
  const { visitor } = await signedUp("Mair");
  const { data } = await visitor.call("GET", ACCOUNT);
  expect(data).toEqual({
    name: "Mair",
    signs_in: true,
    time_zone: "Europe/Berlin",
    locale: "en",
    created_at: expect.any(String),
    deletion: null,
  });
  const change = { name: "Mair\u202E  Ifan", time_zone: "Asia/Tokyo", locale: "cy-GB" };
  const changed = await visitor.call("PATCH", ACCOUNT, change);
  expect(changed.data).toEqual({ ...data, ...change, name: "Mair Ifan" });
  expect((await visitor.call("GET", ACCOUNT)).data).toEqual(changed.data);
  expect(await (await visitor.get("/")).text()).toContain("Mair Ifan");
  for (const wrong of [
    {},
    { name: " " },
    { time_zone: "Mars/Olympus" },
    { locale: "not a language" },
    { locale: "EN-gb" },
    { email: "x@example.org" },
  ]) {
    const { status, data } = await visitor.call("PATCH", ACCOUNT, wrong);
    expect([wrong, status, data["error"].code]).toEqual([wrong, 400, "invalid_input"]);
  }
});

test("a program speaks with it by its types", async () => {
  const { visitor } = await signedUp("Mair");
  const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const client = hc<AccountApi>(`${ORIGIN}${ACCOUNT}`, {
    fetch: (input: RequestInfo | URL, init?: RequestInit) =>
      fetchWorker(input instanceof URL || input instanceof Request ? input : new URL(input), init),
    headers: { cookie, origin: ORIGIN },
  });
  const { token } = await (
    await client.tokens.$post({ json: { name: "Script", scopes: ["memories:read"] } })
  ).json();
  expect((await callRaw(token, "tools/list")).status).toBe(200);
  const { apps } = await (await client.apps.$get()).json();
  expect(apps.map(({ name, kind, state }) => [name, kind, state])).toEqual([
    ["Script", "token", "active"],
  ]);
  const [app] = apps;
  const paused = await client.apps[":id"].$patch({
    param: { id: app?.id ?? "" },
    json: { state: "paused" },
  });
  expect((await paused.json()).app.state).toBe("paused");
  const profile = await (await client.index.$get()).json();
  expect(profile.deletion).toBeNull();
});

// Passkeys

test("passkeys are listed, named and removed, but never the last one", async () => {
  const { visitor } = await signedUp("Mair");
  const { passkey: second } = await signUp("Mair", { visitor });
  const list = async () => (await visitor.call("GET", `${ACCOUNT}/passkeys`)).data["passkeys"];
  const [first, other] = await list();
  expect(first).toEqual({
    id: expect.any(String),
    name: null,
    created_at: expect.any(String),
    is_synced: false,
  });
  const named = await visitor.call("PATCH", `${ACCOUNT}/passkeys/${other.id}`, { name: "Phone" });
  expect(named.data["passkey"]).toEqual({ ...other, name: "Phone" });
  const removed = await visitor.call("DELETE", `${ACCOUNT}/passkeys/${first.id}`);
  expect([removed.status, removed.data]).toEqual([200, { removed: first.id }]);
  // A code may be lost without anybody noticing: it is no way in to be left with.
  await visitor.call("POST", `${ACCOUNT}/recovery-code`);
  const last = await visitor.call("DELETE", `${ACCOUNT}/passkeys/${other.id}`);
  expect([last.status, last.data["error"].message]).toEqual([
    403,
    "This is the last way into your account.",
  ]);
  expect((await list()).map(({ id }: { id: string }) => id)).toEqual([other.id]);
  expect((await signIn(newVisitor(), second)).status).toBe(200);
});

test("who was signed out meanwhile adds no passkey", async () => {
  const { visitor: owner, passkey } = await signedUp("Mair");
  const thief = newVisitor();
  await signIn(thief, passkey);
  const { passkey: theirs, response } = await signUp("Mair", {
    visitor: thief,
    meanwhile: () => owner.call("DELETE", `${ACCOUNT}/sessions`),
  });
  expect(response.status).toBe(401);
  expect((await signIn(newVisitor(), theirs)).status).not.toBe(200);
  expect((await owner.call("GET", `${ACCOUNT}/passkeys`)).data["passkeys"]).toHaveLength(1);
});

test("of two removals at once one passkey is left", async () => {
  const { visitor } = await signedUp("Mair");
  await signUp("Mair", { visitor });
  const { data } = await visitor.call("GET", `${ACCOUNT}/passkeys`);
  const answers = await Promise.all(
    data["passkeys"].map(({ id }: { id: string }) =>
      visitor.call("DELETE", `${ACCOUNT}/passkeys/${id}`),
    ),
  );
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 403]);
});

test("nobody names or removes another person's passkey, or ends their session", async () => {
  const { visitor } = await signedUp("Mair");
  await signUp("Mair", { visitor });
  const { visitor: other } = await signedUp("Another");
  const { data } = await visitor.call("GET", `${ACCOUNT}/passkeys`);
  const path = `${ACCOUNT}/passkeys/${data["passkeys"][0].id}`;
  expect((await other.call("PATCH", path, { name: "Mine" })).status).toBe(404);
  expect((await other.call("DELETE", path)).status).toBe(404);
  const { data: mine } = await visitor.call("GET", `${ACCOUNT}/sessions`);
  const session = `${ACCOUNT}/sessions/${mine["sessions"][0].id}`;
  expect((await other.call("DELETE", session)).status).toBe(404);
  expect((await visitor.call("GET", `${ACCOUNT}/passkeys`)).data).toEqual(data);
});

// Confirming

test("what takes an account over or ends it is done only within minutes of a passkey", async () => {
  onDay(0);
  const { visitor, passkey } = await signedUp("Mair");
  await signUp("Mair", { visitor });
  const { data } = await visitor.call("GET", `${ACCOUNT}/passkeys`);
  const script = { name: "Script", scopes: SCOPES };
  const { data: made } = await visitor.call("POST", `${ACCOUNT}/tokens`, script);
  onDay(0, 11);
  const app = `${ACCOUNT}/apps/${made["app"].id}`;
  for (const [method, path, body] of [
    ["POST", `${ACCOUNT}/recovery-code`, undefined],
    ["DELETE", `${ACCOUNT}/recovery-code`, undefined],
    ["DELETE", `${ACCOUNT}/passkeys/${data["passkeys"][1].id}`, undefined],
    ["DELETE", `${ACCOUNT}/sessions`, undefined],
    ["DELETE", `${ACCOUNT}/sessions/x`, undefined],
    ["POST", `${ACCOUNT}/deletion`, WORDS],
    ["POST", `${ACCOUNT}/tokens`, { ...script, trusted: true }],
    ["PATCH", app, { trusted: true }],
  ] as const) {
    const { status, data: told } = await visitor.call(method, path, body);
    expect([method, path, status, told["error"]?.reason]).toEqual([
      method,
      path,
      403,
      "not_confirmed",
    ]);
  }
  const adding = await visitor.get("/api/auth/passkey/generate-register-options?name=Mair");
  expect([adding.status, await adding.json()]).toMatchObject([403, { code: "NOT_CONFIRMED" }]);
  const form = { name: "Script", scope: [...SCOPES], trusted: "1" };
  expect((await visitor.post("/tokens", form)).status).toBe(403);
  // Holding something back, and what gives nothing away, waits for nobody.
  expect((await visitor.call("PATCH", app, { state: "paused" })).status).toBe(200);
  expect((await visitor.call("POST", `${ACCOUNT}/tokens`, script)).status).toBe(201);

  expect((await signIn(visitor, passkey)).status).toBe(200);
  expect((await visitor.call("POST", `${ACCOUNT}/recovery-code`)).status).toBe(201);
  expect((await signUp("Mair", { visitor })).response.status).toBe(200);
});

test("confirming leaves one session in place of the one before, and is nobody else's to do", async () => {
  const { visitor, passkey } = await signedUp("Mair");
  const { passkey: foreign } = await signedUp("Another");
  const before = new Map(visitor.cookies);
  expect((await signIn(visitor, foreign)).status).toBe(403);
  expect((await visitor.call("GET", ACCOUNT)).data["name"]).toBe("Mair");
  expect((await signIn(visitor, passkey)).status).toBe(200);
  expect((await visitor.call("GET", `${ACCOUNT}/sessions`)).data["sessions"]).toHaveLength(1);
  const stale = newVisitor();
  for (const [name, value] of before) stale.cookies.set(name, value);
  expect((await stale.call("GET", ACCOUNT)).status).toBe(401);
});

test("who came back by a recovery code adds one passkey however late, and no second one", async () => {
  onDay(0);
  const { visitor } = await signedUp("Mair");
  const { data } = await visitor.call("POST", `${ACCOUNT}/recovery-code`);
  const lost = newVisitor();
  await lost.post("/recover", { code: data["code"] });
  onDay(0, 60);
  const options = "/api/auth/passkey/generate-register-options?name=Mair";
  const passkey = await newPasskey(ORIGIN);
  const response = await passkey.register(await (await lost.get(options)).json());
  const added = await lost.postJson("/api/auth/passkey/verify-registration", { response });
  expect(added.status).toBe(200);
  expect((await lost.get(options)).status).toBe(403);
  expect((await signIn(lost, passkey)).status).toBe(200);
  expect((await lost.get(options)).status).toBe(200);
});

test("who came back by a recovery code adds a passkey for as long as the session is prolonged", async () => {
  onDay(0);
  const { visitor } = await signedUp("Mair");
  const { data } = await visitor.call("POST", `${ACCOUNT}/recovery-code`);
  const lost = newVisitor();
  await lost.post("/recover", { code: data["code"] });
  for (let day = 1; day <= 9; day += 1) {
    onDay(day);
    expect((await lost.call("GET", ACCOUNT)).status).toBe(200);
  }
  // A dialog of the device that was cancelled, and another attempt.
  const options = "/api/auth/passkey/generate-register-options?name=Mair";
  expect((await lost.get(options)).status).toBe(200);
  onDay(10);
  expect((await signUp("Mair", { visitor: lost })).response.status).toBe(200);
  onDay(10, 60);
  expect((await lost.get(options)).status).toBe(403);
});

test("the answer to a session that was replaced takes the new one's cookie from nobody", async () => {
  const { visitor, passkey } = await signedUp("Mair");
  const late = newVisitor();
  for (const [name, value] of visitor.cookies) late.cookies.set(name, value);
  expect((await signIn(visitor, passkey)).status).toBe(200);
  const cookie = [...late.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  for (const path of [ACCOUNT, "/api/stats", "/"]) {
    const answer = await late.get(path, { cookie });
    expect([path, answer.headers.getSetCookie()]).toEqual([path, []]);
  }
  expect((await visitor.call("GET", ACCOUNT)).status).toBe(200);
});

test("a recovery code is not used up where the sign-in fails", async () => {
  const { visitor } = await signedUp("Mair");
  const { data } = await visitor.call("POST", `${ACCOUNT}/recovery-code`);
  await env.DB.prepare(
    "CREATE TRIGGER no_session BEFORE INSERT ON auth_session BEGIN SELECT RAISE(ABORT, 'no'); END",
  ).run();
  const form = { code: data["code"] };
  expect((await newVisitor().post("/recover", form)).status).toBe(500);
  await env.DB.prepare("DROP TRIGGER no_session").run();
  expect((await newVisitor().post("/recover", form)).status).toBe(200);
});

// Sessions

test("sessions are listed with their browsers, and ended one by one or all others at once", async () => {
  const { visitor, passkey } = await signedUp("Mair");
  const elsewhere = await Promise.all([1, 2, 3].map(() => signedIn(passkey)));
  const list = async () => (await visitor.call("GET", `${ACCOUNT}/sessions`)).data["sessions"];
  const sessions = await list();
  expect(sessions).toHaveLength(4);
  expect(sessions.filter(({ is_this }: { is_this: boolean }) => is_this)).toEqual([
    {
      id: expect.any(String),
      is_this: true,
      client: "A browser",
      created_at: expect.any(String),
      last_used_at: expect.any(String),
      expires_at: expect.any(String),
    },
  ]);
  const first = elsewhere[0] ?? newVisitor();
  const { data: theirs } = await first.call("GET", `${ACCOUNT}/sessions`);
  const { id } = theirs["sessions"].find(({ is_this }: { is_this: boolean }) => is_this);
  expect((await visitor.call("DELETE", `${ACCOUNT}/sessions/${id}`)).data).toEqual({ ended: 1 });
  expect((await first.call("GET", ACCOUNT)).status).toBe(401);
  expect((await visitor.call("DELETE", `${ACCOUNT}/sessions`)).data).toEqual({ ended: 2 });
  for (const ended of elsewhere) expect((await ended.call("GET", ACCOUNT)).status).toBe(401);
  expect((await list()).map(({ is_this }: { is_this: boolean }) => is_this)).toEqual([true]);
});

test("what an ended session listens to falls silent", async () => {
  const { visitor, passkey } = await signedUp("Mair");
  const other = await signedIn(passkey);
  const { webSocket } = await other.get("/api/live", { upgrade: "websocket", origin: ORIGIN });
  const closed = new Promise<number>((done) =>
    webSocket?.addEventListener("close", ({ code }) => done(code)),
  );
  webSocket?.accept();
  await visitor.call("DELETE", `${ACCOUNT}/sessions`);
  expect(await closed).toBe(1013);
});

test("what a session listens to falls silent when confirming replaces it", async () => {
  const { visitor, passkey } = await signedUp("Mair");
  const { webSocket } = await visitor.get("/api/live", { upgrade: "websocket", origin: ORIGIN });
  const closed = new Promise<number>((done) =>
    webSocket?.addEventListener("close", ({ code }) => done(code)),
  );
  webSocket?.accept();
  expect((await signIn(visitor, passkey)).status).toBe(200);
  expect(await closed).toBe(1013);
});

test("of a browser its name and system are told, and nothing else", () => {
  expect(
    [
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Mobile/15E148 Safari/604.1",
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0",
      "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
      "<script>",
      "",
    ].map(browserName),
  ).toEqual([
    "Edge on Windows",
    "Safari on iPhone",
    "Firefox on macOS",
    "Chrome on Android",
    "A browser",
    "A browser",
  ]);
});

// Recovery code

test("a recovery code is shown once and lets its owner in once, from a form without a script", async () => {
  const { visitor } = await signedUp("Mair");
  const path = `${ACCOUNT}/recovery-code`;
  expect((await visitor.call("GET", path)).data).toEqual({ recovery_code: null });
  const { status, data } = await visitor.call("POST", path);
  expect([status, data]).toEqual([
    201,
    {
      code: expect.stringMatching(/^[a-z2-7]{4}(?:-[a-z2-7]{4}){6}$/),
      recovery_code: { created_at: expect.any(String) },
    },
  ]);
  expect((await visitor.call("GET", path)).data).toEqual({ recovery_code: data["recovery_code"] });
  const { results } = await env.DB.prepare("SELECT * FROM auth_account").all();
  expect(JSON.stringify(results)).not.toContain(data["code"].replaceAll("-", ""));

  const lost = newVisitor();
  const typed = ` ${data["code"].toUpperCase().replaceAll("-", " ").replaceAll("O", "0")} `;
  const page = await lost.post("/recover", { code: typed });
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('data-passkey="add"');
  expect((await lost.call("GET", ACCOUNT)).data["name"]).toBe("Mair");
  const { response, passkey } = await signUp("Mair", { visitor: lost });
  expect(response.status).toBe(200);
  expect((await (await signedIn(passkey)).call("GET", ACCOUNT)).data["name"]).toBe("Mair");

  expect((await newVisitor().post("/recover", { code: data["code"] })).status).toBe(401);
  expect((await visitor.call("GET", path)).data).toEqual({ recovery_code: null });
});

test("the way of who uses a recovery code leads on to where they came from", async () => {
  const { visitor } = await signedUp("Mair");
  const { data } = await visitor.call("POST", `${ACCOUNT}/recovery-code`);
  const lost = newVisitor();
  const next = "/authorize?client_id=x";
  const query = `?next=${encodeURIComponent(next)}`;
  expect(await (await lost.get(`/sign-in${query}`)).text()).toContain(`/recover${query}`);
  expect(await (await lost.get(`/recover${query}`)).text()).toContain(`value="${next}"`);
  const page = await lost.post("/recover", { code: data["code"], next });
  expect(await page.text()).toContain(`data-next="${next}"`);
  const wrong = await newVisitor().post("/recover", { code: "x", next: "https://evil.example/" });
  expect(await wrong.text()).toContain('name="next" value="/"');
});

test("of two uses of a recovery code at once one succeeds", async () => {
  const { visitor } = await signedUp("Mair");
  const { data } = await visitor.call("POST", `${ACCOUNT}/recovery-code`);
  const answers = await Promise.all(
    [1, 2, 3].map(() => newVisitor().post("/recover", { code: data["code"] })),
  );
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401, 401]);
});

test("a new recovery code replaces the one before, and one that is taken away is none", async () => {
  const { visitor } = await signedUp("Mair");
  const path = `${ACCOUNT}/recovery-code`;
  const { data: first } = await visitor.call("POST", path);
  const { data: second } = await visitor.call("POST", path);
  expect((await newVisitor().post("/recover", { code: first["code"] })).status).toBe(401);
  expect((await visitor.call("DELETE", path)).data).toEqual({ recovery_code: null });
  expect((await visitor.call("DELETE", path)).status).toBe(404);
  expect((await newVisitor().post("/recover", { code: second["code"] })).status).toBe(401);
});

test("a guessed code reads nothing, and no other site's form is taken", async () => {
  const asked = vi.spyOn(env.DB, "prepare");
  const visitor = newVisitor();
  for (const code of ["", "x", "aaaa-".repeat(7), "a".repeat(28), "z".repeat(9_999), "\u0000"]) {
    expect((await visitor.post("/recover", { code })).status).toBe(401);
  }
  expect(asked).not.toHaveBeenCalled();
  asked.mockRestore();
  expect((await visitor.post("/recover", { code: "x" }, "https://evil.example")).status).toBe(403);
});

// Deletion

test("deleting needs the words, refuses clients with words, and is taken back within its days", async () => {
  onDay(0);
  const { visitor, passkey } = await signedUp("Mair");
  const app = await tokenOf(visitor);
  for (const wrong of [{}, { confirm: "yes" }, { confirm: "Delete my account" }]) {
    const { status, data } = await visitor.call("POST", `${ACCOUNT}/deletion`, wrong);
    expect([status, data["error"].code]).toEqual([400, "invalid_input"]);
  }
  const { status, data } = await visitor.call("POST", `${ACCOUNT}/deletion`, WORDS);
  expect([status, data]).toEqual([
    200,
    {
      deletion: {
        requested_at: expect.stringContaining(dateOf(0)),
        due_at: expect.stringContaining(dateOf(7)),
      },
    },
  ]);
  onDay(1);
  await signIn(visitor, passkey);
  expect((await visitor.call("POST", `${ACCOUNT}/deletion`, WORDS)).data).toEqual(data);
  expect((await visitor.call("GET", ACCOUNT)).data["deletion"]).toEqual(data["deletion"]);
  const refused = await callTool(app, "search_memory", { query: "rye" });
  expect(refused.isError).toBe(true);
  expect(refused.text).toContain(`deleting this Cofio account: all of it goes on ${dateOf(7)}`);
  expect((await visitor.get("/api/stats")).status).toBe(200);
  const { data: told } = await callApi(app, "GET", "/api/stats");
  expect(told["error"]).toMatchObject({ code: "forbidden", reason: "account_closing" });

  const back = await visitor.call("DELETE", `${ACCOUNT}/deletion`);
  expect([back.status, back.data]).toEqual([200, { deletion: null }]);
  expect((await callTool(app, "get_stats")).isError).toBe(false);
  onDay(9);
  await runAlarms(app.userId);
  expect((await callTool(app, "get_stats")).isError).toBe(false);
});

test("where there is no sign-in there is no account to delete", async () => {
  const { visitor } = await signedUp("Mair");
  env.LOCAL_PERSON = (await tokenOf(visitor)).userId;
  const { status, data } = await newVisitor().call("POST", `${ACCOUNT}/deletion`, WORDS);
  const { data: profile } = await newVisitor().call("GET", ACCOUNT);
  env.LOCAL_PERSON = "";
  expect([status, data["error"].code]).toEqual([403, "forbidden"]);
  expect(profile).toMatchObject({ signs_in: false, deletion: null });
});

test("after seven days nothing is left anywhere of an account, and everything of another", async () => {
  onDay(0);
  const leaver = await livedIn("Leaver");
  const stayer = await livedIn("Stayer");
  const kept = await tracesOf(stayer.userId);
  for (const { place, count } of await tracesOf(leaver.userId)) {
    expect([place, count > 0]).toEqual([place, true]);
  }
  await leaver.visitor.call("POST", `${ACCOUNT}/deletion`, WORDS);
  onDay(6);
  await runAlarms(leaver.userId);
  expect((await leaver.visitor.get("/api/memories")).status).toBe(200);

  onDay(7, 1);
  await runAlarms(leaver.userId);
  // From the first step on nobody gets in, and what is left cannot be read.
  expect((await leaver.visitor.call("GET", ACCOUNT)).status).toBe(401);
  expect((await callRaw(leaver.app.token, "tools/list")).status).toBe(401);
  expect((await signIn(newVisitor(), leaver.passkey)).status).not.toBe(200);
  expect(await rowsWith("users", leaver.userId)).toBe(0);
  onDay(7, 30);
  await runAlarms(leaver.userId);
  expect(await rowsWith("memories", leaver.userId)).toBeGreaterThan(0);
  let isPlanned = true;
  for (let hour = 1; isPlanned; hour++) {
    onDay(7, 2 + hour * 61);
    isPlanned = await runAlarms(leaver.userId);
  }
  expect((await tracesOf(leaver.userId)).filter(({ count }) => count > 0)).toEqual([]);
  expect(await indexSizes()).toEqual(await rowsOfIndexes());
  expect(await tracesOf(stayer.userId)).toEqual(kept);
  expect((await callTool(stayer.app, "search_memory", { query: "rye" })).data["total"]).toBe(1);
  await runInDurableObject(env.USERS.getByName(leaver.userId), (_, { storage }) => {
    const tables = storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '_cf_%'");
    expect(tables.toArray()).toEqual([]);
  });
}, 60_000);

test("a deletion that begins is not taken back any more, and goes on", async () => {
  onDay(0);
  const leaver = await livedIn("Leaver");
  await leaver.visitor.call("POST", `${ACCOUNT}/deletion`, WORDS);
  onDay(7, 1);
  const object = env.USERS.getByName(leaver.userId);
  const [, left] = await Promise.all([object.deleteAccount(), object.takeBackDeletion()]);
  expect(left).toMatchObject({ isBegun: true });
  let isPlanned = true;
  for (let hour = 1; isPlanned; hour++) {
    onDay(7, 2 + hour * 61);
    isPlanned = await runAlarms(leaver.userId);
  }
  expect((await tracesOf(leaver.userId)).filter(({ count }) => count > 0)).toEqual([]);
}, 60_000);

test("a wish to delete that comes while a call of one that was taken back ends is not forgotten", async () => {
  onDay(0);
  const { visitor } = await signedUp("Leaver");
  const { userId } = await tokenOf(visitor);
  await visitor.call("POST", `${ACCOUNT}/deletion`, WORDS);
  await visitor.call("DELETE", `${ACCOUNT}/deletion`);
  const object = env.USERS.getByName(userId);
  for (const [day, moment] of [
    [7, "cancelSchedule"],
    [14, "schedule"],
    [21, "listSchedules"],
  ] as const) {
    onDay(day, 1);
    await runInDurableObject(object, (agent: UserAgent) => {
      const value = async (...args: unknown[]): Promise<unknown> => {
        Reflect.deleteProperty(agent, moment);
        await agent.requestDeletion();
        return Reflect.apply(agent[moment], agent, args);
      };
      Object.defineProperty(agent, moment, { value, configurable: true });
    });
    await runAlarms(userId);
    const planned = await runInDurableObject(object, (agent: UserAgent) =>
      agent.listSchedules({ timeRange: { start: new Date(Date.now() + 1_000) } }),
    );
    expect([moment, planned.some(({ callback }) => callback === "deleteAccount")]).toEqual([
      moment,
      true,
    ]);
    expect(await object.findDeletion()).toMatchObject({ isBegun: false });
    await object.takeBackDeletion();
  }
});

test("a large account goes in parts, each of which may fail and be done again", async () => {
  onDay(0);
  const { visitor } = await signedUp("Mair");
  const app = await tokenOf(visitor);
  const texts = Array.from({ length: 700 }, (_, at) => `Line ${at}`);
  await callTool(app, "import_data", { items: [chat("Long", texts)] });
  await closeAccount(env.DB, app.userId);
  const plan = readPlan("free");
  expect(await deleteRows(env.DB, app.userId, plan)).toBe(false);
  expect(await rowsWith("messages", app.userId)).toBe(700 - plan.trashPart.messages);
  expect(await indexSizes()).toEqual(await rowsOfIndexes());
  expect(await deleteRows(env.DB, app.userId, plan)).toBe(true);
  expect(await deleteRows(env.DB, app.userId, plan)).toBe(true);
  expect(await rowsWith("messages", app.userId)).toBe(0);
  for (let at = 0; at < 3; at++) await env.ARCHIVES.put(`backups/${app.userId}/x/${at}`, "x");
  expect(await deleteFiles(env.ARCHIVES, app.userId, plan)).toBe(true);
  expect((await env.ARCHIVES.list({ prefix: `backups/${app.userId}/` })).objects).toEqual([]);
});

test("every table of the database is one that deleting knows", async () => {
  const { results } = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table'",
  ).all<{ name: string }>();
  const tables = Object.values(schema).filter((value) => is(value, SQLiteTable));
  const known = [...tables.map((table) => getTableName(table)), "memories_fts", "messages_fts"];
  // Views of those, and not tables, are the `_vocab`.
  expect(
    results
      .map(({ name }) => name)
      .filter((name) => !/^(?:sqlite_|_cf_|d1_)|_fts_|_vocab$/.test(name))
      .sort(),
  ).toEqual(known.sort());
});

async function signedIn(passkey: Parameters<typeof signIn>[1]): Promise<Visitor> {
  const visitor = newVisitor();
  expect((await signIn(visitor, passkey)).status).toBe(200);
  return visitor;
}

async function tokenOf(visitor: Visitor): Promise<Person> {
  const settings = { name: "Script", scopes: SCOPES };
  const { token } = (await visitor.call("POST", `${ACCOUNT}/tokens`, settings)).data;
  return { token, userId: /^cofio_([a-z2-7]{16})_/.exec(token)?.[1] ?? "" };
}

function dateOf(day: number): string {
  return new Date(START + day * DAY).toISOString().slice(0, 10);
}

/** Only the date is not the machine's. */
function onDay(day: number, minutes = 0): void {
  vi.useFakeTimers({ toFake: ["Date"], now: START + day * DAY + minutes * 60_000 });
}

/** What is due by now. At the end of an account its object goes, and the answer with it. @returns whether anything was planned */
async function runAlarms(userId: string): Promise<boolean> {
  return runDurableObjectAlarm(env.USERS.getByName(userId)).catch((error: unknown) => {
    if (!String(error).includes("destroyed")) throw error;
    return true;
  });
}

/** Somebody with something of everything. */
async function livedIn(name: string) {
  const { visitor, passkey } = await signedUp(name);
  await connect(visitor);
  const app = await tokenOf(visitor);
  const { userId } = app;
  const { data } = await callTool(app, "save_memory", {
    content: "Likes rye bread",
    tags: ["food"],
    project: "home",
    idempotency_key: "k",
  });
  await callTool(app, "update_memory", { id: data["memory"].id, content: "Likes rye rolls" });
  await callTool(app, "import_data", { items: [chat("Soil", ["Azaleas", "Beeches"])] });
  await callTool(app, "import_data", { items: [chat("Soil", ["Azaleas", "Birches", "Yews"])] });
  await callTool(app, "export_data", { format: "cofio", deliver: "archive" });
  await visitor.call("POST", "/api/backups");
  await vi.waitFor(async () => {
    const sql = "SELECT 1 FROM jobs WHERE user_id = ?1 AND state IN ('created', 'running')";
    expect(await env.DB.prepare(sql).bind(userId).first()).toBeNull();
  }, WAIT);
  await visitor.call("POST", `${ACCOUNT}/recovery-code`);
  // A sign-in that was begun and left.
  await visitor.get("/api/auth/passkey/generate-register-options?name=x");
  return { visitor, passkey, userId, app };
}

/** Where a user's id stands: in any column of any table, in names of files and keys. */
async function tracesOf(userId: string): Promise<{ place: string; count: number }[]> {
  const tables = Object.values(schema)
    .filter((value) => is(value, SQLiteTable))
    .map((table) => getTableName(table))
    .filter((name) => !["import_days", "registration_days"].includes(name));
  const traces: { place: string; count: number }[] = await Promise.all(
    tables.map(async (place) => ({ place, count: await rowsWith(place, userId) })),
  );
  for (const prefix of [`archives/${userId}/`, `backups/${userId}/`]) {
    const { objects } = await env.ARCHIVES.list({ prefix });
    traces.push({ place: prefix, count: objects.length });
  }
  for (const prefix of [`grant:${userId}:`, `token:${userId}:`]) {
    const { keys } = await env.OAUTH_KV.list({ prefix });
    traces.push({ place: prefix, count: keys.length });
  }
  return traces;
}

async function rowsWith(table: string, userId: string): Promise<number> {
  const { results: columns } = await env.DB.prepare(
    `SELECT name FROM pragma_table_info('${table}')`,
  ).all<{ name: string }>();
  const holds = columns.map(({ name }) => `instr(coalesce(${name}, ''), ?1) > 0`).join(" OR ");
  const row = await env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE ${holds}`)
    .bind(userId)
    .first<{ n: number }>();
  return row?.n ?? 0;
}

async function indexSizes(): Promise<number[]> {
  return counted(["memories_fts_docsize", "messages_fts_docsize"]);
}

/** The index has an entry for each row in use. */
async function rowsOfIndexes(): Promise<number[]> {
  return counted([
    "memories WHERE status = 'active'",
    "messages WHERE substr(conversation, 1, 1) <> '~'",
  ]);
}

async function counted(from: readonly string[]): Promise<number[]> {
  const results = await env.DB.batch<{ n: number }>(
    from.map((rows) => env.DB.prepare(`SELECT count(*) AS n FROM ${rows}`)),
  );
  return results.map(({ results: [row] }) => row?.n ?? -1);
}

function chat(title: string, texts: readonly string[]) {
  const messages = texts.map((content, at) => ({ id: `${at}`, role: "user", content }));
  return { platform: "claude", id: title, title, messages };
}

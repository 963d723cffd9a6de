/** Connected apps: what the person sees of them, and how they hold them back. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { UserAgent } from "../../src/user-agent.ts";
import { callApi, callRaw, callTool, fetchWorker, type Person } from "../support/people.ts";
import { connect, ORIGIN, signedUp, type Visitor } from "./support/visitor.ts";

const APPS = "/api/account/apps";
const DAY = 86_400_000;

let visitor: Visitor;

beforeAll(async () => {
  env.SIGN_UP = "open";
  ({ visitor } = await signedUp("Mair"));
}, 120_000);

afterEach(() => {
  vi.useRealTimers();
});

test("every app and token is listed, with what it may, did and wrote", async () => {
  const { visitor: other } = await signedUp("Another");
  const app = await connectedApp(other, { scopes: ["memories:read", "memories:write"] });
  await callTool(app, "save_memory", { content: "Likes rye bread" });
  await callTool(app, "save_memory", { content: "Owns a cat" });
  await callTool(app, "search_memory", { query: "rye" });
  await newToken(other, { name: "Script", trusted: true });
  const { status, data } = await other.call("GET", APPS);
  expect(status).toBe(200);
  const today = new Date().toISOString().slice(0, 10);
  expect(data).toEqual({
    is_all_counted: true,
    apps: [
      {
        id: expect.any(String),
        kind: "token",
        name: "Script",
        state: "active",
        scopes: ["memories:read", "memories:write", "data:export"],
        trusted: true,
        domain: null,
        redirect_host: null,
        created_at: expect.any(String),
        last_used_at: null,
        days: [],
        wrote: {},
      },
      {
        id: app.id,
        kind: "oauth",
        name: "A client",
        state: "active",
        scopes: ["memories:read", "memories:write"],
        trusted: false,
        domain: null,
        redirect_host: "client.example",
        created_at: expect.any(String),
        last_used_at: expect.any(String),
        days: [{ day: today, calls: 3, writes: 2 }],
        wrote: { save: 2 },
      },
    ],
  });
  expect((await other.call("GET", `${APPS}/count`)).data).toEqual({ apps: 2 });
  await other.call("DELETE", `${APPS}/${app.id}`);
  expect((await other.call("GET", `${APPS}/count`)).data).toEqual({ apps: 1 });
});

test("a day of many calls writes little, and days older than 30 are forgotten", async () => {
  const { visitor: other } = await signedUp("Another");
  const app = await connectedApp(other);
  const start = Date.parse("2026-03-01T09:00:00Z");
  const at = (day: number, seconds: number) =>
    vi.useFakeTimers({ toFake: ["Date"], now: start + day * DAY + seconds * 1_000 });
  at(0, 0);
  await callTool(app, "get_stats");
  const before = await storedDays(app);
  for (let second = 1; second <= 50; second++) {
    at(0, second);
    await callTool(app, "get_stats");
  }
  expect(await storedDays(app)).toEqual(before);
  expect((await appOf(other, app.id)).days).toEqual([{ day: "2026-03-01", calls: 51, writes: 0 }]);
  at(1, 0);
  await callTool(app, "get_stats");
  expect((await appOf(other, app.id)).days).toEqual([
    { day: "2026-03-01", calls: 51, writes: 0 },
    { day: "2026-03-02", calls: 1, writes: 0 },
  ]);
  at(30, 0);
  await callTool(app, "get_stats");
  expect((await appOf(other, app.id)).days.map(({ day }: { day: string }) => day)).toEqual([
    "2026-03-02",
    "2026-03-31",
  ]);
});

test("a paused app is told so in words by every tool, lists what it listed, and goes on when it may", async () => {
  const app = await connectedApp(visitor);
  const whole = await toolsOf(app);
  const { data } = await change(app.id, { state: "paused" });
  expect(data["app"]).toMatchObject({ id: app.id, state: "paused" });
  for (const [tool, args] of [
    ["search_memory", { query: "rye" }],
    ["save_memory", { content: "x" }],
    ["get_stats", {}],
  ] as const) {
    const refused = await callTool(app, tool, args);
    expect(refused.isError).toBe(true);
    expect(refused.text).toContain("The user has paused this app");
    expect(refused.text).toContain(`${ORIGIN}/apps`);
    expect(refused.data["error"]).toMatchObject({ code: "forbidden", reason: "paused" });
  }
  expect(await toolsOf(app)).toEqual(whole);
  const opened = await callRaw(app.token, "initialize", {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  });
  expect(await opened.text()).toContain("The user has paused this app");
  expect(await (await callRaw(app.token, "prompts/list")).text()).toContain('"error"');
  await change(app.id, { state: "active" });
  expect((await callTool(app, "get_stats")).isError).toBe(false);
});

test("a paused token is refused by every route of the API, in the shape of each", async () => {
  const token = await newToken(visitor, { name: "Script" });
  await change(token.id, { state: "paused" });
  // What is refused is no use of it.
  await callApi(token, "GET", "/api/stats");
  expect(await appOf(visitor, token.id)).toMatchObject({ last_used_at: null });
  for (const path of ["/api/memories", "/api/stats", "/api/rules", "/api/nowhere"]) {
    const { status, data } = await callApi(token, "GET", path);
    expect([path, status, data["error"].reason]).toEqual([path, 403, "paused"]);
  }
  const { status, data } = await callApi(token, "GET", "/v1/memory_stores");
  expect(status).toBe(403);
  expect(data["error"]).toMatchObject({
    type: "permission_error",
    message: expect.stringContaining("The user has paused this app"),
  });
});

test("a read-only app is neither offered nor lets do what changes something", async () => {
  const app = await connectedApp(visitor);
  const whole = await toolsOf(app);
  await change(app.id, { state: "read_only" });
  const writing = ["save_memory", "update_memory", "delete_memory", "import_data"];
  expect(await toolsOf(app)).toEqual(whole.filter(({ name }) => !writing.includes(name)));
  for (const tool of writing) {
    const refused = await callTool(app, tool, { content: "x", id: "aaaaaaaaaaaa" });
    expect([tool, refused.isError]).toEqual([tool, true]);
    expect(refused.text).toContain("read-only");
    expect(refused.text).toContain(`${ORIGIN}/apps`);
  }
  expect((await callTool(app, "search_memory", { query: "rye" })).isError).toBe(false);
  expect((await callTool(app, "get_stats")).data["memories"].active).toBe(0);
  await change(app.id, { state: "active" });
  expect(await toolsOf(app)).toEqual(whole);
});

test("a read-only token changes nothing by the API, decides nothing, and is told why", async () => {
  const token = await newToken(visitor, { name: "Script", trusted: true });
  await change(token.id, { state: "read_only" });
  expect((await callApi(token, "GET", "/api/memories")).status).toBe(200);
  for (const [method, path, body] of [
    ["POST", "/api/memories", { content: "x" }],
    ["DELETE", "/api/memories/aaaaaaaaaaaa", undefined],
    ["POST", "/api/operations/x/undo", {}],
    ["POST", "/v1/memory_stores", { name: "x" }],
    ["POST", "/api/backups", undefined],
    ["POST", "/api/backups/x/rehearse", undefined],
  ] as const) {
    const { status, data } = await callApi(token, method, path, body);
    expect([path, status]).toEqual([path, 403]);
    expect(data["error"].message).toContain("read-only");
  }
  const missing = await callApi(token, "GET", "/api/conversations");
  expect(missing.data["error"].message).toContain("does not include conversations:read");
  expect((await callApi(token, "PATCH", "/api/rules", { max_memories: 5 })).status).toBe(403);
});

test("scopes are taken away and never added, and what is narrowed is so at the next call", async () => {
  const app = await connectedApp(visitor);
  expect((await change(app.id, { scopes: ["memories:read"] })).status).toBe(200);
  const refused = await callRaw(app.token, "tools/call", {
    name: "save_memory",
    arguments: { content: "x" },
  });
  expect(refused.status).toBe(403);
  const more = await change(app.id, { scopes: ["memories:read", "data:export"] });
  expect([more.status, more.data["error"].code]).toEqual([400, "invalid_input"]);
  expect((await appOf(visitor, app.id)).scopes).toEqual(["memories:read"]);
});

test("changing an app or making a token reads nothing of what apps wrote", async () => {
  const app = await connectedApp(visitor);
  const prepared = vi.spyOn(env.DB, "prepare");
  await change(app.id, { state: "paused" });
  await newToken(visitor, { name: "Script" });
  const statements = prepared.mock.calls.map(([sql]) => sql).join("\n");
  prepared.mockRestore();
  expect(statements).not.toContain("operations");
});

test("a name is changed, shown as text is, and goes with what is written from then on", async () => {
  const app = await connectedApp(visitor);
  const { data } = await change(app.id, { name: " \u202EWork  laptop " });
  expect(data["app"].name).toBe("Work laptop");
  await callTool(app, "save_memory", { content: "Sits by the window" });
  const { data: page } = await visitor.call("GET", "/api/operations?limit=1");
  expect(page["operations"][0]).toMatchObject({ client: "Work laptop", grant_id: app.id });
  expect((await change(app.id, { name: "\u200B" })).status).toBe(400);
});

test("a token becomes trusted or not, an app that signed in never does", async () => {
  const token = await newToken(visitor, { name: "Script" });
  expect((await callApi(token, "PATCH", "/api/rules", { max_memories: 5 })).status).toBe(403);
  await change(token.id, { trusted: true });
  expect((await callApi(token, "PATCH", "/api/rules", { max_memories: null })).status).toBe(200);
  await change(token.id, { trusted: false });
  expect((await callApi(token, "PATCH", "/api/rules", { max_memories: 5 })).status).toBe(403);
  const app = await connectedApp(visitor);
  expect((await change(app.id, { trusted: true })).status).toBe(400);
  expect((await change(app.id, { trusted: false })).status).toBe(200);
});

test("a revoked app is refused with the next call, for good and with its token in the library", async () => {
  const app = await connectedApp(visitor);
  const [userId = ""] = app.token.split(":");
  // Before it in the list, and more than one reading of KV gives.
  const others = Array.from({ length: 120 }, (_, at) => `grant:${userId}:!${at}`);
  await Promise.all(
    others.map((name) => env.OAUTH_KV.put(name, JSON.stringify({ metadata: { grantId: name } }))),
  );
  const { status, data } = await visitor.call("DELETE", `${APPS}/${app.id}`);
  expect([status, data]).toEqual([200, { revoked: app.id }]);
  await Promise.all(others.map((name) => env.OAUTH_KV.delete(name)));
  expect((await callRaw(app.token, "tools/list")).status).toBe(401);
  expect((await visitor.call("DELETE", `${APPS}/${app.id}`)).status).toBe(404);
  expect((await visitor.call("PATCH", `${APPS}/${app.id}`, { state: "active" })).status).toBe(404);
  const { keys } = await env.OAUTH_KV.list<{ grantId?: string }>({ prefix: `grant:${userId}:` });
  const grants = await Promise.all(keys.map(({ name }) => env.OAUTH_KV.get(name)));
  expect(grants.join()).not.toContain(app.id);
});

test("a change of nothing, of something else or by no JSON is refused", async () => {
  const { id } = await connectedApp(visitor);
  for (const body of [{}, { state: "away" }, { scopes: [] }, { scopes: ["admin"] }, { x: 1 }, []]) {
    const { status, data } = await change(id, body);
    expect([body, status, data["error"].code]).toEqual([body, 400, "invalid_input"]);
  }
  const response = await fetchWorker(`${APPS}/${id}`, {
    method: "PATCH",
    headers: { ...cookieOf(visitor), origin: ORIGIN, "content-type": "application/json" },
    body: "{",
  });
  expect([response.status, await response.json()]).toMatchObject([
    400,
    { error: { code: "invalid_input" } },
  ]);
  expect((await visitor.call("POST", "/api/account/tokens", { name: "x" })).status).toBe(400);
});

test("nobody else sees, changes or ends it, and no token does", async () => {
  const app = await connectedApp(visitor);
  const token = await newToken(visitor, { name: "Script", trusted: true });
  const { visitor: other } = await signedUp("Another");
  expect((await other.call("GET", APPS)).data["apps"]).toEqual([]);
  for (const method of ["PATCH", "DELETE"]) {
    const answer = await other.call(method, `${APPS}/${app.id}`, { state: "paused" });
    expect([method, answer.status]).toEqual([method, 404]);
  }
  for (const path of ["", "/apps", "/tokens", "/sessions", "/passkeys", "/deletion", "/nowhere"]) {
    for (const bearer of [token.token, app.token]) {
      const headers = { authorization: `Bearer ${bearer}`, ...cookieOf(visitor) };
      const response = await fetchWorker(`/api/account${path}`, { headers });
      expect([path, response.status]).toEqual([path, 403]);
    }
    expect([path, (await fetchWorker(`/api/account${path}`)).status]).toEqual([path, 401]);
    for (const origin of ["http://localhost:9", "null", undefined]) {
      const headers = { ...cookieOf(visitor), ...(origin === undefined ? {} : { origin }) };
      const response = await fetchWorker(`/api/account${path}`, { method: "DELETE", headers });
      expect([path, origin, response.status]).toEqual([path, origin, 403]);
    }
  }
  expect((await callTool(app, "get_stats")).isError).toBe(false);
});

test("an object from before there were states keeps its grants, all of them active", async () => {
  const token = await newToken(visitor, { name: "Script" });
  await runInDurableObject(await objectOf(token), (_, state) => {
    state.storage.sql.exec("ALTER TABLE grants DROP COLUMN state");
    state.storage.sql.exec("DROP TABLE grant_days");
  });
  await runInDurableObject(await objectOf(token), async (agent: UserAgent, state) => {
    // As the platform does when it wakes the object.
    const Woken = agent.constructor as new (state: DurableObjectState, env: Env) => UserAgent;
    return new Woken(state, env).listGrants();
  });
  expect((await callTool(token, "get_stats")).isError).toBe(false);
  expect((await appOf(visitor, token.id)).state).toBe("active");
});

interface App extends Person {
  readonly id: string;
}

async function connectedApp(of: Visitor, options: { scopes?: string[] } = {}): Promise<App> {
  const { access_token: token } = await connect(of, options);
  const { data } = await of.call("GET", APPS);
  return { token, userId: token.split(":")[0] ?? "", id: data["apps"][0].id };
}

async function newToken(of: Visitor, settings: Record<string, unknown>): Promise<App> {
  const { status, data } = await of.call("POST", "/api/account/tokens", {
    scopes: ["memories:read", "memories:write", "data:export"],
    ...settings,
  });
  expect(status).toBe(201);
  expect(data["app"]).toMatchObject({ kind: "token", state: "active", last_used_at: null });
  return { token: data["token"], userId: "", id: data["app"].id };
}

function change(id: string, body: unknown) {
  return visitor.call("PATCH", `${APPS}/${id}`, body);
}

async function appOf(of: Visitor, id: string): Promise<Record<string, any>> {
  const { data } = await of.call("GET", APPS);
  return data["apps"].find((app: { id: string }) => app.id === id);
}

async function toolsOf({ token }: Person): Promise<Record<string, any>[]> {
  const text = await (await callRaw(token, "tools/list")).text();
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text).result.tools;
}

async function objectOf({ token }: Person) {
  return env.USERS.getByName(
    /^cofio_([a-z2-7]{16})_/.exec(token)?.[1] ?? token.split(":")[0] ?? "",
  );
}

async function storedDays(app: App): Promise<unknown> {
  return runInDurableObject(await objectOf(app), (_, state) => [
    ...state.storage.sql.exec("SELECT id, used_at FROM grants").toArray(),
    ...state.storage.sql.exec("SELECT * FROM grant_days").toArray(),
  ]);
}

function cookieOf(of: Visitor): Record<string, string> {
  return { cookie: [...of.cookies].map(([name, value]) => `${name}=${value}`).join("; ") };
}

/** What a deployment takes from one person's clients and from strangers: each limit refuses in words, says when to come back, and harms nobody else. */
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { addressPrefix } from "../../src/auth/address-limit.ts";
import { sweepSignIns } from "../../src/auth/sweep-sign-ins.ts";
import type { GrantClaim } from "../../src/grants.ts";
import { stats } from "../../src/http/openapi/answers.ts";
import { MAX_UPLOAD_BYTES, readLimits } from "../../src/storage/limits.ts";
import { downloadArchive, linesOf, rezip, uploadZip } from "../support/archives.ts";
import { injectFaults } from "../support/faults.ts";
import {
  callApi,
  callRaw,
  callTool,
  fetchWorker,
  newPerson,
  type Person,
} from "../support/people.ts";
import { countInvocations, statementsOf } from "../support/production.ts";

const NOW = Date.UTC(2026, 10, 23, 12);

beforeAll(countInvocations);

beforeEach(() => {
  // A bucket fills by the clock, which stands still until a test moves it.
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});

const { PLAN, REGISTRATIONS, SIGN_INS } = env;

afterEach(() => {
  vi.useRealTimers();
  Object.assign(env, { LIMITS: "none", PLAN, REGISTRATIONS, SIGN_INS });
});

test("one app that calls too fast is told with 429 when to go on, before anything of the account is read; others go on", async () => {
  const name = `hasty ${crypto.randomUUID()}`;
  const [hasty, calm] = [await newPerson({ name }), await newPerson({ name })];
  limit({ grant_calls_a_minute: 3 });
  for (const _ of [1, 2, 3]) await callTool(hasty, "get_stats");
  const asked = statementsOf.get("serveMcp");
  const refused = await callRaw(hasty.token, "tools/call", { name: "get_stats", arguments: {} });
  expect(refused.status).toBe(429);
  expect(refused.headers.get("retry-after")).toBe("20");
  expect(await refused.json()).toEqual({
    jsonrpc: "2.0",
    id: null,
    error: {
      code: -32_000,
      message: expect.stringContaining("Wait 20 s"),
      data: { code: "rate_limited", retry_after_seconds: 20 },
    },
  });
  expect(statementsOf.get("serveMcp")).toBe(asked);
  await callTool(calm, "get_stats");

  vi.setSystemTime(NOW + 20_000);
  await callTool(hasty, "get_stats");
  expect((await callRaw(hasty.token, "tools/list")).status).toBe(429);
  vi.setSystemTime(NOW + 90_000);
  for (const _ of [1, 2, 3]) await callTool(hasty, "get_stats");
});

test("all apps of one person together have a limit as well, and another person has their own", async () => {
  const name = `many apps ${crypto.randomUUID()}`;
  const apps = await Promise.all([1, 2, 3].map(() => newPerson({ name })));
  const other = await newPerson();
  limit({ grant_calls_a_minute: 3, user_calls_a_minute: 5 });
  const statuses: number[] = [];
  for (const app of [...apps, ...apps])
    statuses.push((await callApi(app, "GET", "/api/stats")).status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
  await callTool(other, "get_stats");
  // From the person's own pages all of these apps can still be paused, and everything else be done.
  const session: GrantClaim | null = null;
  const agent = env.USERS.getByName(apps[0]?.userId ?? "");
  const pages = await agent.serveApi(new Request("http://localhost/api/stats"), session);
  expect(pages.status).toBe(200);
});

test("the API and the memory stores say so in their own shapes", async () => {
  const person = await newPerson();
  limit({ user_calls_a_minute: 1 });
  await callTool(person, "get_stats");
  const headers = { authorization: `Bearer ${person.token}` };
  const [api, stores] = [
    await fetchWorker("/api/memories", { headers }),
    await fetchWorker("/v1/memory_stores", { headers }),
  ];
  expect([api.status, api.headers.get("retry-after")]).toEqual([429, "60"]);
  expect(await api.json()).toMatchObject({
    error: { code: "rate_limited", hint: expect.any(String), retry_after_seconds: 60 },
  });
  expect([stores.status, stores.headers.get("retry-after")]).toEqual([429, "60"]);
  expect(stores.headers.get("x-should-retry")).toBe("true");
  expect(await stores.json()).toMatchObject({ error: { type: "rate_limit_error" } });
});

test("of many calls in one request of the older protocol those beyond the limit are answered with when to try again", async () => {
  const person = await newPerson();
  limit({ grant_calls_a_minute: 2 });
  const call = {
    jsonrpc: "2.0",
    method: "tools/call",
    params: { name: "get_stats", arguments: {} },
  };
  const response = await fetchWorker("/mcp", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${person.token}`,
      "mcp-protocol-version": "2025-03-26",
    },
    body: JSON.stringify([1, 2, 3, 4].map((id) => ({ ...call, id }))),
  });
  const text = await response.text();
  expect(text.match(/"isError":true/g)).toHaveLength(2);
  expect(text.match(/"retry_after_seconds":30/g)).toHaveLength(2);
  expect(text).toContain("Wait 30 s");
});

test("an account that is full takes nothing more in, and still reads, shortens and deletes", async () => {
  const person = await newPerson({ trusted: true });
  const { data } = await callTool(person, "save_memory", {
    content: "Bakes rye bread on Mondays.",
  });
  const { id } = data["memory"];
  const bytes = (await callTool(person, "get_stats")).data["bytes"];
  limit({ max_bytes: bytes });
  const items = [{ content: "Sails." }];
  for (const refused of [
    await callTool(person, "save_memory", { content: "Sails on Sundays." }),
    await callTool(person, "import_data", { items }),
    await callTool(person, "update_memory", { id, content: "Bakes rye bread on Mondays, early." }),
  ]) {
    expect(refused.isError).toBe(true);
    expect(refused.data["error"]).toMatchObject({ code: "limit_reached", limit: "max_bytes" });
  }
  const file = { command: "create", path: "/memories/a.md", file_text: "x" };
  const { status, data: answer } = await callApi(person, "POST", "/api/memories", {
    content: "Sails.",
  });
  expect([status, answer["error"].max_bytes]).toEqual([429, bytes]);
  const { data: written } = await callApi(person, "POST", "/api/memory-tool", file);
  expect(JSON.stringify(written)).toContain("MB for one person");

  expect((await callTool(person, "search_memory", { query: "rye" })).data["results"]).toHaveLength(
    1,
  );
  expect((await callTool(person, "update_memory", { id, content: "Bakes." })).isError).toBe(false);
  expect((await callTool(person, "save_memory", { content: "Sails." })).isError).toBe(false);
  expect((await callTool(person, "delete_memory", { id })).isError).toBe(false);
});

test("get_stats tells what is stored of how much, where there is a limit", async () => {
  const person = await newPerson();
  await callTool(person, "save_memory", { content: "Bakes rye bread." });
  const without = await callTool(person, "get_stats");
  const { bytes } = without.data;
  expect(Object.keys(without.data["quota"])).toEqual(["memories_used", "memories_limit"]);
  expect(without.text).toContain(`${bytes} bytes.`);
  limit({ max_bytes: 400_000_000 });
  const { data, text } = await callTool(person, "get_stats");
  expect(data["quota"]).toMatchObject({ bytes_used: bytes, bytes_limit: 400_000_000 });
  expect(text).toContain(`${bytes} bytes of at most 400000000.`);
  expect(stats.parse((await callApi(person, "GET", "/api/stats")).data)).toEqual(data);
});

test("imports that are under way are counted; one more is told when one of them counts no longer, and its turn comes by an end", async () => {
  const person = await newPerson();
  limit({ imports_in_flight: 2 });
  const first = await begin(person, "one");
  vi.setSystemTime(NOW + 60_000);
  await begin(person, "two");
  const refused = await begin(person, "three");
  expect(refused.status).toBe(429);
  expect(refused.data["error"]).toMatchObject({
    code: "limit_reached",
    limit: "imports_in_flight",
    retry_after_seconds: 3_540,
  });
  const other = await callTool(person, "import_data", { items: [{ content: "Sails." }] });
  expect(other.data["error"].code).toBe("limit_reached");
  // What is under way goes on.
  expect((await begin(person, "one")).data["job"].id).toBe(first.data["job"].id);
  await callApi(person, "POST", `/api/imports/${first.data["job"].id}/cancel`, {});
  expect((await begin(person, "three")).status).toBe(200);
});

test("an import that was sent whole is not under way once it failed, wherever it did; where the database is back it is told as failed", async () => {
  const person = await newPerson();
  limit({ imports_in_flight: 1 });
  const faults = await injectFaults(person);
  for (const isLasting of [true, false]) {
    for (let from = 1; ; from++) {
      faults.calls = 0;
      faults.failing = (call) => ((isLasting ? call >= from : call === from) ? "before" : null);
      const items = [{ content: `Sails to island ${isLasting} ${from}.` }];
      const failed = await callTool(person, "import_data", { items }).catch(() => null);
      faults.failing = () => null;
      const { data } = await begin(person, "own");
      expect([from, data["job"]?.state]).toEqual([from, "created"]);
      await callApi(person, "POST", `/api/imports/${data["job"].id}/cancel`, {});
      const { data: listed } = await callApi(person, "GET", "/api/imports");
      const [whole] = listed["imports"].filter(({ job }: any) => job.id !== data["job"].id);
      if (!isLasting) expect(["failed", "finished"]).toContain(whole?.job.state ?? "failed");
      await env.DB.prepare("DELETE FROM jobs WHERE user_id = ?").bind(person.userId).run();
      if (failed?.isError === false) break;
    }
  }
});

test("an archive of more than the server keeps is refused before anything of it is restored; one that just fits becomes as large as it was", async () => {
  const source = await newPerson();
  await callTool(source, "save_memory", { content: "Bakes rye bread on Mondays." });
  const messages = [{ role: "user", content: "How warm must the oven be?" }];
  await callTool(source, "import_data", { items: [{ platform: "Chat", messages }] });
  const { bytes } = (await callTool(source, "get_stats")).data;
  const { zip, files } = await downloadArchive(source);
  const manifest = JSON.parse(files.get("manifest.json") ?? "");
  expect(manifest.stored_bytes).toBe(bytes);
  // What one request brings may go beyond the limit, so an account may, and its archive is taken back.
  const stored_bytes = bytes + MAX_UPLOAD_BYTES;
  const large = await rezip(
    new Map(files).set("manifest.json", JSON.stringify({ ...manifest, stored_bytes })),
  );
  limit({ max_bytes: bytes - 1 });
  const owner = await newPerson({ trusted: true });
  for (const query of ["", "?dry_run=1"]) {
    const { status, body } = await uploadZip(owner, large, query);
    expect([status, body["error"].max_bytes, body["error"].bytes]).toEqual([
      429,
      bytes - 1,
      stored_bytes,
    ]);
  }
  expect((await callApi(owner, "GET", "/api/imports")).data["imports"]).toEqual([]);
  limit({ max_bytes: bytes });
  expect((await uploadZip(owner, large)).body["job"].state).toBe("finished");
  expect((await callTool(owner, "get_stats")).data["bytes"]).toBe(bytes);

  limit({ max_bytes: bytes - 1 });
  const another = await newPerson({ trusted: true });
  expect((await uploadZip(another, zip)).body["job"].state).toBe("finished");
  expect((await callTool(another, "get_stats")).data["bytes"]).toBe(bytes);
});

test("the archive of an account above the limit is restored in batches too, whichever of them reaches it", async () => {
  const source = await newPerson();
  for (const content of ["Likes tea.", "Likes rye."]) {
    await callTool(source, "save_memory", { content });
  }
  const { files } = await downloadArchive(source);
  const owner = await newPerson({ trusted: true });
  limit({ max_bytes: 1 });
  const { data } = await callApi(owner, "POST", "/api/imports/restore", {
    name: "manifest.json",
    manifestText: files.get("manifest.json"),
    totals: { conversation: 0, message: 0, memory: 2 },
  });
  for (const [at, line] of linesOf(files.get("memories.jsonl")).entries()) {
    const batch = { number: at + 1, lines: [line] };
    const path = `/api/imports/${data["job"].id}/lines`;
    expect((await callApi(owner, "POST", path, batch)).status).toBe(200);
  }
  expect((await callTool(owner, "get_stats")).data["memories"].active).toBe(2);
});

test.each([
  ["/mcp", 8 * 1_048_576, "too_large"],
  ["/api/memories", 8 * 1_048_576, "too_large"],
  ["/v1/memory_stores", 8 * 1_048_576, "request_too_large"],
  ["/oauth/register", 65_536, "invalid_request"],
  ["/oauth/token", 65_536, "invalid_request"],
  ["/api/auth/passkey/verify-authentication", 65_536, "too_large"],
  ["/recover", 65_536, "Not now"],
])("a request to %s ends at %i bytes, said or not, in words", async (path, maxBytes, word) => {
  const { token } = await newPerson();
  const send = (body: BodyInit, headers: Record<string, string> = {}) =>
    fetchWorker(path, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        origin: env.PUBLIC_ORIGIN,
        "content-type": "application/json",
        ...headers,
      },
      body,
    });
  for (const refused of [
    await send("{}", { "content-length": String(maxBytes + 1) }),
    await send(" ".repeat(maxBytes + 1)),
  ]) {
    expect(refused.status).toBe(413);
    expect(await refused.text()).toContain(word);
  }
});

test("an upload that asks for more than the free plan lets one request says so, and the same in parts goes on from there", async () => {
  const person = await newPerson();
  const chats = Array.from({ length: 1_000 }, (_, at) => ({
    uuid: `chat-${at}`,
    name: `Chat ${at}`,
    created_at: "2026-01-01T00:00:00Z",
    updated_at: "2026-01-01T00:00:00Z",
    chat_messages: [
      { uuid: `m-${at}`, sender: "human", text: `Bread ${at}`, created_at: "2026-01-01T00:00:00Z" },
    ],
  }));
  const whole = await callApi(person, "POST", "/api/imports", chats);
  expect(whole.status).toBe(413);
  expect(whole.data["error"]).toMatchObject({
    code: "too_large",
    hint: expect.stringContaining("cofio import"),
  });
  const { status, data } = await callApi(person, "POST", "/api/imports", chats.slice(0, 20));
  expect([status, data["items"]]).toMatchObject([200, { unchanged: 40 }]);
});

test("strangers of one network who register too often are refused as OAuth does, and said when to come back; others go on", async () => {
  env.REGISTRATIONS = counterOf(2);
  const statuses: number[] = [];
  for (const at of [1, 2, 3]) statuses.push((await register(`2001:db8:1:2:${at}::9`)).status);
  expect(statuses).toEqual([201, 201, 429]);
  const refused = await register("2001:db8:1:2::1");
  expect(refused.headers.get("retry-after")).toBe("60");
  expect(await refused.json()).toEqual({
    error: "temporarily_unavailable",
    error_description: expect.stringContaining("Wait 60 s"),
  });
  expect((await register("2001:db8:1:3::1")).status).toBe(201);
  // This machine's own clients, which npm start serves.
  for (const _ of [1, 2, 3]) expect((await register("127.0.0.1")).status).toBe(201);
});

test("on the free plan strangers register 300 clients a day, all together; who is connected goes on, and so do others on the next day", async () => {
  env.PLAN = "free";
  const today = Math.floor(NOW / 86_400_000);
  const countOf = () =>
    env.DB.prepare("SELECT sum(clients) AS n FROM registration_days").first<number>("n");
  await env.DB.prepare(
    "INSERT INTO registration_days VALUES (?1, 298) ON CONFLICT DO UPDATE SET clients = 298",
  )
    .bind(today)
    .run();
  const statuses: number[] = [];
  for (const at of [1, 2, 3]) statuses.push((await register(`198.51.100.${at}`)).status);
  expect(statuses).toEqual([201, 201, 429]);
  const refused = await register("203.0.113.9");
  expect(refused.headers.get("retry-after")).toBe(String(86_400 - ((NOW / 1_000) % 86_400)));
  expect(await refused.json()).toEqual({
    error: "temporarily_unavailable",
    error_description: expect.stringContaining("after midnight UTC"),
  });
  expect(await countOf()).toBe(300);
  expect((await register("127.0.0.1")).status).toBe(201);
  await callTool(await newPerson(), "get_stats");
  env.PLAN = "paid";
  expect((await register("203.0.113.9")).status).toBe(201);
  env.PLAN = "free";
  vi.setSystemTime((today + 1) * 86_400_000);
  expect((await register("203.0.113.9")).status).toBe(201);
  expect(await countOf()).toBe(301);
  await sweepSignIns(env.DB, Date.now());
  expect(await countOf()).toBe(1);
});

test("pages and ceremonies of signing in have a limit by network, in their own forms; /mcp and tokens have none", async () => {
  env.SIGN_INS = counterOf(1);
  env.REGISTRATIONS = counterOf(0);
  const headers = { "cf-connecting-ip": "203.0.113.7" };
  expect((await fetchWorker("/recover", { headers })).status).toBe(200);
  const page = await fetchWorker("/authorize", { headers });
  expect([page.status, page.headers.get("retry-after")]).toEqual([429, "60"]);
  expect(await page.text()).toContain("Too many sign-ins");
  const paths = ["/recover", "/sign-in/github", "/sign-up/oidc", "/sign-in/oidc/callback"];
  // As the routes read them.
  for (const path of [...paths, "/%61uthorize", "/sign%2Din/github"]) {
    expect((await fetchWorker(path, { headers })).status, path).toBe(429);
  }
  const path = "/api/auth/passkey/generate-authenticate-options";
  expect(await (await fetchWorker(path, { headers })).json()).toMatchObject({
    message: expect.stringContaining("Wait 60 s"),
  });
  for (const [open, method] of [
    ["/mcp", "POST"],
    ["/oauth/token", "POST"],
    ["/api/stats", "GET"],
    ["/.well-known/oauth-authorization-server", "GET"],
    ["/sign-in", "GET"],
  ] as const) {
    expect((await fetchWorker(open, { method, headers })).status, open).not.toBe(429);
  }
});

test("the bindings of wrangler.jsonc count: one of them ends a flood of registrations", async () => {
  // Twice the limit and one: a new minute may begin in between.
  const statuses: number[] = [];
  while (statuses.length < 21 && statuses.at(-1) !== 429) {
    statuses.push((await register("198.51.100.9")).status);
  }
  expect(statuses.at(-1)).toBe(429);
  expect(statuses.length).toBeGreaterThan(10);
});

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:DB8:0001:0002::5", "2001:db8:1:2::/64"],
  ["2001:db8::5", "2001:db8:0:0::/64"],
  ["::5", "0:0:0:0::/64"],
  ["fe80::1:2:3:4", "fe80:0:0:0::/64"],
  ["127.0.0.1", null],
  ["::1", null],
  ["", null],
])("the network of %s is %s", (address, prefix) => {
  expect(addressPrefix(address)).toBe(prefix);
});

test("the deployer's figures stand on top of the built-in ones, which follow the plan; null is without a limit, and a mistake is named", () => {
  const builtIn = readLimits({ LIMITS: "", PLAN: "free" });
  expect(builtIn).toEqual({
    grantCallsAMinute: 600,
    userCallsAMinute: 1_200,
    maxBytes: 90_000_000,
    importsInFlight: 10,
  });
  expect(readLimits({ LIMITS: "", PLAN: "paid" }).maxBytes).toBe(2_000_000_000);
  const LIMITS = '{"max_bytes": null, "grant_calls_a_minute": 5}';
  expect(readLimits({ LIMITS, PLAN: "free" })).toEqual({
    ...builtIn,
    maxBytes: null,
    grantCallsAMinute: 5,
  });
  for (const wrong of ['{"calls": 5}', '{"max_bytes": 0}', "many", "[]"]) {
    expect(() => readLimits({ LIMITS: wrong, PLAN: "free" })).toThrow(/^LIMITS cannot be used/);
  }
});

function limit(limits: Record<string, number | null>): void {
  env.LIMITS = JSON.stringify({
    grant_calls_a_minute: null,
    user_calls_a_minute: null,
    max_bytes: null,
    imports_in_flight: null,
    ...limits,
  });
}

/** As a binding, whose minutes begin whenever they do. */
function counterOf(limit: number): RateLimit {
  const counts = new Map<string, number>();
  return {
    limit: async ({ key }) => {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      return { success: (counts.get(key) ?? 0) <= limit };
    },
  };
}

function begin(person: Person, key: string) {
  const totals = { conversation: 0, message: 0, memory: 1 };
  const file = {
    outcome: "read",
    name: "a.json",
    format: "Claude conversations",
    source: "cofio",
    truncated: false,
  };
  return callApi(person, "POST", "/api/imports/begin", {
    files: [file],
    totals,
    key,
    bytesTotal: 1,
  });
}

function register(address: string): Promise<Response> {
  return fetchWorker("/oauth/register", {
    method: "POST",
    headers: { "content-type": "application/json", "cf-connecting-ip": address },
    body: JSON.stringify({
      redirect_uris: ["https://client.example/callback"],
      token_endpoint_auth_method: "none",
    }),
  });
}

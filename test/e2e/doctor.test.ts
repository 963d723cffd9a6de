/** `cofio doctor URL`, against a real server behind a proxy that plants one fault at a time, and against servers that mean harm. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { text as readText } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askServer } from "../../apps/cli/ask-server.ts";
import { type Access, examine } from "../../apps/doctor/examine.ts";
import { openBrowser, type Browser } from "./support/browser.ts";
import { openFaultyProxy, SOUND, type FaultyProxy, type Plant } from "./support/faulty-proxy.ts";
import { startServer, type Server } from "./support/server.ts";

const program = join(import.meta.dirname, "../../apps/cli/main.ts");
let server: Server;
let proxy: FaultyProxy;
let browser: Browser;
let token: string;
let config: string;

beforeAll(async () => {
  [server, browser, config] = await Promise.all([
    startServer(),
    openBrowser(),
    mkdtemp(join(tmpdir(), "cofio-doctor-")),
  ]);
  proxy = await openFaultyProxy(server);
  token = await server.token("doctor");
});

afterAll(async () => {
  await proxy?.close();
  await browser?.close();
  await server?.stop();
  if (config !== undefined) await rm(config, { recursive: true, force: true });
});

test("a sound server has no fault, for a stranger and with a token", async () => {
  proxy.plant(SOUND);
  const stranger = await doctor([proxy.origin]);
  expect(stranger).toMatchObject({ code: 0, stderr: "" });
  expect(stranger.stdout).not.toContain("✗");
  expect(stranger.stdout).toContain("✓ consent page");
  const known = await doctor([`${proxy.origin}/mcp`, "--json"], { COFIO_TOKEN: token });
  expect(known).toMatchObject({ code: 0, stderr: "" });
  const told = JSON.parse(known.stdout);
  expect(told).toMatchObject({ server: proxy.origin, sound: true, signed_in: true });
  expect(told.steps.map(({ name }: { name: string }) => name)).toEqual([
    "reach",
    "challenge",
    "user agents",
    "addresses",
    "resource",
    "browser pages",
    "sign-in server",
    "registration",
    "consent page",
    "token endpoint",
    "initialize",
    "first call",
    "tools/list",
    "server/discover",
  ]);
  expect(known.stdout).not.toContain(token);
});

const BLOCKED = {
  status: 403,
  headers: { "content-type": "text/plain", server: "cloudflare" },
  body: "error code: 1010",
};
const CHALLENGED = {
  status: 403,
  headers: { "content-type": "text/html", server: "cloudflare", "cf-mitigated": "challenge" },
  body: "<!doctype html><title>Just a moment...</title>",
};
const PAGE = {
  status: 200,
  headers: { "content-type": "text/html" },
  body: "<!doctype html><title>App</title><div id=root></div>",
};
const NOT_FOUND = { status: 404, headers: { "content-type": "text/plain" }, body: "Not found" };
const RESOURCE = "/.well-known/oauth-protected-resource";
const SERVER = "/.well-known/oauth-authorization-server";

/** One for each: where it stands, and the only code that may be named. */
const FAULTS: Readonly<Record<string, readonly [code: string, plant: Plant]>> = {
  "Block AI bots refuses Claude-User": [
    "agent_blocked",
    ({ headers }, pass) => (agentOf(headers) === "Claude-User" ? BLOCKED : pass()),
  ],
  "a bot check challenges python-httpx": [
    "agent_challenged",
    ({ headers }, pass) => (agentOf(headers).startsWith("python-httpx") ? CHALLENGED : pass()),
  ],
  "Claude-User is refused at its first call with a token only": [
    "agent_blocked",
    ({ headers }, pass) =>
      agentOf(headers) === "Claude-User" && headers.has("authorization") ? BLOCKED : pass(),
  ],
  "an edge refuses everybody": ["everything_refused", () => CHALLENGED],
  "the protected resource's document is a page": [
    "document_is_page",
    ({ path }, pass) => (path.startsWith(RESOURCE) ? PAGE : pass()),
  ],
  "only one form of a document is there": [
    "document_missing",
    ({ path }, pass) => (path === `${SERVER}/mcp` ? NOT_FOUND : pass()),
  ],
  "a cache keeps half of a document": ["document_broken", cut(({ path }) => path === SERVER)],
  "a cache keeps an old document": ["documents_differ", edit(RESOURCE, { old: true })],
  "the issuer is another": [
    "issuer_mismatch",
    edit(SERVER, { issuer: "https://old.example" }, `${SERVER}/mcp`),
  ],
  "the resource has a slash too many": [
    "resource_mismatch",
    edit(RESOURCE, { resource: "https://old.example/mcp/" }, `${RESOURCE}/mcp`),
  ],
  "the token endpoint is another server's": [
    "endpoint_elsewhere",
    edit(SERVER, { token_endpoint: "https://old.example/oauth/token" }, `${SERVER}/mcp`),
  ],
  "PKCE with S256 is not offered": [
    "s256_missing",
    edit(SERVER, { code_challenge_methods_supported: ["plain"] }, `${SERVER}/mcp`),
  ],
  "metadata documents of clients are not taken": [
    "cimd_not_offered",
    edit(SERVER, { client_id_metadata_document_supported: false }, `${SERVER}/mcp`),
  ],
  "WWW-Authenticate is dropped": ["challenge_missing", without("www-authenticate")],
  "the challenge names an old address": [
    "challenge_wrong",
    withHeader("www-authenticate", `Bearer resource_metadata="${RESOURCE}"`, 401),
  ],
  "registration is refused": [
    "registration_refused",
    ({ path }, pass) => (path === "/oauth/register" ? BLOCKED : pass()),
  ],
  "everything is redirected": [
    "redirected",
    ({ path }) => ({ status: 301, headers: { location: `https://www.example${path}` }, body: "" }),
  ],
  "/mcp alone is redirected": [
    "redirected",
    ({ path }, pass) =>
      path === "/mcp" ? { status: 308, headers: { location: "/mcp/" }, body: "" } : pass(),
  ],
  "/mcp/ is not let through": [
    "slash_fails",
    ({ path }, pass) => (path === "/mcp/" ? NOT_FOUND : pass()),
  ],
  "/mcp is not there": ["mcp_missing", ({ path }, pass) => (path === "/mcp" ? NOT_FOUND : pass())],
  "something answers everybody at /mcp": [
    "open_to_all",
    ({ path }, pass) =>
      path === "/mcp"
        ? { status: 200, headers: { "content-type": "application/json" }, body: "{}" }
        : pass(),
  ],
  "the Worker fails": [
    "server_error",
    () => ({
      status: 503,
      headers: { "content-security-policy": "trusted-types cofio" },
      body: "",
    }),
  ],
  "another program answers": [
    "not_cofio",
    ({ path }, pass) => (path === "/healthz" ? PAGE : pass()),
  ],
  "the clock is an hour ahead": [
    "clock_differs",
    withHeader("date", new Date(Date.now() + 3_600_000).toUTCString()),
  ],
  "CORS is dropped": ["cors_missing", without("access-control-allow-origin")],
  "the consent page is behind another sign-in": [
    "authorize_fails",
    ({ path }, pass) =>
      path === "/authorize"
        ? { status: 302, headers: { location: "https://access.example/login" }, body: "" }
        : pass(),
  ],
  "a redirect that nobody registered is taken": [
    "redirect_unchecked",
    async ({ path }, pass) => {
      const reply = await pass();
      return path === "/authorize" && reply.status === 400 ? PAGE : reply;
    },
  ],
  "frames are allowed": [
    "page_can_be_framed",
    without("x-frame-options", "content-security-policy"),
  ],
  "the consent page is cached": [
    "page_is_cached",
    withHeader("cache-control", "public, max-age=3600", 200),
  ],
  "the token endpoint answers with a page": [
    "token_endpoint_fails",
    ({ path }, pass) => (path === "/oauth/token" ? PAGE : pass()),
  ],
  "the Authorization header is stripped": [
    "token_refused",
    async (request, pass) =>
      request.headers.has("authorization")
        ? { ...(await pass()), status: 401, headers: { "www-authenticate": "Bearer" }, body: "" }
        : pass(),
  ],
  "a poor Accept header is refused": [
    "accept_refused",
    ({ headers }, pass) =>
      headers.has("authorization") && headers.get("accept") === "*/*"
        ? { ...NOT_FOUND, status: 406 }
        : pass(),
  ],
  "initialize is broken": [
    "initialize_fails",
    ({ headers, body }, pass) =>
      headers.has("authorization") && body.includes('"initialize"') ? PAGE : pass(),
  ],
  "server/discover is broken": [
    "discover_fails",
    ({ body }, pass) => (body.includes("server/discover") ? { ...NOT_FOUND, status: 400 } : pass()),
  ],
  "tools/list is cut off": ["tools_incomplete", cut(({ body }) => body.includes("tools/list"))],
  "a gateway hides a tool": [
    "tools_incomplete",
    async ({ body }, pass) => {
      const reply = await pass();
      if (!body.includes("tools/list")) return reply;
      return { ...reply, body: reply.body.replaceAll('"name":"get_stats"', '"name":"other"') };
    },
  ],
};

test.each(Object.entries(FAULTS))("%s: named, and nothing else", async (_, [code, plant]) => {
  proxy.plant(plant);
  expect(await codesOf(proxy.origin, { token })).toEqual([code]);
});

test("a refresh token that is good no more is named", async () => {
  proxy.plant(SOUND);
  const refresh = { clientId: "none", refreshToken: "none:none:none" };
  const onRenewed = (): void => expect.unreachable();
  expect(await codesOf(proxy.origin, { token, refresh, onRenewed })).toEqual(["refresh_fails"]);
});

test("the words name the switch, the exit code says that something is wrong, and --json has both", async () => {
  proxy.plant(FAULTS["Block AI bots refuses Claude-User"]?.[1] ?? SOUND);
  const { code, stdout } = await doctor([proxy.origin]);
  expect(code).toBe(1);
  expect(stdout).toContain("✗ user agents     Claude-User is refused with status 403 at /mcp");
  expect(stdout).toMatch(/What to do:\n {2}1\. .*Block AI bots: off/);
  const told = JSON.parse((await doctor([proxy.origin, "--json"])).stdout);
  expect(told).toMatchObject({ sound: false, signed_in: false });
});

test("what is no address of a server is wrong use, and nothing is sent", async () => {
  const uses = [
    ["http://cofio.example.com"],
    ["https://user:password@cofio.example.com/mcp"],
    ["https://cofio.example.com/other"],
    ["https://cofio.example.com", "https://other.example"],
    ["https://cofio.example.com", "--url", "https://other.example"],
    ["--sign-in"],
  ];
  for (const finished of await Promise.all(uses.map((args) => doctor(args)))) {
    expect(finished).toMatchObject({ code: 2, stdout: "" });
  }
});

test("a token goes to the examined server alone, whatever its documents and redirects name", async () => {
  const thief: string[] = [];
  const elsewhere = await listen((request, response) => {
    thief.push(request.url ?? "");
    response.end();
  });
  const named = {
    issuer: elsewhere.origin,
    resource: `${elsewhere.origin}/mcp`,
    authorization_servers: [elsewhere.origin],
  };
  const endpoints = Object.fromEntries(
    ["authorization", "token", "registration"].map((name) => [
      `${name}_endpoint`,
      `${elsewhere.origin}/${name}`,
    ]),
  );
  proxy.plant(async (request, pass) => {
    if (request.path.startsWith("/.well-known")) {
      return edit(request.path, { ...named, ...endpoints })(request, pass);
    }
    if (request.path !== "/mcp/") return pass();
    return { status: 307, headers: { location: `${elsewhere.origin}/mcp` }, body: "" };
  });
  expect(await codesOf(proxy.origin, { token })).toContain("endpoint_elsewhere");
  expect(thief).toEqual([]);
  await elsewhere.close();
});

test.each<[name: string, listener: RequestListener]>([
  [
    "a body without an end",
    (_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.on("drain", more);
      more();
    },
  ],
  ["an answer that never comes", () => {}],
  [
    "a stream that stays silent",
    (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(": \n\n");
    },
  ],
  [
    "redirects in a circle",
    (request, response) => {
      response.writeHead(302, { location: request.url }).end();
    },
  ],
  ["a connection that is cut", (request) => request.socket.destroy()],
  ["nonsense", (_, response) => void response.end("\u001B[31m\u0000 {")],
])("%s is bounded, and found", async (_, listener) => {
  const hostile = await listen(listener);
  const steps = await examineAt(hostile.origin, { token }, 1_000);
  expect(steps.flatMap(({ faults }) => faults).length).toBeGreaterThan(0);
  expect(JSON.stringify(steps)).not.toMatch(/\\u001b/i);
  await hostile.close();
});

test("after a sign-in in the browser it goes on through the token, and again with what was kept", async () => {
  await browser.signUp(server);
  const child = spawn(
    process.execPath,
    [program, "doctor", server.origin, "--sign-in", "--no-browser"],
    {
      env: { ...process.env, XDG_CONFIG_HOME: config, COFIO_TOKEN: "" },
    },
  );
  const ended = new Promise<number | null>((done) => child.once("exit", done));
  const stdout = readText(child.stdout);
  await browser.page.goto(await firstAddress(child.stderr));
  await browser.page.getByRole("button", { name: "Allow", exact: true }).click();
  await browser.page.getByText("You can close this window").waitFor();
  expect(await stdout).not.toContain("✗");
  expect(await stdout).toContain("✓ refresh");
  expect(await stdout).toContain("✓ server/discover");
  expect(await ended).toBe(0);

  const before = await keptTokens();
  const again = await doctor([server.origin]);
  expect(again).toMatchObject({ code: 0, stderr: "" });
  expect(again.stdout).toContain("✓ tools/list");
  const after = await keptTokens();
  expect(after.refresh_token).not.toBe(before.refresh_token);
  expect(after.issuer).toBe(before.issuer);
  expect(again.stdout).not.toContain(after.access_token);
});

async function codesOf(origin: string, access: Access): Promise<string[]> {
  const steps = await examineAt(origin, access);
  return [...new Set(steps.flatMap(({ faults }) => faults.map(({ code }) => code)))];
}

function examineAt(origin: string, access: Access, answerTimeoutMs = 60_000) {
  const ask = askServer(origin, { answerTimeoutMs });
  return examine({ origin, ask, access, now: Date.now, onStep: () => {} });
}

async function doctor(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [program, "doctor", ...args], {
    env: { ...process.env, XDG_CONFIG_HOME: config, COFIO_TOKEN: "", ...env },
  });
  const ended = new Promise<number | null>((done) => child.once("exit", done));
  const [stdout, stderr] = await Promise.all([readText(child.stdout), readText(child.stderr)]);
  return { code: await ended, stdout, stderr };
}

function agentOf(headers: Headers): string {
  return headers.get("user-agent") ?? "";
}

/** The server's document at these paths, with other fields. */
function edit(path: string, fields: Readonly<Record<string, unknown>>, ...more: string[]): Plant {
  return async (request, pass) => {
    const reply = await pass();
    if (![path, ...more].includes(request.path)) return reply;
    return { ...reply, body: JSON.stringify({ ...JSON.parse(reply.body), ...fields }) };
  };
}

function cut(where: (request: Parameters<Plant>[0]) => boolean): Plant {
  return async (request, pass) => {
    const reply = await pass();
    return where(request) ? { ...reply, body: reply.body.slice(0, 200) } : reply;
  };
}

function without(...names: readonly string[]): Plant {
  return async (_, pass) => {
    const reply = await pass();
    const kept = Object.entries(reply.headers).filter(([name]) => !names.includes(name));
    return { ...reply, headers: Object.fromEntries(kept) };
  };
}

/** @param status of the answers that get it; default: all */
function withHeader(name: string, value: string, status?: number): Plant {
  return async (_, pass) => {
    const reply = await pass();
    if (status !== undefined && reply.status !== status) return reply;
    return { ...reply, headers: { ...reply.headers, [name]: value } };
  };
}

async function listen(listener: RequestListener) {
  const listening = createServer(listener);
  await new Promise<void>((ready) => listening.listen(0, "localhost", ready));
  return {
    // True of a server that listens on TCP.
    origin: `http://localhost:${(listening.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((closed) => {
        listening.closeAllConnections();
        listening.close(() => closed());
      }),
  };
}

async function firstAddress(stream: NodeJS.ReadableStream): Promise<string> {
  let said = "";
  for await (const chunk of stream) {
    said += String(chunk);
    const address = /^http\S+(?=\n)/m.exec(said)?.[0];
    if (address !== undefined) return address;
  }
  throw new Error(`No address was shown: ${said}`);
}

async function keptTokens(): Promise<Record<string, string>> {
  const folder = join(config, "cofio/connections");
  const [file = ""] = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  return JSON.parse(await readFile(join(folder, file), "utf8")).tokens;
}

/** The bridge for clients that only speak stdio: a whole sign-in in a real browser, real clients, and servers that mean harm. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { Client as ClientV2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioV2 } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { isAllowed } from "../../apps/cli/guarded-fetch.ts";
import { openBrowser, type Browser } from "./support/browser.ts";
import { connectCommand, startConnect, type ConnectProcess } from "./support/connect-process.ts";
import { startServer, type Server } from "./support/server.ts";

let server: Server;
let browser: Browser;
let config: string;

beforeAll(async () => {
  [server, browser, config] = await Promise.all([
    startServer(),
    openBrowser(),
    mkdtemp(join(tmpdir(), "cofio-connect-")),
  ]);
  await browser.signUp(server);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  if (config !== undefined) await rm(config, { recursive: true, force: true });
});

const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "stdio only", version: "1" },
  },
};

test("a person signs in once in the browser; then tools work, and a restart asks nothing", async () => {
  const first = start([server.mcpUrl, "--no-browser"]);
  first.send(INITIALIZE);
  first.send({ jsonrpc: "2.0", id: 2, method: "tools/list", params: {} });
  const page = await pageOf(first);
  expect(page.searchParams.get("code_challenge_method")).toBe("S256");
  expect(page.searchParams.get("redirect_uri")).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
  await browser.page.goto(page.href);
  await browser.page.getByRole("button", { name: "Allow", exact: true }).click();
  await browser.page.getByText("You can close this window").waitFor();

  expect((await first.answerTo(1)).result.serverInfo.name).toBe("cofio");
  expect((await first.answerTo(2)).result.tools).toHaveLength(12);
  first.send(call(3, "save_memory", { content: "Bridges carry." }));
  expect((await first.answerTo(3)).result.structuredContent.outcome).toBe("created");
  expect(await first.end()).toBe(0);
  // One sign-in, although two requests met it, and nothing on stdout that is no message.
  expect(first.stderr().match(/Sign in to/g)).toHaveLength(1);
  for (const line of first.lines) expect(JSON.parse(line)).toMatchObject({ jsonrpc: "2.0" });

  const second = start([server.origin, "--no-browser"]);
  second.send(INITIALIZE);
  second.send(call(2, "search_memory", { query: "bridges" }));
  expect((await second.answerTo(2)).result.structuredContent.total).toBe(1);
  expect(await second.end()).toBe(0);
  expect(second.stderr()).toBe("");
});

test("what it keeps can be read by its owner alone, and is named after the server", async () => {
  const { path } = await keptFile();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(path, ".."))).mode & 0o777).toBe(0o700);
  expect(path).toContain("localhost-");
});

test("an access token that has ended is renewed without the person, by one of two processes", async () => {
  const { path, kept } = await keptFile();
  const ended = {
    ...kept,
    tokens: { ...kept.tokens, access_token: `${kept.tokens.access_token}x` },
  };
  await writeFile(path, JSON.stringify(ended));
  const processes = [
    start([server.mcpUrl, "--no-browser"]),
    start([server.mcpUrl, "--no-browser"]),
  ];
  for (const process of processes) process.send(INITIALIZE);
  for (const process of processes) {
    expect((await process.answerTo(1)).result.serverInfo.name).toBe("cofio");
    expect(await process.end()).toBe(0);
    expect(process.stderr()).not.toContain("Sign in");
  }
  const { kept: renewed } = await keptFile();
  expect(renewed.tokens.access_token).not.toBe(ended.tokens.access_token);
  expect(renewed.tokens.refresh_token).not.toBe(kept.tokens.refresh_token);
});

test("a sign-in that the person denies is an answer, and no second window", async () => {
  const own = await mkdtemp(join(tmpdir(), "cofio-connect-"));
  const process = startConnect([server.mcpUrl, "--no-browser"], { XDG_CONFIG_HOME: own });
  process.send(INITIALIZE);
  const page = await pageOf(process);
  // Whoever does not know `state` cannot end the sign-in.
  const callback = new URL(page.searchParams.get("redirect_uri") ?? "");
  expect((await fetch(`${callback.href}?code=stolen&state=guessed`)).status).toBe(400);
  expect((await fetch(new URL("/", callback))).status).toBe(404);
  await browser.page.goto(page.href);
  await browser.page.getByRole("button", { name: "Deny", exact: true }).click();
  expect((await process.answerTo(1)).error.message).toContain("access_denied");
  process.send({ ...INITIALIZE, id: 2 });
  expect((await process.answerTo(2)).error.message).toContain("access_denied");
  expect(process.stderr().match(/Sign in to/g)).toHaveLength(1);
  expect(await process.end()).toBe(0);
  await rm(own, { recursive: true, force: true });
});

test("an answer of another issuer than the one that was asked is refused (RFC 9207)", async () => {
  const own = await mkdtemp(join(tmpdir(), "cofio-connect-"));
  const process = startConnect([server.mcpUrl, "--no-browser"], { XDG_CONFIG_HOME: own });
  process.send(INITIALIZE);
  const asked = (await pageOf(process)).searchParams;
  const callback = new URL(asked.get("redirect_uri") ?? "");
  callback.search = new URLSearchParams({
    code: "a:b:c",
    state: asked.get("state") ?? "",
    iss: "https://elsewhere.example",
  }).toString();
  expect((await fetch(callback)).status).toBe(200);
  expect((await process.answerTo(1)).error.message).toMatch(/issuer/i);
  await process.end();
  await rm(own, { recursive: true, force: true });
});

test("clients of both SDKs use all tools, prompts and resources over it with a token", async () => {
  const token = await server.token("stdio");
  const started = { ...connectCommand(server.mcpUrl), env: { ...env(), COFIO_TOKEN: token } };
  const newer = new ClientV2(
    { name: "v2", version: "1" },
    { versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  await newer.connect(new StdioV2(started));
  expect((await newer.listTools()).tools).toHaveLength(12);
  await newer.callTool({ name: "save_memory", arguments: { content: "From a newer client." } });
  expect((await newer.listPrompts()).prompts).toHaveLength(2);
  const heard: string[] = [];
  newer.setNotificationHandler("notifications/resources/updated", ({ params }) => {
    heard.push(params.uri);
  });
  const subscription = await newer.listen({ resourceSubscriptions: ["memory://recent"] });

  const older = new ClientV1({ name: "v1", version: "1" });
  await older.connect(new StdioV1(started));
  const { content } = await older.callTool({
    name: "save_memory",
    arguments: { content: "From an older client." },
  });
  expect(JSON.stringify(content)).toContain("Saved.");
  const { contents } = await older.readResource({ uri: "memory://recent" });
  expect(JSON.stringify(contents)).toContain("From a newer client.");
  await vi.waitFor(() => expect(heard).toContain("memory://recent"), WAIT);
  await subscription.close();
  await newer.close();
  await older.close();
});

test("lines that are no messages are left out, and the next one is carried; whoever waits for an answer has one", async () => {
  const process = start([server.mcpUrl, "--token", await server.token("stdio")]);
  process.child.stdin?.write('{nonsense\n{"some": "object"}\n\n');
  process.send({ jsonrpc: "2.0", id: 6, method: "tools/call", params: "wrong" });
  expect((await process.answerTo(6)).error.code).toBe(-32_600);
  // Within a text these end no line.
  process.send(call(7, "save_memory", { content: "First\u2028second\u2029third." }));
  expect((await process.answerTo(7)).result.structuredContent.outcome).toBe("created");
  expect(await process.end()).toBe(0);
  expect(process.lines).toHaveLength(2);
});

test("a message without an end is not held for ever; what was asked before is answered", async () => {
  const process = start([server.mcpUrl, "--token", await server.token("stdio")]);
  process.send({ jsonrpc: "2.0", id: 1, method: "ping" });
  process.child.stdin?.on("error", () => {});
  process.child.stdin?.write("x".repeat(11 * 1_048_576));
  expect((await process.answerTo(1)).result).toEqual({});
  expect(await process.ended).toBe(0);
  expect(process.stderr()).toContain("no more is read");
});

test("a token that the server does not take is said in words", async () => {
  const process = start([server.mcpUrl, "--token", "cofio_wrong"]);
  process.send(INITIALIZE);
  expect((await process.answerTo(1)).error.message).toContain("does not take this token");
  expect(await process.end()).toBe(0);
});

test("an empty COFIO_TOKEN is none, and the sign-in waits for another one's, until that one has ended however it ends", async () => {
  const own = await mkdtemp(join(tmpdir(), "cofio-connect-"));
  const begin = (): ConnectProcess => {
    const process = startConnect([server.mcpUrl, "--no-browser"], {
      XDG_CONFIG_HOME: own,
      COFIO_TOKEN: "",
    });
    process.send(INITIALIZE);
    return process;
  };
  const first = begin();
  await pageOf(first);
  const second = begin();
  await vi.waitFor(() => expect(second.stderr()).toContain("waiting for it"), WAIT);
  expect(second.stderr()).not.toContain("Sign in to");
  // As a client does that was closed meanwhile.
  first.child.kill("SIGKILL");
  await pageOf(second);
  second.child.kill("SIGKILL");
  await Promise.all([first.ended, second.ended]);
  await rm(own, { recursive: true, force: true });
});

test("a server that went away and came back is reached again by the same process", async () => {
  const process = start([server.mcpUrl, "--token", await server.token("stdio")]);
  process.send(INITIALIZE);
  await process.answerTo(1);
  await server.kill();
  // Answered by an error or by the server that is back: which of the two, the machine's speed decides.
  process.send(call(2, "get_stats", {}));
  await server.restart();
  await process.answerTo(2);
  process.send(call(3, "get_stats", {}));
  expect((await process.answerTo(3)).result.structuredContent.time_zone).toBeDefined();
  expect(await process.end()).toBe(0);
});

test.each([
  ["nothing", []],
  ["no address", ["cofio"]],
  ["a file", ["file:///etc/passwd"]],
  ["http on another machine", ["http://cofio.example.com/mcp"]],
  ["a name and password", ["https://me:secret@cofio.example.com/mcp"]],
  ["an unknown option", ["https://cofio.example.com/mcp", "--shell"]],
])("given %s it says how it is used, and prints nothing to stdout", async (_what, args) => {
  const process = start(args);
  expect(await process.end()).toBe(2);
  expect(process.stderr()).toContain("cofio connect --help");
  expect(process.lines).toEqual([]);
});

interface Check {
  readonly id: string;
  readonly status: string;
}

const SUITE = join(
  dirname(createRequire(import.meta.url).resolve("@modelcontextprotocol/conformance/package.json")),
  "dist/index.js",
);

/**
 * Left out is what a bridge to Cofio does not do: asking for more rights in the middle of a conversation (scope-step-up),
 * clients known by a document or beforehand (basic-cimd, pre-registration), other grants, header fields made of a tool's arguments, for which
 * no tool of Cofio asks (http-custom-headers, http-invalid-tool-headers), and what is between client and server alone (elicitation, the state of
 * requests, sep-2640).
 */
const CONFORMANCE = [
  "initialize",
  "tools_call",
  "request-metadata",
  "http-standard-headers",
  "sse-retry",
  "json-schema-2020-12-preservation",
  "json-schema-ref-no-deref",
  "auth/metadata-default",
  "auth/metadata-var1",
  "auth/metadata-var2",
  "auth/metadata-var3",
  "auth/scope-from-www-authenticate",
  "auth/scope-from-scopes-supported",
  "auth/scope-omitted-when-undefined",
  "auth/scope-retry-limit",
  "auth/token-endpoint-auth-basic",
  "auth/token-endpoint-auth-post",
  "auth/token-endpoint-auth-none",
  "auth/offline-access-scope",
  "auth/offline-access-not-supported",
  "auth/resource-mismatch",
  "auth/authorization-server-migration",
  "auth/iss-supported",
  "auth/iss-not-advertised",
  "auth/iss-supported-missing",
  "auth/iss-wrong-issuer",
  "auth/iss-unexpected",
  "auth/iss-normalized",
  "auth/metadata-issuer-mismatch",
  "auth/2025-03-26-oauth-metadata-backcompat",
  "auth/2025-03-26-oauth-endpoint-fallback",
];

// What a hostile server says where a bridge would follow, and what is said of it.
const HOSTILE: readonly [what: string, answers: (origin: string) => Answers, said: RegExp][] = [
  [
    "a sign-in page that is a program's address",
    (origin) => oauth(origin, { authorization_endpoint: "javascript:alert(1)" }),
    /authorization_endpoint.*cannot use javascript:/,
  ],
  [
    "a sign-in page that is a file",
    (origin) => oauth(origin, { authorization_endpoint: "file:///etc/passwd" }),
    /Refused to open the sign-in page/,
  ],
  [
    "a sign-in page that a shell would run",
    (origin) =>
      oauth(origin, { authorization_endpoint: "http://$(touch${IFS}owned)/`touch owned`" }),
    /Refused to open the sign-in page/,
  ],
  [
    "a sign-in page over http elsewhere",
    (origin) => oauth(origin, { authorization_endpoint: "http://elsewhere.example/authorize" }),
    /Refused to open the sign-in page/,
  ],
  [
    "redirects without end",
    (origin) => ({ "*": json({}, 307, `${origin}/again`) }),
    /redirects to/,
  ],
  ["documents without end", () => ({ "*": endless("application/json") }), /too large/],
  [
    "a registration over http elsewhere",
    (origin) => oauth(origin, { registration_endpoint: "http://elsewhere.example/register" }),
    /Refused to connect to http:\/\/elsewhere\.example/,
  ],
  [
    "a registration without end",
    (origin) => ({ ...oauth(origin, {}), "/register": endless("application/json") }),
    /too large/,
  ],
  [
    "a registration that redirects without end",
    (origin) => ({ ...oauth(origin, {}), "/register": json({}, 307, `${origin}/register`) }),
    /redirects to/,
  ],
  [
    "another server's issuer",
    (origin) => oauth(origin, { issuer: "https://elsewhere.example" }),
    /issuer/i,
  ],
];

test.each(HOSTILE)("a server that answers with %s is refused", async (_what, answers, said) => {
  const hostile = await serve(answers);
  const own = await mkdtemp(join(tmpdir(), "cofio-connect-"));
  try {
    const process = startConnect([`${hostile.origin}/mcp`], {
      XDG_CONFIG_HOME: own,
      // What would be opened would be seen: the only program of this name is one that fails the test.
      PATH: own,
    });
    await writeFile(join(own, "xdg-open"), `#!/bin/sh\necho "$1" > "${own}/opened"\n`, {
      mode: 0o755,
    });
    process.send(INITIALIZE);
    expect((await process.answerTo(1)).error.message).toMatch(said);
    await process.end();
    expect(await readdir(own)).not.toContain("opened");
    expect(process.stderr()).not.toContain("Sign in to");
    for (const line of process.lines) expect(JSON.parse(line)).toMatchObject({ jsonrpc: "2.0" });
  } finally {
    await rm(own, { recursive: true, force: true });
    hostile.close();
  }
});

test("a request that was refused after a renewal, with the token of before it, is sent again without another one", async () => {
  const own = await mkdtemp(join(tmpdir(), "cofio-connect-"));
  let late: (() => void) | null = null;
  const fake = await serve((origin) => ({
    ...oauth(origin, {}),
    "/token": json({ access_token: "fresh", token_type: "Bearer", expires_in: 3600 }),
    "/mcp": (request, response) => {
      if (request.headers.authorization === "Bearer fresh") {
        // The renewal is over.
        late?.();
        late = null;
        void readJson(request).then(({ id }) =>
          json({ jsonrpc: "2.0", id, result: {} })(request, response),
        );
        return;
      }
      void readJson(request).then(({ id }) => {
        const refuse = (): void => challenge(origin)(request, response);
        if (id === 2) late = refuse;
        else refuse();
      });
    },
  }));
  const process = startConnect([`${fake.origin}/mcp`, "--no-browser"], { XDG_CONFIG_HOME: own });
  process.send({ jsonrpc: "2.0", id: 2, method: "ping" });
  await vi.waitFor(() => expect(late).not.toBe(null), WAIT);
  process.send({ jsonrpc: "2.0", id: 1, method: "ping" });
  const { searchParams } = await pageOf(process);
  const callback = new URL(searchParams.get("redirect_uri") ?? "");
  callback.search = String(
    new URLSearchParams({ code: "c", state: searchParams.get("state") ?? "" }),
  );
  expect((await fetch(callback)).status).toBe(200);
  expect((await process.answerTo(1)).result).toEqual({});
  expect((await process.answerTo(2)).result).toEqual({});
  expect(await process.end()).toBe(0);
  expect(process.stderr().match(/Sign in to/g)).toHaveLength(1);
  fake.close();
  await rm(own, { recursive: true, force: true });
});

test("what a server says of its failure is cut, and no terminal obeys it", async () => {
  const body = `\u001B[2J${"long ".repeat(10_000)}`;
  const failing = await serve(() => ({
    "/mcp": (_request, response) => void response.writeHead(500).end(body),
  }));
  const process = start([`${failing.origin}/mcp`, "--token", "x"]);
  process.send(INITIALIZE);
  const { message } = (await process.answerTo(1)).error;
  await process.end();
  for (const told of [message, process.stderr()]) {
    expect(told).toContain("long long");
    expect(told).not.toContain("\u001B");
    expect(told.length).toBeLessThan(1_000);
  }
  failing.close();
});

test("a server leads the bridge to no other server by a redirect", async () => {
  const asked: string[] = [];
  const victim = await serve(() => ({
    "/inside": (request, response) => {
      asked.push(request.url ?? "");
      response.end("{}");
    },
  }));
  const hostile = await serve(() => ({ "*": json({}, 302, `${victim.origin}/inside`) }));
  const process = start([`${hostile.origin}/mcp`]);
  process.send(INITIALIZE);
  expect((await process.answerTo(1)).error).toBeDefined();
  await process.end();
  expect(asked).toEqual([]);
  hostile.close();
  victim.close();
});

test.each([
  ["https://cofio.example.com/mcp", "https://login.example.com/authorize", true],
  ["https://cofio.example.com/mcp", "https://cofio.example.com:8443/token", true],
  ["https://cofio.example.com/mcp", "http://cofio.example.com/token", false],
  ["https://cofio.example.com/mcp", "http://localhost:11434/api", false],
  ["https://cofio.example.com/mcp", "https://localhost/token", false],
  ["https://cofio.example.com/mcp", "https://2130706433/token", false],
  ["https://cofio.example.com/mcp", "https://192.168.0.1/token", false],
  ["https://cofio.example.com/mcp", "https://[fd00::1]/token", false],
  ["https://cofio.example.com/mcp", "https://me:secret@login.example.com/", false],
  ["https://cofio.example.com/mcp", "file:///etc/passwd", false],
  ["https://192.168.0.1/mcp", "https://192.168.0.1/token", true],
  ["http://localhost:26346/mcp", "http://127.0.0.1:9000/token", true],
  ["http://localhost:26346/mcp", "http://login.example.com/token", false],
])("of %s the address %s may be named: %s", (from, named, may) => {
  expect(isAllowed(new URL(named), new URL(from))).toBe(may);
});

test.each(CONFORMANCE)(
  "the official suite for clients passes over the bridge: %s",
  async (scenario) => {
    const output = await mkdtemp(join(tmpdir(), "cofio-conformance-"));
    try {
      const command = `${process.execPath} ${join(import.meta.dirname, "support/conformance-client.ts")}`;
      const suite = spawn(
        process.execPath,
        [
          SUITE,
          "client",
          "--command",
          command,
          "--scenario",
          scenario,
          "--timeout",
          "60000",
          "-o",
          output,
        ],
        { stdio: "ignore" },
      );
      await new Promise((ended) => suite.once("close", ended));
      const files = await readdir(output, { recursive: true });
      const file = files.find((name) => name.endsWith("checks.json")) ?? "none";
      // The suite's own format.
      const checks = JSON.parse(await readFile(join(output, file), "utf8")) as Check[];
      const failed = checks.filter(({ status }) => status === "FAILURE" || status === "WARNING");
      expect(failed).toEqual([]);
      expect(checks.some(({ status }) => status === "SUCCESS")).toBe(true);
    } finally {
      await rm(output, { recursive: true, force: true });
    }
  },
);

test("answers and events without end are cut, and the request is told so", async () => {
  for (const type of ["application/json", "text/event-stream"]) {
    const hostile = await serve(() => ({ "/mcp": endless(type) }));
    const process = start([`${hostile.origin}/mcp`, "--token", "x"]);
    process.send(INITIALIZE);
    expect((await process.answerTo(1)).error).toBeDefined();
    expect(process.stderr()).toContain("too large");
    await process.end();
    hostile.close();
  }
});

const WAIT = { timeout: 10_000, interval: 50 };

function start(args: readonly string[]): ConnectProcess {
  return startConnect(args, { XDG_CONFIG_HOME: config });
}

function env(): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", XDG_CONFIG_HOME: config };
}

function call(id: number, name: string, args: object): object {
  return { jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: args } };
}

async function pageOf(bridge: ConnectProcess): Promise<URL> {
  const address = await vi.waitFor(() => {
    const printed = /Sign in to \S+ at:\n(\S+)\n/.exec(bridge.stderr())?.[1];
    if (printed === undefined) throw new Error(`No address: ${bridge.stderr()}`);
    return printed;
  }, WAIT);
  return new URL(address);
}

async function keptFile(): Promise<{ path: string; kept: any }> {
  const folder = join(config, "cofio/connections");
  const files = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  expect(files).toHaveLength(1);
  const path = join(folder, files[0] ?? "");
  return { path, kept: JSON.parse(await readFile(path, "utf8")) };
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
type Answers = Readonly<Record<string, Answer>>;

async function serve(
  answersOf: (origin: string) => Answers,
): Promise<{ origin: string; close: () => void }> {
  let answers: Answers = {};
  let origin = "";
  const http = createServer((request, response) => {
    const path = new URL(request.url ?? "", origin).pathname;
    const answer =
      answers[path] ??
      (path === "/mcp" && request.headers.authorization === undefined
        ? challenge(origin)
        : answers["*"]);
    if (answer === undefined) response.writeHead(404).end();
    else answer(request, response);
  });
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  const { port } = http.address() as AddressInfo; // it listens on TCP
  origin = `http://127.0.0.1:${port}`;
  answers = answersOf(origin);
  return {
    origin,
    close() {
      http.closeAllConnections();
      http.close();
    },
  };
}

async function readJson(request: IncomingMessage): Promise<any> {
  return JSON.parse(await readText(request));
}

function challenge(origin: string): Answer {
  return (_request, response) =>
    void response
      .writeHead(401, {
        "www-authenticate": `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`,
      })
      .end();
}

/** An authorization server that registers anyone, with something odd in its metadata. */
function oauth(origin: string, odd: object): Answers {
  return {
    "/.well-known/oauth-protected-resource/mcp": json({
      resource: `${origin}/mcp`,
      authorization_servers: [origin],
    }),
    "/.well-known/oauth-authorization-server": json({
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
      response_types_supported: ["code"],
      code_challenge_methods_supported: ["S256"],
      ...odd,
    }),
    "/register": json({ client_id: "x", redirect_uris: ["http://127.0.0.1/callback"] }, 201),
  };
}

function json(body: object, status = 200, location?: string): Answer {
  return (_request, response) =>
    void response
      .writeHead(status, {
        "content-type": "application/json",
        ...(location === undefined ? {} : { location }),
      })
      .end(JSON.stringify(body));
}

function endless(type: string): Answer {
  return (_request, response) => {
    response.writeHead(200, { "content-type": type });
    const chunk = Buffer.alloc(65_536, "x");
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on("drain", more);
    response.write(type === "application/json" ? '{"x": "' : "data: ");
    more();
  };
}

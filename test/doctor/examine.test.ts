/** The examination without a network: what only a public address shows, and servers that answer anything at all. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Answer, Answered, Ask, AskServer } from "../../apps/doctor/ask.ts";
import { TOOL_NAMES } from "../../apps/doctor/calls.ts";
import { type Access, examine } from "../../apps/doctor/examine.ts";
import { tools } from "../../src/mcp/tools/index.ts";
import { fetchWorker, newPerson } from "../support/people.ts";

const LOCAL = "http://localhost:26346";
const NO_ACCESS = null;

test("the examination expects the tools that there are, in their order", () => {
  expect(TOOL_NAMES).toEqual(tools.map(({ name }) => name));
});

test("a public server is sound when it reads the documents of clients, and its refusal of other sites' pages is no fault", async () => {
  const origin = "https://cofio.example";
  const { token } = await newPerson();
  expect(await codesOf(origin, onPublic(origin), { token })).toEqual([]);
  const unread: AskServer = (ask) =>
    isByDocument(ask) ? Promise.resolve(answered(400)) : onPublic(origin)(ask);
  expect(await codesOf(origin, unread, NO_ACCESS)).toEqual(["cimd_unreachable"]);
});

test("a port in the address is named, because hosted clients do not reach it", async () => {
  const origin = "https://cofio.example:8443";
  expect(await codesOf(origin, onPublic(origin), NO_ACCESS)).toEqual(["odd_port"]);
});

test.each([
  ["name", "unknown_name"],
  ["certificate", "bad_certificate"],
  ["late", "too_slow"],
  ["refused", "no_answer"],
] as const)("silence because of its %s is told as %s", async (reason, code) => {
  const silent: AskServer = async () => ({ kind: "silent", reason, detail: "why" });
  expect(await codesOf("https://cofio.example", silent, NO_ACCESS)).toEqual([code]);
});

test("whatever a server answers, the examination ends, and repeats nothing that a terminal would obey", async () => {
  const value = fc.oneof(
    fc.constantFrom(
      "",
      "http://localhost:26346",
      "http://localhost:26346//x.example/t",
      "http://localhost:26346/.//x.example",
      "https://x.example\u001B[2J",
      "none",
      "S256",
    ),
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.array(fc.string({ unit: "binary" }), { maxLength: 3 }),
    fc.jsonValue(),
  );
  const document = fc.dictionary(
    fc.constantFrom(
      "ok",
      "issuer",
      "resource",
      "authorization_servers",
      "authorization_endpoint",
      "token_endpoint",
      "registration_endpoint",
      "code_challenge_methods_supported",
      "client_id",
      "access_token",
      "result",
      "error",
    ),
    value,
  );
  const answer: fc.Arbitrary<Answer> = fc.record({
    kind: fc.constant("answered" as const),
    status: fc.constantFrom(200, 201, 301, 302, 400, 401, 403, 404, 406, 500),
    headers: fc
      .dictionary(
        fc.constantFrom("content-type", "location", "www-authenticate", "date", "cf-mitigated"),
        fc.oneof(
          fc.constantFrom(
            "text/event-stream",
            "text/html",
            "/sign-in",
            "//x.example",
            "/.//x.example",
          ),
          fc.string(),
        ),
      )
      .map(headersOf),
    text: fc.oneof(
      document.map((one) => JSON.stringify(one)),
      fc.string({ unit: "binary" }),
    ),
    isWhole: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(answer), async (answers) => {
      let asked = 0;
      const ask: AskServer = async ({ path }) => {
        asked += 1;
        expect(new URL(path, LOCAL).origin).toBe(LOCAL);
        return answers.next().value;
      };
      const steps = await examine({
        origin: LOCAL,
        ask,
        access: { token: "t", refresh: { clientId: "c", refreshToken: "r" }, onRenewed: () => {} },
        now: () => 0,
        onStep: () => {},
      });
      expect(asked).toBeLessThan(60);
      for (const { found, faults } of steps) {
        for (const text of [found, ...faults.map(({ what }) => what)])
          expect(text).not.toMatch(/\p{Cc}/u);
      }
    }),
    { numRuns: 50 },
  );
});

test("the token is kept back from a server that is not shown to be the one of its address", async () => {
  const origin = "https://cofio.example";
  const server = "/.well-known/oauth-authorization-server";
  const others: Readonly<Record<string, (ask: Ask, answer: Answered) => Answered>> = {
    not_cofio: ({ path }, answer) => (path === "/healthz" ? { ...answer, text: "ok" } : answer),
    challenge_missing: ({ path }, answer) =>
      path === "/mcp" ? answered(401, { "www-authenticate": "Bearer" }) : answer,
    challenge_wrong: ({ path }, answer) =>
      path === "/mcp"
        ? answered(401, { "www-authenticate": 'Bearer resource_metadata="https://x.example/"' })
        : answer,
    resource_mismatch: (_, answer) => ({
      ...answer,
      text: answer.text.replace(`"${origin}/mcp"`, '"https://x.example/mcp"'),
    }),
    issuer_mismatch: ({ path }, answer) =>
      path.startsWith(server)
        ? { ...answer, text: answer.text.replace(`"issuer":"${origin}"`, '"issuer":"https://x"') }
        : answer,
    document_missing: ({ path }, answer) => (path.startsWith(server) ? answered(404) : answer),
  };
  for (const [code, change] of Object.entries(others)) {
    const sent: (string | null)[] = [];
    const ask: AskServer = async (one) => {
      sent.push(new Headers(one.headers).get("authorization"));
      const answer = await onPublic(origin)(one);
      return answer.kind === "answered" ? change(one, answer) : answer;
    };
    expect(await codesOf(origin, ask, { token: "secret" })).toContain(code);
    expect([code, new Set(sent)]).toEqual([code, new Set([null])]);
  }
});

/** The Worker as if it were deployed there: it reads the documents of clients, and lets no other site's pages in. */
function onPublic(origin: string): AskServer {
  return async (ask) => {
    if (isByDocument(ask)) return answered(302, { location: "/sign-in" });
    if (new Headers(ask.headers).has("origin")) return answered(403);
    const response = await fetchWorker(rename(ask.path, origin, LOCAL), {
      method: ask.method,
      headers: { ...ask.headers },
      ...(ask.body === undefined ? {} : { body: rename(ask.body, origin, LOCAL) }),
      redirect: "manual",
    });
    const headers = [...response.headers].map(
      ([name, value]) => [name, rename(value, LOCAL, origin)] as [string, string],
    );
    return {
      kind: "answered",
      status: response.status,
      headers: new Headers(headers),
      text: rename(await response.text(), LOCAL, origin),
      isWhole: true,
    };
  };
}

function isByDocument({ path }: Ask): boolean {
  return path.includes("client_id=https");
}

function answered(status: number, headers: Readonly<Record<string, string>> = {}): Answered {
  const policy = "default-src 'none'; trusted-types cofio";
  return {
    kind: "answered",
    status,
    headers: new Headers({ "content-security-policy": policy, ...headers }),
    text: "",
    isWhole: true,
  };
}

function rename(text: string, from: string, to: string): string {
  return text.replaceAll(from, to).replaceAll(encodeURIComponent(from), encodeURIComponent(to));
}

/** Those that are headers at all. */
function headersOf(given: Readonly<Record<string, string>>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    if (/^[\x20-\x7e]*$/.test(value)) headers.set(name, value);
  }
  return headers;
}

async function codesOf(origin: string, ask: AskServer, access: Access | null): Promise<string[]> {
  const steps = await examine({ origin, ask, access, now: Date.now, onStep: () => {} });
  return [...new Set(steps.flatMap(({ faults }) => faults.map(({ code }) => code)))];
}

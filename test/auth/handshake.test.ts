/** A person who watches sees each step of a client that connects, and nobody else does. */
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { callTool, fetchWorker } from "../support/people.ts";
import { listen } from "./support/live.ts";
import { authorizePath, connect, newClient, signedUp, type Visitor } from "./support/visitor.ts";

const WATCH = "/api/account/handshake";

beforeAll(async () => {
  env.SIGN_UP = "open";
  // The first sign-up of a file has better-auth transformed.
  await signedUp("First");
}, 120_000);

afterEach(() => {
  vi.useRealTimers();
});

test("a page that watches is shown every step of a client, in order and once", async () => {
  const { visitor } = await signedUp("Mair");
  const { status, data } = await visitor.call("POST", WATCH);
  expect([status, data]).toEqual([200, { watched_until: expect.any(String), steps: [] }]);
  const socket = await listen(visitor);
  await connectAndCall(visitor);
  await connectAndCall(visitor);
  // The latest state is told last.
  await vi.waitFor(async () => expect(await stepsOf(visitor)).toHaveLength(7));
  expect(await stepsOf(visitor)).toEqual([
    ["metadata_read", null],
    ["registered", null],
    ["consent_shown", "A client"],
    ["authorised", "A client"],
    ["token_issued", "A client"],
    ["reached", "A client"],
    ["first_call", "A client"],
  ]);
  const states = (await socket.states(8)).slice(0, 8);
  expect(states.map(({ handshake }) => handshake?.steps.length)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test("who does not watch is told nothing, and who watches nothing of another but what nobody knows whose it is", async () => {
  const { visitor } = await signedUp("Mair");
  const { visitor: other } = await signedUp("Another");
  await other.call("POST", WATCH);
  // What the pages themselves ask for, where the server is examined, is no app's step.
  await fetchWorker("/.well-known/oauth-authorization-server", {
    headers: { "sec-fetch-site": "same-origin" },
  });
  expect(await stepsOf(other)).toEqual([]);
  await connectAndCall(visitor);
  await vi.waitFor(async () =>
    expect(await stepsOf(other)).toEqual([
      ["metadata_read", null],
      ["registered", null],
    ]),
  );
  const socket = await listen(visitor);
  expect(await socket.states(1)).toEqual([{ imports: {} }]);
});

test("a client that asks again begins anew, and so does everything when the page wants it", async () => {
  const { visitor } = await signedUp("Mair");
  await visitor.call("POST", WATCH);
  await connectAndCall(visitor);
  await vi.waitFor(async () => expect(await stepsOf(visitor)).toHaveLength(7));
  await visitor.get(authorizePath({ client_id: await newClient() }));
  expect(await stepsOf(visitor)).toEqual([
    ["metadata_read", null],
    ["registered", null],
    ["consent_shown", "A client"],
  ]);
  const { data } = await visitor.call("DELETE", WATCH);
  expect(data["steps"]).toEqual([]);
  await fetchWorker("/.well-known/oauth-protected-resource/mcp");
  await vi.waitFor(async () => expect(await stepsOf(visitor)).toEqual([["metadata_read", null]]));
});

test("after ten minutes nothing is told any more, and watching begins anew", async () => {
  const { visitor } = await signedUp("Mair");
  await visitor.call("POST", WATCH);
  await connectAndCall(visitor);
  await vi.waitFor(async () => expect(await stepsOf(visitor)).toHaveLength(7));
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 601_000 });
  await connectAndCall(visitor);
  expect(await stepsOf(visitor)).toEqual([]);
});

test("however often the metadata are read, a watcher's object is asked once", async () => {
  const { visitor } = await signedUp("Mair");
  await visitor.call("POST", WATCH);
  const asked = vi.spyOn(env.USERS, "getByName");
  for (let at = 0; at < 5; at++) await fetchWorker("/.well-known/oauth-protected-resource/mcp");
  const ids = asked.mock.calls.map(([id]) => id);
  asked.mockRestore();
  expect(ids.length).toBeGreaterThan(0);
  expect(new Set(ids).size).toBe(ids.length);
});

test("watching is the person's alone", async () => {
  expect((await fetchWorker(WATCH, { method: "POST" })).status).toBe(403);
  const { visitor } = await signedUp("Mair");
  expect((await visitor.post(WATCH, {}, "https://evil.example")).status).toBe(403);
});

async function connectAndCall(visitor: Visitor): Promise<void> {
  await fetchWorker("/.well-known/oauth-protected-resource/mcp");
  const { access_token: token } = await connect(visitor, { clientId: await newClient() });
  await callTool({ token, userId: "" }, "get_stats");
}

async function stepsOf(visitor: Visitor): Promise<[string, string | null][]> {
  const { data } = await visitor.call("POST", WATCH);
  return data["steps"].map(({ step, client }: { step: string; client: string | null }) => [
    step,
    client,
  ]);
}

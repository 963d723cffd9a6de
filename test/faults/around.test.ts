/** What happens around the server: its objects are aborted, KV is stale, clocks step, clients repeat themselves and all write at once. */
import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { connect, exchange, signedUp } from "../auth/support/visitor.ts";
import { countersOf, sumsOf } from "../support/counters.ts";
import { callApi, callRaw, callTool, newPerson, type Person } from "../support/people.ts";
import { verified } from "../support/verify.ts";
import { openStaleKv } from "./support/stale-kv.ts";

/** On a machine that does much else. */
const MANY_CALLS_MS = 120_000;

afterEach(() => {
  vi.useRealTimers();
});

test("a user's object that is aborted amid saves takes nothing that was acknowledged, and each repeated with its key is there once", async () => {
  const person = await newPerson();
  const save = (number: number) =>
    callTool(person, "save_memory", { content: `Fact ${number}`, idempotency_key: `${number}` });
  const numbers = Array.from({ length: 12 }, (_, number) => number);
  await save(0);
  const saves = numbers.map((number) => save(number).catch(() => null));
  // One more has been written by then, and others are under way; the repeated first one would be too early.
  await Promise.race(saves.slice(1));
  await abortAllDurableObjects();
  const first = await Promise.all(saves);
  // Tokens are known to the new object, too.
  const second = await Promise.all(numbers.map(save));
  expect(second.every(({ isError }) => !isError)).toBe(true);
  for (const number of numbers) {
    const acknowledged = first[number]?.data["memory"]?.id;
    if (acknowledged !== undefined) expect(second[number]?.data["memory"].id).toBe(acknowledged);
  }
  expect(first).toContain(null);
  await holds(
    person,
    numbers.map((number) => `Fact ${number}`),
  );
});

test("a user's object that begins anew between calls had nothing that the next ones miss: tokens, the cursor of a page, an import that goes on", async () => {
  const person = await newPerson();
  const { data: saved } = await callTool(person, "save_memory", { content: "Fact of the first" });
  await callTool(person, "save_memory", { content: "Fact of the second" });
  await abortAllDurableObjects();
  const { id } = saved["memory"];
  await callTool(person, "update_memory", { id, content: "Fact changed", if_version: 1 });
  const { data: page } = await callTool(person, "list_memories", { limit: 1 });
  await abortAllDurableObjects();
  const { data: next } = await callTool(person, "list_memories", {
    limit: 1,
    cursor: page["next_cursor"],
  });
  const seen = [...page["memories"], ...next["memories"]] as { readonly content: string }[];
  expect(seen.map(({ content }) => content)).toEqual(["Fact of the second", "Fact changed"]);

  const file = {
    outcome: "read",
    name: "a.json",
    format: "Claude conversations",
    source: "claude",
    truncated: false,
  };
  const { data: begun } = await callApi(person, "POST", "/api/imports/begin", {
    files: [file],
    totals: { conversation: 0, message: 0, memory: 2 },
    key: "k",
    bytesTotal: 2,
  });
  const path = `/api/imports/${begun["job"].id}`;
  for (const number of [1, 2]) {
    await abortAllDurableObjects();
    const provenance = { platform: "cofio", id: `${number}` };
    const memory = { source: "cofio", provenance, content: `Fact imported ${number}`, tags: [] };
    const batch = { number, records: [{ type: "memory", memory }], bytesRead: number };
    expect((await callApi(person, "POST", `${path}/batches`, batch)).status).toBe(200);
  }
  const { data: ended } = await callApi(person, "POST", `${path}/finish`, {});
  expect(ended["items"]).toMatchObject({ new: 2 });
  const kept = ["Fact changed", "Fact of the second", "Fact imported 1", "Fact imported 2"];
  await holds(person, kept);
});

test(
  "50 clients of one user that write one memory with if_version: each version has one winner, and no winner's words are lost",
  async () => {
    const CLIENTS = 50;
    const VERSIONS = 4;
    const name = crypto.randomUUID();
    const person = await newPerson({ name });
    const { data } = await callTool(person, "save_memory", { content: "Written by" });
    const { id } = data["memory"];
    const others = Array.from({ length: CLIENTS - 1 }, () => newPerson({ name }));
    const clients = [person, ...(await Promise.all(others))];
    const winners = new Map<number, number[]>();

    const write = async (client: Person, number: number) => {
      let [seen, content] = [1, "Written by"];
      while (seen < VERSIONS) {
        const { isError, data: said } = await callTool(client, "update_memory", {
          id,
          content: `${content} ${number}`,
          if_version: seen,
        });
        if (isError) expect(said["error"].code).toBe("version_conflict");
        const current = isError ? said["error"].current : said["memory"];
        // Who is told of a conflict is told what there is: more than was known.
        expect(current.version).toBeGreaterThan(seen);
        ({ version: seen, content } = current);
        if (!isError) winners.set(seen, [...(winners.get(seen) ?? []), number]);
      }
    };
    await Promise.all(clients.map(write));

    const { data: after } = await callTool(person, "get_memory", { id, include_history: true });
    const { version, content } = after["memory"];
    expect([...winners.keys()].toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: version - 1 }, (_, at) => at + 2),
    );
    const inOrder = [...winners].toSorted(([a], [b]) => a - b).map(([, numbers]) => numbers);
    expect(content).toBe(`Written by ${inOrder.map((numbers) => numbers.join("&")).join(" ")}`);
    expect(after["versions"]).toHaveLength(version - 1);
  },
  MANY_CALLS_MS,
);

test("calls that arrive several times, at once and in any order, take effect once each", async () => {
  const call = fc.record({
    number: fc.nat(3),
    times: fc.integer({ min: 1, max: 3 }),
    at: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 3, maxLength: 6 }), async (calls) => {
      const person = await newPerson();
      const { data } = await callTool(person, "save_memory", { content: "Version 1" });
      const { id } = data["memory"];
      const sent = calls
        .flatMap(({ number, times, at }) => [
          ...Array.from({ length: times }, (_, copy) => ({ kind: "save", number, at: at + copy })),
          ...Array.from({ length: times }, (_, copy) => ({
            kind: "update",
            number,
            at: at ^ copy,
          })),
        ])
        .toSorted((a, b) => a.at - b.at);
      const answers = await Promise.all(
        sent.map(({ kind, number }) =>
          kind === "save"
            ? callTool(person, "save_memory", {
                content: `Fact ${number}`,
                idempotency_key: `${number}`,
              })
            : callTool(person, "update_memory", {
                id,
                content: `Version ${number + 2}`,
                if_version: number + 1,
              }),
        ),
      );
      const ids = new Map<number, Set<string>>();
      const won: number[] = [];
      for (const [at, { kind, number }] of sent.entries()) {
        const answer = answers[at];
        if (answer === undefined) throw new Error("Each call has an answer");
        const { isError, data: said } = answer;
        if (kind === "save") {
          expect(isError).toBe(false);
          ids.set(number, (ids.get(number) ?? new Set()).add(said["memory"].id));
        } else if (!isError) won.push(number);
        else expect(said["error"].code).toBe("version_conflict");
      }
      expect([...ids.values()].map(({ size }) => size)).toEqual([...ids].map(() => 1));
      // Each once, one version after the other.
      expect(won.toSorted((a, b) => a - b)).toEqual(won.map((_, at) => at));
      await holds(person, [
        ...[...ids.keys()].map((number) => `Fact ${number}`),
        `Version ${won.length + 1}`,
      ]);
    }),
    { numRuns: 4 },
  );
});

test("a clock that steps back and forth by hours loses nothing, and what expires does so by the clock of the moment", async () => {
  const start = Date.UTC(2026, 10, 20, 12);
  const atHour = (hour: number) =>
    vi.useFakeTimers({ toFake: ["Date"], now: start + hour * 3_600_000 });
  atHour(0);
  const person = await newPerson();
  const contents: string[] = [];
  const save = async (content: string, more: object = {}) => {
    const { data } = await callTool(person, "save_memory", { content, ...more });
    expect(data["outcome"]).toBe("created");
    contents.push(content);
    return data;
  };
  const guest = "Has a guest until the evening";
  await save(guest, { expires_at: "2026-11-20T14:00:00Z", idempotency_key: "guest" });
  for (const [number, hour] of [3, -5, 30, -26, 1].entries()) {
    atHour(hour);
    await save(`Fact ${number}`);
  }
  const visible = async () =>
    (await callTool(person, "search_memory", { query: "guest" })).data["total"];
  atHour(1);
  expect(await visible()).toBe(1);
  atHour(3);
  expect(await visible()).toBe(0);
  atHour(-3);
  expect(await visible()).toBe(1);
  // The key was used in what is the future by now, and a day is not over.
  const again = await callTool(person, "save_memory", {
    content: guest,
    expires_at: "2026-11-20T14:00:00Z",
    idempotency_key: "guest",
  });
  expect(again.data).toMatchObject({ outcome: "created", memory: { version: 1 } });

  // A page that was begun before a step goes on after it: every memory once, whatever its time.
  const pages: string[] = [];
  let cursor: string | undefined;
  const hours = [0, -9, 9, -1, 0, 2, -2];
  for (const hour of hours) {
    atHour(hour);
    const page = await callTool(person, "list_memories", { limit: 1, cursor });
    pages.push(...page.data["memories"].map(({ content }: { content: string }) => content));
    cursor = page.data["next_cursor"];
    if (cursor === undefined) break;
  }
  expect(cursor).toBeUndefined();
  expect(pages.toSorted()).toEqual(contents.toSorted());

  // Changes follow each other by version and not by time.
  const edited = await save("Edited 0");
  const { id } = edited["memory"];
  const operations: string[] = [];
  for (const [number, hour] of [4, -4, 8].entries()) {
    atHour(hour);
    const { data } = await callTool(person, "update_memory", {
      id,
      content: `Edited ${number + 1}`,
      if_version: number + 1,
    });
    operations.push(data["operation_id"]);
  }
  for (const [undone, hour] of [-8, 12, -12].entries()) {
    atHour(hour);
    const { data } = await callApi(person, "POST", `/api/operations/${operations.pop()}/undo`);
    expect(data).toMatchObject({ undone: { memories: 1 }, left: [] });
    expect((await callTool(person, "get_memory", { id })).data["memory"]).toMatchObject({
      content: `Edited ${2 - undone}`,
    });
  }
  atHour(0);
  await holds(person, contents);
});

test(
  "KV that is a minute behind revokes nobody late, lets nobody back in, and hinders no sign-in",
  async () => {
    env.SIGN_UP = "open";
    const kv = env.OAUTH_KV;
    const stale = openStaleKv(kv);
    env.OAUTH_KV = stale.namespace;
    try {
      const { visitor } = await signedUp("Nia");
      // The client is here, the person and their browser are elsewhere.
      const elsewhere = {
        ...visitor,
        get: (...asked: Parameters<typeof visitor.get>) =>
          stale.elsewhere(() => visitor.get(...asked)),
        post: (...asked: Parameters<typeof visitor.post>) =>
          stale.elsewhere(() => visitor.post(...asked)),
      };
      const { clientId, access_token, refresh_token } = await connect(elsewhere);
      const asked = async (token: string) => (await callRaw(token, "tools/list")).status;
      expect(await asked(access_token)).toBe(200);
      const refreshed = await refresh(clientId, refresh_token);
      expect(refreshed.status).toBe(200);
      const tokens = await refreshed.json<{ access_token: string; refresh_token: string }>();
      expect(await asked(tokens.access_token)).toBe(200);

      const html = await (await elsewhere.get("/account")).text();
      const id = /name="id" value="([^"]+)"/u.exec(html)?.[1] ?? "";
      expect((await elsewhere.post("/grants/revoke", { id })).status).toBe(303);
      expect(await asked(tokens.access_token)).toBe(401);
      expect(stale.staleReads()).toBeGreaterThan(0);
      // Here the library may still know the grant, and give a token for it; nobody lets that in.
      const back = await refresh(clientId, tokens.refresh_token);
      if (back.ok) {
        const renewed = await back.json<{ access_token: string }>();
        expect(await asked(renewed.access_token)).toBe(401);
      }

      const again = await connect(elsewhere, { clientId });
      expect(await asked(again.access_token)).toBe(200);
      expect(await asked(tokens.access_token)).toBe(401);
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
      expect(await asked(again.access_token)).toBe(200);
      expect(await asked(tokens.access_token)).toBe(401);
    } finally {
      env.OAUTH_KV = kv;
    }
  },
  MANY_CALLS_MS,
);

function refresh(client_id: string, refresh_token: string): Promise<Response> {
  return exchange({ grant_type: "refresh_token", refresh_token, client_id });
}

/** These and no others, in use or expired; all rows agree. */
async function holds(person: Person, contents: readonly string[]): Promise<void> {
  const { data } = await callTool(person, "list_memories", { limit: 100, max_tokens: 50_000 });
  const found = data["memories"].map(({ content }: { content: string }) => content);
  expect(found.toSorted()).toEqual([...contents].toSorted());
  expect(await countersOf(person)).toEqual(await sumsOf(person));
  expect(await verified(person)).toMatchObject({ repaired: {}, left: {} });
}

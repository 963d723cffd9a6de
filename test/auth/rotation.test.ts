/** Changing VAULT_KEY: one value of each user is wrapped anew, and nothing else. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { createAccount } from "../../src/auth/create-account.ts";
import { rewrapKeys } from "../../src/auth/rewrap-keys.ts";
import type { UserAgent } from "../../src/user-agent.ts";
import { newUserId } from "../../src/vault/ids.ts";
import {
  createMasterKey,
  operatorProof,
  parseVaultKeys,
  vaultKeyId,
} from "../../src/vault/keys.ts";
import { callApi, callRaw, callTool, newPerson, type Person } from "../support/people.ts";
import { backUp, fill, restored, rowsOf } from "../support/backups.ts";

const OLD = env.VAULT_KEY;
const NEW = createMasterKey().toBase64();
const OTHER = createMasterKey().toBase64();
const BOTH = `${NEW},${OLD}`;

afterEach(async () => {
  vi.restoreAllMocks();
  await env.DB.prepare("DELETE FROM users").run();
});

test("during the change a user's key is wrapped anew when they come, no row is touched, and all is there under the new key alone", async () => {
  const person = await newPerson({ trusted: true });
  await fill(person);
  const [rows, before] = [await rowsOf(person), await wrappedOf(person)];
  expect(before.wrapped_under).toBe(await idOf(OLD));
  await under(person, BOTH);
  const { data } = await callTool(person, "search_memory", { query: "rye" });
  expect(data["results"]).toHaveLength(1);
  const after = await wrappedOf(person);
  expect(after.wrapped_under).toBe(await idOf(NEW));
  expect(after).not.toEqual(before);
  expect({ ...after, wrapped_key: 0, wrapped_under: 0 }).toEqual({
    ...before,
    wrapped_key: 0,
    wrapped_under: 0,
  });
  expect(await rowsOf(person)).toEqual(rows);
  await under(person, NEW);
  const again = await callTool(person, "search_memory", { query: "rye" });
  expect(again.data["results"]).toEqual(data["results"]);
  // Wrapped once, and not on each request.
  expect(await wrappedOf(person)).toEqual(after);
});

test("many requests at once while the key is changed all find their account", async () => {
  const person = await newPerson();
  await callTool(person, "save_memory", { content: "Bakes rye bread" });
  await under(person, BOTH);
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => callTool(person, "search_memory", { query: "rye" })),
  );
  for (const { data } of answers) expect(data["results"]).toHaveLength(1);
  await under(person, NEW);
  expect((await callTool(person, "search_memory", { query: "rye" })).isError).toBe(false);
});

test("a backup from before the change is restored after it", async () => {
  const person = await newPerson({ trusted: true });
  await callTool(person, "save_memory", { content: "Bakes rye bread", user_asked: true });
  const { id } = await backUp(person);
  const { data } = await callTool(person, "search_memory", { query: "rye" });
  await callTool(person, "delete_memory", { id: data["results"][0].id });
  await under(person, BOTH);
  expect((await callTool(person, "search_memory", { query: "rye" })).data["results"]).toEqual([]);
  await under(person, NEW);
  expect(await restored(person, id, "whole")).toMatchObject({ state: "finished" });
  const found = await callTool(person, "search_memory", { query: "rye" });
  expect(found.data["results"]).toHaveLength(1);
});

test("another VAULT_KEY is said in words on every way in, loses nothing, and makes no second account", async () => {
  const person = await newPerson();
  await callTool(person, "save_memory", { content: "Bakes rye bread" });
  const before = await wrappedOf(person);
  await under(person, OTHER);
  expect(await callApi(person, "GET", "/api/stats")).toMatchObject({
    status: 503,
    data: {
      error: { code: "unavailable", hint: expect.stringContaining("Nothing is lost") },
    },
  });
  const listed = await callRaw(person.token, "tools/list");
  expect(listed.status).toBe(200);
  const { isError, text } = await callTool(person, "search_memory", { query: "rye" });
  expect({ isError, text }).toEqual({
    isError: true,
    text: expect.stringContaining("another VAULT_KEY"),
  });
  await createAccount({ ...env, VAULT_KEY: OTHER }, person.userId, {
    timeZone: "UTC",
    locale: "en",
  });
  expect(await wrappedOf(person)).toEqual(before);
  await under(person, OLD);
  expect((await callTool(person, "search_memory", { query: "rye" })).data["results"]).toHaveLength(
    1,
  );
});

test("the sweep wraps the keys of those who stay away, part by part, and says how many are left", async () => {
  const ids = await accounts(45);
  const first = await sweep(BOTH);
  expect(first).toEqual({ rewrapped: 20, unreadable: [], left: null, next: expect.any(String) });
  const second = await sweep(BOTH, first.next);
  expect(second).toMatchObject({ rewrapped: 20, left: null });
  // Whoever begins anew goes on with those that are left.
  expect(await sweep(BOTH)).toEqual({ rewrapped: 5, unreadable: [], left: 0, next: null });
  expect(await sweep(NEW)).toEqual({ rewrapped: 0, unreadable: [], left: 0, next: null });
  const { results } = await env.DB.prepare("SELECT id, wrapped_under FROM users ORDER BY id").all();
  const id = await idOf(NEW);
  expect(results).toEqual(ids.sort().map((user) => ({ id: user, wrapped_under: id })));
});

test("what was wrapped before anybody noted under which key is noted by the sweep", async () => {
  await accounts(1);
  await env.DB.prepare("UPDATE users SET wrapped_under = NULL").run();
  expect(await sweep(OLD)).toMatchObject({ rewrapped: 1, left: 0 });
});

test("keys that neither key opens are named and left, and hold nobody else up", async () => {
  const lost = await accounts(2, OTHER);
  await accounts(30);
  const before = await env.DB.prepare("SELECT * FROM users WHERE id IN (?1, ?2) ORDER BY id")
    .bind(...lost)
    .all();
  let next: string | null = "";
  let [rewrapped, left] = [0, null];
  const unreadable: string[] = [];
  while (next !== null) {
    const part = await sweep(BOTH, next);
    rewrapped += part.rewrapped;
    unreadable.push(...part.unreadable);
    ({ next, left } = part);
  }
  expect([rewrapped, left, unreadable.sort()]).toEqual([30, 2, lost.sort()]);
  const after = await env.DB.prepare("SELECT * FROM users WHERE id IN (?1, ?2) ORDER BY id")
    .bind(...lost)
    .all();
  expect(after.results).toEqual(before.results);
  // Found again, it opens them as ever.
  expect(await sweep(`${NEW},${OTHER}`)).toMatchObject({ rewrapped: 2, left: 0 });
});

test("a row that is broken is named as well, and holds nobody up", async () => {
  const [broken = "", cut = ""] = await accounts(2);
  await accounts(3);
  await env.DB.batch([
    env.DB.prepare("UPDATE users SET key_check = 'aaaaaaaaaaaaa' WHERE id = ?1").bind(broken),
    env.DB.prepare("UPDATE users SET wrapped_key = x'00' WHERE id = ?1").bind(cut),
  ]);
  vi.spyOn(console, "error").mockImplementation(() => {});
  const { unreadable, ...others } = await sweep(BOTH);
  expect(others).toEqual({ rewrapped: 3, left: 2, next: null });
  expect(unreadable.sort()).toEqual([broken, cut].sort());
});

test("who is there is served although nothing can be written, and moves later", async () => {
  const person = await newPerson();
  await callTool(person, "save_memory", { content: "Bakes rye bread" });
  await env.DB.prepare(
    "CREATE TRIGGER no_rewrap BEFORE UPDATE OF wrapped_key ON users BEGIN SELECT RAISE(ABORT, 'no'); END",
  ).run();
  vi.spyOn(console, "error").mockImplementation(() => {});
  await under(person, BOTH);
  const { data } = await callTool(person, "search_memory", { query: "rye" });
  await env.DB.prepare("DROP TRIGGER no_rewrap").run();
  expect(data["results"]).toHaveLength(1);
  expect((await wrappedOf(person)).wrapped_under).toBe(await idOf(OLD));
  await callTool(person, "search_memory", { query: "rye" });
  expect((await wrappedOf(person)).wrapped_under).toBe(await idOf(NEW));
});

test("the sweep is for whoever holds the key of now: to others and to pages there is no such route", async () => {
  await accounts(1);
  const proof = await proofOf(NEW);
  for (const headers of [
    {},
    { authorization: "Bearer " },
    { authorization: `Bearer ${await proofOf(OLD)}` },
    { authorization: `Bearer ${NEW}` },
    { authorization: `Bearer ${proof}`, origin: env.PUBLIC_ORIGIN },
  ]) {
    expect((await ask(BOTH, headers)).status).toBe(404);
  }
  expect((await ask(BOTH, { authorization: `Bearer ${proof}` })).status).toBe(200);
});

/** What the object of this person takes for the deployment's secret. */
async function under({ userId }: Person, vaultKey: string): Promise<void> {
  await runInDurableObject(env.USERS.getByName(userId), (instance: UserAgent) => {
    const changed = new Proxy(env, {
      get: (target, key) => (key === "VAULT_KEY" ? vaultKey : Reflect.get(target, key)),
    });
    Object.defineProperty(instance, "env", { value: changed, configurable: true });
  });
}

async function accounts(count: number, vaultKey = OLD): Promise<string[]> {
  const ids = Array.from({ length: count }, () => newUserId());
  const at = { ...env, VAULT_KEY: vaultKey };
  await Promise.all(
    ids.map((id) => createAccount(at, id, { timeZone: "Europe/Berlin", locale: "en" })),
  );
  return ids;
}

async function wrappedOf({ userId }: Person): Promise<Record<string, unknown>> {
  const row = await env.DB.prepare("SELECT * FROM users WHERE id = ?1").bind(userId).first();
  return { ...row, wrapped_key: new Uint8Array(row?.["wrapped_key"] as ArrayBuffer).toHex() };
}

async function sweep(vaultKey: string, after?: string | null): Promise<any> {
  const headers = { authorization: `Bearer ${await proofOf(vaultKey)}` };
  return (await ask(vaultKey, headers, after === undefined ? {} : { after })).json();
}

function ask(vaultKey: string, headers: Record<string, string>, body: unknown = {}) {
  return rewrapKeys.request(
    "/operator/rewrap-keys",
    { method: "POST", headers, body: JSON.stringify(body) },
    { ...env, VAULT_KEY: vaultKey },
  );
}

function proofOf(vaultKey: string): Promise<string> {
  return operatorProof(parseVaultKeys(vaultKey).current);
}

function idOf(vaultKey: string): Promise<string> {
  return vaultKeyId(parseVaultKeys(vaultKey).current);
}

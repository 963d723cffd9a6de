/** That tests run under limits of production that this machine does not have. What follows from it every other test shows. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { callTool, newPerson } from "../support/people.ts";
import { asInvocation, countInvocations, statementsOf } from "../support/production.ts";

test.each([
  ["a value above 2 MB", () => env.DB.prepare("SELECT ?1").bind("x".repeat(2_000_001))],
  [
    "a value above 2 MB in letters of two bytes",
    () => env.DB.prepare("SELECT ?1").bind("é".repeat(1_000_001)),
  ],
  ["bytes above 2 MB", () => env.DB.prepare("SELECT ?1").bind(new Uint8Array(2_000_001))],
  [
    "101 parameters",
    () => env.DB.prepare("SELECT 1").bind(...Array.from({ length: 101 }, () => 1)),
  ],
  ["SQL above 100 KB", () => env.DB.prepare(`SELECT '${"x".repeat(100_001)}'`)],
])("%s is refused", (_, ask) => {
  expect(ask).toThrow(/^In production .* would be refused$/);
});

test("an invocation is refused its 51st statement on the free plan, those of a batch counted one by one; another begins anew", async () => {
  const one = () => env.DB.prepare("SELECT 1");
  const ask = async (batch: number) => {
    await env.DB.batch(Array.from({ length: batch }, one));
    await one().first();
  };
  await asInvocation("first", () => ask(49));
  await asInvocation("second", () => ask(49));
  await expect(asInvocation("third", () => ask(50))).rejects.toThrow("Too many API requests");
});

test("what comes through the front door is counted, in the Worker and in the user's object", async () => {
  await countInvocations();
  const person = await newPerson();
  expect(statementsOf.get("fetch")).toBeGreaterThan(0);
  await callTool(person, "save_memory", { content: "Bakes rye bread." });
  expect(statementsOf.get("serveMcp")).toBeGreaterThan(5);
});

test("PBKDF2 above 100,000 iterations is refused, as deployments do", async () => {
  const key = await crypto.subtle.importKey("raw", new Uint8Array(8), "PBKDF2", false, [
    "deriveBits",
  ]);
  const derive = (iterations: number) =>
    crypto.subtle.deriveBits(
      { name: "PBKDF2", hash: "SHA-256", salt: new Uint8Array(8), iterations },
      key,
      256,
    );
  expect((await derive(1_000)).byteLength).toBe(32);
  expect(() => derive(100_001)).toThrow("100001 iterations would be refused");
});

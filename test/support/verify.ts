/** The integrity check as a person runs it, and damage for it to find. */
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { callApi, type Person } from "./people.ts";

/** Arbitrary, of a test's account: more are a check that never ends. A limit of time would be the test's own clock. */
const MOST_PARTS = 1_000;

// Answers are read key by key.
export async function verified(person: Person): Promise<any> {
  for (let part = 1; part <= MOST_PARTS; part++) {
    const { status, data } = await callApi(person, "POST", "/api/verify");
    expect([status, data]).toEqual([200, data]);
    if (data["check"].state === "finished") return data["check"];
  }
  throw new Error("The integrity check does not end");
}

/** @param statement ?1 is the user */
export async function damaged({ userId }: Person, statement: string): Promise<void> {
  const { meta } = await env.DB.prepare(statement).bind(userId).run();
  expect(meta.changes).toBeGreaterThan(0);
}

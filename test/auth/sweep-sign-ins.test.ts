/** What the schedule forgets of sign-ups and sign-ins that were never gone to their end. */
import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { createAccount } from "../../src/auth/create-account.ts";
import { addAuthUser } from "../../src/auth/sign-up.ts";
import worker from "../../src/index.ts";
import { newUserId } from "../../src/vault/ids.ts";
import { callTool, newPerson } from "../support/people.ts";

const MINUTE = 60_000;

/** Whose passkey or identity has not arrived. */
async function halfSignedUp(minutesAgo: number): Promise<string> {
  const id = newUserId();
  await addAuthUser(env, { id, name: "Half" }, Date.now() - minutesAgo * MINUTE);
  await createAccount(env, id, { timeZone: "UTC", locale: "en" });
  return id;
}

async function challenge(id: string, endsInMinutes: number): Promise<void> {
  const [now, ends] = [Date.now(), Date.now() + endsInMinutes * MINUTE];
  await env.DB.prepare("INSERT INTO auth_verification VALUES (?1, ?1, '{}', ?2, ?3, ?3)")
    .bind(id, ends, now)
    .run();
}

async function idsIn(table: "users" | "auth_user" | "auth_verification"): Promise<string[]> {
  const { results } = await env.DB.prepare(`SELECT id FROM ${table}`).all<{ id: string }>();
  return results.map(({ id }) => id).sort();
}

test("the schedule forgets abandoned sign-ups with their keys, and challenges that are over, and nobody who came in", async () => {
  env.SIGN_UP = "open";
  // Nobody of this server's pages: no sign-in knows them.
  const local = await newPerson();
  const owner = await halfSignedUp(60);
  await env.DB.prepare(
    "INSERT INTO auth_account (id, account_id, provider_id, user_id, created_at, updated_at) VALUES ('a', 'a', 'github', ?1, 0, 0)",
  )
    .bind(owner)
    .run();
  const young = await halfSignedUp(1);
  const abandoned = await halfSignedUp(11);
  await challenge("over", -1);
  await challenge("open", 1);
  expect(await idsIn("users")).toContain(abandoned);

  await worker.scheduled(createScheduledController(), env);
  expect(await idsIn("users")).toEqual([local.userId, owner, young].sort());
  expect(await idsIn("auth_user")).toEqual([owner, young].sort());
  expect(await idsIn("auth_verification")).toEqual(["open"]);
  expect((await callTool(local, "get_stats")).isError).toBe(false);
});

test("a new sign-up forgets the abandoned one before it, key and all", async () => {
  const abandoned = await halfSignedUp(11);
  await halfSignedUp(0);
  expect(await idsIn("users")).not.toContain(abandoned);
});

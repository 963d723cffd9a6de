import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { isSetupCodeRight } from "../../src/auth/sign-up.ts";
import { safeNext } from "../../src/auth/sign-in-page.tsx";
import { findUser } from "../../src/storage/accounts.ts";
import { isUserId } from "../../src/vault/ids.ts";
import { fetchWorker } from "../support/people.ts";
import { newVisitor, ORIGIN, signedUp, signIn, signUp } from "./support/visitor.ts";

beforeEach(async () => {
  env.SIGN_UP = "open";
  await env.DB.prepare("DELETE FROM auth_user").run();
});

test("signing up with a passkey makes a user, an account in the browser's time zone, and a session", async () => {
  const { visitor } = await signedUp("Mair");
  const row = await env.DB.prepare("SELECT id, name FROM auth_user").first<{
    id: string;
    name: string;
  }>();
  expect(row?.name).toBe("Mair");
  expect(isUserId(row?.id ?? "")).toBe(true);
  expect(await findUser(env.DB, row?.id ?? "")).toMatchObject({ timeZone: "Europe/Berlin" });
  expect(await (await visitor.get("/account")).text()).toContain("Connect an assistant");
});

test("signing out ends the session, and the passkey opens another one", async () => {
  const { visitor, passkey } = await signedUp("Mair");
  const before = visitor.cookies.get("__Host-session") ?? "";
  expect((await visitor.post("/sign-out", {})).status).toBe(303);
  visitor.cookies.set("__Host-session", before);
  expect(await (await visitor.get("/account")).text()).not.toContain("Connect an assistant");
  visitor.cookies.clear();
  expect((await signIn(visitor, passkey)).status).toBe(200);
  expect(visitor.cookies.get("__Host-session")).not.toBe(before);
  expect(await (await visitor.get("/account")).text()).toContain("Connect an assistant");
});

test("a session cookie that this server did not sign is nobody", async () => {
  const { visitor } = await signedUp("Mair");
  const cookie = visitor.cookies.get("__Host-session") ?? "";
  for (const forged of [cookie.split(".")[0] ?? "", `${cookie.slice(0, -6)}AAAAA%3D`, "x.y", ""]) {
    visitor.cookies.set("__Host-session", forged);
    expect(await (await visitor.get("/account")).text()).not.toContain("Connect an assistant");
  }
});

test("the session cookie is bound to this host and hidden from scripts", async () => {
  const { response } = await signUp("Mair");
  const [cookie = ""] = response.headers
    .getSetCookie()
    .filter((line) => line.startsWith("__Host-session="));
  expect(cookie).toMatch(/; Path=\/(;|$)/);
  expect(cookie).toMatch(/HttpOnly/i);
  expect(cookie).toMatch(/Secure/i);
  expect(cookie).toMatch(/SameSite=Lax/i);
  expect(cookie).not.toMatch(/Domain/i);
});

test("a passkey that did not verify its person opens nothing", async () => {
  expect((await signUp("Nobody", { isVerified: false })).response.status).toBe(401);
  expect(await env.DB.prepare("SELECT 1 FROM auth_user").first()).toBeNull();
});

test("a second passkey of a signed-in person opens the same account, in owner mode too", async () => {
  const { visitor } = await signedUp("Mair");
  env.SIGN_UP = "owner";
  const { passkey, response } = await signUp("Another name", { visitor });
  expect(response.status).toBe(200);
  const { results } = await env.DB.prepare("SELECT name FROM auth_user").all();
  expect(results).toEqual([{ name: "Mair" }]);
  const elsewhere = newVisitor();
  expect((await signIn(elsewhere, passkey)).status).toBe(200);
  expect(await (await elsewhere.get("/account")).text()).toContain("<bdi>Mair</bdi>");
});

test("in owner mode only the first person signs up, also of two at once", async () => {
  env.SIGN_UP = "owner";
  const answers = await Promise.all([signUp("First"), signUp("Second")]);
  expect(new Set(answers.map(({ response }) => response.status))).toEqual(new Set([200, 403]));
  expect((await signUp("Third")).response.status).toBe(403);
  expect((await newVisitor().get("/sign-up")).status).toBe(403);
  expect(await (await newVisitor().get("/")).text()).not.toContain("/sign-up");
});

test("an abandoned sign-up does not lock the owner out", async () => {
  env.SIGN_UP = "owner";
  await env.DB.prepare(
    "INSERT INTO auth_user (id, name, email, email_verified, created_at, updated_at) VALUES ('gone', 'x', 'x@users.invalid', 0, ?1, ?1)",
  )
    .bind(Date.now() - 700_000)
    .run();
  expect((await signUp("Owner")).response.status).toBe(200);
});

test("the set-up code is asked for in a deployment with one owner, and compared whole", () => {
  const settings = {
    PUBLIC_ORIGIN: "https://cofio.example",
    SIGN_UP: "owner",
    SETUP_CODE: "0123456789abcdef",
  };
  expect(isSetupCodeRight(settings, "0123456789abcdef")).toBe(true);
  for (const wrong of ["", "0123456789abcde", "0123456789abcdef0", null]) {
    expect(isSetupCodeRight(settings, wrong)).toBe(false);
  }
  expect(isSetupCodeRight({ ...settings, SETUP_CODE: "" }, "")).toBe(false);
  expect(isSetupCodeRight({ ...settings, SIGN_UP: "open" }, null)).toBe(true);
  expect(isSetupCodeRight({ ...settings, PUBLIC_ORIGIN: "http://localhost:26346" }, null)).toBe(
    true,
  );
  expect(isSetupCodeRight({ ...settings, PUBLIC_ORIGIN: "https://localhost.example" }, null)).toBe(
    false,
  );
});

test("what the pages do not use of better-auth does not exist", async () => {
  const { visitor } = await signedUp("Mair");
  const routes = [
    ["POST", "/api/auth/sign-up/email"],
    ["POST", "/api/auth/sign-in/email"],
    ["POST", "/api/auth/update-user"],
    ["POST", "/api/auth/delete-user"],
    ["POST", "/api/auth/passkey/delete-passkey"],
    ["GET", "/api/auth/list-sessions"],
    ["GET", "/api/auth/get-session"],
    ["GET", "/api/auth/ok"],
    ["POST", "/api/auth/passkey/generate-register-options"],
  ] as const;
  for (const [method, path] of routes) {
    const response = method === "GET" ? await visitor.get(path) : await visitor.postJson(path, {});
    expect([path, response.status]).toEqual([path, 404]);
  }
});

test("the ceremonies are refused to other origins", async () => {
  for (const origin of ["http://localhost:9", "null", "https://localhost:26346"]) {
    const answer = await newVisitor().postJson(
      "/api/auth/passkey/verify-authentication",
      {},
      { origin },
    );
    expect(answer.status).toBe(403);
  }
});

test("signing in leads to a listed page of this server and nowhere else", () => {
  expect(safeNext("/authorize?client_id=x", ORIGIN)).toBe("/authorize?client_id=x");
  for (const next of [
    "https://evil.example/authorize",
    "//evil.example/import",
    "/\\evil.example/import",
    "javascript:alert(1)",
    "/sign-out",
    "http://localhost:26347/import",
    "http://user@localhost:26346/nowhere",
    undefined,
  ]) {
    expect(safeNext(next, ORIGIN)).toBe("/");
  }
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.webPath()), (next) => {
      const path = safeNext(next, ORIGIN);
      const url = new URL(path, ORIGIN);
      expect(url.origin).toBe(ORIGIN);
      expect(["/", "/authorize", "/import"]).toContain(url.pathname);
    }),
  );
});

test("the API serves a person's session, and only from the pages of this server", async () => {
  const { visitor } = await signedUp("Mair");
  const nowhere = "/api/no-such-route";
  // 404 comes from inside the person's own object: the way there is open.
  expect((await visitor.get(nowhere)).status).toBe(404);
  expect((await visitor.post(nowhere, {})).status).toBe(404);
  expect((await visitor.post(nowhere, {}, null)).status).toBe(403);
  expect((await visitor.post(nowhere, {}, "http://localhost:9")).status).toBe(403);
  expect((await visitor.get(nowhere, { origin: "http://localhost:9" })).status).toBe(403);
  visitor.cookies.clear();
  expect((await visitor.get(nowhere)).status).toBe(401);
  expect((await visitor.post(nowhere, {})).status).toBe(401);
  expect(
    (await fetchWorker(nowhere, { headers: { authorization: "Bearer nonsense" } })).status,
  ).toBe(401);
});

test("a person who opens a download without a session is led to sign-in and back to it", async () => {
  const path = `/api/downloads/${"a".repeat(26)}`;
  const response = await fetchWorker(path, {
    headers: { accept: "text/html" },
    redirect: "manual",
  });
  expect(response.status).toBe(302);
  const address = new URL(response.headers.get("location") ?? "", "http://localhost:26346");
  expect(address.pathname).toBe("/sign-in");
  expect(address.searchParams.get("next")).toBe(path);
});

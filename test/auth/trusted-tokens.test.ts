/** Who may decide in the person's place: they themself, and a token only if they ticked it. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { callTool, fetchWorker } from "../support/people.ts";
import { ORIGIN, signedUp, type Visitor } from "./support/visitor.ts";

let visitor: Visitor;

beforeAll(async () => {
  env.SIGN_UP = "open";
  ({ visitor } = await signedUp("Mair"));
});

async function newToken(form: Record<string, string>): Promise<string> {
  const page = await visitor.post("/tokens", {
    name: "Script",
    scope: ["memories:read", "memories:write"],
    ...form,
  });
  return /cofio_[a-z2-7]{16}_[a-z2-7]{42}/.exec(await page.text())?.[0] ?? "";
}

function patchRules(rules: object, headers: Record<string, string>): Promise<Response> {
  return fetchWorker("/api/rules", {
    method: "PATCH",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(rules),
  });
}

function session(origin?: string): Record<string, string> {
  const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  return { cookie, ...(origin === undefined ? {} : { origin }) };
}

test("the person changes their rules on a page of this server, and nobody does it for them from another", async () => {
  expect((await patchRules({ auto_save: [] }, session(ORIGIN))).status).toBe(200);
  expect((await patchRules({ auto_save: "all" }, session("https://evil.example"))).status).toBe(
    403,
  );
  expect((await patchRules({ auto_save: "all" }, session())).status).toBe(403);
  const read = await visitor.get("/api/rules");
  expect(await read.json()).toMatchObject({ rules: { auto_save: [] }, own: ["auto_save"] });
});

test("a token may decide only if that was ticked, and the page says which may", async () => {
  await patchRules({ auto_save: [] }, session(ORIGIN));
  const plain = await newToken({});
  const trusted = await newToken({ name: "Approver", trusted: "1" });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  expect((await patchRules({ max_memories: 9 }, bearer(plain))).status).toBe(403);
  expect((await patchRules({ max_memories: 9 }, bearer(trusted))).status).toBe(200);

  const assistant = { token: plain, userId: "" };
  const { data } = await callTool(assistant, "save_memory", { content: "Meets Ines." });
  const approval = { id: data["memory"].id, status: "active" };
  const refused = await callTool(assistant, "update_memory", approval);
  expect(refused.data["error"]).toMatchObject({ code: "forbidden" });
  const approved = await callTool({ token: trusted, userId: "" }, "update_memory", approval);
  expect(approved.data["memory"]["status"]).toBe("active");

  const html = await (await visitor.get("/account")).text();
  expect(html.match(/May approve waiting memories/g)).toHaveLength(1);
});

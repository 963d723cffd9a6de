import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { newVisitor, signedUp, type Visitor } from "./support/visitor.ts";

let visitor: Visitor;

beforeAll(async () => {
  env.SIGN_UP = "open";
  ({ visitor } = await signedUp("Mair"));
});

test("a name is text on every page", async () => {
  const { visitor: other } = await signedUp(`<b>Mair</b>\u202E"`);
  const html = await (await other.get("/account")).text();
  expect(html).toContain("&lt;b&gt;Mair&lt;/b&gt;&quot;");
  expect(html).not.toContain("\u202E");
});

test("the page of a person says how to connect", async () => {
  const html = await (await visitor.get("/account")).text();
  expect(html).toContain(
    'data-copy="claude mcp add --transport http --scope user cofio http://localhost:26346/mcp"',
  );
});

test("a stranger is led to sign-in from the pages of a person", async () => {
  expect((await newVisitor().get("/import")).headers.get("location")).toBe(
    "/sign-in?next=%2Fimport",
  );
  for (const path of ["/tokens", "/grants/revoke", "/time-zone"]) {
    const response = await newVisitor().post(path, { name: "x", scope: "memories:read" });
    expect([response.status, response.headers.get("location")]).toEqual([303, "/sign-in"]);
  }
});

test("a list of memories is imported by a form that needs no script", async () => {
  const page = await visitor.post("/import", {
    list: "Here is what I know:\r\n- Lives in Bangor\r\n- Prefers tea",
  });
  expect(page.status).toBe(200);
  const text = (await page.text()).replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
  expect(text).toContain("Memories Found 2 New 2 Updated 0 Unchanged 0 Skipped 0");
  const empty = await visitor.post("/import", { list: "Here is what I know:" });
  expect(await empty.text()).toContain("Nothing to import was found.");
});

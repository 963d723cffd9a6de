import fc from "fast-check";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { UserError } from "../../src/errors.ts";
import { createApi } from "../../src/http/api.ts";
import { errorAnswer } from "../../src/mcp/answers.ts";
import { cleanTag, cleanTags, type Memory } from "../../src/memory/memory.ts";
import { estimateTokens } from "../../src/search/token-budget.ts";
import { callRaw, callTool, newPerson } from "../support/people.ts";

test("a tag cleaned twice is the tag cleaned once, whatever it was", () => {
  const part = fc.constantFrom(
    "#",
    " ",
    "\t",
    "\u00a0",
    "\u3000",
    "\ufeff",
    "\0",
    "\ud800",
    "a",
    "é",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(part, { maxLength: 8 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (tag) => {
      const once = cleanTag(tag);
      expect(cleanTag(once)).toBe(once);
      expect(once).not.toMatch(/^[#\s]|\s$|\s\s/u);
      expect(cleanTags(cleanTags([tag]))).toEqual(cleanTags([tag]));
    }),
    { numRuns: 1_000 },
  );
});

test("tags are kept clean, stay so over updates, and are found however they are typed", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "save_memory", {
    content: "Runs the bakery.",
    tags: ["# foo", "##bar", "north  sea"],
  });
  expect(data["memory"].tags).toEqual(["foo", "bar", "north sea"]);
  const updated = await callTool(person, "update_memory", { id: data["memory"].id, importance: 5 });
  expect(updated.data["memory"].tags).toEqual(["foo", "bar", "north sea"]);
  for (const tag of ["# foo", "##bar", "#  North   sea", "\tbar "]) {
    const { data: listed } = await callTool(person, "list_memories", { tags: [tag] });
    expect([tag, listed["total"]]).toEqual([tag, 1]);
  }
});

test("an unknown category becomes the twentieth tag, and is dropped where there are twenty", async () => {
  const person = await newPerson();
  const tags = Array.from({ length: 20 }, (_, index) => `t${index}`);
  const full = await callTool(person, "save_memory", { content: "One", tags, category: "hobbies" });
  expect(full.data["memory"]).toMatchObject({ category: "other", tags });
  const room = await callTool(person, "save_memory", {
    content: "Two",
    tags: tags.slice(1),
    category: "hobbies",
  });
  expect(room.data["memory"].tags).toEqual([...tags.slice(1), "hobbies"]);
});

test("a version conflict shows the current copy as every other answer does", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "save_memory", {
    content: "Lives in Lisbon.",
    asked_as: ["Where is home?"],
  });
  const { id } = data["memory"];
  await callTool(person, "update_memory", { id, importance: 4 });
  const { data: got } = await callTool(person, "get_memory", { id });
  for (const tool of ["update_memory", "delete_memory"]) {
    const stale = await callTool(person, tool, {
      id,
      if_version: 1,
      ...(tool === "update_memory" ? { content: "Lives in Rome." } : {}),
    });
    expect(stale.isError).toBe(true);
    expect(stale.data["error"].current).toEqual(got["memory"]);
    expect(stale.text).toContain(`[${id}] Lives in Lisbon.`);
    expect(JSON.stringify(stale)).not.toMatch(/Where is home|askedAs|createdAt|null/);
  }
});

test("a refused twin is named in the text too", async () => {
  const person = await newPerson();
  const one = await callTool(person, "save_memory", { content: "Plays the cello." });
  const two = await callTool(person, "save_memory", { content: "Plays the viola." });
  const refused = await callTool(person, "update_memory", {
    id: two.data["memory"].id,
    content: "Plays the cello.",
  });
  expect(refused.data["error"]).toMatchObject({
    code: "version_conflict",
    duplicate_of: one.data["memory"].id,
  });
  expect(refused.text).toContain(one.data["memory"].id);
});

test("the HTTP API gives a conflict in the same shape", async () => {
  // No route of the API changes memories: one is added that fails as they would.
  const api = createApi({ account: {} } as Parameters<typeof createApi>[0]);
  const conflict = new UserError("version_conflict", "It changed.", "Look.", { current: MEMORY });
  api.get("/conflict", () => {
    throw conflict;
  });
  const response = await api.request("/api/conflict");
  expect(response.status).toBe(409);
  const body = await response.json();
  expect(body).toEqual({ error: errorAnswer(conflict).error });
  expect(JSON.stringify(body)).not.toMatch(/askedAs|Where is home|createdAt|null/);
});

test("a long memory that is similar is shown by its beginning, a short one whole", async () => {
  const person = await newPerson();
  const long = "The garden has roses, lavender, thyme and old apple trees. ".repeat(40).trim();
  await callTool(person, "save_memory", { content: long });
  const { data, text } = await callTool(person, "save_memory", { content: `${long} Also plums.` });
  const [near] = data["similar"];
  expect(near.content.length).toBeLessThanOrEqual(320);
  expect(near.content).toMatch(/^The garden has roses.*…$/);
  expect(text.length).toBeLessThan(data["memory"].content.length + 700);
});

test("a history takes some 4,000 tokens, with the newest versions whole", async () => {
  const person = await newPerson();
  const contentOf = (index: number) =>
    `State ${index}. ${"All of it was said before. ".repeat(100)}`;
  const { data } = await callTool(person, "save_memory", { content: contentOf(0) });
  const { id } = data["memory"];
  for (let index = 1; index <= 12; index++) {
    await callTool(person, "update_memory", { id, content: contentOf(index) });
  }
  const { data: got, text } = await callTool(person, "get_memory", { id, include_history: true });
  const versions: { version: number; content: string }[] = got["versions"];
  expect(versions.map(({ version }) => version)).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  expect(estimateTokens(JSON.stringify(versions))).toBeLessThan(4_100);
  const whole = versions.filter(({ content }) => content.length > 320);
  expect(whole.length).toBeGreaterThan(0);
  expect(versions.slice(0, whole.length)).toEqual(whole);
  expect(whole[0]?.content).toBe(contentOf(11).trim());
  expect(versions.at(-1)?.content).toMatch(/^State 0\. .*…$/);
  expect(text.length).toBeLessThan(20_000);
});

test("a history in a script without letters stays within the budget by leaving out its oldest", async () => {
  const person = await newPerson();
  const { data } = await callTool(person, "save_memory", { content: "住在东京。".repeat(100) });
  const { id } = data["memory"];
  for (let index = 1; index <= 18; index++) {
    await callTool(person, "update_memory", { id, content: `${index}${"住在东京。".repeat(100)}` });
  }
  const { data: got } = await callTool(person, "get_memory", { id, include_history: true });
  expect(estimateTokens(JSON.stringify(got["versions"]))).toBeLessThan(4_100);
  expect(got["versions"][0].version).toBe(18);
});

const MEMORY: Memory = {
  id: "aaaaaaaaaaaa",
  version: 2,
  content: "Lives in Lisbon.",
  tags: [],
  askedAs: ["Where is home?"],
  category: "other",
  importance: 3,
  source: "mcp",
  origin: "user",
  userAsked: false,
  client: "Local token",
  status: "active",
  createdAt: 1_750_000_000_000,
  updatedAt: 1_750_000_000_000,
  expiresAt: null,
  trashedAt: null,
  supersededBy: null,
};

test("what fails before a tool runs is answered in JSON-RPC, with the reference of its log line and nothing more", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const person = await newPerson();
  // Its rules can no longer be read.
  await env.DB.prepare("INSERT INTO accounts (user_id, rules) VALUES (?, '{')")
    .bind(person.userId)
    .run();
  const response = await callRaw(person.token, "tools/call", {
    name: "search_memory",
    arguments: { query: "garden" },
  });
  expect(response.status).toBe(500);
  const { error } = (await response.json()) as { error: { code: number; message: string } };
  expect(error.code).toBe(-32603);
  const [, reference = "none"] =
    /^Something went wrong on the server \(reference (\w+)\)\. Try again\.$/.exec(error.message) ??
    [];
  expect(log.mock.lastCall?.[0]).toContain(`"reference":"${reference}"`);
  log.mockRestore();
});

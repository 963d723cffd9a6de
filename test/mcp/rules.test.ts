/** Memory rules through the front door: what each does, what it says, and that nothing goes around it. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, onTestFinished, test } from "vitest";
import { SCOPES } from "../../src/scopes.ts";
import { UserAgent } from "../../src/user-agent.ts";
import { countersOf, sumsOf } from "../support/counters.ts";
import {
  callRaw,
  callTool,
  fetchWorker,
  newPerson,
  type Person,
  type ToolResult,
} from "../support/people.ts";

interface Account {
  /** An assistant's token. */
  readonly assistant: Person;
  /** One that the person trusts. */
  readonly trusted: Person;
}

/** A new user who has set these rules. */
async function newAccount(rules: Record<string, unknown> = {}): Promise<Account> {
  const name = crypto.randomUUID();
  const trusted = await newPerson({ name, trusted: true });
  const assistant = await newPerson({ name });
  await setRules(trusted, rules);
  return { assistant, trusted };
}

async function setRules(person: Person, rules: unknown): Promise<Record<string, any>> {
  const { status, body } = await callApi(person, "PATCH", rules);
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body;
}

async function callApi(
  { token }: Person,
  method: "GET" | "PATCH",
  rules?: unknown,
): Promise<{ status: number; body: Record<string, any> }> {
  const response = await fetchWorker("/api/rules", {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(rules === undefined ? {} : { body: JSON.stringify(rules) }),
  });
  return { status: response.status, body: await response.json() };
}

function save(
  person: Person,
  content: string,
  more: Record<string, unknown> = {},
): Promise<ToolResult> {
  return callTool(person, "save_memory", { content, ...more });
}

async function total(person: Person, status = "active"): Promise<number> {
  return (await callTool(person, "list_memories", { status })).data["total"];
}

/** Put together here, so that no secret stands in the repository. */
const SECRET = `ghp_${"aB3dE6gH9j".repeat(4).slice(0, 36)}`;

// auto_save

test("auto_save: a save outside of the allowed categories waits, says so, and is found by nothing until it is approved", async () => {
  const { assistant, trusted } = await newAccount({ auto_save: ["user_preferences"] });
  const allowed = await save(assistant, "Prefers tea.", { category: "user_preferences" });
  expect(allowed.data).toMatchObject({ outcome: "created", memory: { status: "active" } });
  expect(allowed.data["rules"]).toBeUndefined();

  const waiting = await save(assistant, "Meets Ines on Friday.", { category: "events" });
  expect(waiting.data).toMatchObject({
    outcome: "pending",
    memory: { status: "pending" },
    rules: [{ rule: "auto_save", action: "pending", message: expect.any(String) }],
  });
  expect(waiting.text).toContain("user_preferences");
  const { id } = waiting.data["memory"];
  expect(await total(assistant)).toBe(1);
  expect(await total(assistant, "pending")).toBe(1);
  const { data: found } = await callTool(assistant, "search_memory", { query: "Ines Friday" });
  expect(found["total"]).toBe(0);
  expect(JSON.stringify(found)).not.toContain("Ines");

  const refused = await callTool(assistant, "update_memory", { id, status: "active" });
  expect(refused).toMatchObject({ isError: true, data: { error: { code: "forbidden" } } });
  const approved = await callTool(trusted, "update_memory", { id, status: "active" });
  expect(approved.data["memory"]).toMatchObject({ status: "active", version: 2 });
  const { data: after } = await callTool(assistant, "search_memory", { query: "Ines Friday" });
  expect(after["total"]).toBe(1);
  expect((await callTool(assistant, "get_stats")).data["memories"]).toMatchObject({
    active: 2,
    pending: 0,
  });
});

test("auto_save: what the user asked for is saved at once, and the claim is kept and shown", async () => {
  const { assistant } = await newAccount({ auto_save: [] });
  const { data } = await save(assistant, "Meets Ines.", { category: "events", user_asked: true });
  expect(data).toMatchObject({
    outcome: "created",
    memory: { status: "active", user_asked: true },
  });
  expect(data["rules"]).toBeUndefined();
  const { data: got } = await callTool(assistant, "get_memory", { id: data["memory"].id });
  expect(got["memory"]["user_asked"]).toBe(true);
});

test.each([
  ["an unknown category counts as other", ["other"], { category: "recipes" }, "created"],
  ["an unknown category is not allowed by its name", [], { category: "recipes" }, "pending"],
  ["no category counts as other", ["events"], {}, "pending"],
])("auto_save: %s", async (_, autoSave, more, outcome) => {
  const { assistant } = await newAccount({ auto_save: autoSave });
  expect((await save(assistant, "Bakes bread.", more)).data["outcome"]).toBe(outcome);
});

test("auto_save: a waiting memory replaces another only once it is approved", async () => {
  const { assistant, trusted } = await newAccount({ auto_save: ["events"] });
  const { data: old } = await save(assistant, "Lives in Graz.", { user_asked: true });
  const { data: next } = await save(assistant, "Lives in Lisbon.", {
    supersedes: old["memory"].id,
  });
  expect(next).toMatchObject({
    outcome: "pending",
    memory: { supersedes: old["memory"].id },
  });
  const living = await callTool(assistant, "search_memory", { query: "lives" });
  expect(living.data["results"].map(({ id }: { id: string }) => id)).toEqual([old["memory"].id]);
  // An edit does not make it forget what it is for.
  await callTool(assistant, "update_memory", { id: next["memory"].id, add_tags: ["home"] });
  const { data } = await callTool(trusted, "update_memory", {
    id: next["memory"].id,
    status: "active",
  });
  expect(data["memory"]["supersedes"]).toBeUndefined();
  const { data: replaced } = await callTool(assistant, "get_memory", { id: old["memory"].id });
  expect(replaced["memory"]["superseded_by"]).toBe(next["memory"].id);
});

test("auto_save: the way through the trash is no way around approval", async () => {
  const { assistant, trusted } = await newAccount({ auto_save: [] });
  const { data } = await save(assistant, "Meets Ines.");
  const { id } = data["memory"];
  await callTool(assistant, "delete_memory", { id });
  await callTool(assistant, "update_memory", { id, content: "Meets Ines at noon." });
  const restored = await callTool(assistant, "update_memory", { id, status: "active" });
  expect(restored.data).toMatchObject({
    memory: { status: "pending" },
    rules: [{ rule: "auto_save", action: "pending" }],
  });
  expect(await total(assistant)).toBe(0);
  await callTool(assistant, "delete_memory", { id });
  const approved = await callTool(trusted, "update_memory", { id, status: "active" });
  expect(approved.data["memory"]["status"]).toBe("active");
});

test("auto_save: a save that need not wait takes the same text that waits into use", async () => {
  const { assistant } = await newAccount({ auto_save: [] });
  const { data: waiting } = await save(assistant, "Meets Ines.");
  const again = await save(assistant, "Meets Ines.");
  expect(again.data).toMatchObject({
    outcome: "duplicate",
    memory: { status: "pending" },
    rules: [{ rule: "auto_save", action: "pending" }],
  });
  const asked = await save(assistant, "Meets Ines.", { user_asked: true });
  expect(asked.data).toMatchObject({
    outcome: "duplicate",
    memory: { id: waiting["memory"].id, status: "active", user_asked: true },
    rules: [{ rule: "auto_save", action: "approved" }],
  });
  expect(await total(assistant)).toBe(1);
});

test("auto_save: the same text in a category that needs no approval takes nothing into use", async () => {
  const { assistant } = await newAccount({ auto_save: ["events"] });
  const content = "Sees a heart specialist.";
  await callTool(assistant, "save_memory", { content, category: "personal_facts" });
  const again = await callTool(assistant, "save_memory", { content, category: "events" });
  expect(again.data).toMatchObject({
    outcome: "duplicate",
    memory: { status: "pending" },
    rules: [{ rule: "auto_save", action: "pending" }],
  });
});

test("when_full: a client that may not read is not shown what had to go", async () => {
  const name = crypto.randomUUID();
  const trusted = await newPerson({ name, trusted: true });
  await callTool(trusted, "save_memory", { content: "The oldest secret plan." });
  await setRules(trusted, { max_memories: 1, when_full: "trash_least_useful" });
  const writer = await newPerson({ name, scopes: ["memories:write"] });
  const { data, text } = await callTool(writer, "save_memory", { content: "Something else." });
  expect(data["rules"]).toMatchObject([{ rule: "when_full", action: "trashed" }]);
  expect(JSON.stringify(data) + text).not.toContain("secret plan");
});

test("auto_save: a waiting duplicate takes nothing out of use", async () => {
  const { assistant } = await newAccount({ auto_save: [] });
  await save(assistant, "Uses tabs.", { user_asked: true });
  const { data: b } = await save(assistant, "Uses spaces.", { user_asked: true });
  const same = await save(assistant, "Uses tabs.", { supersedes: b["memory"].id });
  expect(same.data).toMatchObject({
    outcome: "duplicate",
    rules: [{ rule: "auto_save", action: "not_superseded" }],
  });
  const { data } = await callTool(assistant, "get_memory", { id: b["memory"].id });
  expect(data["memory"]["superseded_by"]).toBeUndefined();
});

test("auto_save: the instructions name the categories, and else are as they always are", async () => {
  const usual = await instructionsOf((await newAccount()).assistant);
  const { assistant } = await newAccount({
    auto_save: ["user_preferences", "events"],
    blocked_tags: ["zirconium"],
  });
  const restricted = await instructionsOf(assistant);
  expect(restricted.startsWith(usual)).toBe(true);
  expect(restricted.slice(usual.length)).toContain("user_preferences, events");
  expect(restricted).not.toContain("zirconium");
});

async function instructionsOf({ token }: Person): Promise<string> {
  const response = await callRaw(token, "initialize", {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  });
  const text = await response.text();
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text).result.instructions;
}

// Trust

test("a client of OAuth is never trusted, whatever its row says", async () => {
  const { assistant } = await newAccount({ auto_save: [] });
  const { data } = await save(assistant, "Meets Ines.");
  const agent = env.USERS.getByName(assistant.userId);
  await agent.allowGrant({
    id: "oauth-grant",
    client: "App",
    clientId: "client",
    redirectUri: "http://localhost:9/",
    scopes: SCOPES,
  });
  const text = await runInDurableObject(agent, async (instance: UserAgent, state) => {
    state.storage.sql.exec("UPDATE grants SET trusted = 1 WHERE id = 'oauth-grant'");
    const request = new Request(`${env.PUBLIC_ORIGIN}/mcp`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2025-06-18",
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: {
          name: "update_memory",
          arguments: { id: data["memory"].id, status: "active" },
        },
      }),
    });
    const claim = { kind: "oauth", grantId: "oauth-grant", scopes: SCOPES } as const;
    return (await instance.serveMcp(request, claim)).text();
  });
  expect(text).toContain('"code":"forbidden"');
});

test("an object from before there were trusted tokens keeps its grants, and trusts none of them", async () => {
  const name = crypto.randomUUID();
  const person = await newPerson({ name, trusted: true });
  const agent = env.USERS.getByName(person.userId);
  await runInDurableObject(agent, (_, state) => {
    state.storage.sql.exec("ALTER TABLE grants DROP COLUMN trusted");
    // As the platform does when it wakes the object.
    return new UserAgent(state, env).listGrants();
  });
  expect((await callApi(person, "GET")).status).toBe(200);
  expect((await callApi(person, "PATCH", { max_memories: 5 })).status).toBe(403);
  const next = await newPerson({ name, trusted: true });
  expect((await callApi(next, "PATCH", { max_memories: 5 })).status).toBe(200);
});

// max_memories

test("max_memories: at the limit a save is refused, with the memories that would be missed least", async () => {
  const { assistant } = await newAccount({ max_memories: 4 });
  const { data: first } = await save(assistant, "Lives in Graz.", { importance: 5 });
  const { data: dull } = await save(assistant, "Wore a hat.", { importance: 1 });
  const { data: old } = await save(assistant, "Uses Vim.", { importance: 5 });
  await save(assistant, "Uses Helix.", { supersedes: old["memory"].id, importance: 5 });
  const refused = await save(assistant, "One too many.", { idempotency_key: "k" });
  expect(refused).toMatchObject({
    isError: true,
    data: {
      error: {
        code: "limit_reached",
        rule: "max_memories",
        least_useful: [
          { id: old["memory"].id, content: "Uses Vim." },
          { id: dull["memory"].id, content: "Wore a hat." },
          { id: first["memory"].id },
        ],
      },
    },
  });
  expect(refused.text).toContain(`[${old["memory"].id}] Uses Vim.`);
  // What is known needs no room.
  expect((await save(assistant, "Uses Helix.")).data["outcome"]).toBe("duplicate");
  // The same call works once there is room: its key was not used up.
  await callTool(assistant, "delete_memory", { id: dull["memory"].id });
  const later = await save(assistant, "One too many.", { idempotency_key: "k" });
  expect(later.data["outcome"]).toBe("created");
  const replayed = await save(assistant, "One too many.", { idempotency_key: "k" });
  expect(replayed.data).toMatchObject({
    outcome: "created",
    memory: { id: later.data["memory"].id },
  });
});

test("max_memories: a refused replacement is told what takes no room", async () => {
  const { assistant } = await newAccount({ max_memories: 1 });
  const { data } = await save(assistant, "Lives in Graz.");
  const { id } = data["memory"];
  const refused = await save(assistant, "Lives in Lisbon.", { supersedes: id });
  expect(refused.data["error"]).toMatchObject({
    code: "limit_reached",
    hint: expect.stringContaining(`update_memory on ${id}`),
  });
  const { data: changed } = await callTool(assistant, "update_memory", {
    id,
    content: "Lives in Lisbon.",
  });
  expect(changed["memory"]["content"]).toBe("Lives in Lisbon.");
});

test("max_memories: a client that may only write learns nothing of what is there", async () => {
  const name = crypto.randomUUID();
  const writer = await newPerson({ name, scopes: ["memories:write"] });
  await setRules(await newPerson({ name, trusted: true }), { max_memories: 1 });
  await save(writer, "Has a secret garden.");
  const refused = await save(writer, "Another.");
  expect(refused.data["error"]["code"]).toBe("limit_reached");
  expect(JSON.stringify(refused)).not.toContain("garden");
});

test("max_memories: 100 parallel saves, five places: five are saved", async () => {
  const { assistant } = await newAccount({ max_memories: 8 });
  for (const content of ["One.", "Two.", "Three."]) await save(assistant, content);
  const results = await Promise.all(
    Array.from({ length: 100 }, (_, index) => save(assistant, `Parallel fact ${index}`)),
  );
  expect(results.filter(({ data }) => data["outcome"] === "created")).toHaveLength(5);
  expect(results.filter(({ data }) => data["error"]?.code === "limit_reached")).toHaveLength(95);
  expect((await callTool(assistant, "get_stats")).data).toMatchObject({
    memories: { active: 8 },
    quota: { memories_used: 8, memories_limit: 8 },
  });
  expect(await total(assistant)).toBe(8);
});

test("when_full: the least useful memory goes to the trash for each save, and the answer says which", async () => {
  const { assistant } = await newAccount({ max_memories: 2, when_full: "trash_least_useful" });
  const { data: dull } = await save(assistant, "Wore a hat.", { importance: 1 });
  await save(assistant, "Lives in Graz.", { importance: 5 });
  const third = await save(assistant, "Plays the cello.");
  expect(third.data).toMatchObject({
    outcome: "created",
    rules: [
      {
        rule: "when_full",
        action: "trashed",
        memory: { id: dull["memory"].id, content: "Wore a hat." },
      },
    ],
  });
  expect(third.text).toContain("Wore a hat.");
  expect(await total(assistant)).toBe(2);
  expect((await callTool(assistant, "search_memory", { query: "hat" })).data["total"]).toBe(0);
  // It is an ordinary resident of the trash.
  const restored = await callTool(assistant, "update_memory", {
    id: dull["memory"].id,
    status: "active",
  });
  expect(restored.data["memory"]).toMatchObject({ status: "active", content: "Wore a hat." });
  expect((await callTool(assistant, "search_memory", { query: "hat" })).data["total"]).toBe(1);
  expect((await callTool(assistant, "get_stats")).data["memories"]).toMatchObject({
    active: 3,
    trashed: 0,
  });
  // A duplicate needs no room, so nothing goes.
  expect((await save(assistant, "Plays the cello.")).data["outcome"]).toBe("duplicate");
  expect(await total(assistant)).toBe(3);
});

test("when_full: parallel saves each trash one, and the number stays", async () => {
  const { assistant } = await newAccount({ max_memories: 10, when_full: "trash_least_useful" });
  for (let index = 0; index < 8; index++) await save(assistant, `Old fact ${index}`);
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, index) => save(assistant, `Newer fact ${index}`)),
  );
  expect(results.every(({ data }) => data["outcome"] === "created")).toBe(true);
  const trashed = results.flatMap(({ data }) => data["rules"] ?? []);
  expect(new Set(trashed.map(({ memory }) => memory.id)).size).toBe(18);
  expect(await total(assistant)).toBe(10);
  expect(await total(assistant, "trashed")).toBe(18);
  expect((await callTool(assistant, "get_stats")).data["memories"]).toMatchObject({
    active: 10,
    trashed: 18,
  });
});

test("when_full: what a save supersedes is not what makes room for it, and a replay trashes nothing", async () => {
  const { assistant } = await newAccount({ max_memories: 2, when_full: "trash_least_useful" });
  const { data: old } = await save(assistant, "Lives in Graz.", { importance: 1 });
  await save(assistant, "Plays the cello.", { importance: 5 });
  const args = { supersedes: old["memory"].id, idempotency_key: "k" };
  const moved = await save(assistant, "Lives in Lisbon.", args);
  expect(moved.data["rules"][0]["memory"]["content"]).toBe("Plays the cello.");
  const again = await save(assistant, "Lives in Lisbon.", args);
  expect(again.data["memory"]["id"]).toBe(moved.data["memory"].id);
  expect(await total(assistant, "trashed")).toBe(1);
  const { data } = await callTool(assistant, "get_memory", { id: old["memory"].id });
  expect(data["memory"]["superseded_by"]).toBe(moved.data["memory"].id);
});

test("when_full: what waits for approval takes nobody's place", async () => {
  const { assistant } = await newAccount({
    max_memories: 1,
    when_full: "trash_least_useful",
    auto_save: ["events"],
  });
  await save(assistant, "Met Ines.", { category: "events" });
  const refused = await save(assistant, "Likes jazz.");
  expect(refused.data["error"]).toMatchObject({ code: "limit_reached" });
  expect(await total(assistant)).toBe(1);
});

test("max_memories: an import stops at the limit, and its report adds up and says why", async () => {
  const { assistant } = await newAccount({ max_memories: 5 });
  await save(assistant, "Already here.");
  const items = Array.from({ length: 7 }, (_, index) => ({ content: `Imported ${index}` }));
  const { data, text } = await callTool(assistant, "import_data", { items });
  expect(data["items"]).toMatchObject({ found: 7, new: 4, skipped: 3, remaining: 0 });
  expect(data["skipped_reasons"]).toEqual([
    expect.objectContaining({ kind: "memory", reason: "limit_reached", count: 3 }),
  ]);
  expect(data["rules"]).toEqual([
    expect.objectContaining({ rule: "max_memories", action: "limit_reached" }),
  ]);
  expect(text).toContain("5 memories");
  expect(await total(assistant)).toBe(5);
  const { data: later } = await callTool(assistant, "import_data", { job_id: data["job"].id });
  expect(later["rules"]).toEqual(data["rules"]);
});

test("max_memories: parallel imports and saves never overshoot", async () => {
  const { assistant } = await newAccount({ max_memories: 30 });
  const batch = (name: string) => ({
    items: Array.from({ length: 20 }, (_, index) => ({ content: `${name} ${index}` })),
  });
  const [one, two] = await Promise.all([
    callTool(assistant, "import_data", batch("First")),
    callTool(assistant, "import_data", batch("Second")),
    ...Array.from({ length: 10 }, (_, index) => save(assistant, `Fact ${index}`)),
  ]);
  for (const { data } of [one, two]) {
    const { found, new: fresh, skipped } = data["items"];
    expect(fresh + skipped).toBe(found);
  }
  expect((await callTool(assistant, "get_stats")).data["memories"]["active"]).toBe(30);
  expect(await total(assistant)).toBe(30);
});

// deduplication

test("deduplication: report saves an equal text and names its twin", async () => {
  const { assistant } = await newAccount({ deduplication: "report" });
  const { data: first } = await save(assistant, "Prefers tea in the morning.");
  const second = await save(assistant, "prefers tea in the morning");
  expect(second.data).toMatchObject({
    outcome: "created",
    similar: [{ id: first["memory"].id, relevance: 1 }],
    rules: [{ rule: "deduplication", action: "reported" }],
  });
  expect(second.text).toContain(first["memory"].id);
  expect(await total(assistant)).toBe(2);
});

test("deduplication: off saves whatever comes and compares nothing", async () => {
  const { assistant } = await newAccount({ deduplication: false });
  await save(assistant, "Prefers tea in the morning.");
  const results = await Promise.all(
    Array.from({ length: 10 }, () => save(assistant, "Prefers tea in the morning.")),
  );
  for (const { data } of results) {
    expect(data).toMatchObject({ outcome: "created", similar: [] });
    expect(data["rules"]).toBeUndefined();
  }
  expect(await total(assistant)).toBe(11);
});

test("deduplication: off lets each of equal saves at once replace what it names, and counts them all", async () => {
  const { assistant } = await newAccount({ deduplication: "off" });
  const old = [];
  for (let index = 0; index < 4; index++) {
    old.push((await save(assistant, `Room ${index} has a lamp.`)).data["memory"].id);
  }
  const results = await Promise.all(
    old.map((supersedes) => save(assistant, "Prefers candles.", { supersedes })),
  );
  for (const [index, { data }] of results.entries()) {
    expect(data["outcome"]).toBe("created");
    const replaced = await callTool(assistant, "get_memory", { id: old[index] });
    expect(replaced.data["memory"]["superseded_by"]).toBe(data["memory"].id);
  }
  expect(await countersOf(assistant)).toEqual(await sumsOf(assistant));
});

test("deduplication: switched on again, equal memories can be edited, trashed, restored and superseded, and a new one is a duplicate", async () => {
  const { assistant, trusted } = await newAccount({ deduplication: "off" });
  const ids: string[] = [];
  for (let index = 0; index < 3; index++) {
    ids.push((await save(assistant, "Prefers tea.")).data["memory"].id);
  }
  const [first, second, third] = ids;
  await setRules(trusted, { deduplication: true });

  expect((await save(assistant, "Prefers tea.")).data).toMatchObject({
    outcome: "duplicate",
    memory: { id: first },
  });
  for (const id of ids) {
    const tagged = await callTool(assistant, "update_memory", { id, add_tags: ["drinks"] });
    expect(tagged.data["memory"]).toMatchObject({ id, tags: ["drinks"] });
  }
  await callTool(assistant, "delete_memory", { id: second });
  const restored = await callTool(assistant, "update_memory", { id: second, status: "active" });
  expect(restored.data["memory"]["status"]).toBe("active");
  const replaced = await save(assistant, "Prefers coffee.", { supersedes: third });
  expect(replaced.data["outcome"]).toBe("created");
  const clash = await callTool(assistant, "update_memory", {
    id: replaced.data["memory"].id,
    content: "Prefers tea.",
  });
  expect(clash.data["error"]).toMatchObject({ code: "version_conflict", duplicate_of: first });

  await setRules(trusted, { deduplication: "report" });
  const beside = await callTool(assistant, "update_memory", {
    id: replaced.data["memory"].id,
    content: "Prefers tea.",
  });
  expect(beside.data).toMatchObject({
    memory: { content: "Prefers tea." },
    rules: [{ rule: "deduplication", action: "reported" }],
  });
});

test("deduplication: off imports equal texts, and importing twice changes nothing all the same", async () => {
  const { assistant } = await newAccount({ deduplication: "off" });
  await save(assistant, "Prefers tea.");
  const items = ["a", "b"].map((id) => ({ id, content: "Prefers tea." }));
  const first = await callTool(assistant, "import_data", { items });
  expect(first.data["items"]).toMatchObject({ new: 2 });
  const second = await callTool(assistant, "import_data", { items });
  expect(second.data["items"]).toMatchObject({ new: 0, unchanged: 2 });
  expect(await total(assistant)).toBe(3);
});

// expire_after

test("expire_after: a save without a date gets one, and says so", async () => {
  const { assistant } = await newAccount({ expire_after: { events: 90 } });
  const { data } = await save(assistant, "Meets Ines.", { category: "events" });
  const { created_at, expires_at } = data["memory"];
  expect(Date.parse(expires_at) - Date.parse(created_at)).toBe(90 * 86_400_000);
  expect(data["rules"]).toEqual([
    { rule: "expire_after", action: "expires", message: expect.stringContaining("90 days") },
  ]);
  const own = await save(assistant, "Meets Jonas.", {
    category: "events",
    expires_at: "2099-01-01",
  });
  expect(own.data["memory"]["expires_at"]).toMatch(/^2099-01-01/);
  expect(own.data["rules"]).toBeUndefined();
  const other = await save(assistant, "Prefers tea.");
  expect(other.data["memory"]["expires_at"]).toBeUndefined();
});

test("expire_after: an imported event expires from the import on, so that it is seen at all", async () => {
  const { assistant } = await newAccount({ expire_after: { events: 90 } });
  const { data } = await callTool(assistant, "import_data", {
    items: [{ content: "Met Ines.", category: "events", created_at: "2020-01-01T00:00:00Z" }],
  });
  expect(data["rules"]).toEqual([expect.objectContaining({ rule: "expire_after" })]);
  const { data: listed } = await callTool(assistant, "list_memories");
  const days = (Date.parse(listed["memories"][0].expires_at) - Date.now()) / 86_400_000;
  expect(days).toBeGreaterThan(89);
});

// imports

test("an export and an import keep what the user asked for and what a waiting memory is for", async () => {
  const { assistant } = await newAccount({ auto_save: [] });
  const { data: old } = await save(assistant, "Lives in Graz.", { user_asked: true });
  const { data: next } = await save(assistant, "Lives in Lisbon.", {
    supersedes: old["memory"].id,
  });
  const { data: exported } = await callTool(assistant, "export_data", {
    include: "memories",
    deliver: "inline",
  });
  const other = await newAccount();
  await callTool(other.assistant, "import_data", { data: exported["data"] });
  const { data: kept } = await callTool(other.assistant, "get_memory", { id: old["memory"].id });
  expect(kept["memory"]).toMatchObject({ status: "active", user_asked: true });
  const { data: waiting } = await callTool(other.assistant, "get_memory", {
    id: next["memory"].id,
  });
  expect(waiting["memory"]).toMatchObject({ status: "pending", supersedes: old["memory"].id });
});

test("imports: pending has everything that is imported wait", async () => {
  const { assistant, trusted } = await newAccount({ imports: "pending" });
  const { data } = await callTool(assistant, "import_data", {
    items: [{ content: "Likes jazz." }, { content: "Likes blues." }],
  });
  expect(data["rules"]).toEqual([expect.objectContaining({ rule: "imports", action: "pending" })]);
  const upload = await fetchWorker("/api/imports", {
    method: "POST",
    headers: { authorization: `Bearer ${assistant.token}` },
    body: JSON.stringify({
      format: "cofio",
      version: 1,
      memories: [
        {
          id: "aaaaaaaaaaaa",
          content: "Likes soul.",
          category: "other",
          status: "active",
          source: "mcp",
        },
      ],
      conversations: [],
    }),
  });
  expect(await upload.json()).toMatchObject({ items: { new: 1 }, rules: [{ rule: "imports" }] });
  expect(await total(assistant)).toBe(0);
  expect(await total(assistant, "pending")).toBe(3);
  expect((await callTool(assistant, "search_memory", { query: "jazz" })).data["total"]).toBe(0);
  const { data: listed } = await callTool(assistant, "list_memories", { status: "pending" });
  for (const { id } of listed["memories"]) {
    await callTool(trusted, "update_memory", { id, status: "active" });
  }
  expect((await callTool(assistant, "search_memory", { query: "jazz" })).data["total"]).toBe(1);
});

// secrets

test("secrets: masked in every field of saves, updates and imports, and the answer says so", async () => {
  const { assistant } = await newAccount();
  const saved = await save(assistant, `The token is ${SECRET}.`, {
    tags: [SECRET, "ci"],
    project: `Shop ${SECRET}`,
    asked_as: [`Is it ${SECRET}?`],
  });
  expect(saved.data).toMatchObject({
    outcome: "created",
    memory: {
      content: "The token is [secret removed: GitHub Token].",
      tags: ["[secret removed: GitHub Token]", "ci"],
      project: "Shop [secret removed: GitHub Token]",
    },
    rules: [
      { rule: "secrets", action: "masked", message: expect.stringContaining("GitHub Token") },
    ],
  });
  const updated = await callTool(assistant, "update_memory", {
    id: saved.data["memory"].id,
    content: `It is ${SECRET} still.`,
    add_tags: [`x ${SECRET}`],
  });
  expect(updated.data["memory"]["content"]).toBe("It is [secret removed: GitHub Token] still.");
  expect(updated.data["rules"][0]).toMatchObject({ rule: "secrets", action: "masked" });
  const imported = await callTool(assistant, "import_data", {
    items: [{ content: `Imported ${SECRET}`, tags: [`${"x".repeat(50)} ${SECRET}`] }],
  });
  expect(imported.data["rules"]).toEqual([
    expect.objectContaining({ rule: "secrets", action: "masked" }),
  ]);
  const all = await callTool(assistant, "export_data", { include: "memories", deliver: "inline" });
  for (const result of [saved, updated, imported, all]) {
    expect(JSON.stringify(result)).not.toContain(SECRET);
    expect(JSON.stringify(result)).not.toContain(SECRET.slice(0, 9));
  }
});

test("secrets: refuse turns away saves and updates and skips imported memories, without repeating the secret", async () => {
  const { assistant } = await newAccount({ secrets: "refuse" });
  const { data } = await save(assistant, "The token is in the vault.");
  const refused = await save(assistant, `The token is ${SECRET}.`);
  const changed = await callTool(assistant, "update_memory", {
    id: data["memory"].id,
    content: SECRET,
  });
  for (const result of [refused, changed]) {
    expect(result).toMatchObject({
      isError: true,
      data: { error: { code: "invalid_input", rule: "secrets" } },
    });
  }
  const imported = await callTool(assistant, "import_data", {
    items: [{ content: `Imported ${SECRET}` }, { content: "Harmless" }],
  });
  expect(imported.data).toMatchObject({
    items: { new: 1, skipped: 1 },
    skipped_reasons: [{ reason: "secret" }],
    rules: [{ rule: "secrets", action: "secret" }],
  });
  for (const result of [refused, changed, imported]) {
    expect(JSON.stringify(result)).not.toContain(SECRET);
  }
});

test("secrets: allow keeps them, and an edit of something else keeps them too", async () => {
  const { assistant, trusted } = await newAccount({ secrets: "allow" });
  const { data } = await save(assistant, `The token is ${SECRET}.`);
  expect(data["memory"]["content"]).toContain(SECRET);
  await setRules(trusted, { secrets: null });
  const tagged = await callTool(assistant, "update_memory", {
    id: data["memory"].id,
    add_tags: ["ci"],
  });
  expect(tagged.data["memory"]["content"]).toContain(SECRET);
});

// blocked_tags

test("blocked_tags: nothing is stored under them, however they are written", async () => {
  const { assistant, trusted } = await newAccount();
  const { data: earlier } = await save(assistant, "Sleeps badly.", { tags: ["health"] });
  await setRules(trusted, { blocked_tags: ["Health", "Caf\u00e9"] });
  for (const tags of [["HEALTH"], ["#health"], ["x", " health "], ["cafe\u0301"]]) {
    const refused = await save(assistant, "Takes pills.", { tags });
    expect(refused).toMatchObject({
      isError: true,
      data: { error: { code: "invalid_input", rule: "blocked_tags" } },
    });
    expect(refused.text).toMatch(/"(?:health|caf)/i);
  }
  const category = await save(assistant, "Takes pills.", { category: "health" });
  expect(category.data["error"]).toMatchObject({ rule: "blocked_tags" });
  const { data } = await save(assistant, "Prefers tea.", { tags: ["healthy"] });
  const tagged = await callTool(assistant, "update_memory", {
    id: data["memory"].id,
    add_tags: ["health"],
  });
  expect(tagged.data["error"]).toMatchObject({ rule: "blocked_tags" });
  const imported = await callTool(assistant, "import_data", {
    items: [{ content: "Runs.", tags: ["health"] }, { content: "Reads." }],
  });
  expect(imported.data).toMatchObject({
    items: { new: 1, skipped: 1 },
    skipped_reasons: [{ reason: "blocked_tag" }],
    rules: [{ rule: "blocked_tags", action: "blocked_tag" }],
  });
  // What stood under it before can still be corrected.
  const corrected = await callTool(assistant, "update_memory", {
    id: earlier["memory"].id,
    content: "Sleeps well.",
  });
  expect(corrected.data["memory"]).toMatchObject({ content: "Sleeps well.", tags: ["health"] });
});

test("blocked_tags stand in the database as ciphertext only", async () => {
  const { assistant } = await newAccount({ blocked_tags: ["zirconium"], max_memories: 77 });
  const row = await env.DB.prepare(
    "SELECT rules, CAST(rule_words AS TEXT) AS words FROM accounts WHERE user_id = ?1",
  )
    .bind(assistant.userId)
    .first<{ rules: string; words: string }>();
  expect(JSON.parse(row?.rules ?? "")).toEqual({ max_memories: 77 });
  expect(row?.words).not.toContain("zirconium");
  expect((await callTool(assistant, "get_stats")).data["rules"]["blocked_tags"]).toEqual([
    "zirconium",
  ]);
});

test("a replay is answered although the rules have come to refuse its text", async () => {
  const { assistant, trusted } = await newAccount();
  const args = { tags: ["health"], idempotency_key: "k" };
  const first = await save(assistant, "Runs.", args);
  await setRules(trusted, { blocked_tags: ["health"], max_memories: 1 });
  const again = await save(assistant, "Runs.", args);
  expect(again.data).toMatchObject({
    outcome: "created",
    memory: { id: first.data["memory"].id },
  });
  const other = await save(assistant, "Swims.", args);
  expect(other.data["error"]).toMatchObject({ code: "idempotency_conflict" });
});

// Reading and changing the rules

test("GET shows what holds, what the deployment says and what is the person's own", async () => {
  const { assistant, trusted } = await newAccount({ max_memories: 50, deduplication: false });
  const { status, body } = await callApi(assistant, "GET");
  expect(status).toBe(200);
  expect(body).toEqual({
    rules: {
      auto_save: "all",
      max_memories: 50,
      when_full: "refuse",
      deduplication: "off",
      relevance_threshold: 0,
      expire_after: {},
      imports: "active",
      secrets: "mask",
      blocked_tags: [],
    },
    defaults: expect.objectContaining({ max_memories: 10_000, deduplication: "on" }),
    own: ["max_memories", "deduplication"],
  });
  const reset = await setRules(trusted, { memory_rules: { max_memories: null } });
  expect(reset).toMatchObject({ rules: { max_memories: 10_000 }, own: ["deduplication"] });
  const { data, text } = await callTool(assistant, "get_stats");
  expect(data).toMatchObject({
    rules: { deduplication: "off" },
    quota: { memories_used: 0, memories_limit: 10_000 },
  });
  expect(text).toContain('deduplication = "off"');
});

test("a token without memories:read reads the rules without the person's words", async () => {
  const name = crypto.randomUUID();
  const writer = await newPerson({ name, scopes: ["memories:write"] });
  await setRules(await newPerson({ name, trusted: true }), { blocked_tags: ["zirconium"] });
  const { status, body } = await callApi(writer, "GET");
  expect(status).toBe(200);
  expect(JSON.stringify(body)).not.toMatch(/zirconium|blocked_tags/);
});

test.each([
  ["an unknown name", { autosave: [] }, /autosave.*auto_save, max_memories/],
  ["an unknown category", { auto_save: ["recipes"] }, /auto_save.*user_preferences/],
  ["no room at all", { max_memories: 0 }, /max_memories.*from 1/],
  ["half a memory", { max_memories: 1.5 }, /max_memories.*whole/],
  ["a percentage", { relevance_threshold: 70 }, /relevance_threshold.*from 0 to 1/],
  ["no days", { expire_after: { events: 0 } }, /expire_after.*days/],
  ["an unknown mode", { secrets: "hide" }, /secrets.*"mask"/],
  ["an empty tag", { blocked_tags: [" "] }, /blocked_tags.*words/],
  ["a list", [], /object/],
  ["one that is right beside one that is not", { max_memories: 9, imports: "no" }, /imports/],
])("PATCH refuses %s, says what to send, and changes nothing", async (_, rules, said) => {
  const { trusted } = await newAccount();
  const { status, body } = await callApi(trusted, "PATCH", rules);
  expect(status).toBe(400);
  expect(body["error"]["code"]).toBe("invalid_input");
  expect(`${body["error"].message} ${body["error"].hint}`).toMatch(said);
  expect((await callApi(trusted, "GET")).body["own"]).toEqual([]);
});

test("an assistant's token changes no rule, and another user's rules are another's", async () => {
  const { assistant } = await newAccount({ max_memories: 50 });
  const refused = await callApi(assistant, "PATCH", { max_memories: 60 });
  expect(refused).toMatchObject({ status: 403, body: { error: { code: "forbidden" } } });
  expect((await callApi(assistant, "GET")).body["rules"]["max_memories"]).toBe(50);
  const other = await newAccount();
  expect((await callApi(other.assistant, "GET")).body["rules"]["max_memories"]).toBe(10_000);
});

test("parallel changes of the rules lose none without saying so", async () => {
  const { trusted } = await newAccount();
  const changes = [{ max_memories: 9 }, { secrets: "refuse" }, { blocked_tags: ["x"] }];
  const results = await Promise.all(
    Array.from({ length: 9 }, (_, at) => callApi(trusted, "PATCH", changes[at % 3])),
  );
  expect(new Set(results.map(({ status }) => status)).isSubsetOf(new Set([200, 409]))).toBe(true);
  const { body } = await callApi(trusted, "GET");
  for (const [at, { status }] of results.entries()) {
    if (status === 200) expect(body["rules"]).toMatchObject(changes[at % 3] ?? {});
  }
});

// The deployment

function setDeployment(rules: string): void {
  env.MEMORY_RULES = rules;
  onTestFinished(() => {
    env.MEMORY_RULES = "";
  });
}

test("MEMORY_RULES sets what holds for whoever has not chosen otherwise", async () => {
  const { assistant, trusted } = await newAccount({ max_memories: 50 });
  setDeployment(
    '{"memory_rules": {"auto_save": ["user_preferences", "project_context"], "max_memories": 10000, "deduplication": true, "relevance_threshold": 0.7}}',
  );
  expect((await callApi(assistant, "GET")).body).toMatchObject({
    rules: {
      auto_save: ["user_preferences", "project_context"],
      max_memories: 50,
      deduplication: "on",
      relevance_threshold: 0.7,
    },
    defaults: { max_memories: 10_000 },
    own: ["max_memories"],
  });
  expect((await save(assistant, "Meets Ines.")).data["outcome"]).toBe("pending");
  await setRules(trusted, { auto_save: "all" });
  expect((await save(assistant, "Meets Jonas.")).data["outcome"]).toBe("created");
});

test("MEMORY_RULES that cannot be read stop the server, which says what is wrong", async () => {
  setDeployment('{"max_memories": "many"}');
  await expect(fetchWorker("/healthz")).rejects.toThrow(/MEMORY_RULES.*max_memories.*whole number/);
  env.MEMORY_RULES = "{max_memories: 5}";
  await expect(fetchWorker("/healthz")).rejects.toThrow(/MEMORY_RULES is not JSON/);
});

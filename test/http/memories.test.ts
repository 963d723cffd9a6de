/** Memories and conversations over HTTP: what the tools do, for programs. */
import { beforeAll, expect, test } from "vitest";
import { callApi, callTool, fetchWorker, newPerson, type Person } from "../support/people.ts";

let person: Person;

beforeAll(async () => {
  person = await newPerson();
});

test("a memory is saved, found, read, changed, deleted and restored", async () => {
  const saved = await callApi(person, "POST", "/api/memories", {
    content: "Prefers rye bread.",
    tags: ["food"],
  });
  expect(saved).toMatchObject({
    status: 201,
    data: { outcome: "created", memory: { content: "Prefers rye bread.", source: "api" } },
  });
  const { id } = saved.data["memory"];
  const twin = await callApi(person, "POST", "/api/memories", { content: "Prefers rye bread." });
  expect(twin).toMatchObject({ status: 200, data: { outcome: "duplicate", memory: { id } } });

  const found = await callApi(person, "POST", "/api/memories/search", { query: "which bread" });
  expect(found.data["results"][0]).toMatchObject({ id, matched: true });
  const tagged = await callApi(person, "POST", "/api/memories/search", { query: "", tags: "food" });
  expect(tagged.data["total"]).toBe(1);

  const changed = await callApi(person, "PATCH", `/api/memories/${id}`, {
    content: "Prefers spelt bread.",
    if_version: 1,
  });
  expect(changed.data["memory"]).toMatchObject({ version: 2, tags: ["food"] });
  const late = await callApi(person, "PATCH", `/api/memories/${id}`, {
    content: "Prefers toast.",
    if_version: 1,
  });
  expect(late).toMatchObject({ status: 409, data: { error: { code: "version_conflict" } } });

  const whole = await callApi(person, "GET", `/api/memories/${id}?include_history=true`);
  expect(whole.data["versions"]).toMatchObject([{ version: 1, content: "Prefers rye bread." }]);
  const deleted = await callApi(person, "DELETE", `/api/memories/${id}?if_version=2`);
  expect(deleted.data["memory"].status).toBe("trashed");
  const trash = await callApi(person, "GET", "/api/memories?status=trashed");
  expect(trash.data["memories"]).toMatchObject([{ id }]);
  const restored = await callApi(person, "PATCH", `/api/memories/${id}`, { status: "active" });
  expect(restored.data["memory"].status).toBe("active");
});

test("pages follow each other without a gap, and are as long as they are asked to be", async () => {
  const owner = await newPerson();
  await callTool(owner, "import_data", {
    items: Array.from({ length: 130 }, (_, index) => `Fact ${index}: ${"bread ".repeat(60)}`),
  });
  const seen: string[] = [];
  let cursor = "";
  do {
    const { data } = await callApi(
      owner,
      "GET",
      `/api/memories?limit=50&cursor=${cursor}`.replace(/&cursor=$/, ""),
    );
    seen.push(...data["memories"].map(({ id }: { id: string }) => id));
    cursor = data["next_cursor"] ?? "";
  } while (cursor !== "");
  expect(new Set(seen).size).toBe(130);
  expect(seen).toHaveLength(130);
});

test("the body cannot name another memory than the address does", async () => {
  const one = await callApi(person, "POST", "/api/memories", { content: "Has one cat." });
  const other = await callApi(person, "POST", "/api/memories", { content: "Has two dogs." });
  await callApi(person, "PATCH", `/api/memories/${one.data["memory"].id}`, {
    id: other.data["memory"].id,
    memory_id: other.data["memory"].id,
    importance: 5,
  });
  const read = await callApi(person, "GET", `/api/memories/${other.data["memory"].id}`);
  expect(read.data["memory"].version).toBe(1);
});

test("who may write and not delete trashes nothing by a change of status", async () => {
  const name = `writer ${crypto.randomUUID()}`;
  const writer = await newPerson({ name, scopes: ["memories:write"] });
  const { data } = await callApi(writer, "POST", "/api/memories", { content: "Stays." });
  const refused = await callApi(writer, "PATCH", `/api/memories/${data["memory"].id}`, {
    status: "trashed",
  });
  expect(refused).toMatchObject({ status: 403, data: { error: { scope: "memories:delete" } } });
});

test("what cannot be used is refused in a sentence with the next step", async () => {
  for (const [method, path, body, said] of [
    ["POST", "/api/memories", {}, "`content` cannot be used"],
    ["POST", "/api/memories", { content: " " }, "The content is empty."],
    ["POST", "/api/memories", [], "The body is no JSON object."],
    ["POST", "/api/memories/search", { query: 7 }, "`query` cannot be used"],
    ["GET", "/api/memories?order=upwards", undefined, "`order` cannot be used"],
    ["GET", "/api/memories?cursor=nonsense", undefined, "The cursor does not belong"],
  ] as const) {
    const { status, data } = await callApi(person, method, path, body);
    expect([path, status, data["error"].code]).toEqual([path, 400, "invalid_input"]);
    expect(data["error"].message).toContain(said);
    expect(data["error"].hint).not.toBe("");
  }
  const broken = await fetchWorker("/api/memories", {
    method: "POST",
    headers: { authorization: `Bearer ${person.token}` },
    body: "{",
  });
  expect(broken.status).toBe(400);
});

test("another user's ids are answered like ids that nobody has", async () => {
  const { data } = await callApi(person, "POST", "/api/memories", { content: "Hidden." });
  const stranger = await newPerson();
  for (const [method, body] of [["GET"], ["PATCH", { importance: 1 }], ["DELETE"]] as const) {
    const [theirs, nobodys] = await Promise.all(
      [data["memory"].id, "aaaaaaaaaaaa"].map((id) =>
        callApi(stranger, method, `/api/memories/${id}`, body),
      ),
    );
    expect(theirs).toEqual(nobodys);
    expect(theirs?.status).toBe(404);
  }
});

test("conversations are listed, searched and read", async () => {
  const owner = await newPerson();
  await callTool(owner, "import_data", {
    items: [
      {
        platform: "claude",
        title: "Ovens",
        messages: [
          { role: "user", content: "Which oven?" },
          { role: "assistant", content: "A deck oven." },
        ],
      },
    ],
  });
  const listed = await callApi(owner, "GET", "/api/conversations?platform=claude");
  expect(listed.data["conversations"]).toMatchObject([{ title: "Ovens", message_count: 2 }]);
  const found = await callApi(owner, "POST", "/api/conversations/search", { query: "deck" });
  const [{ conversation, message }] = found.data["results"];
  const read = await callApi(
    owner,
    "GET",
    `/api/conversations/${conversation.id}?around=${message.id}`,
  );
  expect(read.data["messages"]).toMatchObject([{ text: "Which oven?" }, { text: "A deck oven." }]);
});

/** Deleting conversations and bringing them back, over the HTTP API. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { SCOPES } from "../../src/scopes.ts";
import { callApi, callTool, newPerson, type Person } from "../support/people.ts";

test("a deleted conversation is found, listed and read no more, and is so again when it is restored", async () => {
  const person = await newPerson();
  const [id = ""] = await withChats(person, ["Soil"]);
  const before = await seen(person, id);
  expect(before).toMatchObject({ listed: 1, found: 2, stats: { total: 1, messages: 2 } });

  const { data: deleted } = await callApi(person, "DELETE", `/api/conversations/${id}`);
  expect(deleted).toEqual({
    operation_id: expect.any(String),
    deleted: [id],
    already_deleted: [],
  });
  const gone = await seen(person, id);
  expect(gone).toMatchObject({ listed: 0, found: 0, stats: { total: 0, messages: 0 } });
  expect(gone.read).toMatchObject({ code: "not_found" });
  expect(await callApi(person, "DELETE", `/api/conversations/${id}`)).toMatchObject({
    status: 200,
    data: { operation_id: null, deleted: [], already_deleted: [id] },
  });

  const { data: restored } = await callApi(person, "POST", `/api/conversations/${id}/restore`);
  expect(restored).toEqual({ operation_id: expect.any(String), restored: [id] });
  expect(await seen(person, id)).toEqual(before);
  const { data: again } = await callApi(person, "POST", `/api/conversations/${id}/restore`);
  expect(again).toEqual({ operation_id: null, restored: [] });

  const { data: listed } = await callApi(person, "GET", "/api/operations");
  expect(listed["operations"].slice(0, 2)).toMatchObject([
    { id: restored["operation_id"], kind: "restore", counts: { conversations: 1 } },
    { id: deleted["operation_id"], kind: "delete", counts: { conversations: 1 } },
  ]);
});

test("many are deleted as one operation, which is undone as one; unknown and foreign ids are named", async () => {
  const person = await newPerson();
  const ids = await withChats(person, ["Soil", "Bread", "Travel"]);
  const [foreign = ""] = await withChats(await newPerson(), ["Secrets"]);
  const [soil = "", bread = ""] = ids;
  const { data } = await callApi(person, "POST", "/api/conversations/delete", {
    ids: [soil, bread, soil, foreign, "nothing"],
  });
  expect({ ...data, deleted: data["deleted"].sort() }).toEqual({
    operation_id: expect.any(String),
    deleted: [soil, bread].sort(),
    already_deleted: [],
    not_found: [foreign, "nothing"],
  });
  expect(await titlesOf(person)).toEqual(["Travel"]);

  const undone = await undo(person, data["operation_id"]);
  expect(undone).toMatchObject({ undone: { conversations: 2 }, left: [] });
  expect(await titlesOf(person)).toEqual(["Bread", "Soil", "Travel"]);
  await undo(person, undone["operation_id"]);
  expect(await titlesOf(person)).toEqual(["Travel"]);
});

test("deleting writes one row and one version of a conversation, and none of its messages", async () => {
  const person = await newPerson();
  const [id = ""] = await withChats(person, ["Soil"]);
  const before = await rowsOf("messages", person);
  await callApi(person, "DELETE", `/api/conversations/${id}`);
  expect(await rowsOf("messages", person)).toEqual(before);
  expect(await rowsOf("conversation_versions", person)).toHaveLength(1);
  expect(await rowsOf("message_versions", person)).toEqual([]);
});

test("a file that is imported again leaves a deleted conversation in the trash and says so", async () => {
  const person = await newPerson();
  const [id = ""] = await withChats(person, ["Soil"]);
  await callApi(person, "DELETE", `/api/conversations/${id}`);
  const { data } = await callTool(person, "import_data", { items: [chat("Soil")] });
  expect(data["items"].by_kind).toMatchObject({
    conversation: { found: 1, skipped: 1 },
    message: { found: 2, skipped: 2 },
  });
  expect(await titlesOf(person)).toEqual([]);
});

test("the trash is listed, and several come back from it as one operation, which is undone as one", async () => {
  const person = await newPerson();
  const [soil = "", bread = "", travel = ""] = await withChats(person, ["Soil", "Bread", "Travel"]);
  const [foreign = ""] = await withChats(await newPerson(), ["Secrets"]);
  await callApi(person, "POST", "/api/conversations/delete", { ids: [soil, bread] });
  const trash = () => callApi(person, "GET", "/api/conversations?status=trashed");
  const { data: listed } = await trash();
  expect(listed).toMatchObject({ total: 2 });
  expect(new Set(listed["conversations"].map(({ title }: { title: string }) => title))).toEqual(
    new Set(["Soil", "Bread"]),
  );
  const until = Date.parse(listed["conversations"][0].restorable_until);
  expect(Math.round((until - Date.now()) / 86_400_000)).toBe(30);
  const { data: used } = await callApi(person, "GET", "/api/conversations");
  expect(used["total"]).toBe(1);
  expect(used["conversations"][0]).not.toHaveProperty("restorable_until");

  const { data } = await callApi(person, "POST", "/api/conversations/restore", {
    ids: [soil, bread, travel, foreign, "nothing"],
  });
  expect({ ...data, restored: data["restored"].sort() }).toEqual({
    operation_id: expect.any(String),
    restored: [soil, bread].sort(),
    unchanged: [travel],
    not_found: [foreign, "nothing"],
  });
  expect((await trash()).data).toMatchObject({ total: 0, conversations: [] });
  expect(await titlesOf(person)).toEqual(["Bread", "Soil", "Travel"]);
  await undo(person, data["operation_id"]);
  expect((await trash()).data).toMatchObject({ total: 2 });
});

test("unknown ids, other users' and a token without the rights are refused", async () => {
  const person = await newPerson();
  const [id = ""] = await withChats(person, ["Soil"]);
  const other = await newPerson();
  for (const [method, path] of [
    ["DELETE", `/api/conversations/${id}`],
    ["POST", `/api/conversations/${id}/restore`],
  ] as const) {
    expect(await callApi(other, method, path)).toMatchObject({
      status: 404,
      data: { error: { code: "not_found" } },
    });
    for (const scope of ["memories:delete", "conversations:read"] as const) {
      const scopes = SCOPES.filter((one) => one !== scope);
      expect(await callApi(await newPerson({ scopes }), method, path)).toMatchObject({
        status: 403,
        data: { error: { code: "forbidden" } },
      });
    }
  }
  for (const ids of [[], [""], Array.from({ length: 65 }, (_, at) => `c${at}`), "all"]) {
    for (const path of ["/api/conversations/delete", "/api/conversations/restore"]) {
      const { data } = await callApi(person, "POST", path, { ids });
      expect(data).toMatchObject({ error: { code: "invalid_input" } });
    }
  }
  expect(await titlesOf(person)).toEqual(["Soil"]);
});

function chat(title: string) {
  return {
    platform: "claude",
    id: title,
    title,
    messages: [
      { role: "user", content: `What about ${title}, azaleas?` },
      { role: "assistant", content: `Much, azaleas say of ${title}.` },
    ],
  };
}

/** Their ids. */
async function withChats(person: Person, titles: readonly string[]): Promise<string[]> {
  await callTool(person, "import_data", { items: titles.map(chat) });
  const { data } = await callTool(person, "list_conversations");
  return titles.map(
    (title) => data["conversations"].find((found: { title: string }) => found.title === title).id,
  );
}

async function titlesOf(person: Person): Promise<string[]> {
  const { data } = await callTool(person, "list_conversations");
  return data["conversations"].map(({ title }: { title: string }) => title).sort();
}

/** What the tools show of a conversation. */
async function seen(person: Person, id: string) {
  const [listed, hits, read, stats] = await Promise.all([
    callTool(person, "list_conversations"),
    callTool(person, "search_conversations", { query: "azaleas" }),
    callTool(person, "get_conversation", { id }),
    callTool(person, "get_stats"),
  ]);
  return {
    listed: listed.data["total"],
    found: hits.data["total"],
    read: read.data["error"] ?? read.data,
    stats: stats.data["conversations"],
  };
}

async function undo(person: Person, operation: string) {
  return (await callApi(person, "POST", `/api/operations/${operation}/undo`)).data;
}

async function rowsOf(
  table: "messages" | "message_versions" | "conversation_versions",
  { userId }: Person,
) {
  const statement = env.DB.prepare(`SELECT * FROM ${table} WHERE user_id = ? ORDER BY 1, 2, 3`);
  return (await statement.bind(userId).all()).results;
}

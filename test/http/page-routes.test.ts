/** Routes that are there for who shows an account on a page: all of a conversation, what an undo would do, which exports there are. */
import { expect, test } from "vitest";
import { callApi, callTool, exportArchive, newPerson, type Person } from "../support/people.ts";

test("a conversation is read from any position, or from a little before a message, to its end", async () => {
  const person = await newPerson();
  const id = await importChat(person, 30);
  const read = (query: string) =>
    callApi(person, "GET", `/api/conversations/${id}/messages${query}`);
  const { data: first } = await read("?limit=4");
  expect(first).toMatchObject({ end: 30, conversation: { id, message_count: 30 } });
  expect(textsOf(first)).toEqual([0, 1, 2, 3].map(textOf));
  const { data: last } = await read("?from=28");
  expect(last["messages"].map(({ position }: any) => position)).toEqual([28, 29]);
  const { data: around } = await read(`?around=${last["messages"][0].id}&limit=5`);
  expect(textsOf(around)).toEqual([25, 26, 27, 28, 29].map(textOf));
  expect((await read("?around=aaaaaaaaaaaa")).status).toBe(404);
  expect((await read("?from=-1")).status).toBe(400);
});

test("long messages come whole, fewer at a time", async () => {
  const person = await newPerson();
  const long = "Bread. ".repeat(60_000);
  await callTool(person, "import_data", {
    items: [chatOf(["One", long, long, "Four"])],
  });
  const { data: listed } = await callTool(person, "list_conversations");
  const path = `/api/conversations/${listed["conversations"][0].id}/messages`;
  const { data: start } = await callApi(person, "GET", path);
  expect(textsOf(start).map(({ length }) => length)).toEqual([3, long.length]);
  const { data: rest } = await callApi(person, "GET", `${path}?from=2`);
  expect(textsOf(rest)[0]).toHaveLength(long.length);
  expect(rest["end"]).toBe(4);
});

test("a search in one conversation finds nothing of another, in the order of what was said", async () => {
  const person = await newPerson();
  const id = await importChat(person, 12);
  await callTool(person, "import_data", { items: [chatOf(["Loaf number 3 elsewhere"])] });
  const { data } = await callApi(person, "POST", `/api/conversations/${id}/search`, {
    query: "loaf",
  });
  expect(data["results"].map(({ position }: any) => position)).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
  ]);
  expect(data["results"][0].why).toContain("text: Loaf");
  const stranger = await newPerson();
  const tried = await callApi(stranger, "POST", `/api/conversations/${id}/search`, {
    query: "loaf",
  });
  expect(tried.data["results"]).toEqual([]);
  expect((await callApi(stranger, "GET", `/api/conversations/${id}/messages`)).status).toBe(404);
});

test("before all that an app did is undone, it is told in numbers, and nothing is changed", async () => {
  const person = await newPerson();
  await callTool(person, "save_memory", { content: "Bakes on Mondays." });
  const { data: saved } = await callTool(person, "save_memory", { content: "Sells rye." });
  await callTool(person, "delete_memory", { id: saved["memory"].id });
  await importChat(person, 3);
  const { data: who } = await callApi(person, "GET", "/api/operations/clients");
  expect(who["clients"]).toMatchObject([{ operations: 4 }]);
  const [{ grant_id: grant, last_at: last }] = who["clients"];
  const preview = (since: string, whose = person) =>
    callApi(whose, "POST", "/api/undo/preview", { grant_id: grant, since });
  const { data } = await preview("2000-01-01T00:00:00Z");
  expect(data["operations"]).toBe(4);
  expect(data["kinds"]).toContainEqual({
    kind: "save",
    operations: 2,
    memories: 2,
    conversations: 0,
  });
  expect(data["kinds"]).toContainEqual({
    kind: "import",
    operations: 1,
    memories: 0,
    conversations: 1,
  });
  const later = new Date(Date.parse(last) + 1).toISOString();
  expect((await preview(later)).data).toEqual({ operations: 0, kinds: [] });
  expect((await preview("2000-01-01T00:00:00Z", await newPerson())).data["operations"]).toBe(0);
  expect((await preview("yesterday")).status).toBe(400);
});

test("exports are listed with what is in them, and are the person's own", async () => {
  const person = await newPerson();
  await callTool(person, "save_memory", { content: "Bakes on Mondays." });
  expect((await callApi(person, "GET", "/api/exports")).data).toEqual({ exports: [] });
  const { data: made } = await exportArchive(person, { format: "markdown" });
  const { data } = await callApi(person, "GET", "/api/exports");
  expect(data["exports"]).toMatchObject([
    { format: "markdown", job: made["job"], counts: { memories: 1 }, download: made["download"] },
  ]);
  expect((await callApi(await newPerson(), "GET", "/api/exports")).data).toEqual({ exports: [] });
});

async function importChat(person: Person, messages: number): Promise<string> {
  await callTool(person, "import_data", {
    items: [chatOf(Array.from({ length: messages }, (_, at) => textOf(at)))],
  });
  const { data } = await callTool(person, "list_conversations", { limit: 1 });
  return data["conversations"][0].id;
}

function chatOf(texts: readonly string[]) {
  return {
    title: "Bread",
    platform: "claude",
    messages: texts.map((content, at) => ({ role: at % 2 === 0 ? "user" : "assistant", content })),
  };
}

function textOf(at: number): string {
  return `Loaf number ${at}`;
}

function textsOf(data: Record<string, any>): string[] {
  return data["messages"].map(({ text }: any) => text);
}

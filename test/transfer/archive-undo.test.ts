/** What a restored account can still take back: the restore itself, and what was done before the archive was made. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { downloadArchive, uploadZip } from "../support/archives.ts";
import { api, chat, found, indexOf, save } from "../support/backups.ts";
import { callTool, newPerson, type Person } from "../support/people.ts";
import { verified } from "../support/verify.ts";

const newOwner = () => newPerson({ trusted: true });

async function importChat(person: Person, texts: readonly string[], title: string) {
  const { messages, ...talk } = chat("talk", texts, title);
  // Known by what they say, so that one may come before others.
  const said = messages.map((message) => ({ ...message, id: message.content }));
  const items = [{ ...talk, messages: said }];
  return (await callTool(person, "import_data", { items })).data;
}

async function undo(person: Person, id: string) {
  return api(person, "POST", `/operations/${id}/undo`);
}

/** A memory in use, one of which an update was undone, one in the trash, and a conversation. */
async function livedIn(): Promise<Person> {
  const person = await newOwner();
  await save(person, { content: "Likes rye bread", tags: ["food"] });
  const cat = await save(person, { content: "Owns a cat" });
  const { data } = await callTool(person, "update_memory", { id: cat, content: "Owns two cats" });
  await undo(person, data["operation_id"]);
  const gone = await save(person, { content: "Drinks coffee" });
  await callTool(person, "delete_memory", { id: gone });
  await importChat(person, ["Which soil?", "Acid soil.", "Why?"], "Garden");
  return person;
}

/** An account that an archive of another has become. */
async function restoredFrom(person: Person) {
  const owner = await newOwner();
  const { zip } = await downloadArchive(person);
  const { body } = await uploadZip(owner, zip);
  return { owner, zip, restore: body["operation_id"] as string };
}

/** What a person sees of it. */
async function seen(person: Person) {
  const [memories, trash, conversations] = await Promise.all([
    callTool(person, "list_memories", {}),
    callTool(person, "list_memories", { status: "trashed" }),
    callTool(person, "list_conversations", {}),
  ]);
  const contents = (data: Record<string, any>) =>
    data["memories"].map(({ content, tags }: any) => [content, tags]);
  return {
    memories: contents(memories.data).sort(),
    trash: contents(trash.data).sort(),
    conversations: conversations.data["conversations"].map(({ title }: any) => title),
    bread: await found(person, "search_memory", "rye bread"),
    soil: await found(person, "search_conversations", "soil"),
  };
}

async function messagesOf({ userId }: Person): Promise<unknown> {
  const { results } = await env.DB.prepare("SELECT * FROM messages WHERE user_id = ?1 ORDER BY seq")
    .bind(userId)
    .all();
  return results;
}

test("undoing a restore takes what it brought out of use without writing a message, and undoing that brings it back", async () => {
  const { owner, restore } = await restoredFrom(await livedIn());
  const before = await seen(owner);
  const messages = await messagesOf(owner);
  expect(before).toMatchObject({ conversations: ["Garden"], bread: ["Likes rye bread"] });

  const undone = await undo(owner, restore);
  expect(undone).toMatchObject({ undone: { memories: 2, conversations: 1 }, left: [] });
  expect(await seen(owner)).toMatchObject({ memories: [], conversations: [], bread: [], soil: [] });
  expect((await seen(owner)).trash).toHaveLength(3);
  expect(await messagesOf(owner)).toEqual(messages);

  const back = await undo(owner, undone.operation_id);
  expect(back).toMatchObject({ undone: { memories: 2, conversations: 1 }, left: [] });
  expect(await seen(owner)).toEqual(before);
  expect(await indexOf(owner)).toEqual({ missing: 0, extra: 0 });
  expect(await verified(owner)).toMatchObject({ repaired: {}, left: {}, named: [] });
  // It is as the restore left it, so that can be undone once more.
  expect(await undo(owner, restore)).toMatchObject({ undone: { memories: 2, conversations: 1 } });
});

test("undoing a restore leaves the rules that came with it, and says so", async () => {
  const person = await livedIn();
  await api(person, "PATCH", "/rules", { max_memories: 500 });
  const { owner, restore } = await restoredFrom(person);
  const undone = await undo(owner, restore);
  expect(undone).toMatchObject({ rules_kept: true, undone: { memories: 2, conversations: 1 } });
  expect((await api(owner, "GET", "/rules")).own).toEqual(["max_memories"]);
  // Of any other operation there is nothing to say.
  expect(await undo(owner, undone.operation_id)).not.toHaveProperty("rules_kept");
});

test("what was changed or made since a restore is left, and named, and the same archive brings the rest back", async () => {
  const { owner, zip, restore } = await restoredFrom(await livedIn());
  const { data } = await callTool(owner, "list_memories", {});
  const cat = data["memories"].find(({ content }: any) => content === "Owns a cat").id;
  await callTool(owner, "update_memory", { id: cat, content: "Owns three cats" });
  await save(owner, { content: "Came later" });
  expect(await undo(owner, restore)).toMatchObject({
    undone: { memories: 1, conversations: 1 },
    left: [{ kind: "memory", id: cat, reason: "changed_since" }],
  });
  expect((await seen(owner)).memories.map(([content]: string[]) => content)).toEqual([
    "Came later",
    "Owns three cats",
  ]);
  const { body } = await uploadZip(owner, zip);
  expect(body["items"].by_kind.conversation).toMatchObject({ found: 1, skipped: 0 });
  expect(await seen(owner)).toMatchObject({
    conversations: ["Garden"],
    bread: ["Likes rye bread"],
  });
});

test("a restore that came with an archive is still undone where that archive was restored", async () => {
  const { owner, restore } = await restoredFrom(await livedIn());
  const { owner: next } = await restoredFrom(owner);
  expect(await undo(next, restore)).toMatchObject({ undone: { memories: 2, conversations: 1 } });
});

test("after a restore, messages that an undo took out come back, and each title's words with its title", async () => {
  const person = await newOwner();
  const first = await importChat(person, ["Which soil?", "Acid soil."], "Apiary");
  // What comes first has the words of the title.
  const renamed = await importChat(person, ["Which soil?", "Acid soil."], "Meadow");
  const grown = await importChat(person, ["Hello", "Which soil?", "Acid soil."], "Orchard");
  const undone = await undo(person, grown["operation_id"]);
  const { owner } = await restoredFrom(person);
  const hits = async (one: Person) =>
    Promise.all(
      ["hello", "apiary", "meadow", "orchard"].map(
        async (query) => (await found(one, "search_conversations", query)).length,
      ),
    );
  expect((await callTool(owner, "get_stats")).data["conversations"]).toMatchObject({ messages: 2 });
  expect(await hits(owner)).toEqual([0, 0, 1, 0]);
  expect(await verified(owner)).toMatchObject({ repaired: {}, left: {}, named: [] });
  await undo(owner, undone.operation_id);
  expect(await hits(owner)).toEqual([1, 0, 0, 1]);
  for (const { operation_id: id } of [grown, renamed]) await undo(owner, id);
  expect(await hits(owner)).toEqual([0, 1, 0, 0]);
  const again = await importChat(owner, ["Which soil?", "Acid soil."], "Apiary");
  expect([first["items"].new, again["items"].unchanged]).toEqual([3, 3]);
  expect(await verified(owner)).toMatchObject({ repaired: {}, left: {}, named: [] });
});

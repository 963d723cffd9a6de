/** Exports that are one text, while what they hold changes. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { textPiece, type TextCursor, type TextPlan } from "../../src/transfer/export.ts";
import { openUser } from "../../src/user.ts";
import { callTool, fetchWorker, newPerson, type Person } from "../support/people.ts";

const STARTED = Date.UTC(2026, 10, 20);

test("a conversation that changes, or goes, while an export is written stands in it once at most, and the others once", async () => {
  const person = await newPerson();
  const chats = Array.from({ length: 120 }, (_, at) => chat(at, [`words ${at}`]));
  await upload(person, "", JSON.stringify(chats));
  const gone = await env.DB.prepare(
    "SELECT id FROM conversations WHERE user_id = ?1 AND created_at = ?2",
  )
    .bind(person.userId, STARTED + 100 * 60_000)
    .first<string>("id");
  const changes = [
    // What was written already gets the latest message of all, and so does what was not.
    () =>
      upload(person, "", JSON.stringify([chat(0, ["words 0", "more"], "2026-06-01T10:00:00Z")])),
    () =>
      upload(
        person,
        "",
        JSON.stringify([chat(119, ["words 119", "more"], "2026-06-01T10:00:00Z")]),
      ),
    async () => {
      const response = await fetchWorker(`/api/conversations/${gone}`, {
        method: "DELETE",
        headers: { authorization: `Bearer ${person.token}` },
      });
      expect(response.status).toBe(200);
    },
  ];
  const text = await exported(
    person,
    { format: "json", include: ["conversations"], startedAt: STARTED },
    changes,
  );
  const titles: string[] = JSON.parse(text).conversations.map(
    ({ title }: { title: string }) => title,
  );
  const others = chats.map(({ name }) => name).filter((name) => name !== "Chat 100");
  expect(titles.filter((title) => title !== "Chat 100")).toEqual(others);
});

test("memories that are approved, trashed or said anew while an export is written stand in it once, oldest first", async () => {
  const person = await newPerson({ trusted: true });
  await fetchWorker("/api/rules", {
    method: "PATCH",
    headers: { authorization: `Bearer ${person.token}`, "content-type": "application/json" },
    body: JSON.stringify({ imports: "pending" }),
  });
  const list = Array.from({ length: 1_200 }, (_, at) => `- Fact number ${at} of the person`);
  await upload(person, "?as=list", list.join("\n"));
  await callTool(person, "save_memory", { content: "Likes rye bread" });
  const { results } = await env.DB.prepare(
    "SELECT id FROM memories WHERE user_id = ?1 ORDER BY created_at, id",
  )
    .bind(person.userId)
    .all<{ id: string }>();
  const ids = results.map(({ id }) => id);
  const update = (at: number, change: object) => async () => {
    const { isError } = await callTool(person, "update_memory", { id: ids[at], ...change });
    expect(isError).toBe(false);
  };
  const changes = [
    update(3, { status: "active" }),
    update(1_190, { status: "active" }),
    update(4, { content: "Likes oat bread" }),
    async () => {
      await callTool(person, "delete_memory", { id: ids[1_191] });
    },
  ];
  const text = await exported(
    person,
    { format: "json", include: ["memories"], startedAt: STARTED },
    changes,
  );
  expect(JSON.parse(text).memories.map(({ id }: { id: string }) => id)).toEqual(ids);
  const pam = await exported(
    person,
    { format: "pam", include: ["memories"], startedAt: STARTED },
    [],
  );
  expect(JSON.parse(pam).memories).toHaveLength(3);
});

/** What is written of the account while, after each of the first pieces of text, something changes. */
async function exported(
  { userId }: Person,
  plan: TextPlan,
  changes: readonly (() => Promise<unknown>)[],
): Promise<string> {
  const account = await openUser(env, userId);
  if (account === null) throw new Error("There is no such user");
  let text = "";
  let pieces = 0;
  for (let cursor: TextCursor | null = { at: "start" }; cursor !== null; pieces++) {
    const piece = await textPiece(account, plan, cursor);
    text += piece.text;
    cursor = piece.next;
    // After the first page of rows.
    if (pieces === 1) for (const change of changes) await change();
  }
  expect(pieces).toBeGreaterThan(2);
  return text;
}

function chat(at: number, texts: readonly string[], updatedAt?: string) {
  const created_at = new Date(STARTED + at * 60_000).toISOString();
  return {
    uuid: `chat ${at}`,
    name: `Chat ${at}`,
    created_at,
    updated_at: updatedAt ?? created_at,
    chat_messages: texts.map((text, place) => ({
      uuid: `chat ${at}, ${place}`,
      sender: "human",
      text,
      created_at: updatedAt ?? created_at,
    })),
  };
}

async function upload({ token }: Person, query: string, body: string): Promise<void> {
  const response = await fetchWorker(`/api/imports${query}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body,
  });
  expect(response.status).toBe(200);
}

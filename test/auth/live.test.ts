import { env } from "cloudflare:workers";
import { beforeAll, expect, test, vi } from "vitest";
import { callTool, fetchWorker, newPerson } from "../support/people.ts";
import { listen, upgrade } from "./support/live.ts";
import { connect, newVisitor, ORIGIN, signedUp, type Visitor } from "./support/visitor.ts";

beforeAll(() => {
  env.SIGN_UP = "open";
});

test("a page hears the state of the account at once, and then each change", async () => {
  const visitor = await newcomer("Mair");
  const socket = await listen(visitor);
  expect(await socket.states(1)).toEqual([{ imports: {} }]);
  await importList(visitor, "- Lives in Bangor\n- Prefers tea");
  const [, state] = await socket.states(2);
  expect(Object.values(state?.imports ?? {})).toMatchObject([
    { state: "finished", counts: { memory: { found: 2, new: 2, skipped: 0 } } },
  ]);
  const later = await listen(visitor);
  expect(await later.states(1)).toEqual([state]);
});

test("how far an import is and when it will probably end is told alike to a page that listens and to an assistant that asks", async () => {
  const visitor = await newcomer("Hefin");
  const socket = await listen(visitor);
  const begun = await visitor.call("POST", "/api/imports/begin", {
    files: [
      { outcome: "read", name: "a", format: "Pasted list", source: "paste", truncated: false },
    ],
    totals: { conversation: 0, message: 0, memory: 4 },
    key: "four",
    bytesTotal: 400,
  });
  const { id } = begun.data["job"];
  const assistant = { token: (await connect(visitor)).access_token, userId: "" };
  const before = await callTool(assistant, "import_data", { job_id: id });
  expect(before.text).toContain(`Job [${id}] is created, 0 % read.`);
  for (const number of [1, 2]) {
    const memory = {
      source: "paste",
      provenance: { platform: "paste", id: `${number}` },
      content: `Bakes bread number ${number}`,
      tags: [],
    };
    const records = [{ type: "memory", memory }];
    const body = { number, records, bytesRead: number * 100 };
    const sent = await visitor.call("POST", `/api/imports/${id}/batches`, body);
    expect(sent.status).toBe(200);
  }

  const { data, text } = await callTool(assistant, "import_data", { job_id: id });
  expect(data).toMatchObject({
    job: { id, state: "running", next_batch: 3, bytes_read: 200, bytes_total: 400 },
    items: { found: 4, new: 2, remaining: 2, by_kind: { memory: { found: 4, new: 2 } } },
  });
  const endsAt = data["job"].estimated_end_at;
  expect(text).toContain("2 remaining.");
  expect(text).toContain(`Job [${id}] is running, 50 % read, probably until ${endsAt}.`);
  const states = await socket.states(4);
  expect(states.at(-1)?.imports[id]).toMatchObject({
    state: "running",
    bytes: { read: 200, total: 400 },
    counts: { memory: { found: 4, new: 2, updated: 0, unchanged: 0, skipped: 0 } },
    estimatedEndAt: Date.parse(endsAt),
  });
  await visitor.call("POST", `/api/imports/${id}/finish`, {});
  const ended = await callTool(assistant, "import_data", { job_id: id });
  expect(ended.text.endsWith(`Job [${id}].`)).toBe(true);
  expect(ended.data["job"]).toEqual({ id, state: "finished" });
});

test("a page hears also of what is no operation", async () => {
  const visitor = await newcomer("Rhian");
  await importList(visitor, "- Lives in Bangor");
  const socket = await listen(visitor);
  const told = () => socket.heard.filter((text) => text.includes('"changed"')).length;
  await visitor.call("PATCH", "/api/rules", { max_memories: 500 });
  await vi.waitFor(() => expect(told()).toBe(1));
  await visitor.call("PATCH", "/api/rules", { max_memories: 600 });
  await vi.waitFor(() => expect(told()).toBe(2));
});

test("who signs out hears no more", async () => {
  const visitor = await newcomer("Eluned");
  const socket = await listen(visitor);
  await visitor.post("/sign-out", {});
  expect(await socket.closed).toBe(1013);
});

test("what it hears names nobody and quotes nothing", async () => {
  const visitor = await newcomer("Gwen");
  const socket = await listen(visitor);
  await importList(visitor, "- Lives in Bangor");
  await socket.states(2);
  expect(socket.heard.join("\n")).not.toMatch(/Bangor|Gwen/);
  expect(socket.heard.join("\n")).not.toContain(await userIdOf("Gwen"));
});

test("whoever says anything on it is not heard, and hears no more", async () => {
  const visitor = await newcomer("Nia");
  await importList(visitor, "- Lives in Bangor");
  const before = await (await listen(visitor)).states(1);
  for (const message of [
    JSON.stringify({ type: "cf_agent_state", state: { imports: {} } }),
    ...["listGrants", "revokeGrant", "setState", "destroy"].map((method) =>
      JSON.stringify({ type: "rpc", id: "1", method, args: [] }),
    ),
    "no JSON",
    new Uint8Array([0, 1]),
  ]) {
    const socket = await listen(visitor);
    expect(await socket.states(1)).toEqual(before);
    socket.send(message);
    expect(await socket.closed).toBe(1008);
  }
  expect(await (await listen(visitor)).states(1)).toEqual(before);
});

test("one person never hears of another, whatever the address or the headers ask for", async () => {
  const visitor = await newcomer("Elin");
  await importList(await newcomer("Carys"), "- Lives in Bangor");
  const userId = await userIdOf("Carys");
  for (const path of [
    `/api/live?name=${userId}&user=${userId}&_pk=${userId}&__agents_transport=capnweb`,
    `/api/live?__ps_name=${userId}`,
  ]) {
    const socket = await listen(visitor, path, {
      "x-partykit-room": userId,
      "x-partykit-namespace": "USERS",
      "x-agents-lifecycle-props": "e30",
    });
    expect(await socket.states(1)).toEqual([{ imports: {} }]);
  }
  for (const path of [`/api/live/${userId}`, `/api/live/sub/user-agent/${userId}`]) {
    expect((await upgrade(visitor, path)).status).toBe(404);
  }
});

test("it opens to a session only", async () => {
  const visitor = await newcomer("Lowri");
  expect((await upgrade(newVisitor())).status).toBe(401);
  const { token } = await newPerson();
  const withToken = await fetchWorker("/api/live", {
    headers: { upgrade: "websocket", origin: ORIGIN, authorization: `Bearer ${token}` },
  });
  expect(withToken.status).toBe(401);
  await visitor.post("/sign-out", {});
  expect((await upgrade(visitor)).status).toBe(401);
});

test("no other site opens it with a person's cookies", async () => {
  const visitor = await newcomer("Sioned");
  for (const origin of ["http://localhost:9", "https://evil.example", "null", undefined]) {
    const headers = { upgrade: "websocket", ...(origin === undefined ? {} : { origin }) };
    expect([origin, (await visitor.get("/api/live", headers)).status]).toEqual([origin, 403]);
  }
});

test("there is no page at its address", async () => {
  const visitor = await newcomer("Bethan");
  expect((await visitor.get("/api/live")).status).toBe(404);
});

async function newcomer(name: string): Promise<Visitor> {
  return (await signedUp(name)).visitor;
}

async function userIdOf(name: string): Promise<string> {
  const row = await env.DB.prepare("SELECT id FROM auth_user WHERE name = ?")
    .bind(name)
    .first<{ id: string }>();
  if (row === null) throw new Error(`Nobody is called ${name}`);
  return row.id;
}

async function importList(visitor: Visitor, list: string): Promise<void> {
  expect((await visitor.post("/import", { list })).status).toBe(200);
}

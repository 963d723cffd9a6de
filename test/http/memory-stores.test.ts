/** Memory stores as `client.beta.memoryStores` of the official SDK speaks to them. */
import Anthropic from "@anthropic-ai/sdk";
import { expect, test } from "vitest";
import type { Scope } from "../../src/scopes.ts";
import { countersOf, sumsOf } from "../support/counters.ts";
import { callApi, callTool, fetchWorker, newPerson, type Person } from "../support/people.ts";

test("a store and its memories are made, listed, changed, and read version by version", async () => {
  const person = await newPerson();
  const { memoryStores } = clientOf(person).beta;
  const store = await memoryStores.create({
    name: "Garden",
    description: "What grows where",
    metadata: { owner: "ada" },
  });
  expect(store).toMatchObject({
    type: "memory_store",
    name: "Garden",
    description: "What grows where",
    metadata: { owner: "ada" },
    archived_at: null,
  });
  expect(store.id).toMatch(/^memstore_[a-z2-7]{12}$/);
  const at = { memory_store_id: store.id };

  const beds = await memoryStores.memories.create(store.id, {
    path: "/beds/north.md",
    content: "roses\n",
  });
  expect(beds).toEqual({
    type: "memory",
    id: expect.stringMatching(/^mem_/),
    memory_store_id: store.id,
    memory_version_id: expect.stringMatching(/^memver_.*_1$/),
    path: "/beds/north.md",
    content: null,
    content_sha256: await sha256("roses\n"),
    content_size_bytes: 6,
    created_at: expect.any(String),
    updated_at: expect.any(String),
  });
  await memoryStores.memories.create(store.id, { path: "/beds/south.md", content: "plums" });
  await memoryStores.memories.create(store.id, { path: "/readme", content: "" });
  expect(await pathsOf(memoryStores.memories.list(store.id))).toEqual([
    "/beds/north.md",
    "/beds/south.md",
    "/readme",
  ]);
  expect(await pathsOf(memoryStores.memories.list(store.id, { depth: 1 }))).toEqual([
    "/beds/",
    "/readme",
  ]);
  expect(
    await pathsOf(memoryStores.memories.list(store.id, { path_prefix: "/beds/", limit: 1 })),
  ).toEqual(["/beds/north.md", "/beds/south.md"]);

  const changed = await memoryStores.memories.update(beds.id, {
    ...at,
    content: "tulips\n",
    precondition: { type: "content_sha256", content_sha256: beds.content_sha256 },
    view: "full",
  });
  expect(changed).toMatchObject({ content: "tulips\n", id: beds.id });
  const moved = await memoryStores.memories.update(beds.id, { ...at, path: "/old/north.md" });
  expect(moved).toMatchObject({ path: "/old/north.md", id: beds.id, content: null });
  expect(await memoryStores.memories.retrieve(beds.id, at)).toMatchObject({
    content: "tulips\n",
    path: "/old/north.md",
  });

  const versions = [];
  for await (const version of memoryStores.memoryVersions.list(store.id, {
    memory_id: beds.id,
    view: "full",
    limit: 2,
  })) {
    versions.push(version);
  }
  expect(versions.map(({ operation, path, content }) => [operation, path, content])).toEqual([
    ["modified", "/old/north.md", "tulips\n"],
    ["modified", "/beds/north.md", "tulips\n"],
    ["created", "/beds/north.md", "roses\n"],
  ]);
  expect(versions[0]?.id).toBe(moved.memory_version_id);
  expect(versions[0]?.created_by).toMatchObject({ type: "api_actor" });

  expect(await memoryStores.memories.delete(beds.id, at)).toEqual({
    id: beds.id,
    type: "memory_deleted",
  });
  await expect(memoryStores.memories.retrieve(beds.id, at)).rejects.toThrow(
    Anthropic.NotFoundError,
  );
  const [last] = (await memoryStores.memoryVersions.list(store.id, { operation: "deleted" })).data;
  expect(last).toMatchObject({ memory_id: beds.id, content: null, path: "/old/north.md" });
});

test("a precondition that fails and a path that is taken are conflicts, and change nothing", async () => {
  const { memoryStores } = clientOf(await newPerson()).beta;
  const store = await memoryStores.create({ name: "Conflicts" });
  const at = { memory_store_id: store.id };
  const memory = await memoryStores.memories.create(store.id, { path: "/a", content: "1" });
  const stale = { type: "content_sha256", content_sha256: await sha256("0") } as const;
  await expect(
    memoryStores.memories.update(memory.id, { ...at, content: "2", precondition: stale }),
  ).rejects.toMatchObject({
    status: 409,
    error: { type: "error", error: { type: "memory_precondition_failed_error" } },
  });
  // What is so already is no change, whatever the precondition says.
  await memoryStores.memories.update(memory.id, { ...at, content: "1", precondition: stale });
  await expect(
    memoryStores.memories.delete(memory.id, { ...at, expected_content_sha256: await sha256("0") }),
  ).rejects.toMatchObject({ status: 409 });
  for (const path of ["/a", "/a/b"]) {
    await expect(
      memoryStores.memories.create(store.id, { path, content: "" }),
    ).rejects.toMatchObject({
      status: 409,
      error: {
        error: {
          type: "memory_path_conflict_error",
          conflicting_path: "/a",
          conflicting_memory_id: memory.id,
        },
      },
    });
  }
  const inside = await memoryStores.memories.create(store.id, { path: "/b/c", content: "" });
  await expect(
    memoryStores.memories.update(memory.id, { ...at, path: "/b" }),
  ).rejects.toMatchObject({
    error: { error: { conflicting_memory_id: inside.id, conflicting_path: "/b/c" } },
  });
  expect(await memoryStores.memories.retrieve(memory.id, at)).toMatchObject({
    content: "1",
    memory_version_id: memory.memory_version_id,
  });
});

test("of many clients that change one memory at once under a precondition, one succeeds", async () => {
  const { memoryStores } = clientOf(await newPerson()).beta;
  const store = await memoryStores.create({ name: "Race" });
  const memory = await memoryStores.memories.create(store.id, { path: "/a", content: "start" });
  const precondition = {
    type: "content_sha256",
    content_sha256: memory.content_sha256,
  } as const;
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, (_, n) =>
      memoryStores.memories.update(memory.id, {
        memory_store_id: store.id,
        content: `client ${n}`,
        precondition,
      }),
    ),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect((await memoryStores.memoryVersions.list(store.id)).data).toHaveLength(2);
});

test("a redacted version shows nothing any more, to nobody and after no undo", async () => {
  const person = await newPerson();
  const { memoryStores } = clientOf(person).beta;
  const store = await memoryStores.create({ name: "Redactions" });
  const at = { memory_store_id: store.id };
  const memory = await memoryStores.memories.create(store.id, {
    path: "/a",
    content: "my passport number",
  });
  await expect(
    memoryStores.memoryVersions.redact(memory.memory_version_id, at),
  ).rejects.toMatchObject({ status: 400 });
  await memoryStores.memories.update(memory.id, { ...at, content: "harmless" });
  const { data: operations } = await callApi(person, "GET", "/api/operations");
  // Two clients at once do it once.
  const [redacted] = await Promise.all([
    memoryStores.memoryVersions.redact(memory.memory_version_id, at),
    memoryStores.memoryVersions.redact(memory.memory_version_id, at),
  ]);
  const { data: since } = await callApi(person, "GET", "/api/operations");
  expect(since["operations"]).toHaveLength(operations["operations"].length + 1);
  expect(redacted).toMatchObject({
    id: memory.memory_version_id,
    content: null,
    content_sha256: null,
    content_size_bytes: null,
    path: null,
    redacted_at: expect.any(String),
    redacted_by: { type: "api_actor" },
  });
  expect(await memoryStores.memoryVersions.redact(memory.memory_version_id, at)).toEqual(redacted);
  const id = memory.id.slice("mem_".length);
  const { data, text } = await callTool(person, "get_memory", { id, include_history: true });
  expect(data["versions"][0]).toMatchObject({ version: 1, content: "" });
  expect(text).not.toContain("passport");
  const edit = operations["operations"][0].id;
  expect((await callApi(person, "POST", `/api/operations/${edit}/undo`)).data).toMatchObject({
    left: [{ kind: "memory", id, reason: "redacted" }],
  });
  expect(await memoryStores.memories.retrieve(memory.id, at)).toMatchObject({
    content: "harmless",
  });

  // Of a deleted memory the text stands in the trash as well.
  await memoryStores.memories.delete(memory.id, at);
  const [, second] = (await memoryStores.memoryVersions.list(store.id)).data;
  await memoryStores.memoryVersions.redact(second?.id ?? "", at);
  const { text: trashed } = await callTool(person, "get_memory", { id, include_history: true });
  expect(trashed).not.toContain("harmless");
  const { isError } = await callTool(person, "update_memory", { id, status: "active" });
  expect(isError).toBe(true);
  expect(await countersOf(person)).toEqual(await sumsOf(person));
});

test("a store is renamed with all of its memories, archived, and deleted, and a deletion is undone", async () => {
  const person = await newPerson();
  const { memoryStores } = clientOf(person).beta;
  const store = await memoryStores.create({ name: "Draft", metadata: { a: "1", b: "2" } });
  const at = { memory_store_id: store.id };
  const memory = await memoryStores.memories.create(store.id, { path: "/x/y", content: "kept" });
  await memoryStores.create({ name: "Taken" });
  await expect(memoryStores.create({ name: "taken" })).rejects.toMatchObject({ status: 409 });
  await expect(memoryStores.update(store.id, { name: "Taken" })).rejects.toMatchObject({
    status: 409,
  });
  const renamed = await memoryStores.update(store.id, {
    name: "Final",
    description: "done",
    metadata: { a: null, c: "3" },
  });
  expect(renamed).toMatchObject({
    id: store.id,
    name: "Final",
    description: "done",
    metadata: { b: "2", c: "3" },
  });
  expect(await memoryStores.memories.retrieve(memory.id, at)).toMatchObject({ content: "kept" });
  const { data: found } = await callTool(person, "list_memories", { project: "Final" });
  expect(found["memories"]).toHaveLength(2);
  await memoryStores.update(store.id, { name: "FINAL" });
  const { data: named } = await callApi(person, "GET", "/api/memories/labels");
  expect(named["projects"].map(({ name }: { name: string }) => name)).toContain("FINAL");

  const { data: before } = await callApi(person, "GET", "/api/operations");
  await memoryStores.delete(store.id);
  await expect(memoryStores.retrieve(store.id)).rejects.toMatchObject({ status: 404 });
  expect((await memoryStores.list()).data.map(({ name }) => name)).toEqual(["Taken"]);
  const { data: after } = await callApi(person, "GET", "/api/operations");
  const deletion = after["operations"][0];
  expect(deletion).toMatchObject({ kind: "delete", counts: { memories: 2 } });
  expect(before["operations"][0].id).not.toBe(deletion.id);
  await callApi(person, "POST", `/api/operations/${deletion.id}/undo`);
  expect(await memoryStores.memories.retrieve(memory.id, at)).toMatchObject({ content: "kept" });

  const archived = await memoryStores.archive(store.id);
  expect(archived.archived_at).not.toBeNull();
  await expect(
    memoryStores.memories.create(store.id, { path: "/z", content: "" }),
  ).rejects.toMatchObject({ status: 400 });
  expect(await memoryStores.memories.retrieve(memory.id, at)).toMatchObject({ content: "kept" });
  expect((await memoryStores.list()).data).toHaveLength(1);
  expect((await memoryStores.list({ include_archived: true })).data).toHaveLength(2);
});

test("a listing goes on where it was, although what it showed is gone meanwhile", async () => {
  const { memoryStores } = clientOf(await newPerson()).beta;
  const names = ["1", "2", "3", "4", "5"];
  const stores = [];
  for (const name of names) stores.push(await memoryStores.create({ name }));
  const seen = [];
  for await (const { id, name } of memoryStores.list({ limit: 2 })) {
    seen.push(name);
    if (name === "4") await memoryStores.delete(id);
  }
  expect(seen.sort()).toEqual(names);
  const [store] = stores;
  const at = { memory_store_id: store?.id ?? "" };
  for (const name of names) {
    await memoryStores.memories.create(at.memory_store_id, { path: `/${name}`, content: name });
  }
  const paths = [];
  for await (const item of memoryStores.memories.list(at.memory_store_id, {
    limit: 2,
    view: "full",
  })) {
    paths.push(item.path);
    if (item.type === "memory" && item.path !== "/1") {
      expect(item.content).toBe(item.path.slice(1));
      await memoryStores.memories.delete(item.id, at);
    }
  }
  expect(paths).toEqual(["/1", "/2", "/3", "/4", "/5"]);
});

test("paths that Anthropic's stores refuse are refused", async () => {
  const { memoryStores } = clientOf(await newPerson()).beta;
  const store = await memoryStores.create({ name: "Paths" });
  for (const path of [
    "a",
    "/",
    "/a/",
    "//a",
    "/a/../b",
    "/./a",
    "/a\0b",
    "/a\nb",
    "/a\u200eb",
    "/a\u2028b",
    "/e\u0301",
    `/${"x".repeat(1_024)}`,
    "/x".repeat(21),
  ]) {
    await expect(
      memoryStores.memories.create(store.id, { path, content: "" }),
      JSON.stringify(path),
    ).rejects.toMatchObject({
      status: 400,
      error: { error: { type: "invalid_request_error" } },
    });
  }
  await expect(
    memoryStores.memories.create(store.id, { path: "/big", content: "x".repeat(102_401) }),
  ).rejects.toMatchObject({ status: 413 });
  await memoryStores.memories.create(store.id, { path: "/big", content: "x".repeat(102_400) });
});

test("no other person finds a store, its memories or their versions, and each scope opens its own part", async () => {
  const person = await newPerson();
  const stranger = clientOf(await newPerson()).beta.memoryStores;
  const { memoryStores } = clientOf(person).beta;
  const store = await memoryStores.create({ name: "Mine" });
  const at = { memory_store_id: store.id };
  const memory = await memoryStores.memories.create(store.id, { path: "/a", content: "secret" });
  const theirs = await stranger.create({ name: "Mine" });
  for (const attempt of [
    () => stranger.retrieve(store.id),
    () => stranger.update(store.id, { description: "taken over" }),
    () => stranger.delete(store.id),
    () => stranger.memories.list(store.id),
    () => stranger.memories.retrieve(memory.id, { memory_store_id: theirs.id }),
    () => stranger.memories.update(memory.id, { memory_store_id: theirs.id, content: "x" }),
    () => stranger.memoryVersions.redact(memory.memory_version_id, { memory_store_id: theirs.id }),
    // Nor does one of the same person's stores give the memories of another.
    async () =>
      memoryStores.memories.retrieve(memory.id, {
        memory_store_id: (await memoryStores.create({ name: "Other" })).id,
      }),
  ]) {
    await expect(attempt()).rejects.toMatchObject({ status: 404 });
  }
  expect((await stranger.list()).data.map(({ id }) => id)).toEqual([theirs.id]);

  const limited = async (scopes: readonly Scope[]) =>
    clientOf(await newPerson({ name: "limited", scopes })).beta.memoryStores;
  const reader = await limited(["memories:read"]);
  expect((await reader.list()).data).toEqual([]);
  await expect(reader.create({ name: "x" })).rejects.toMatchObject({ status: 403 });
  const writer = await limited(["memories:write"]);
  const own = await writer.create({ name: "x" });
  await expect(writer.delete(own.id)).rejects.toMatchObject({ status: 403 });
  await expect(writer.list()).rejects.toMatchObject({ status: 403 });
  await expect(
    clientOf({ ...person, token: `${person.token}x` }).beta.memoryStores.list(),
  ).rejects.toThrow(Anthropic.AuthenticationError);
  expect(await memoryStores.memories.retrieve(memory.id, at)).toMatchObject({ content: "secret" });
});

function clientOf({ token }: Person): Anthropic {
  return new Anthropic({
    baseURL: "http://localhost:26346",
    apiKey: null,
    authToken: token,
    fetch: (input, init) => fetchWorker(input instanceof Request ? input : String(input), init),
  });
}

async function pathsOf(list: AsyncIterable<{ path: string }>): Promise<string[]> {
  const paths = [];
  for await (const { path } of list) paths.push(path);
  return paths;
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex();
}

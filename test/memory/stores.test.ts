/** What keeps memory stores and their files together, over `/v1/memory_stores` and whatever else may change them. */
import { expect, test } from "vitest";
import { downloadArchive, linesOf, resigned, rezip, uploadZip } from "../support/archives.ts";
import { beforeNextBatch, failAfterWrites } from "../support/batches.ts";
import { countersOf, sumsOf } from "../support/counters.ts";
import { callApi, callTool, newPerson, type Person } from "../support/people.ts";

/** Put together here, so that none stands in the repository. */
const SECRET = `ghp_${"aB3dE5gH7j".repeat(4).slice(0, 36)}`;

test("nothing but deleting the store takes its root away: its files would answer to nobody", async () => {
  const person = await newPerson({ trusted: true });
  const store = await newStore(person, "Garden", { description: "What grows where" });
  await store.write("/beds", "roses");
  const { id } = store;
  for (const [tool, args] of [
    ["delete_memory", { id }],
    ["update_memory", { id, status: "trashed" }],
    ["update_memory", { id, expires_at: "in two days" }],
    ["update_memory", { id, project: "Other" }],
    ["save_memory", { content: "Instead", supersedes: id }],
  ] as const) {
    const { isError, text } = await callTool(person, tool, args);
    expect([tool, isError, text]).toEqual([tool, true, expect.stringContaining("memory store")]);
  }
  await callTool(person, "update_memory", { id, content: "What grows", add_tags: ["plants"] });
  expect(await store.get("")).toMatchObject({ status: 200, data: { description: "What grows" } });
  expect(await store.paths()).toEqual(["/beds"]);
});

test("the root neither expires nor makes room, however old it is", async () => {
  const person = await newPerson({ trusted: true });
  const store = await newStore(person, "Garden");
  await store.write("/beds", "roses");
  await callApi(person, "PATCH", "/api/rules", {
    max_memories: 2,
    when_full: "trash_least_useful",
    expire_after: { other: 1 },
  });
  for (const content of ["Bakes rye.", "Bakes wheat.", "Bakes oats."]) {
    const { data, text } = await callTool(person, "save_memory", { content, importance: 5 });
    expect(text).toContain("Saved");
    expect(data["outcome"]).toBe("created");
  }
  expect((await store.get("")).status).toBe(200);
  await callApi(person, "PATCH", "/api/rules", { when_full: "refuse" });
  const { isError, data } = await callTool(person, "save_memory", { content: "Bakes millet." });
  expect(isError).toBe(true);
  expect(data["error"].least_useful).toEqual([
    { id: expect.not.stringContaining(store.id), content: "Bakes oats." },
  ]);
  // A file is there until somebody deletes it.
  const { data: memory } = await callTool(person, "get_memory", { id: store.id });
  expect(memory["memory"].expires_at).toBeUndefined();
});

test("a deletion that fails half-way can be repeated, and counts what it did", async () => {
  const person = await newPerson();
  const store = await newStore(person, "Large");
  const files = Array.from({ length: 1_100 }, (_, n) => fileOf(`/f/${n}`, "Large", `text ${n}`));
  await importFile(person, files);
  const mend = await failAfterWrites(person, 1);
  expect((await store.delete()).status).toBe(500);
  mend();
  expect(await store.get("")).toMatchObject({ status: 200 });
  const [half] = await operations(person);
  expect(half).toMatchObject({ kind: "delete", counts: { memories: 1_000 } });
  expect((await store.delete()).status).toBe(200);
  expect((await store.get("")).status).toBe(404);
  expect((await callTool(person, "list_memories")).data["total"]).toBe(0);
  const [rest] = await operations(person);
  expect(rest).toMatchObject({ counts: { memories: 101 } });
  expect(await countersOf(person)).toEqual(await sumsOf(person));
}, 60_000);

test("a file that is made while its store gets another name is in the store, and none is left behind", async () => {
  const person = await newPerson();
  const store = await newStore(person, "Draft");
  await beforeNextBatch(person, () => store.post("", { name: "Final" }), 1);
  expect((await store.write("/made", "1")).status).toBe(200);
  // And where the file is faster.
  await beforeNextBatch(person, () => store.write("/faster", "2"), 1);
  expect((await store.post("", { name: "Third" })).status).toBe(200);
  expect(await store.paths()).toEqual(["/made", "/faster"]);
  const { data } = await callTool(person, "list_memories", { project: "Third" });
  expect(data["total"]).toBe(3);
  const { data: file } = await store.write("/changed", "3");
  await beforeNextBatch(person, () => store.post("", { name: "Fourth" }), 1);
  expect(await store.post(`/memories/${file["id"]}`, { content: "4" })).toMatchObject({
    status: 200,
    data: { path: "/changed" },
  });
  expect((await store.get(`/memories/${file["id"]}`)).data["content"]).toBe("4");
});

test("nothing is written to a store that is deleted or archived meanwhile, and nothing survives it", async () => {
  const person = await newPerson();
  const store = await newStore(person, "Gone");
  await beforeNextBatch(person, () => store.delete(), 1);
  expect((await store.write("/late", "1")).status).toBe(404);
  const second = await newStore(person, "Gone");
  await beforeNextBatch(person, () => second.write("/faster", "2"), 1);
  expect((await second.delete()).status).toBe(200);
  expect((await callTool(person, "list_memories")).data["total"]).toBe(0);

  const kept = await newStore(person, "Kept");
  const { data: file } = await kept.write("/a", "1");
  await beforeNextBatch(person, () => kept.post("/archive", {}), 1);
  expect((await kept.post(`/memories/${file["id"]}`, { content: "2" })).status).toBe(400);
  expect((await kept.write("/b", "1")).status).toBe(400);
  expect(await kept.paths()).toEqual(["/a"]);
});

test("a deletion is of the store that was named, whatever it and others are called meanwhile", async () => {
  const person = await newPerson();
  const store = await newStore(person, "One");
  await store.write("/a", "1");
  let other: Store | null = null;
  const rename = async () => {
    await store.post("", { name: "Two" });
    other = await newStore(person, "One");
    await other.write("/b", "2");
  };
  await beforeNextBatch(person, rename, 1);
  expect((await store.delete()).status).toBe(200);
  expect((await store.get("")).status).toBe(404);
  expect(await (other as unknown as Store).paths()).toEqual(["/b"]);
  expect((await callTool(person, "list_memories", { project: "Two" })).data["total"]).toBe(0);
});

test("a store does not take the name of a project that has files, and one that is made for it has them", async () => {
  const person = await newPerson();
  const store = await newStore(person, "Draft");
  await store.write("/notes.md", "own");
  await importFile(person, [fileOf("/notes.md", "Old", "foreign")]);
  const refused = await store.post("", { name: "old" });
  expect(refused.status).toBe(409);
  expect(refused.data["error"].message).toContain("/notes.md");
  expect(await store.get("")).toMatchObject({ data: { name: "Draft" } });
  const old = await newStore(person, "Old");
  expect(await old.paths()).toEqual(["/notes.md"]);
});

test("a project's name in another case or form is the same store", async () => {
  const person = await newPerson();
  const store = await newStore(person, "caf\u00e9");
  const { data: file } = await store.write("/a", "1");
  const id = idIn(file["id"]);
  await callTool(person, "update_memory", { id, project: "CAFE\u0301" });
  expect(await store.get(`/memories/${file["id"]}`)).toMatchObject({
    status: 200,
    data: { content: "1" },
  });
  expect((await store.post(`/memories/${file["id"]}`, { content: "2" })).status).toBe(200);
  expect((await store.delete(`/memories/${file["id"]}`)).status).toBe(200);
});

test("undoing leaves a store where files would stay behind, and what it had by then", async () => {
  const person = await newPerson();
  const store = await newStore(person, "Draft");
  const [made] = await operations(person);
  await store.write("/a", "1");
  expect(await undo(person, made?.id)).toMatchObject({
    left: [{ id: store.id, reason: "changed_since" }],
  });
  await store.post("", { name: "Final" });
  const [renamed] = await operations(person);
  await store.write("/b", "2");
  const { left } = await undo(person, renamed?.id);
  expect(left).toHaveLength(2);
  expect(await store.get("")).toMatchObject({ data: { name: "Final" } });
  expect(await store.paths()).toEqual(["/a", "/b"]);
  // Without the newer file nothing stands against it.
  const { data: files } = await store.get("/memories");
  await store.delete(`/memories/${files["data"][1].id}`);
  expect(await undo(person, renamed?.id)).toMatchObject({ undone: { memories: 2 }, left: [] });
  expect(await store.get("")).toMatchObject({ data: { name: "Draft" } });
  expect(await store.paths()).toEqual(["/a"]);
});

test("a file may move below its own path, and from there to where its directory is", async () => {
  const person = await newPerson();
  const store = await newStore(person, "Moves");
  const { data: file } = await store.write("/a", "1");
  const at = `/memories/${file["id"]}`;
  expect(await store.post(at, { path: "/a/b" })).toMatchObject({ data: { path: "/a/b" } });
  expect(await store.post(at, { path: "/a" })).toMatchObject({ data: { path: "/a" } });
  await store.write("/b/c", "2");
  expect((await store.post(at, { path: "/b" })).status).toBe(409);
});

test("pages follow the order in which files were made, whatever their view", async () => {
  const person = await newPerson();
  const store = await newStore(person, "Pages");
  await importFile(
    person,
    Array.from({ length: 45 }, (_, n) => fileOf(`/${99 - n}`, "Pages", `text ${n}`)),
  );
  for (const [query, sizes] of [
    ["view=full", [20, 20, 5]],
    ["limit=15", [15, 15, 15]],
    ["limit=45", [45]],
  ] as const) {
    const pages = await store.pages(query);
    expect([query, pages.map(({ length }) => length)]).toEqual([query, sizes]);
    expect(pages.flat().map(({ path }) => path)).toEqual(
      Array.from({ length: 45 }, (_, n) => `/${99 - n}`),
    );
  }
  const { data } = await store.get("/memories?view=full&limit=1");
  expect(data["data"][0].content).toBe("text 0");
});

test("the rules about secrets hold for all that is sent, for nothing else, and the answer says what they did", async () => {
  const person = await newPerson({ trusted: true });
  const store = await newStore(person, "Keys", { metadata: { token: SECRET, owner: "ada" } });
  expect(store.data["rules"]).toMatchObject([{ rule: "secrets", action: "masked" }]);
  expect(store.data["metadata"]).toEqual({
    token: expect.stringContaining("removed"),
    owner: "ada",
  });
  const named = await newStore(person, `of ${SECRET}`);
  expect(named.data["name"]).toContain("secret removed");
  expect((await named.write("/a", "in it")).status).toBe(200);
  const refused = await store.write(`/keys/${SECRET}`, "");
  expect(refused).toMatchObject({ status: 400 });
  expect(refused.data["error"].message).toContain("path holds a secret");

  const { data: file } = await store.write("/a", `token ${SECRET}`);
  expect(file["rules"]).toMatchObject([{ rule: "secrets", action: "masked" }]);
  const at = `/memories/${file["id"]}`;
  // The same again, as a client that did not hear the answer sends it: nothing is to be changed, whatever the precondition.
  const again = await store.post(at, {
    content: `token ${SECRET}`,
    precondition: { type: "content_sha256", content_sha256: "0".repeat(64) },
  });
  expect(again).toMatchObject({
    status: 200,
    data: { memory_version_id: file["memory_version_id"] },
  });

  await callApi(person, "PATCH", "/api/rules", { secrets: "allow" });
  await store.post(at, { content: `token ${SECRET}` });
  for (const secrets of ["mask", "refuse"]) {
    await callApi(person, "PATCH", "/api/rules", { secrets });
    expect((await store.post(at, { path: `/${secrets}` })).status).toBe(200);
    expect((await store.get(at)).data["content"]).toContain(SECRET);
    expect((await store.post("", { description: secrets })).status).toBe(200);
    expect((await store.post(at, { path: `/x/${SECRET}` })).status).toBe(400);
  }
  expect((await store.post(at, { content: `another ${SECRET}` })).status).toBe(400);
  expect((await store.post("", { metadata: { token: SECRET } })).status).toBe(400);
  expect((await store.post("/archive", {})).status).toBe(200);
});

test("who may only write reads no content, and two updates at once give a store no more than 16 pairs", async () => {
  const name = `writer ${crypto.randomUUID()}`;
  const person = await newPerson({ name });
  const store = await newStore(person, "Pairs");
  const { data: file } = await store.write("/a", "secret");
  const writer = { ...store, person: await newPerson({ name, scopes: ["memories:write"] }) };
  const full = `/v1/memory_stores/memstore_${store.id}/memories/${file["id"]}?view=full`;
  expect((await callApi(writer.person, "POST", full, {})).status).toBe(403);
  const { data } = await callApi(writer.person, "POST", full.replace("full", "basic"), {});
  expect(data["content"]).toBeNull();

  const ten = (letter: string) => ({
    metadata: Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`${letter}${n}`, "x"])),
  });
  const results = await Promise.all([store.post("", ten("a")), store.post("", ten("b"))]);
  expect(new Set(results.map(({ status }) => status))).toEqual(new Set([200, 400]));
});

test("a text that is redacted meanwhile comes back by no restore and no undo", async () => {
  const person = await newPerson();
  for (const back of ["restore", "undo"] as const) {
    const store = await newStore(person, back);
    const { data: file } = await store.write("/a", "passport number");
    const id = idIn(file["id"]);
    await store.delete(`/memories/${file["id"]}`);
    const [deleted] = await operations(person);
    const redact = () => store.post(`/memory_versions/${file["memory_version_id"]}/redact`, {});
    // An undo reads twice before it writes.
    await beforeNextBatch(person, redact, back === "restore" ? 1 : 2);
    if (back === "restore") {
      const { isError } = await callTool(person, "update_memory", { id, status: "active" });
      expect(isError).toBe(true);
    } else {
      expect(await undo(person, deleted?.id)).toMatchObject({ undone: { memories: 0 } });
    }
    const { data, text } = await callTool(person, "get_memory", { id, include_history: true });
    expect(data["memory"]).toMatchObject({ status: "trashed", content: "", version: 3 });
    expect(text).not.toContain("passport");
    expect(await undo(person, deleted?.id)).toMatchObject({ left: [{ id, reason: "redacted" }] });
    expect(await store.get(`/memory_versions/${file["memory_version_id"]}`)).toMatchObject({
      data: { content: null, redacted_at: expect.any(String) },
    });
  }
  expect(await countersOf(person)).toEqual(await sumsOf(person));
});

test("a redacted file does not come back empty with the file that brought it", async () => {
  const person = await newPerson();
  const store = await newStore(person, "Garden");
  await importFile(person, [fileOf("/beds", "Garden", "roses and a secret")]);
  const [imported] = await operations(person);
  await undo(person, imported?.id);
  const { data: versions } = await store.get("/memory_versions?operation=created");
  await store.post(`/memory_versions/${versions["data"][0].id}/redact`, {});
  for (const query of ["?dry_run=1", ""]) {
    const { data } = await importFile(person, [fileOf("/beds", "Garden", "roses")], query);
    expect([query, data["items"]]).toEqual([
      query,
      expect.objectContaining({ updated: 0, skipped: 1 }),
    ]);
  }
  expect(await store.paths()).toEqual([]);
  expect(await countersOf(person)).toEqual(await sumsOf(person));
});

test("an archive keeps the history of a file that was deleted and redacted, and what it is known by", async () => {
  const person = await newPerson({ trusted: true });
  const store = await newStore(person, "Garden");
  const file = fileOf("/beds/north", "Garden", "roses and a secret");
  await importFile(person, [file]);
  const { data: listed } = await store.get("/memories");
  const { id } = listed["data"][0];
  await store.post(`/memories/${id}`, { content: "tulips" });
  await store.delete(`/memories/${id}`);
  const { data: before } = await store.get("/memory_versions?view=full");
  await store.post(`/memory_versions/${before["data"][0].id}/redact`, {});
  const { data: versions } = await store.get("/memory_versions?view=full");
  expect(versions["data"]).toHaveLength(4);

  const { zip } = await downloadArchive(person);
  const other = await newPerson({ trusted: true });
  expect((await uploadZip(other, zip)).status).toBe(200);
  const restored = storeOf(other, store.id, store.data);
  expect((await restored.get("/memory_versions?view=full")).data).toEqual(versions);
  expect(await restored.get(`/memory_versions/${versions["data"].at(-1).id}`)).toMatchObject({
    status: 200,
    data: { content: "roses and a secret", path: "/beds/north" },
  });
  const { data: again } = await importFile(other, [file]);
  expect(again["items"]).toMatchObject({ new: 0, skipped: 1 });
});

test("a place where no file can stand is left out of what is restored or imported", async () => {
  const person = await newPerson({ trusted: true });
  const store = await newStore(person, "Garden");
  await store.write("/beds", "roses");
  await callApi(person, "POST", "/api/memory-tool", {
    command: "create",
    path: "/memories/own",
    file_text: "kept",
  });
  const { files } = await downloadArchive(person);
  for (const [path, project] of [
    ["/../x", "Garden"],
    ["//", "Garden"],
    ["/a\nb", "Garden"],
    [`/${"x".repeat(10_000)}`, "Garden"],
    ["/x".repeat(100_000), "Garden"],
    ["/", undefined],
  ] as const) {
    const lines = linesOf(files.get("memories.jsonl")).map((line) =>
      line["path"] === "/beds" ? { ...line, path, project } : line,
    );
    const changed = new Map(files).set(
      "memories.jsonl",
      lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    );
    const other = await newPerson({ trusted: true });
    expect((await uploadZip(other, await rezip(await resigned(changed)))).status).toBe(200);
    await importFile(other, [{ ...fileOf(path, "Garden", "pears"), project }]);
    const restored = storeOf(other, store.id, store.data);
    const { data: stores } = await callApi(other, "GET", "/v1/memory_stores");
    expect(stores["data"].map(({ name }: { name: string }) => name)).toEqual(["Garden"]);
    expect(await restored.paths()).toEqual([]);
    const found = await callTool(other, "search_memory", { query: "roses pears" });
    expect(found.data["total"]).toBeGreaterThan(0);
    for (const { path: shown } of found.data["results"]) expect(shown).toBeUndefined();
    const { data: listing } = await callApi(other, "POST", "/api/memory-tool", {
      command: "view",
      path: "/memories",
    });
    expect(listing["content"]).toMatch(/\n4B\t\/memories\n4B\t\/memories\/own$/);
  }
}, 60_000);

test("a file that is imported beside another one has a path that can be used", async () => {
  const person = await newPerson();
  const store = await newStore(person, "Garden");
  const path = `/${"\u00e9".repeat(511)}x`;
  await store.write(path, "own");
  await importFile(person, [fileOf(path, "Garden", "imported")]);
  const { data } = await store.get("/memories?view=full");
  const { id, path: beside, content } = data["data"][1];
  expect(content).toBe("imported");
  expect(new TextEncoder().encode(beside).length).toBeLessThanOrEqual(1_024);
  expect((await store.post(`/memories/${id}`, { path: `${beside.slice(0, 9)}` })).status).toBe(200);
});

test("what happened to a version is found without walking the store", async () => {
  const person = await newPerson();
  const store = await newStore(person, "Deep");
  const { data: file } = await store.write("/a", "1");
  await store.post(`/memories/${file["id"]}`, { content: "2" });
  const other = await newStore(person, "Other");
  expect((await other.get(`/memory_versions/${file["memory_version_id"]}`)).status).toBe(404);
  expect(await store.get(`/memory_versions/${file["memory_version_id"]}`)).toMatchObject({
    data: { content: "1", operation: "created" },
  });
  const { data } = await store.get(`/memory_versions?memory_id=${file["id"]}`);
  expect(data["data"]).toHaveLength(2);
});

interface Store {
  readonly id: string;
  readonly data: Record<string, any>;
  readonly get: (path: string) => ReturnType<typeof callApi>;
  readonly post: (path: string, body: unknown) => ReturnType<typeof callApi>;
  readonly delete: (path?: string) => ReturnType<typeof callApi>;
  readonly write: (path: string, content: string) => ReturnType<typeof callApi>;
  readonly pages: (query: string) => Promise<{ path: string }[][]>;
  readonly paths: () => Promise<string[]>;
}

async function newStore(person: Person, name: string, draft: object = {}): Promise<Store> {
  const { status, data } = await callApi(person, "POST", "/v1/memory_stores", { name, ...draft });
  if (status !== 200) throw new Error(JSON.stringify(data));
  return storeOf(person, idIn(data["id"]), data);
}

function storeOf(person: Person, id: string, data: Record<string, any>): Store {
  const at = `/v1/memory_stores/memstore_${id}`;
  const get = (path: string) => callApi(person, "GET", `${at}${path}`);
  const post = (path: string, body: unknown) => callApi(person, "POST", `${at}${path}`, body);
  const pages = async (query: string) => {
    const read: { path: string }[][] = [];
    for (let page: string | null = ""; page !== null;) {
      const { data: found } = await get(`/memories?${query}${page === "" ? "" : `&page=${page}`}`);
      read.push(found["data"]);
      page = found["next_page"];
    }
    return read;
  };
  return {
    id,
    data,
    get,
    post,
    delete: (path = "") => callApi(person, "DELETE", `${at}${path}`),
    write: (path, content) => post("/memories", { path, content }),
    pages,
    paths: async () => (await pages("limit=1000")).flat().map(({ path }) => path),
  };
}

function idIn(prefixed: string): string {
  return prefixed.slice(prefixed.indexOf("_") + 1);
}

/** As an export of Cofio has it. */
function fileOf(path: string, project: string, content: string) {
  return {
    id: `${project}${path}`.slice(0, 60),
    version: 1,
    content,
    category: "other",
    tags: [],
    project,
    source: "api",
    status: "active",
    path,
  };
}

function importFile(person: Person, memories: readonly object[], query = "") {
  const file = { format: "cofio", version: 1, memories, conversations: [] };
  return callApi(person, "POST", `/api/imports${query}`, file);
}

async function operations(person: Person): Promise<Record<string, any>[]> {
  return (await callApi(person, "GET", "/api/operations")).data["operations"];
}

async function undo(person: Person, id: string): Promise<Record<string, any>> {
  return (await callApi(person, "POST", `/api/operations/${id}/undo`)).data;
}

/** Memory files, through the front door: Claude's memory tool on one side, the tools of MCP and the archive on the other. */
import { expect, test } from "vitest";
import { downloadArchive, uploadZip } from "../support/archives.ts";
import { beforeNextBatch, loseAnswers } from "../support/batches.ts";
import { countersOf, sumsOf } from "../support/counters.ts";
import { callApi, callTool, fetchWorker, newPerson, type Person } from "../support/people.ts";

test("the six commands of the memory tool work on files and directories", async () => {
  const person = await newPerson();
  const path = "/memories/notes/todo.md";
  expect(await run(person, { command: "view", path: "/memories" })).toBe(
    "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items and node_modules:\n0B\t/memories",
  );
  await create(person, path, "one\ntwo\n");
  await run(person, { command: "str_replace", path, old_str: "two", new_str: "2" });
  await run(person, { command: "insert", path, insert_line: 0, insert_text: "zero\n" });
  expect(await view(person, path)).toBe(
    `Here's the content of ${path} with line numbers:\n     1\tzero\n     2\tone\n     3\t2\n     4\t`,
  );
  await run(person, { command: "rename", old_path: "/memories/notes", new_path: "/memories/a/b" });
  expect(await view(person, "/memories")).toContain(
    "\n11B\t/memories\n11B\t/memories/a/\n11B\t/memories/a/b/",
  );
  await run(person, { command: "delete", path: "/memories/a" });
  expect(await failure(person, { command: "view", path: "/memories/a/b/todo.md" })).toBe(
    "The path /memories/a/b/todo.md does not exist. Please provide a valid path.",
  );
});

test("a file is a memory: found by its words and its path, shown with the path, and versioned", async () => {
  const person = await newPerson();
  await create(person, "/memories/customers/refunds.md", "Refunds take\n\n  five days. ");
  const { data } = await callTool(person, "search_memory", { query: "how long do refunds take" });
  expect(data["results"][0]).toMatchObject({
    content: "Refunds take\n\n  five days. ",
    path: "/memories/customers/refunds.md",
  });
  const { id } = data["results"][0];
  const { data: byPath } = await callTool(person, "search_memory", { query: "customers" });
  expect(byPath["results"][0]).toMatchObject({ id });
  expect(byPath["results"][0].why.join()).toContain("path: /customers/refunds.md");
  const { data: listed, text } = await callTool(person, "list_memories");
  expect(listed["memories"]).toMatchObject([{ id, path: "/memories/customers/refunds.md" }]);
  expect(text).toContain("file /memories/customers/refunds.md");

  await run(person, {
    command: "str_replace",
    path: "/memories/customers/refunds.md",
    old_str: "five",
    new_str: "ten",
  });
  const { data: got } = await callTool(person, "get_memory", { id, include_history: true });
  expect(got["memory"]).toMatchObject({ version: 2, content: "Refunds take\n\n  ten days. " });
  expect(got["versions"]).toMatchObject([{ version: 1, content: "Refunds take\n\n  five days. " }]);
});

test("tools for memories change a file without touching its text, and its content as it is given", async () => {
  const person = await newPerson();
  await create(person, "/memories/a", "  kept to the letter\n");
  const id = await idOf(person, "/memories/a");
  await callTool(person, "update_memory", { id, add_tags: ["todo"], importance: 4 });
  expect(await view(person, "/memories/a")).toContain("     1\t  kept to the letter\n     2\t");
  await callTool(person, "update_memory", { id, content: "new\ntext\n" });
  expect(await view(person, "/memories/a")).toContain("     1\tnew\n     2\ttext\n     3\t");
  await callTool(person, "delete_memory", { id });
  expect(await view(person, "/memories")).toMatch(/0B\t\/memories$/);
  await create(person, "/memories/a", "another");
  const { isError, text } = await callTool(person, "update_memory", { id, status: "active" });
  expect(isError).toBe(true);
  expect(text).toContain("Another file stands at this path already.");
});

test("two files may hold the same text, and neither is taken for a memory that says it", async () => {
  const person = await newPerson();
  await create(person, "/memories/one.md", "Likes tea");
  await create(person, "/memories/two.md", "Likes tea");
  const { data } = await callTool(person, "save_memory", { content: "Likes tea" });
  expect(data["outcome"]).toBe("created");
  expect((await callTool(person, "list_memories")).data["total"]).toBe(3);
});

test("every command is one operation, and undoing it brings all of its files back", async () => {
  const person = await newPerson();
  for (const name of ["a", "b/c", "b/d"]) await create(person, `/memories/x/${name}`, name);
  await run(person, { command: "rename", old_path: "/memories/x", new_path: "/memories/y/z" });
  const renamed = await lastOperation(person);
  expect(renamed).toMatchObject({ kind: "update", counts: { memories: 3 } });
  await run(person, { command: "delete", path: "/memories/y" });
  const deleted = await lastOperation(person);
  expect(deleted).toMatchObject({ kind: "delete", counts: { memories: 3 } });

  expect(await undo(person, deleted["id"])).toMatchObject({ undone: { memories: 3 }, left: [] });
  expect(await view(person, "/memories/y/z/b/c")).toContain("     1\tb/c");
  expect(await undo(person, renamed["id"])).toMatchObject({ undone: { memories: 3 }, left: [] });
  expect(await view(person, "/memories")).toBe(
    "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items and node_modules:\n7B\t/memories\n7B\t/memories/x/\n1B\t/memories/x/a\n6B\t/memories/x/b/",
  );
  expect(await view(person, "/memories/x/b/d")).toContain("     1\tb/d");
});

test("what an undo would bring back to a path that is taken is left, and named", async () => {
  const person = await newPerson();
  await create(person, "/memories/a", "first");
  await run(person, { command: "delete", path: "/memories/a" });
  const deleted = await lastOperation(person);
  await create(person, "/memories/a", "second");
  expect(await undo(person, deleted["id"])).toMatchObject({ left: [{ reason: "duplicate" }] });
  expect(await view(person, "/memories/a")).toContain("     1\tsecond");
});

test("a file that an undo brings back beside a directory of its name loses nothing", async () => {
  const person = await newPerson();
  await create(person, "/memories/a", "file");
  await run(person, { command: "delete", path: "/memories/a" });
  const deleted = await lastOperation(person);
  await create(person, "/memories/a/b", "inside");
  await undo(person, deleted["id"]);
  expect(await view(person, "/memories")).toContain(
    "\n4B\t/memories/a\n6B\t/memories/a/\n6B\t/memories/a/b",
  );
  expect(await view(person, "/memories/a")).toContain("     1\tfile");
  await run(person, { command: "rename", old_path: "/memories/a", new_path: "/memories/c" });
  expect(await view(person, "/memories/c/b")).toContain("     1\tinside");
  expect(await view(person, "/memories/c")).toContain("     1\tfile");
  expect(await run(person, { command: "delete", path: "/memories/c" })).toBe(
    "Successfully deleted /memories/c\nIt was a file, and a directory of 1 more: all are gone.",
  );
});

test("no restore and no move brings a file beside a directory of its name", async () => {
  const person = await newPerson();
  await create(person, "/memories/a", "file");
  const id = await idOf(person, "/memories/a");
  await callTool(person, "delete_memory", { id });
  await create(person, "/memories/a/b", "inside");
  const { isError, text } = await callTool(person, "update_memory", { id, status: "active" });
  expect([isError, text]).toEqual([true, expect.stringContaining("This path is a directory")]);
  await run(person, { command: "rename", old_path: "/memories/a", new_path: "/memories/c" });
  expect((await callTool(person, "update_memory", { id, status: "active" })).isError).toBe(false);

  const inside = await idOf(person, "/memories/c/b");
  await callTool(person, "update_memory", { id: inside, project: "Garden" });
  await create(person, "/memories/c", "file");
  const back = await callTool(person, "update_memory", { id: inside, project: "" });
  expect([back.isError, back.text]).toEqual([true, expect.stringContaining("is a file")]);
});

test("a memory that supersedes a file takes it out of its place, and undoing that puts it back", async () => {
  const person = await newPerson();
  await create(person, "/memories/city", "Lives in Bonn");
  const id = await idOf(person, "/memories/city");
  const { data } = await callTool(person, "save_memory", {
    content: "Lives in Köln",
    supersedes: id,
  });
  expect(await failure(person, { command: "view", path: "/memories/city" })).toContain(
    "does not exist",
  );
  await create(person, "/memories/city", "Lives in Ulm");
  expect(await undo(person, data["operation_id"])).toMatchObject({
    left: [{ id, reason: "duplicate" }],
  });
  await run(person, { command: "delete", path: "/memories/city" });
  expect(await undo(person, data["operation_id"])).toMatchObject({ undone: { memories: 1 } });
  expect(await view(person, "/memories/city")).toContain("     1\tLives in Bonn");
});

test("many clients that edit one file at once lose nothing", async () => {
  const person = await newPerson();
  await create(person, "/memories/log", "start");
  const lines = Array.from({ length: 6 }, (_, n) => `client ${n}`);
  await Promise.all(
    lines.map((line) =>
      run(person, {
        command: "insert",
        path: "/memories/log",
        insert_line: 1,
        insert_text: line,
      }),
    ),
  );
  const shown = await view(person, "/memories/log");
  for (const line of lines) expect(shown).toContain(`\t${line}`);
});

test("of many clients that make the same path at once one succeeds, whether as a file or a directory", async () => {
  const person = await newPerson();
  const results = await Promise.all(
    ["/memories/p", "/memories/p/q", "/memories/p", "/memories/p/q", "/memories/p/q/r"].map(
      (path) => result(person, { command: "create", path, file_text: path }),
    ),
  );
  expect(results.filter(({ is_error }) => !is_error)).toHaveLength(1);
  expect((await callTool(person, "list_memories")).data["total"]).toBe(1);
});

test("where every write's first answer gets lost, files are made, changed, moved and deleted once", async () => {
  const person = await newPerson();
  const lost = await loseAnswers(person);
  const counted = async () => expect(await countersOf(person)).toEqual(await sumsOf(person));
  await create(person, "/memories/a/b", "one two three");
  await create(person, "/memories/a/c", "four");
  await counted();
  await run(person, {
    command: "str_replace",
    path: "/memories/a/b",
    old_str: "two three",
    new_str: "seventeen",
  });
  await run(person, { command: "rename", old_path: "/memories/a", new_path: "/memories/d/e" });
  await counted();
  const id = await idOf(person, "/memories/d/e/b");
  const { data } = await callTool(person, "get_memory", { id, include_history: true });
  expect(data["memory"]).toMatchObject({ version: 3, content: "one seventeen" });
  expect(data["versions"]).toHaveLength(2);
  await run(person, { command: "delete", path: "/memories/d" });
  await counted();
  expect(await undo(person, (await lastOperation(person))["id"])).toMatchObject({
    undone: { memories: 2 },
  });
  await counted();
  expect(await view(person, "/memories/d/e/b")).toContain("     1\tone seventeen");
  expect((await callTool(person, "search_memory", { query: "three" })).data["total"]).toBe(0);
  expect((await callTool(person, "search_memory", { query: "seventeen" })).data["total"]).toBe(1);
  expect(lost()).toBeGreaterThan(4);
});

test("paths that lead elsewhere, or only pretend to be others, are refused", async () => {
  const person = await newPerson();
  for (const path of ["/memories/../etc/passwd", "/memories/a/../b", "/memories/.."]) {
    expect(await failure(person, { command: "create", path, file_text: "" }), path).toBe(
      `Path ${path} would escape /memories directory`,
    );
  }
  for (const path of ["/memories_x", "/memoriesx/a", "/etc/passwd", "memories/a", "", "/", "~"]) {
    expect(await failure(person, { command: "view", path }), path).toBe(
      `Path must start with /memories, got: ${path}`,
    );
  }
  for (const path of [
    "/memories/%2e%2e/x",
    "/memories/%2E%2E%2Fx",
    "/memories/a%2fb",
    "/memories/%252e%252e/x",
    "/memories/a%00",
    "/memories/..\\x",
    "/memories/a\\b",
    "/memories/a\0b",
    "/memories/a\nb",
    "/memories/\u202eb",
    "/memories/\ud800",
    `/memories/${"x".repeat(1_025)}`,
    `/memories${"/x".repeat(21)}`,
  ]) {
    const text = await failure(person, { command: "create", path, file_text: "" });
    expect(text, JSON.stringify(path)).toContain("cannot be used");
  }
  expect(await view(person, "/memories")).toMatch(/0B\t\/memories$/);
});

test("a name in another Unicode form is the same name, and case makes another", async () => {
  const person = await newPerson();
  await create(person, "/memories/caf\u00e9", "composed");
  expect(await view(person, "/memories/cafe\u0301")).toContain("     1\tcomposed");
  await create(person, "/memories/Caf\u00e9", "capital");
  expect(await view(person, "/memories/caf\u00e9")).toContain("     1\tcomposed");
});

test("a command that is none is told to the model, and a body that is no JSON to the client", async () => {
  const person = await newPerson();
  expect(await failure(person, { command: "erase", path: "/memories" })).toContain("`command`");
  expect(await failure(person, { command: "create", path: "/memories/a" })).toContain(
    "`file_text`",
  );
  expect(
    await failure(person, {
      command: "create",
      path: "/memories/a",
      file_text: "x".repeat(102_401),
    }),
  ).toContain("100 KiB");
  const response = await fetchWorker("/api/memory-tool", {
    method: "POST",
    headers: { authorization: `Bearer ${person.token}` },
    body: "view",
  });
  expect(response.status).toBe(400);
});

test("each scope opens its own commands", async () => {
  const command = { command: "view", path: "/memories" };
  for (const [scopes, allowed] of [
    [["memories:read"], ["view"]],
    [["memories:write"], ["create", "str_replace", "insert", "rename"]],
    [["memories:delete"], ["delete"]],
    [["data:export"], []],
  ] as const) {
    const person = await newPerson({ scopes });
    for (const one of [
      command,
      { command: "create", path: "/memories/a", file_text: "" },
      { command: "str_replace", path: "/memories/a", old_str: "", new_str: "b" },
      { command: "insert", path: "/memories/a", insert_line: 0, insert_text: "c" },
      { command: "rename", old_path: "/memories/a", new_path: "/memories/b" },
      { command: "delete", path: "/memories/b" },
    ]) {
      const { status } = await callApi(person, "POST", "/api/memory-tool", one);
      expect(status, `${one.command} with ${scopes.join()}`).toBe(
        allowed.some((name) => name === one.command) ? 200 : 403,
      );
    }
  }
  const { status } = await callApi(
    { token: "cofio_none", userId: "" },
    "POST",
    "/api/memory-tool",
    command,
  );
  expect(status).toBe(401);
});

test("the person's rules hold for files, and the model is told what they did", async () => {
  const name = `rules ${crypto.randomUUID()}`;
  const person = await newPerson({ name, trusted: true });
  const assistant = await newPerson({ name });
  // Put together here, so that none stands in the repository.
  const secret = `ghp_${"aB3dE5gH7j".repeat(4).slice(0, 36)}`;
  const made = await create(person, "/memories/keys", `token ${secret}`);
  expect(made).toContain("File created successfully at: /memories/keys\nRemoved before storing");
  expect(await view(person, "/memories/keys")).not.toContain(secret);

  await callApi(person, "PATCH", "/api/rules", { auto_save: ["decisions"] });
  const refused = await failure(assistant, {
    command: "create",
    path: "/memories/b",
    file_text: "",
  });
  expect(refused).toContain("only in decisions");
  await callApi(person, "PATCH", "/api/rules", { auto_save: "all", max_memories: 1 });
  expect(
    await failure(assistant, { command: "create", path: "/memories/b", file_text: "" }),
  ).toContain("There are 1 memories");
  await run(assistant, {
    command: "insert",
    path: "/memories/keys",
    insert_line: 0,
    insert_text: "still",
  });
  await callApi(person, "PATCH", "/api/rules", {
    when_full: "trash_least_useful",
    expire_after: { other: 30 },
  });
  const noted = await create(assistant, "/memories/b", "");
  // A file is there until somebody deletes it.
  expect(noted).not.toContain("expires");
  expect(noted).toContain("went to the trash to make room");
  expect(await view(person, "/memories")).toContain("0B\t/memories/b");
  await callApi(person, "PATCH", "/api/rules", { max_memories: null });
  for (const command of [
    { command: "create", path: `/memories/${secret}`, file_text: "" },
    { command: "rename", old_path: "/memories/b", new_path: `/memories/c/${secret}` },
  ]) {
    expect(await failure(assistant, command)).toContain("path holds a secret");
  }
});

test("nothing makes room for a file that has no place", async () => {
  const person = await newPerson({ trusted: true });
  await callTool(person, "save_memory", { content: "Likes tea." });
  await create(person, "/memories/a", "");
  await callApi(person, "PATCH", "/api/rules", {
    max_memories: 2,
    when_full: "trash_least_useful",
  });
  const command = { command: "create", path: "/memories/b/c", file_text: "" };
  const renamed = { command: "rename", old_path: "/memories/a", new_path: "/memories/b" };
  // Between the look at the place and the write.
  await beforeNextBatch(person, () => run(person, renamed), 1);
  expect(await failure(person, command)).toContain("/memories/b is a file");
  const { data } = await callTool(person, "list_memories", { status: "trashed" });
  expect(data["total"]).toBe(0);
});

test("files, empty ones too, stores and redactions survive the way through an archive", async () => {
  const person = await newPerson({ trusted: true });
  await create(person, "/memories/a/empty", "");
  await create(person, "/memories/a/b.md", "  spaced\r\n\n");
  await run(person, {
    command: "str_replace",
    path: "/memories/a/b.md",
    old_str: "spaced",
    new_str: "changed",
  });
  await create(person, "/memories/gone", "in the trash");
  await run(person, { command: "delete", path: "/memories/gone" });
  const deleted = await lastOperation(person);
  const { data: store } = await callApi(person, "POST", "/v1/memory_stores", {
    name: "Garden",
    metadata: { owner: "ada" },
  });
  const memories = `/v1/memory_stores/${store["id"]}/memories`;
  const { data: memory } = await callApi(person, "POST", memories, {
    path: "/beds.md",
    content: "roses",
  });
  await callApi(person, "POST", `${memories}/${memory["id"]}`, { content: "tulips" });
  const version = `/v1/memory_stores/${store["id"]}/memory_versions/${memory["memory_version_id"]}`;
  await callApi(person, "POST", `${version}/redact`);

  const { zip, files: exported } = await downloadArchive(person);
  const other = await newPerson({ trusted: true });
  expect((await uploadZip(other, zip)).status).toBe(200);
  const again = await downloadArchive(other);
  expect(again.files.get("memories.jsonl")).toBe(exported.get("memories.jsonl"));
  for (const path of ["/memories", "/memories/a", "/memories/a/empty", "/memories/a/b.md"]) {
    expect(await view(other, path)).toBe(await view(person, path));
  }
  const { data: stores } = await callApi(other, "GET", "/v1/memory_stores");
  expect(stores["data"]).toMatchObject([{ name: "Garden", metadata: { owner: "ada" } }]);
  const { data: listed } = await callApi(other, "GET", `${memories}?view=full`);
  expect(listed["data"]).toMatchObject([{ path: "/beds.md", content: "tulips" }]);
  const { data: redacted } = await callApi(other, "GET", version);
  expect(redacted).toMatchObject({ content: null, path: null, operation: "created" });
  expect(redacted["redacted_at"]).not.toBeNull();
  // Nor does another name of the same fact come with it: the paths are as free and as taken as they were.
  expect(await failure(other, { command: "create", path: "/memories/a", file_text: "" })).toContain(
    "already exists",
  );
  expect(await undo(other, deleted["id"])).toMatchObject({ undone: { memories: 1 } });
  expect(await view(other, "/memories/gone")).toContain("in the trash");

  // An account in use takes them too, and keeps its own beside those that come.
  const third = await newPerson({ trusted: true });
  await create(third, "/memories/a/b.md", "own");
  expect((await uploadZip(third, zip)).status).toBe(200);
  expect(await view(third, "/memories/a/b.md")).toContain("     1\town");
  const shown = await view(third, "/memories/a");
  const [beside = ""] = /\/memories\/a\/b\.md\.[a-z2-7]{12}/.exec(shown) ?? [];
  expect(await view(third, beside)).toContain("     1\t  changed\r\n     2\t\n     3\t");
  await uploadZip(third, zip);
  expect(await view(third, "/memories/a")).toBe(shown);
});

test("nobody sees the files of another", async () => {
  const person = await newPerson();
  const other = await newPerson();
  await create(person, "/memories/a", "mine");
  expect(await view(other, "/memories")).toMatch(/0B\t\/memories$/);
  await create(other, "/memories/a", "theirs");
  await run(other, { command: "delete", path: "/memories/a" });
  expect(await view(person, "/memories/a")).toContain("     1\tmine");
});

interface Result {
  readonly content: string;
  readonly is_error: boolean;
}

async function result(person: Person, command: Record<string, unknown>): Promise<Result> {
  const { status, data } = await callApi(person, "POST", "/api/memory-tool", command);
  if (status !== 200) throw new Error(JSON.stringify(data));
  return data as unknown as Result;
}

async function run(person: Person, command: Record<string, unknown>): Promise<string> {
  const { content, is_error } = await result(person, command);
  if (is_error) throw new Error(content);
  return content;
}

async function failure(person: Person, command: Record<string, unknown>): Promise<string> {
  const { content, is_error } = await result(person, command);
  if (!is_error) throw new Error(`It succeeded: ${content}`);
  return content;
}

function create(person: Person, path: string, text: string): Promise<string> {
  return run(person, { command: "create", path, file_text: text });
}

function view(person: Person, path: string): Promise<string> {
  return run(person, { command: "view", path });
}

async function idOf(person: Person, path: string): Promise<string> {
  const { data } = await callTool(person, "list_memories");
  return data["memories"].find((memory: { path?: string }) => memory.path === path).id;
}

async function lastOperation(person: Person): Promise<Record<string, any>> {
  return (await callApi(person, "GET", "/api/operations")).data["operations"][0];
}

async function undo(person: Person, id: string): Promise<Record<string, any>> {
  return (await callApi(person, "POST", `/api/operations/${id}/undo`)).data;
}

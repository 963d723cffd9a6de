/** Claude's memory tool and memory stores against a real server, through `cofioMemoryTool` and the official SDK. */
import Anthropic from "@anthropic-ai/sdk";
import { betaMemoryTool, type MemoryToolHandlers } from "@anthropic-ai/sdk/helpers/beta/memory";
import { BetaLocalFilesystemMemoryTool } from "@anthropic-ai/sdk/tools/memory/node";
import fc from "fast-check";
import { mkdtemp, readdir, rm, rmdir } from "node:fs/promises";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cofioMemoryTool } from "../../apps/memory-tool/memory-tool.ts";
import { startServer, type Server } from "./support/server.ts";
import { runs } from "../support/runs.ts";

type Command = Parameters<MemoryToolHandlers[keyof MemoryToolHandlers]>[0];

/** Sequences that are tried: MEMORY_TOOL_RUNS=10000 tries as many as a release is tried with. */
const RUNS = Number(process.env["MEMORY_TOOL_RUNS"] ?? runs(60, 10_000));
/** Who try them at the same time, none of whom may see the files of another. */
const PEOPLE = 4;
/** Per sequence; arbitrary, many times what one takes. */
const TIMEOUT_PER_RUN_MS = 2_000;

let server: Server;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cofio-memory-tool-"));
  server = await startServer();
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/*
 * What differs, as reviewed. Everything else is the same to the letter.
 * - Directories are what the paths of files say, so an empty one does not exist. Here those of the SDK's tool are removed after each command.
 * - The size of a directory is that of its files; the SDK's tool shows what the file system says, 4K on most. Here it is blanked.
 * - Where the SDK's tool passes on an error of the file system (ENOTDIR, EEXIST of mkdir, EINVAL), Cofio says in words what is wrong.
 * - Paths that only disguise others are refused: with a part `..`, an encoded separator, a backslash, or another root that begins with
 *   /memories. So are control and format characters, and more than 1,024 bytes or 20 parts; Unicode is normalised (test/memory/files.test.ts). None is made here.
 * - A file holds at most 100 KiB. What a rule of the user did to a text is said in a line after the SDK's.
 */
test(
  "the memory tool answers as the SDK's local one does, whatever is asked of it",
  { timeout: 60_000 + RUNS * TIMEOUT_PER_RUN_MS },
  async () => {
    await Promise.all(
      Array.from({ length: PEOPLE }, async (_, person) => {
        const token = await server.token(`twin ${person}`);
        const ours = cofioMemoryTool({ url: server.origin, token });
        let runs = 0;
        await fc.assert(
          fc.asyncProperty(
            fc.array(anyCommand, { minLength: 1, maxLength: 10 }),
            async (commands) => {
              await compare(ours, join(folder, `${person}-${++runs}`), commands);
            },
          ),
          { numRuns: Math.ceil(RUNS / PEOPLE) },
        );
      }),
    );
  },
);

/** Leaves nothing behind. */
async function compare(
  ours: MemoryToolHandlers,
  base: string,
  commands: readonly Command[],
): Promise<void> {
  const theirs = await BetaLocalFilesystemMemoryTool.init(base);
  const root = join(base, "memories");
  try {
    for (const command of commands) {
      const expected = await resultOf(theirs, command);
      await removeEmptyDirectories(root);
      const actual = await resultOf(ours, command);
      if (expected.startsWith("Error: E")) expect(actual).toMatch(/^Error: /);
      else expect(withoutDirectorySizes(actual)).toBe(withoutDirectorySizes(expected));
    }
    for (const path of await filesIn(root)) {
      const command: Command = { command: "view", path: `/memories${path}` };
      expect(await resultOf(ours, command)).toBe(await resultOf(theirs, command));
    }
  } finally {
    for (const name of await readdir(root)) {
      await ours.delete({ command: "delete", path: `/memories/${name}` });
    }
    await rm(base, { recursive: true, force: true });
  }
}

test("the SDK's tool runner works through all six commands of a scripted model", async () => {
  const path = "/memories/project.md";
  const commands: Command[] = [
    { command: "view", path: "/memories" },
    { command: "create", path, file_text: "Status: started\n" },
    { command: "str_replace", path, old_str: "started", new_str: "half done" },
    { command: "insert", path, insert_line: 1, insert_text: "Next: the tests" },
    { command: "rename", old_path: path, new_path: "/memories/projects/one.md" },
    { command: "view", path: "/memories/projects/one.md" },
    { command: "delete", path: "/memories/projects" },
    { command: "view", path: "/memories/projects" },
  ];
  const model = await startScriptedModel(commands);
  try {
    const client = new Anthropic({ apiKey: "none", baseURL: model.url });
    const handlers = cofioMemoryTool({
      url: server.origin,
      token: await server.token("tool runner"),
    });
    const last = await client.beta.messages.toolRunner({
      model: "scripted",
      max_tokens: 1_000,
      messages: [{ role: "user", content: "Remember how the project stands." }],
      tools: [betaMemoryTool(handlers)],
    });
    expect(last.content).toMatchObject([{ type: "text", text: "Done." }]);
    expect(model.results).toEqual([
      "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items and node_modules:\n0B\t/memories",
      "File created successfully at: /memories/project.md",
      "The memory file has been edited. Here is the snippet showing the change (with line numbers):\n     1\tStatus: half done\n     2\t",
      "The file /memories/project.md has been edited.",
      "Successfully renamed /memories/project.md to /memories/projects/one.md",
      "Here's the content of /memories/projects/one.md with line numbers:\n     1\tStatus: half done\n     2\tNext: the tests\n     3\t",
      "Successfully deleted /memories/projects",
      "Error: The path /memories/projects does not exist. Please provide a valid path.",
    ]);
  } finally {
    model.stop();
  }
});

test("a token that is wrong, or may not write, is an error that names the reason", async () => {
  const readOnly = cofioMemoryTool({
    url: server.origin,
    token: await server.token("tool runner", ["memories:read"]),
  });
  await expect(
    readOnly.create({ command: "create", path: "/memories/a", file_text: "" }),
  ).rejects.toThrow("This access does not include memories:write.");
  await expect(readOnly.delete({ command: "delete", path: "/memories/a" })).rejects.toThrow(
    "memories:delete",
  );
  const stranger = cofioMemoryTool({ url: server.origin, token: "cofio_wrong" });
  await expect(stranger.view({ command: "view", path: "/memories" })).rejects.toThrow("401");
});

test("the SDK's memory stores are made, listed, changed under a precondition, in conflict, read by version and redacted, over the network", async () => {
  const token = await server.token("stores");
  const { memoryStores } = new Anthropic({
    baseURL: server.origin,
    apiKey: null,
    authToken: token,
    // An answer is to be of the one request that was made.
    maxRetries: 0,
  }).beta;
  const store = await memoryStores.create({ name: "Garden", description: "What grows where" });
  const at = { memory_store_id: store.id };
  const beds = await memoryStores.memories.create(store.id, {
    path: "/beds/north.md",
    content: "roses, code 4711\n",
  });
  for (const path of ["/beds/south.md", "/readme.md"]) {
    await memoryStores.memories.create(store.id, { path, content: path });
  }
  expect(await namesOf(memoryStores.list())).toEqual(["Garden"]);
  // By pages, which the SDK walks.
  expect(await pathsOf(memoryStores.memories.list(store.id, { limit: 1 }))).toEqual([
    "/beds/north.md",
    "/beds/south.md",
    "/readme.md",
  ]);
  expect(
    await pathsOf(memoryStores.memories.list(store.id, { path_prefix: "/beds/", limit: 1 })),
  ).toEqual(["/beds/north.md", "/beds/south.md"]);

  const seen = { type: "content_sha256", content_sha256: beds.content_sha256 } as const;
  const changed = await memoryStores.memories.update(beds.id, {
    ...at,
    content: "tulips\n",
    precondition: seen,
    view: "full",
  });
  expect(changed).toMatchObject({ id: beds.id, content: "tulips\n" });
  expect(changed.content_sha256).not.toBe(beds.content_sha256);
  const stale = memoryStores.memories.update(beds.id, {
    ...at,
    content: "weeds\n",
    precondition: seen,
  });
  await expect(stale).rejects.toThrow(Anthropic.ConflictError);
  await expect(stale).rejects.toMatchObject({
    status: 409,
    error: { error: { type: "memory_precondition_failed_error" } },
  });
  await expect(
    memoryStores.memories.create(store.id, { path: "/beds/north.md", content: "" }),
  ).rejects.toMatchObject({
    status: 409,
    error: { error: { type: "memory_path_conflict_error", conflicting_memory_id: beds.id } },
  });
  expect(await memoryStores.memories.retrieve(beds.id, at)).toMatchObject({
    content: "tulips\n",
    memory_version_id: changed.memory_version_id,
  });

  const contents = async () => {
    const versions = [];
    for await (const { operation, content } of memoryStores.memoryVersions.list(store.id, {
      memory_id: beds.id,
      view: "full",
      limit: 1,
    })) {
      versions.push([operation, content]);
    }
    return versions;
  };
  expect(await contents()).toEqual([
    ["modified", "tulips\n"],
    ["created", "roses, code 4711\n"],
  ]);
  const redacted = await memoryStores.memoryVersions.redact(beds.memory_version_id, at);
  expect(redacted).toMatchObject({ content: null, redacted_at: expect.any(String) });
  expect(await contents()).toEqual([
    ["modified", "tulips\n"],
    ["created", null],
  ]);

  // Deleted, it is found no more; and without a token that is good nothing is.
  await memoryStores.memories.delete(beds.id, at);
  await expect(memoryStores.memories.retrieve(beds.id, at)).rejects.toThrow(
    Anthropic.NotFoundError,
  );
  const stranger = new Anthropic({ baseURL: server.origin, apiKey: null, authToken: "cofio_no" });
  await expect(stranger.beta.memoryStores.retrieve(store.id)).rejects.toThrow(
    Anthropic.AuthenticationError,
  );
});

const NAMES = ["a", "b", "notes.md", ".hidden", "node_modules", "Ä 日本"] as const;

const anyPath = fc.oneof(
  { arbitrary: pathOf(fc.constantFrom(...NAMES)), weight: 12 },
  // As models write them at times.
  { arbitrary: pathOf(fc.constantFrom("a", "b")).map((path) => `${path}/`), weight: 1 },
  {
    arbitrary: pathOf(fc.constantFrom("a", "b")).map((path) => path.replace(/\/(.)$/, "//$1")),
    weight: 1,
  },
  {
    arbitrary: pathOf(fc.constantFrom("a", "b")).map((path) => path.replace(/\/(.)$/, "/./$1")),
    weight: 1,
  },
  { arbitrary: fc.constantFrom("/memories", "/memories/", "/elsewhere", "a", ""), weight: 1 },
);

function pathOf(name: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .array(name, { minLength: 1, maxLength: 4 })
    .map((names) => `/memories/${names.join("/")}`);
}

const WORDS = ["one", "two", "on", "$&", "`", "\t", "\r", "🦀", "é", "  "] as const;

/** Few words, so that many of them are found again. */
const anyLine = fc
  .array(fc.constantFrom(...WORDS), { maxLength: 3 })
  .map((words) => words.join(""));
const anyText = fc.oneof(
  { arbitrary: fc.array(anyLine, { maxLength: 6 }).map((lines) => lines.join("\n")), weight: 8 },
  { arbitrary: fc.string({ unit: "binary", maxLength: 40 }), weight: 1 },
  // Sizes of a file in the listing.
  { arbitrary: fc.integer({ min: 1_000, max: 30_000 }).map((size) => "x".repeat(size)), weight: 1 },
);
const anyPart = fc.oneof(fc.constantFrom(...WORDS), anyLine, anyText);

const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  {
    arbitrary: fc.record(
      {
        command: fc.constant("view" as const),
        path: anyPath,
        view_range: fc.array(fc.integer({ min: -3, max: 8 }), { maxLength: 3 }),
      },
      { requiredKeys: ["command", "path"] },
    ),
    weight: 4,
  },
  {
    arbitrary: fc.record({
      command: fc.constant("create" as const),
      path: anyPath,
      file_text: anyText,
    }),
    weight: 5,
  },
  {
    arbitrary: fc.record({
      command: fc.constant("str_replace" as const),
      path: anyPath,
      old_str: anyPart,
      new_str: anyPart,
    }),
    weight: 4,
  },
  {
    arbitrary: fc.record({
      command: fc.constant("insert" as const),
      path: anyPath,
      insert_line: fc.integer({ min: -1, max: 8 }),
      insert_text: anyText,
    }),
    weight: 3,
  },
  {
    arbitrary: fc.record({ command: fc.constant("delete" as const), path: anyPath }),
    weight: 2,
  },
  {
    arbitrary: fc.record({
      command: fc.constant("rename" as const),
      old_path: anyPath,
      new_path: anyPath,
    }),
    weight: 4,
  },
);

async function namesOf(list: AsyncIterable<{ readonly name: string }>): Promise<string[]> {
  return Array.fromAsync(list, ({ name }) => name);
}

async function pathsOf(list: AsyncIterable<{ readonly path: string }>): Promise<string[]> {
  return Array.fromAsync(list, ({ path }) => path);
}

/** What the SDK would tell the model. */
async function resultOf(handlers: MemoryToolHandlers, command: Command): Promise<string> {
  try {
    const text = await betaMemoryTool(handlers).run(command);
    return typeof text === "string" ? text : JSON.stringify(text);
  } catch (error) {
    return `Error: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function withoutDirectorySizes(text: string): string {
  if (!text.startsWith("Here're the files")) return text;
  const [header, ...lines] = text.split("\n");
  const blanked = lines.map((line, index) =>
    index === 0 || line.endsWith("/") ? line.replace(/^[^\t]*/, "-") : line,
  );
  return [header, ...blanked].join("\n");
}

async function removeEmptyDirectories(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const path = join(directory, entry.name);
    await removeEmptyDirectories(path);
    if ((await readdir(path)).length === 0) await rmdir(path);
  }
}

/** Paths from the root. */
async function filesIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
}

interface ScriptedModel {
  readonly url: string;
  /** What it was told of each command. */
  readonly results: string[];
  readonly stop: () => void;
}

/** Plays the part of Claude's API: one command after another, and then an end. */
async function startScriptedModel(commands: readonly Command[]): Promise<ScriptedModel> {
  const results: string[] = [];
  let next = 0;
  const double: HttpServer = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      // True because the SDK sends a request of the Messages API.
      const { messages } = JSON.parse(body) as Anthropic.Beta.MessageCreateParams;
      const content = messages.at(-1)?.content;
      for (const block of typeof content === "string" ? [] : (content ?? [])) {
        if (block.type !== "tool_result") continue;
        const shown = block.content;
        results.push(typeof shown === "string" ? shown : JSON.stringify(shown));
      }
      const command = commands[next++];
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify({
          id: `msg_${next}`,
          type: "message",
          role: "assistant",
          model: "scripted",
          content:
            command === undefined
              ? [{ type: "text", text: "Done." }]
              : [{ type: "tool_use", id: `toolu_${next}`, name: "memory", input: command }],
          stop_reason: command === undefined ? "end_turn" : "tool_use",
          stop_sequence: null,
          usage: { input_tokens: 1, output_tokens: 1 },
        }),
      );
    });
  });
  await new Promise<void>((listening) => double.listen(0, "localhost", listening));
  // True because it listens on a port, not on a pipe.
  const { port } = double.address() as AddressInfo;
  return { url: `http://localhost:${port}`, results, stop: () => double.close() };
}

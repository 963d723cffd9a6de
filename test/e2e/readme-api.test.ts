/** The README's examples of the HTTP API, as they stand there, against a running server: with curl and with Node. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeChatExport } from "./support/chat-export.ts";
import { startServer, type Server } from "./support/server.ts";

const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);
/** Where the README says that a server is. */
const SHOWN_LOCALLY = "http://localhost:26346";
const SHOWN_DEPLOYED = "https://cofio.example.com";
/** The beginning of a zip. */
const ZIP = Buffer.from("PK\u0003\u0004");

// Asserted on key by key.
type Answer = Record<string, any>;

let server: Server;
let section: string;

beforeAll(async () => {
  server = await startServer();
  const readme = await readFile(join(root, "README.md"), "utf8");
  [, section = ""] = /^## The HTTP API\n(.*?)^## /ms.exec(readme) ?? [];
});

afterAll(() => server?.stop());

test("each line of curl is answered with what its remark says", async () => {
  const folder = await newFolder(tmpdir());
  try {
    const lines = blockOf("sh").replace(SHOWN_LOCALLY, server.origin).split("\n");
    const jobs = lines.filter((line) => line.startsWith("api "));
    const begin = lines.filter((line) => !line.startsWith("api "));
    const TOKEN = await server.token("readme with curl");
    /** What the README writes in capitals, from the answers before. */
    const known: Record<string, string> = {};
    const answers: Record<string, Answer> = {};
    for (const line of jobs) {
      const job = /# (.*)$/.exec(line)?.[1] ?? "";
      const asked = line.replaceAll(/(?<=\/)[A-Z]+/g, (name) => known[name] ?? name);
      expect(asked).not.toMatch(/\/[A-Z]+/);
      const ask = async (): Promise<Answer> => {
        // A status of failure is one of the program then.
        const env = { ...process.env, CURL_HOME: folder, TOKEN };
        const script = [...begin, asked].join("\n");
        const { stdout } = await run("sh", ["-c", script], { cwd: folder, env });
        return stdout === "" ? {} : (JSON.parse(stdout) as Answer);
      };
      answers[job] = await ask();
      if (job === "how far that is") {
        await expect.poll(ask, PATIENCE).toMatchObject({ job: { state: "finished" } });
      }
      const { memory, operation_id, conversations, job: begun } = answers[job];
      if (memory !== undefined) known["MEMORY"] = memory.id;
      if (operation_id !== undefined) known["OPERATION"] = operation_id;
      if (conversations?.[0] !== undefined) known["CONVERSATION"] = conversations[0].id;
      if (begun !== undefined) known["JOB"] = begun.id;
    }
    const content = "Prefers metric units.";
    expect(answers).toMatchObject({
      save: { outcome: "created", memory: { content, tags: ["cooking"] } },
      find: { results: [{ content, matched: true }] },
      list: { memories: [{ content }] },
      read: { memory: { content, version: 1 } },
      change: { memory: { tags: expect.arrayContaining(["baking", "cooking"]) } },
      "to the trash": { memory: { status: "trashed" } },
      "undo what an answer named": { undone: { memories: 1 } },
      "import a file": { items: { new: 10, skipped: 2 } },
      "find what was said": { results: expect.arrayContaining([expect.anything()]) },
      "list chats": { total: 2, conversations: [{}, {}] },
      "read one": { messages: [{}, {}, {}, {}] },
      "export everything": { job: { id: known["JOB"] } },
      "how far that is": { job: { id: known["JOB"] } },
      "finished: the file": {},
    });
    expect(Object.keys(answers)).toHaveLength(14);
    expect(await beginning(join(folder, "cofio.zip"))).toEqual(ZIP);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("the TypeScript compiles, and does the same jobs", async () => {
  // Within the repository, so that the compiler finds the types of Node.
  const folder = await newFolder(join(root, "test/e2e"));
  try {
    const program = blockOf("ts").replace(SHOWN_DEPLOYED, server.origin);
    await writeFile(join(folder, "use.ts"), `${program}\n${TELL}`);
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(COMPILER));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    await run(process.execPath, [tsc, "-p", folder]).catch((error: { stdout?: string }) => {
      throw new Error(`The example does not compile:\n${error.stdout}`);
    });
    const env = { ...process.env, COFIO_TOKEN: await server.token("readme with Node") };
    const { stdout } = await run(process.execPath, ["use.ts"], { cwd: folder, env });
    expect(JSON.parse(stdout)).toEqual({
      saved: "Prefers metric units.",
      found: ["Prefers metric units."],
      listed: ["Prefers metric units."],
      next: null,
      imported: 10,
      said: true,
      chats: 2,
      messages: 4,
      state: "finished",
    });
    expect(await beginning(join(folder, "cofio.zip"))).toEqual(ZIP);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

const PATIENCE = { timeout: 30_000, interval: 200 };

/** What the example leaves in its variables. */
const TELL = `
console.log(
  JSON.stringify({
    saved: memory.content,
    found: results.map((hit: any) => hit.content),
    listed: memories.map((listed: any) => listed.content),
    next: next_cursor ?? null,
    imported: items.new,
    said: said.length > 0,
    chats: conversations.length,
    messages: messages.length,
    state: job.state,
  }),
);
`;

const COMPILER = {
  compilerOptions: {
    strict: true,
    target: "es2024",
    module: "nodenext",
    lib: ["es2024"],
    types: ["node"],
    noEmit: true,
  },
  include: ["use.ts"],
};

/** With the file to be imported, which is in the shape of ChatGPT's, and what has curl fail where the server refuses. */
async function newFolder(parent: string): Promise<string> {
  const folder = await mkdtemp(join(parent, "readme-"));
  await writeFile(join(folder, "package.json"), '{"type": "module"}');
  await writeFile(join(folder, ".curlrc"), "fail-with-body\n");
  const file = join(folder, "chatgpt-export.zip");
  await writeChatExport(file, { conversations: 2, name: "readme", fillerBytes: 100 });
  return folder;
}

function blockOf(language: "sh" | "ts"): string {
  const block = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "ms").exec(section)?.[1];
  if (block === undefined) throw new Error(`The section has no example in ${language}`);
  return block;
}

async function beginning(file: string): Promise<Buffer> {
  return (await readFile(file)).subarray(0, ZIP.length);
}

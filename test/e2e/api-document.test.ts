/** The API's description as others use it: a validator, a generator of clients, and a reader at the page. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Validator } from "@seriousme/openapi-schema-validator";
import { generate, HttpClient } from "openapi-typescript-codegen";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, photograph, type Browser } from "./support/browser.ts";
import { startServer, type Server } from "./support/server.ts";

const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

test("the document is a valid one", async () => {
  const { valid, errors } = await new Validator().validate(await readDocument());
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

test("a client generated from the document saves, lists and searches, and its types hold", async () => {
  // Within the repository, so that the compiler finds the types of Node.
  const folder = await mkdtemp(join(root, "test/e2e/generated-"));
  try {
    await generate({
      input: await readDocument(),
      output: join(folder, "client"),
      httpClient: HttpClient.FETCH,
      useOptions: true,
      exportSchemas: false,
    });
    await writeFile(join(folder, "use.ts"), PROGRAM);
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(COMPILER));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    await run(process.execPath, [tsc, "-p", folder]).catch((error: { stdout?: string }) => {
      throw new Error(`The client does not compile:\n${error.stdout}`);
    });
    await writeFile(join(folder, "built/package.json"), '{"type": "commonjs"}');
    const { stdout } = await run(process.execPath, [join(folder, "built/use.js")], {
      env: { ...process.env, COFIO: server.origin, TOKEN: await server.token("generated") },
    });
    expect(JSON.parse(stdout)).toEqual({
      saved: "created",
      listed: ["Prefers metric units."],
      found: ["Prefers metric units."],
      refused: 404,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("the page shows every operation, to anyone, and breaks no rule of its policy", async () => {
  const violations: string[] = [];
  browser.page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) violations.push(message.text());
  });
  await browser.page.goto(`${server.origin}/api/docs`);
  const { paths } = await readDocument();
  const operations = Object.values(paths).flatMap((path) => Object.values(path));
  for (const { operationId } of operations) {
    expect(await browser.page.locator(`details[id="${operationId}"]`).count()).toBe(1);
  }
  await browser.page.getByText("POST /api/memories", { exact: true }).click();
  const save = browser.page.locator("#saveMemory");
  await save.getByText("Needs memories:write.").waitFor();
  expect(await save.locator("dt").allInnerTexts()).toContain("content");
  await photograph(browser.page, "api-docs");
  expect(violations).toEqual([]);
});

type Document = Record<string, unknown> & {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { operationId: string }>>>>;
};

async function readDocument(): Promise<Document> {
  const response = await fetch(`${server.origin}/api/openapi.json`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toContain("application/json");
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  // The shape is what the first test shows.
  return (await response.json()) as Document;
}

const COMPILER = {
  compilerOptions: {
    strict: true,
    target: "es2024",
    module: "commonjs",
    moduleResolution: "bundler",
    lib: ["es2024", "dom"],
    types: ["node"],
    outDir: "built",
  },
  include: ["use.ts", "client"],
};

const PROGRAM = `
import { ApiError, MemoriesService, OpenAPI } from "./client";

OpenAPI.BASE = process.env.COFIO ?? "";
OpenAPI.TOKEN = process.env.TOKEN;

async function main(): Promise<void> {
  const { outcome } = await MemoriesService.saveMemory({ requestBody: { content: "Prefers metric units." } });
  const { memories } = await MemoriesService.listMemories({ limit: 10 });
  const { results } = await MemoriesService.searchMemories({ requestBody: { query: "units" } });
  const refused = await MemoriesService.getMemory({ id: "aaaaaaaaaaaa" }).catch((error: unknown) => {
    if (error instanceof ApiError) return error.status;
    throw error;
  });
  const listed: string[] = memories.map((memory) => memory.content);
  const found: (string | undefined)[] = results.map((hit) => hit.content);
  console.log(JSON.stringify({ saved: outcome, listed, found, refused }));
}

void main();
`;

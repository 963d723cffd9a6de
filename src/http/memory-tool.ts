/** Claude's memory tool (`memory_20250818`): one command as the model sent it, answered with the text for the tool's result. */
import { Hono } from "hono";
import * as z from "zod";
import { UserError } from "../errors.ts";
import { runFileCommand, type FileCommand } from "../memory/file-commands.ts";
import type { Scope } from "../scopes.ts";
import type { ApiContext } from "./api.ts";
import { readJson } from "./read-json.ts";
import { requireScope } from "./require-scope.ts";

const WANTED =
  'Send the input of the tool as the model made it: {"command": "view", "path": "/memories"}.';

const SCOPE_OF = {
  view: "memories:read",
  create: "memories:write",
  str_replace: "memories:write",
  insert: "memories:write",
  rename: "memories:write",
  delete: "memories:delete",
} as const satisfies Record<FileCommand["command"], Scope>;

/** Not at module scope: making it takes time of every isolate's start. */
export function memoryCommandSchema() {
  const path = z.string();
  return z.discriminatedUnion("command", [
    z.object({
      command: z.literal("view"),
      path,
      view_range: z
        .array(z.int())
        .nullish()
        .transform((range) => range ?? undefined),
    }),
    z.object({ command: z.literal("create"), path, file_text: z.string() }),
    z.object({
      command: z.literal("str_replace"),
      path,
      old_str: z.string(),
      new_str: z.string(),
    }),
    z.object({
      command: z.literal("insert"),
      path,
      insert_line: z.int(),
      insert_text: z.string(),
    }),
    z.object({ command: z.literal("delete"), path }),
    z.object({ command: z.literal("rename"), old_path: path, new_path: path }),
  ]);
}

let schema: ReturnType<typeof memoryCommandSchema> | undefined;

export function memoryTool({ account, caller, scopes }: ApiContext) {
  return new Hono().post("/", async (c) => {
    schema ??= memoryCommandSchema();
    const parsed = schema.safeParse(await readJson(c, WANTED));
    if (!parsed.success) {
      const { path = [], message = "is missing" } = parsed.error.issues[0] ?? {};
      // The model wrote it, so the model reads what is wrong with it.
      return c.json(
        resultOf(`Invalid \`${path.join(".")}\` of a memory command: ${message}`, true),
      );
    }
    requireScope(scopes, SCOPE_OF[parsed.data.command]);
    try {
      return c.json(resultOf(await runFileCommand(account, parsed.data, caller), false));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return c.json(resultOf(textOf(error), true));
    }
  });
}

/** Messages of the SDK's own tool have no hint. */
function textOf({ message, hint }: UserError): string {
  return hint === "" ? message : `${message} ${hint}`;
}

/** The parts of a `tool_result` block that depend on what happened. */
function resultOf(content: string, isError: boolean) {
  return { content, is_error: isError };
}

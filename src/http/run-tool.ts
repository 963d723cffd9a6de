import { parseArguments } from "../mcp/arguments.ts";
import type { Tool } from "../mcp/tool.ts";
import type { ApiContext } from "./api.ts";
import { requireScope } from "./require-scope.ts";

/** The most that one may ask for: a program has no context to spare, and asks for less where it wants less. */
export const MAX_TOKENS = 50_000;

/**
 * A tool as a route: the same input, rights and answer. `Answer` is a type of `openapi/answers.ts`.
 * @param args as sent; the parts of the path last, so that the body cannot name another item
 * @throws UserError forbidden, and what the tool throws
 */
export async function runTool<Answer = Record<string, unknown>>(
  tool: Tool,
  context: ApiContext,
  ...args: readonly object[]
): Promise<Answer> {
  const given: Record<string, unknown> = Object.assign({}, ...args);
  requireScope(context.scopes, tool.scope);
  const further = tool.furtherScope?.(given) ?? null;
  if (further !== null) requireScope(context.scopes, further);
  // Null is not given, as to every tool.
  const max_tokens = given["max_tokens"] ?? MAX_TOKENS;
  const input = parseArguments(tool, { ...given, max_tokens }, "/api/docs");
  const { structured } = await tool.run(input, context);
  // Of this form: test/http/api-document.test.ts parses what each route answers with the strict schema that the type is of.
  return structured as Answer;
}

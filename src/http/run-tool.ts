import { parseArguments } from "../mcp/arguments.ts";
import type { Tool } from "../mcp/tool.ts";
import type { ApiContext } from "./api.ts";
import { requireScope } from "./require-scope.ts";

/** The most that one may ask for: a program has no context to spare, and asks for less where it wants less. */
export const MAX_TOKENS = 50_000;

/**
 * A tool as a route: the same input, rights and answer.
 * @param args as sent; the parts of the path last, so that the body cannot name another item
 * @throws UserError forbidden, and what the tool throws
 */
export async function runTool(
  tool: Tool,
  context: ApiContext,
  ...args: readonly object[]
): Promise<Record<string, unknown>> {
  const given: Record<string, unknown> = Object.assign({}, ...args);
  requireScope(context.scopes, tool.scope);
  const further = tool.furtherScope?.(given) ?? null;
  if (further !== null) requireScope(context.scopes, further);
  const input = parseArguments(tool, { max_tokens: MAX_TOKENS, ...given }, "/api/docs");
  const { structured } = await tool.run(input, context);
  return structured;
}

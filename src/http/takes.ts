import type { MiddlewareHandler } from "hono";
import type * as z from "zod";
import type { Tool } from "../mcp/tool.ts";

/** As an address carries it: everything is text there, and a list is one text with commas. */
type InQuery<Value> = { [Name in keyof Value]: Value[Name] | string };

/**
 * Tells Hono's typed client what a route takes. It parses nothing: the route does, with the same schema, and answers in the words of
 * the API.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it is all that this says
export function takesJson<Value>(): MiddlewareHandler<object, string, { in: { json: Value } }> {
  return (_c, next) => next();
}

export function takesQuery<Value>(): MiddlewareHandler<
  object,
  string,
  { in: { query: InQuery<Value> } }
> {
  return (_c, next) => next();
}

export type InputOf<SomeTool> = SomeTool extends Tool<infer Input> ? z.input<Input> : never;

/** What was sent to a tool, as its schema has it: over MCP and over HTTP. */
import type * as z from "zod";
import { UserError } from "../errors.ts";
import type { Tool } from "./tool.ts";

/** What it needs of a tool; a route that is none has these too. */
type Taker<Input extends z.ZodType> = Pick<Tool<Input>, "name" | "input" | "aliases">;

/** @param schema where the whole of it can be read @throws UserError invalid_input, one sentence that says what to send instead */
export function parseArguments<Input extends z.ZodType>(
  tool: Taker<Input>,
  args: unknown,
  schema = `the input schema of ${tool.name}`,
): z.output<Input> {
  const parsed = tool.input.safeParse(withoutAliases(tool, args));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join(".") ?? "";
  const what = path === "" ? "The arguments" : `\`${path}\``;
  throw new UserError(
    "invalid_input",
    `${what} cannot be used: ${issue?.message ?? "wrong type"}.`,
    `${issue === undefined ? "" : wantedBy(issue, what)}See ${schema}.`,
  );
}

/** What to send instead, as far as the schema says it in a word. */
function wantedBy(issue: z.core.$ZodIssue, what: string): string {
  switch (issue.code) {
    case "invalid_type":
      return `Send ${what} as ${issue.expected}. `;
    case "invalid_value":
      return `Send one of ${issue.values.join(", ")}. `;
    case "too_big":
      return `Send at most ${String(issue.maximum)}. `;
    case "too_small":
      return `Send at least ${String(issue.minimum)}. `;
    default:
      return "";
  }
}

/** Renames guessed parameters, and treats null as "not given", as many models mean it. */
function withoutAliases({ aliases }: Pick<Tool, "aliases">, args: unknown): unknown {
  if (typeof args !== "object" || args === null || Array.isArray(args)) return args;
  const given = Object.entries(args).filter(([, value]) => value !== null);
  const named = new Set(given.map(([name]) => name));
  return Object.fromEntries(
    given.map(([name, value]) => {
      const own = Object.hasOwn(aliases, name) ? aliases[name] : undefined;
      return own === undefined || named.has(own) ? [name, value] : [own, value];
    }),
  );
}

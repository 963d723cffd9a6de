/** An MCP server for one request of one user. The only place besides `http/api.ts` that catches what tools throw. */
import {
  McpServer,
  requireScopes,
  type CallToolResult,
  type ScopeChallengeHandler,
} from "@modelcontextprotocol/server";
import type * as z from "zod";
import { UserError } from "../errors.ts";
import { userErrorOf } from "../storage/plan.ts";
import { reportError } from "../log.ts";
import packageJson from "../../package.json" with { type: "json" };
import { errorAnswer } from "./answers.ts";
import listedInputs from "./input-schemas.json" with { type: "json" };
import { instructionsFor } from "./instructions.ts";
import type { Tool, ToolAnswer, ToolContext } from "./tool.ts";
import { tools } from "./tools/index.ts";

/** The list never changes within a version; clients may keep it for an hour. */
const LIST_TTL_MS = 3_600_000;

const inputSchemas: Readonly<Record<string, Record<string, unknown>>> = listedInputs;

/** Made once per isolate: a server is built for every request, and on the free plan that has 10 ms of CPU. */
const registrations = tools.map((tool) => ({
  tool,
  config: {
    title: tool.title,
    description: tool.description,
    inputSchema: listed(inputSchemaOf(tool)),
    outputSchema: listed(outputSchemaOf(tool)),
    annotations: { title: tool.title, ...tool.annotations },
    scopeChallenge: scopeChallengeOf(tool),
  },
}));

export function createServer(context: ToolContext): McpServer {
  const server = new McpServer(
    { name: "cofio", title: "Cofio", version: packageJson.version },
    {
      instructions: instructionsFor(context.account.rules),
      capabilities: { tools: { listChanged: false } },
      cacheHints: {
        "tools/list": { ttlMs: LIST_TTL_MS, cacheScope: "public" },
        // It carries the instructions, which follow the person's rules.
        "server/discover": { ttlMs: LIST_TTL_MS, cacheScope: "private" },
      },
    },
  );
  for (const { tool, config } of registrations) {
    server.registerTool(tool.name, config, (args: unknown) => callTool(tool, args, context));
  }
  return server;
}

function scopeChallengeOf(tool: Tool): ScopeChallengeHandler {
  const always = requireScopes(tool.scope);
  return (context) => {
    const args = context.request.params?.["arguments"];
    // True for any JSON object; others fail when they are parsed.
    const given =
      typeof args === "object" && args !== null ? (args as Record<string, unknown>) : {};
    const further = tool.furtherScope?.(given) ?? null;
    return further === null ? always(context) : requireScopes(tool.scope, further)(context);
  };
}

async function callTool(tool: Tool, args: unknown, context: ToolContext): Promise<CallToolResult> {
  try {
    const answer = await tool.run(parseArguments(tool, args), context);
    return resultOf(answer);
  } catch (error) {
    const told = userErrorOf(error);
    if (told !== null) return refusal(told);
    const message = reportError(tool.name, error);
    return { isError: true, content: [{ type: "text", text: `${message} Try again.` }] };
  }
}

/** @throws UserError invalid_input, one sentence that says what to send instead */
function parseArguments(tool: Tool, args: unknown): unknown {
  const parsed = tool.input.safeParse(withoutAliases(tool, args));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join(".") ?? "";
  const what = path === "" ? "The arguments" : `\`${path}\``;
  throw new UserError(
    "invalid_input",
    `${what} cannot be used: ${issue?.message ?? "wrong type"}.`,
    `${issue === undefined ? "" : wantedBy(issue, what)}See the input schema of ${tool.name}.`,
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
function withoutAliases(tool: Tool, args: unknown): unknown {
  if (typeof args !== "object" || args === null || Array.isArray(args)) return args;
  const given = Object.entries(args).filter(([, value]) => value !== null);
  const named = new Set(given.map(([name]) => name));
  return Object.fromEntries(
    given.map(([name, value]) => {
      const own = Object.hasOwn(tool.aliases, name) ? tool.aliases[name] : undefined;
      return own === undefined || named.has(own) ? [name, value] : [own, value];
    }),
  );
}

function resultOf({ structured, text }: ToolAnswer): CallToolResult {
  return { structuredContent: structured, content: [{ type: "text", text }] };
}

function refusal(refused: UserError): CallToolResult {
  const { error, text } = errorAnswer(refused);
  return { isError: true, structuredContent: { error }, content: [{ type: "text", text }] };
}

function inputSchemaOf({ name }: Tool): Record<string, unknown> {
  const schema = inputSchemas[name];
  if (schema === undefined) throw new Error(`No input schema for ${name}: run npm run types`);
  return schema;
}

function outputSchemaOf(tool: Tool): Record<string, unknown> {
  const properties = Object.entries(tool.output).map(([key, type]) => [key, { type }]);
  return { type: "object", properties: Object.fromEntries(properties) };
}

/**
 * A schema that the SDK lists but does not check: `parseArguments` does, after aliases, and says in one sentence what is wrong.
 */
function listed(schema: Record<string, unknown>) {
  const jsonSchema = () => schema;
  return {
    "~standard": {
      version: 1 as const,
      vendor: "cofio",
      validate: (value: unknown) => ({ value }),
      jsonSchema: { input: jsonSchema, output: jsonSchema },
    },
  };
}

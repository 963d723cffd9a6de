/** An MCP server for one request of one user. The only place besides `http/api.ts` that catches what tools throw. */
import {
  McpServer,
  requireScopes,
  type CallToolResult,
  type ScopeChallengeHandler,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import { UserError } from "../errors.ts";
import { logError } from "../log.ts";
import { newId } from "../vault/ids.ts";
import packageJson from "../../package.json" with { type: "json" };
import { INSTRUCTIONS } from "./instructions.ts";
import type { Tool, ToolAnswer, ToolContext } from "./tool.ts";
import { tools } from "./tools/index.ts";

/** The list never changes within a version; clients may keep it for an hour. */
const LIST_TTL_MS = 3_600_000;

/** Schemas are made once per isolate: a server is built for every request, and on the free plan that has 10 ms of CPU. */
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
      instructions: INSTRUCTIONS,
      capabilities: { tools: { listChanged: false } },
      cacheHints: {
        "tools/list": { ttlMs: LIST_TTL_MS, cacheScope: "public" },
        "server/discover": { ttlMs: LIST_TTL_MS, cacheScope: "public" },
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
    if (error instanceof UserError) return refusal(error);
    const reference = newId();
    logError(reference, tool.name, error);
    return {
      isError: true,
      content: [
        {
          type: "text",
          text: `Something went wrong on the server (reference ${reference}). Try again.`,
        },
      ],
    };
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
    `Look at the input schema of ${tool.name} and call it again.`,
  );
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

function refusal({ code, message, hint, details }: UserError): CallToolResult {
  return {
    isError: true,
    structuredContent: { error: { code, message, hint, ...details } },
    content: [{ type: "text", text: `${message} ${hint}` }],
  };
}

function inputSchemaOf(tool: Tool): Record<string, unknown> {
  const {
    $schema: _,
    additionalProperties: __,
    ...schema
  } = z.toJSONSchema(tool.input, {
    io: "input",
    // Bounds of safe integers say nothing to a model and cost it tokens.
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
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

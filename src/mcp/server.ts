/** An MCP server for one request of one user. What its tools throw is caught here. */
import {
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
  requireScopes,
  ResourceNotFoundError,
  ResourceTemplate,
  type CallToolResult,
  type GetPromptResult,
  type McpRequestContext,
  type ReadResourceResult,
  type ScopeChallengeHandler,
} from "@modelcontextprotocol/server";
import type { UserError } from "../errors.ts";
import { userErrorOf } from "../storage/plan.ts";
import { reportError } from "../log.ts";
import packageJson from "../../package.json" with { type: "json" };
import { errorAnswer } from "./answers.ts";
import { parseArguments } from "./arguments.ts";
import listedInputs from "./input-schemas.json" with { type: "json" };
import { instructionsFor } from "./instructions.ts";
import { prompts } from "./prompts.ts";
import { memoryResource, resources } from "./resources.ts";
import { readOnly } from "../refusals.ts";
import { isWriting, type Scope } from "../scopes.ts";
import type { Tool, ToolAnswer, ToolContext, ToolSet } from "./tool.ts";
import { chatgptTools, tools } from "./tools/index.ts";

/** The list never changes within a version; clients may keep it for an hour. */
const LIST_TTL_MS = 3_600_000;

const inputSchemas: Readonly<Record<string, Record<string, unknown>>> = listedInputs;

/** Made once per isolate: a server is built for every request, and on the free plan that has 10 ms of CPU. */
const registrations = { all: tools.map(registrationOf), chatgpt: chatgptTools.map(registrationOf) };

/** Which tools a client asks for in its address. Whatever else stands there is another client's or proxy's, and means nothing. */
export function toolSetOf({ url }: Request): ToolSet {
  return new URL(url).searchParams.get("tools") === "chatgpt" ? "chatgpt" : "all";
}

/** For one client, whose person made it read-only: when that is taken back, its list is to be whole again soon. */
const READING_LIST_TTL_MS = 60_000;

export interface ServerOptions {
  readonly toolSet: ToolSet;
  readonly era: McpRequestContext["era"];
  /** The person lets this client read only: what would change something is neither listed nor done. */
  readonly isReadOnly: boolean;
  /** Told of every tool, prompt and resource that is asked for. A refusal: it is one too many. */
  readonly countCall: () => UserError | null;
}

export function createServer(context: ToolContext, options: ServerOptions): McpServer {
  const { toolSet, era, isReadOnly, countCall } = options;
  const list = { ttlMs: LIST_TTL_MS, cacheScope: "public" } as const;
  const server = new McpServer(
    { name: "cofio", title: "Cofio", version: packageJson.version },
    {
      instructions: instructionsFor(toolSet, context.account.rules, { isReadOnly }),
      capabilities: {
        tools: { listChanged: false },
        ...(toolSet === "all" ? extras(context, era) : {}),
      },
      cacheHints: {
        "tools/list": isReadOnly ? { ttlMs: READING_LIST_TTL_MS, cacheScope: "private" } : list,
        "prompts/list": list,
        "resources/list": list,
        "resources/templates/list": list,
        // It carries the instructions, which follow the person's rules.
        "server/discover": { ttlMs: LIST_TTL_MS, cacheScope: "private" },
      },
    },
  );
  for (const { tool, config } of registrations[toolSet]) {
    server.registerTool(tool.name, config, (args: unknown) => {
      const refused =
        countCall() ??
        (isReadOnly && isWriting(tool.scope) ? readOnly(context.publicOrigin) : null);
      return refused === null ? callTool(tool, args, context) : refusal(refused);
    });
  }
  if (isReadOnly) listReadingTools(server, toolSet);
  if (toolSet === "all") {
    registerPrompts(server, context, countCall);
    registerResources(server, context, countCall);
  }
  return server;
}

/**
 * In place of the server for a client that the person holds back. It lists what it always lists, because a client that finds nothing takes
 * the server for broken; whatever is called says why not.
 */
export function createRefusingServer(refused: UserError, toolSet: ToolSet): McpServer {
  const server = new McpServer(
    { name: "cofio", title: "Cofio", version: packageJson.version },
    {
      instructions: `${refused.message} ${refused.hint}`,
      capabilities: { tools: { listChanged: false } },
      cacheHints: { "server/discover": { ttlMs: 0, cacheScope: "private" } },
    },
  );
  for (const { tool, config } of registrations[toolSet]) {
    const { scopeChallenge: _, ...listed } = config;
    server.registerTool(tool.name, listed, () => refusal(refused));
  }
  return server;
}

/** The library lists what can be called; here what changes something can be, to be told why it is not done. */
function listReadingTools(server: McpServer, toolSet: ToolSet): void {
  const reading = registrations[toolSet].filter(({ tool }) => !isWriting(tool.scope));
  server.server.setRequestHandler("tools/list", () => ({
    tools: reading.map(({ tool, config: { title, description, annotations } }) => ({
      name: tool.name,
      title,
      description,
      // True of both: they are schemas of objects.
      inputSchema: inputSchemaOf(tool) as { type: "object" },
      outputSchema: outputSchemaOf(tool) as { type: "object" },
      annotations,
    })),
  }));
}

/** Watching needs a stream, which the older protocol has in sessions only; and what changes is told to those who may read it. */
function extras({ scopes }: ToolContext, era: ServerOptions["era"]) {
  const subscribe = era === "modern" && scopes.includes(READING);
  return { prompts: { listChanged: false }, resources: { listChanged: false, subscribe } };
}

const READING: Scope = "memories:read";

function registerPrompts(
  server: McpServer,
  context: ToolContext,
  countCall: ServerOptions["countCall"],
): void {
  for (const prompt of prompts) {
    const { name, title, description, input: argsSchema } = prompt;
    const config = { title, description, argsSchema, scopeChallenge: requireScopes(prompt.scope) };
    const get = async (args: unknown): Promise<GetPromptResult> => {
      admit(countCall);
      const text = await prompt.run(args, context);
      return { messages: [{ role: "user", content: { type: "text", text } }] };
    };
    server.registerPrompt(name, config, (args) => orProtocolError(name, () => get(args)));
  }
}

/** @throws UserError rate_limited */
function admit(countCall: ServerOptions["countCall"]): void {
  const refused = countCall();
  if (refused !== null) throw refused;
}

function registerResources(
  server: McpServer,
  context: ToolContext,
  countCall: ServerOptions["countCall"],
): void {
  const shared = { mimeType: "text/plain", scopeChallenge: requireScopes(READING) };
  const contents = ({ href }: URL, read: () => Promise<string>): Promise<ReadResourceResult> => {
    return orProtocolError(
      "resources/read",
      async () => {
        admit(countCall);
        return { contents: [{ uri: href, mimeType: shared.mimeType, text: await read() }] };
      },
      href,
    );
  };
  for (const resource of resources) {
    const { name, uri, title, description } = resource;
    const config = { title, description, ...shared };
    server.registerResource(name, uri, config, (url) =>
      contents(url, () => resource.read(context)),
    );
  }
  const { name, uriTemplate, title, description } = memoryResource;
  server.registerResource(
    name,
    new ResourceTemplate(uriTemplate, { list: undefined }),
    { title, description, ...shared },
    (url, { id }) => contents(url, () => memoryResource.read(context, String(id))),
  );
}

/** Prompts and resources have no result that says "no": what was thrown becomes the protocol's error, in the words of a tool's. */
async function orProtocolError<T>(where: string, work: () => Promise<T>, uri?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const told = userErrorOf(error);
    if (told === null) {
      const message = `${reportError(where, error)} Try again.`;
      throw new ProtocolError(ProtocolErrorCode.InternalError, message);
    }
    if (told.code === "not_found" && uri !== undefined) throw new ResourceNotFoundError(uri);
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, errorAnswer(told).text);
  }
}

function registrationOf(tool: Tool) {
  return {
    tool,
    config: {
      title: tool.title,
      description: tool.description,
      inputSchema: listed(inputSchemaOf(tool)),
      outputSchema: listed(outputSchemaOf(tool)),
      annotations: { title: tool.title, ...tool.annotations },
      scopeChallenge: scopeChallengeOf(tool),
    },
  };
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
    if (!tool.annotations.readOnlyHint) await context.tellChanges();
    return resultOf(answer);
  } catch (error) {
    const told = userErrorOf(error);
    if (told !== null) return refusal(told);
    const message = reportError(tool.name, error);
    return { isError: true, content: [{ type: "text", text: `${message} Try again.` }] };
  }
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

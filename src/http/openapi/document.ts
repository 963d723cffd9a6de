/** The API as an OpenAPI document, from the schemas that parse its requests. Made when the pages are built; the Worker carries none of it. */
import * as z from "zod";
import {
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
} from "zod-openapi";
import packageJson from "../../../package.json" with { type: "json" };
import { SCOPE_MEANINGS } from "../../scopes.ts";
import type { STATUS } from "../error-status.ts";
import { problem } from "./answers.ts";
import { routes, type ApiRoute } from "./routes.ts";

const REFUSALS: Readonly<Record<(typeof STATUS)[keyof typeof STATUS], string>> = {
  400: "What was sent cannot be used; `hint` says what to send instead",
  403: "The token lacks a scope, or the user's trust",
  404: "There is no such item; another user's is no different",
  409: "It was changed meanwhile, or another one stands in the way; `current` is the copy as it is",
  410: "It was there, and is gone for good",
  413: "It is larger than can be taken",
  415: "The file is in no format that can be read",
  429: "Too many requests, or no room by the user's rules, the server's limits or for today; `retry_after_seconds` where waiting helps",
  503: "The server cannot open the account until whoever runs it puts its VAULT_KEY right",
};
/** Any of them may come from any route. */
const PROBLEMS: Readonly<Record<number, string>> = {
  ...REFUSALS,
  401: "No session, or a token that is wrong or revoked",
  500: "It was our fault; the message holds a reference for whoever runs the server",
};

export function makeApiDocument(): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) };
  }
  const document: ZodOpenApiObject = {
    openapi: "3.1.0",
    info: {
      title: "Cofio",
      version: packageJson.version,
      license: { name: "MIT", identifier: "MIT" },
      description: `The memory of one user, over HTTP: what the tools of the MCP server do, and imports, exports, undo and backups beside. Send a personal access token, made on the server's page, as \`Authorization: Bearer …\`. A token has scopes:\n\n${scopeList()}`,
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "A personal access token" },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "__Host-session",
          description: "Of a page of this server, with its Origin",
        },
      },
    },
  };
  return createDocument(document, {
    override: ({ jsonSchema }) => {
      // Later versions add fields, and clients are to let them pass.
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
}

function operationOf(route: ApiRoute): ZodOpenApiOperationObject {
  const { operation, tag, summary, description, scopes, query, answers } = route;
  const listed = scopes.map((scope) => `\`${scope}\``).join(", ");
  const ids = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const needs = route.needs ?? (scopes.length === 0 ? "Any token will do." : `Needs ${listed}.`);
  return {
    operationId: operation,
    tags: [tag],
    summary,
    description: description === undefined ? needs : `${needs} ${description}`,
    security: [{ token: [...scopes] }, { session: [] }],
    requestParams: {
      ...(ids.length === 0
        ? {}
        : { path: z.object(Object.fromEntries(ids.map((name) => [name, z.string()]))) }),
      ...(query === undefined ? {} : { query }),
    },
    ...bodyOf(route),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [
          status,
          typeof answer === "string"
            ? { description: "The file", content: { [answer]: { schema: BINARY } } }
            : { description: "Done", content: { "application/json": { schema: answer } } },
        ]),
      ),
      ...Object.fromEntries(
        Object.entries(PROBLEMS).map(([status, meaning]) => [
          status,
          { description: meaning, content: { "application/json": { schema: problem } } },
        ]),
      ),
    },
  };
}

const BINARY = { type: "string", format: "binary" } as const;
const FORM = {
  type: "object",
  properties: { files: { type: "array", items: BINARY } },
  required: ["files"],
} as const;

function bodyOf({ body, files }: ApiRoute): Pick<ZodOpenApiOperationObject, "requestBody"> {
  if (body !== undefined) {
    return { requestBody: { required: true, content: { "application/json": { schema: body } } } };
  }
  if (files === undefined) return {};
  const content = files.map((type) => [
    type,
    { schema: type === "multipart/form-data" ? FORM : BINARY },
  ]);
  return { requestBody: { required: true, content: Object.fromEntries(content) } };
}

function scopeList(): string {
  return Object.entries(SCOPE_MEANINGS)
    .map(([scope, meaning]) => `- \`${scope}\`: ${meaning}`)
    .join("\n");
}

/** The description of the HTTP API: the OpenAPI document, which `npm run build` makes, and a page of it for readers. */
import { Hono } from "hono";
import { SCOPE_MEANINGS } from "../scopes.ts";
import type { PageContext, PageEnv } from "./bindings.ts";
import { Layout } from "./layout.tsx";
import { findPerson, type Person } from "./session.ts";

/** As much of the document as the page shows. */
interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly parameters?: readonly (Field & { readonly schema: Schema })[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface Field {
  readonly name: string;
  readonly description?: string;
  readonly required?: boolean;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly description?: string;
  readonly default?: unknown;
}

export const apiDocs = new Hono<PageEnv>()
  .get("/api/openapi.json", (c) => readDocument(c))
  .get("/api/docs", async (c) => {
    const [response, person] = await Promise.all([readDocument(c), findPerson(c)]);
    if (!response.ok) return response;
    // True because the build made it of `http/openapi/document.ts`; a test reads the page of every operation.
    const document = (await response.json()) as ApiDocument;
    return c.html(<ApiPage document={document} origin={c.env.PUBLIC_ORIGIN} person={person} />);
  });

function readDocument(c: PageContext): Promise<Response> {
  return c.env.ASSETS.fetch(new URL("/assets/api/openapi.json", c.env.PUBLIC_ORIGIN));
}

interface Endpoint extends Operation {
  readonly method: string;
  readonly path: string;
}

function ApiPage({
  document,
  origin,
  person,
}: {
  readonly document: ApiDocument;
  readonly origin: string;
  readonly person: Person | null;
}) {
  const endpoints = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]): Endpoint => ({
      ...operation,
      method,
      path,
    })),
  );
  const byTag = Map.groupBy(endpoints, ({ tags: [tag = ""] }) => tag);
  return (
    <Layout title="HTTP API" person={person}>
      <section class="card">
        <h1>HTTP API</h1>
        <p>
          For scripts and programs. Send a token, made on <a href="/">your page</a>, as{" "}
          <code>Authorization: Bearer …</code>; bodies are JSON. The same as an OpenAPI document,
          for generated clients: <a href="/api/openapi.json">{origin}/api/openapi.json</a>.
        </p>
        <dl class="fields">
          {Object.entries(SCOPE_MEANINGS).map(([scope, meaning]) => (
            <>
              <dt>
                <code>{scope}</code>
              </dt>
              <dd>{meaning}</dd>
            </>
          ))}
        </dl>
      </section>
      {[...byTag].map(([tag, group]) => (
        <section class="card">
          <h2>{tag}</h2>
          {group.map((endpoint) => (
            <EndpointNote endpoint={endpoint} />
          ))}
        </section>
      ))}
      <section class="card">
        <h2>Shapes</h2>
        {Object.entries(document.components.schemas).map(([name, schema]) => (
          <details id={name} class="endpoint">
            <summary>
              <code>{name}</code>
            </summary>
            <SchemaNote schema={schema} />
          </details>
        ))}
      </section>
    </Layout>
  );
}

function EndpointNote({ endpoint }: { readonly endpoint: Endpoint }) {
  const { method, path, operationId, summary, description, parameters = [] } = endpoint;
  const body = Object.entries(endpoint.requestBody?.content ?? {});
  const answers = Object.entries(endpoint.responses).flatMap(([status, { content = {} }]) =>
    status.startsWith("2")
      ? Object.entries(content).map(([type, { schema }]) => ({ status, type, schema }))
      : [],
  );
  // Several statuses often answer the same.
  const sameAnswers = Map.groupBy(answers, ({ schema }) => JSON.stringify(schema));
  return (
    <details id={operationId} class="endpoint">
      <summary>
        <code>
          {method.toUpperCase()} {path}
        </code>{" "}
        <WithCode text={summary} />
      </summary>
      <p>
        <WithCode text={description} />
      </p>
      {parameters.length === 0 ? null : (
        <>
          <h3>In the address</h3>
          <Fields
            fields={parameters.map((given) => ({ ...given, type: typeText(given.schema) }))}
          />
        </>
      )}
      {body.map(([type, { schema }]) => (
        <>
          <h3>Body, {type}</h3>
          <SchemaNote schema={schema} />
        </>
      ))}
      {[...sameAnswers.values()].map((same) => (
        <>
          <h3>
            Answer {same.map(({ status }) => status).join(", ")}, {same[0]?.type}
          </h3>
          <SchemaNote schema={same[0]?.schema ?? {}} />
        </>
      ))}
    </details>
  );
}

/** Of an object its fields, of anything else its type. */
function SchemaNote({ schema }: { readonly schema: Schema }) {
  if (schema.properties === undefined) {
    return (
      <p>
        <code>{typeText(schema)}</code>
      </p>
    );
  }
  const required = new Set(schema.required);
  const fields = Object.entries(schema.properties).map(([name, field]) => ({
    name,
    required: required.has(name),
    type: typeText(field),
    ...(field.description === undefined ? {} : { description: field.description }),
  }));
  return <Fields fields={fields} />;
}

function Fields({ fields }: { readonly fields: readonly (Field & { readonly type: string })[] }) {
  return (
    <dl class="fields">
      {fields.map(({ name, type, required = false, description }) => (
        <>
          <dt>
            <code>{name}</code>
            {required ? "" : " (optional)"}
          </dt>
          <dd>
            <code>{type}</code>
            {description === undefined ? "" : ` ${description}`}
          </dd>
        </>
      ))}
    </dl>
  );
}

/** As TypeScript would write it, in one line. */
function typeText(schema: Schema): string {
  const { $ref, items, properties, additionalProperties } = schema;
  const options = schema.anyOf ?? schema.oneOf;
  if ($ref !== undefined) return $ref.slice($ref.lastIndexOf("/") + 1);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  if (options !== undefined) return options.map(typeText).join(" | ");
  if (items !== undefined) {
    const inner = typeText(items);
    return inner.includes(" | ") ? `(${inner})[]` : `${inner}[]`;
  }
  if (properties !== undefined) {
    const required = new Set(schema.required);
    const fields = Object.entries(properties).map(
      ([name, field]) => `${name}${required.has(name) ? "" : "?"}: ${typeText(field)}`,
    );
    return `{ ${fields.join("; ")} }`;
  }
  if (typeof additionalProperties === "object") {
    return `{ [name]: ${typeText(additionalProperties)} }`;
  }
  return schema.format ?? schema.type ?? "anything";
}

/** Words between backticks are code. */
function WithCode({ text }: { readonly text: string }) {
  return (
    <>{text.split("`").map((part, index) => (index % 2 === 1 ? <code>{part}</code> : part))}</>
  );
}

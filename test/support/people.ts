/** Ready-made users and the ways in that tests use: the front door only. */
import { exports } from "cloudflare:workers";
import type { Scope } from "../../src/scopes.ts";

const ORIGIN = "http://localhost:26346";

/** The Worker as a `fetch`; requests of `exports` carry no Host header, which the guard insists on. */
export function fetchWorker(
  input: string | URL | Request,
  init: RequestInit = {},
): Promise<Response> {
  const url = new URL(input instanceof Request ? input.url : input, ORIGIN);
  const headers = new Headers(input instanceof Request ? input.headers : init.headers);
  if (!headers.has("host")) headers.set("host", url.host);
  const request =
    input instanceof Request
      ? new Request(input, { headers })
      : new Request(url, { ...init, headers, signal: null });
  return exports.default.fetch(request);
}

export interface Person {
  readonly token: string;
  readonly userId: string;
}

let people = 0;

/** A user nobody has met before, with a token. */
export async function newPerson({
  name = `person ${++people} ${crypto.randomUUID()}`,
  scopes,
  timeZone = "Europe/Berlin",
  trusted = false,
  client,
}: {
  name?: string;
  scopes?: readonly Scope[];
  timeZone?: string;
  trusted?: boolean;
  /** What the token is called. */
  client?: string;
} = {}): Promise<Person> {
  const response = await fetchWorker("/local/token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      user: name,
      timeZone,
      trusted,
      ...(scopes === undefined ? {} : { scopes }),
      ...(client === undefined ? {} : { client }),
    }),
  });
  if (!response.ok) throw new Error(`No token: ${response.status} ${await response.text()}`);
  const { token, user } = (await response.json()) as { token: string; user: string };
  return { token, userId: user };
}

export interface ToolResult {
  readonly isError: boolean;
  readonly text: string;
  // Tests assert on answers key by key.
  readonly data: Record<string, any>;
}

/** Calls a tool over `/mcp` as a 2025-era client does. Throws when the answer is no tool result. */
export async function callTool(
  person: Person,
  name: string,
  args: Record<string, unknown> = {},
): Promise<ToolResult> {
  const response = await callRaw(person.token, "tools/call", { name, arguments: args });
  if (!response.ok) throw new Error(`${name}: ${response.status} ${await response.text()}`);
  const { result, error } = (await readRpc(response)) as { result?: any; error?: unknown };
  if (result === undefined) throw new Error(`${name}: ${JSON.stringify(error)}`);
  return {
    isError: result.isError === true,
    text: result.content.map((part: { text: string }) => part.text).join("\n"),
    data: result.structuredContent ?? {},
  };
}

/** A request of the HTTP API. */
export async function callApi(
  { token }: Person,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly data: Record<string, any> }> {
  const response = await fetchWorker(path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, data: await response.json() };
}

/** Exports to an archive and asks again until it is there, as a client does. */
export async function exportArchive(
  person: Person,
  args: Record<string, unknown> = {},
): Promise<ToolResult> {
  let answer = await callTool(person, "export_data", { ...args, deliver: "archive" });
  while (["created", "running"].includes(answer.data["job"]?.state)) {
    answer = await callTool(person, "export_data", { job_id: answer.data["job"].id });
  }
  return answer;
}

/** A JSON-RPC request in the older protocol's form. */
export function callRaw(
  token: string,
  method: string,
  params: Record<string, unknown> = {},
): Promise<Response> {
  return fetchWorker("/mcp", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${token}`,
      "mcp-protocol-version": "2025-06-18",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
}

/** The message of an answer, plain or as the only event of a stream. */
async function readRpc(response: Response): Promise<unknown> {
  const text = await response.text();
  const data = /^data: (.*)$/m.exec(text)?.[1];
  return JSON.parse(data ?? text);
}

/** The Cofio that a command works on: the local folder, or a deployment. */
import { setTimeout as sleep } from "node:timers/promises";
import { Client, SdkError, SdkHttpError } from "@modelcontextprotocol/client";
import * as z from "zod";
import { UserError } from "../../src/errors.ts";
import { WrongUse } from "./arguments.ts";
import { folderOf } from "./folder.ts";
import { isLoopback } from "./guarded-fetch.ts";
import { PROGRAM } from "./local-client.ts";
import { joinServer } from "./local-server.ts";
import { versionOf } from "./plan.ts";
import { printable } from "./printable.ts";
import { transportOver } from "./transport-over.ts";
import { warn } from "./terminal.ts";

/** Tools answer within seconds; an archive is asked about again. */
const CALL_TIMEOUT_MS = 120_000;
/** The limits are of a minute; what is longer is a quota, which the person is told of. */
const LONGEST_WAIT_SECONDS = 60;
/** One after the other, before it is an error after all. Arbitrary. */
const MOST_WAITS = 5;

export interface Target {
  /** For messages. */
  readonly name: string;
  /** With the right to it. @param path from the root of the server */
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  readonly close: () => void;
}

export interface TargetValues {
  readonly "db-path"?: string | undefined;
  readonly url?: string | undefined;
  readonly token?: string | undefined;
}

export interface ToolAnswer {
  readonly text: string;
  readonly structured: Readonly<Record<string, unknown>>;
}

/** @throws WrongUse, UserError */
export async function openTarget(values: TargetValues): Promise<Target> {
  if (values.url === undefined) {
    if (values.token !== undefined) throw new WrongUse("--token goes with --url.");
    const path = folderOf(values["db-path"]);
    const server = await joinServer(path, { client: () => PROGRAM, warn });
    return {
      name: path,
      async fetch(at, init) {
        const response = await server.fetch(at, init);
        // It was revoked on the pages, and has another token now: whoever runs it has every right to this folder anyway.
        return response.status === 401 ? server.fetch(at, init) : response;
      },
      close: server.close,
    };
  }
  if (values["db-path"] !== undefined) throw new WrongUse("Either --url or --db-path.");
  const origin = readOrigin(values.url);
  const token = values.token ?? process.env["COFIO_TOKEN"] ?? "";
  if (token === "") {
    throw new WrongUse(
      "--url needs a token: make one on the page there, and put it into COFIO_TOKEN.",
    );
  }
  return {
    name: origin,
    fetch(path, init = {}) {
      const headers = new Headers(init.headers);
      headers.set("authorization", `Bearer ${token}`);
      // A redirect would take the token elsewhere.
      return fetch(`${origin}${path}`, { ...init, headers, redirect: "error" });
    },
    close() {},
  };
}

/** @throws UserError what the tool said */
export async function callTool(
  target: Target,
  name: string,
  args: Readonly<Record<string, unknown>>,
): Promise<ToolAnswer> {
  return withClient(target, async (client) => {
    const result = await client.callTool(
      { name, arguments: { ...args } },
      { timeout: CALL_TIMEOUT_MS },
    );
    const text = result.content.flatMap((part) => (part.type === "text" ? [part.text] : []));
    if (result.isError === true) throw refusalOf(text.join("\n"), result.structuredContent);
    return { text: text.join("\n"), structured: recordOf(result.structuredContent) };
  });
}

/** Names, as the server lists them. */
export async function listTools(target: Target): Promise<string[]> {
  return withClient(target, async (client) => {
    const { tools } = await client.listTools();
    return tools.map(({ name }) => name);
  });
}

/** @throws UserError what the server said, or that it is none */
async function withClient<T>(target: Target, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(
    { name: PROGRAM.name, version: versionOf() },
    { versionNegotiation: { mode: "auto" } },
  );
  // The SDK makes an error of its own out of it, which says no more.
  let refusal: UserError | null = null;
  const transport = transportOver(async (path, init) => {
    try {
      const response = await reach(target, path, init);
      if (response.status === 401) throw refusedToken(target);
      return response;
    } catch (error) {
      if (error instanceof UserError) refusal = error;
      throw error;
    }
  });
  try {
    await client.connect(transport);
    return await use(client);
  } catch (error) {
    if (error instanceof SdkError) throw refusal ?? noMcp(target, error);
    throw error;
  } finally {
    await client.close();
  }
}

function noMcp({ name }: Target, error: SdkError): UserError {
  const why = error instanceof SdkHttpError ? `status ${error.status}` : printable(error.message);
  return new UserError(
    "not_found",
    `${name} does not speak MCP with this program (${why}).`,
    "Is this the address of a Cofio, and does something in front of it block programs?",
  );
}

function refusedToken({ name }: Target): UserError {
  return new UserError(
    "forbidden",
    `${name} does not take this token.`,
    "Make one on its page, and put it into COFIO_TOKEN.",
  );
}

/** Of the HTTP API: `path` below `/api`. @throws UserError what the server said */
export async function callApi(
  target: Target,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  for (let waits = 0; ; waits++) {
    const response = await reach(target, `/api${path}`, init);
    if (response.ok) return response;
    const wait = waits < MOST_WAITS ? secondsToWait(response) : null;
    if (wait === null) {
      throw refusalOf(
        `${target.name} answered with status ${response.status}.`,
        await jsonOf(response),
      );
    }
    await response.body?.cancel();
    warn(`Too many calls in a minute: going on in ${wait} s.`);
    await sleep(wait * 1_000);
  }
}

/** Of a refusal that nothing was done before (RFC 6585 §4). Null: another one, or for longer than a person would look on. */
function secondsToWait({ status, headers }: Response): number | null {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return status === 429 && seconds >= 0 && seconds <= LONGEST_WAIT_SECONDS ? seconds : null;
}

/** @throws UserError nobody answers */
export async function reach(target: Target, path: string, init?: RequestInit): Promise<Response> {
  try {
    return await target.fetch(path, init);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const { cause } = error;
    const why = cause instanceof Error ? cause.message : error.message;
    throw new UserError(
      "not_found",
      `${target.name} does not answer (${why}).`,
      "Check the address, and try again.",
    );
  }
}

export async function jsonOf(response: Response): Promise<unknown> {
  return response.json().catch(() => null);
}

/** As tools and the API tell what is wrong. */
const toldSchema = z.object({
  error: z.object({ message: z.string(), hint: z.string().default("") }),
});

function refusalOf(fallback: string, body: unknown): UserError {
  const told = toldSchema.safeParse(body).data?.error;
  return new UserError("invalid_input", told?.message ?? fallback, told?.hint ?? "");
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return z.record(z.string(), z.unknown()).catch({}).parse(value);
}

/** The MCP address does as well. A token goes over http to this machine only. */
function readOrigin(text: string): string {
  const url = URL.parse(text);
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url));
  if (url === null || !isSafe || !["", "/", "/mcp", "/mcp/"].includes(url.pathname)) {
    throw new WrongUse(`--url must look like https://cofio.example.com, not "${text}".`);
  }
  return url.origin;
}

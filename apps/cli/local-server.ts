/** The way to the process that serves a folder, which is started where there is none. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { request as requestOf } from "node:http";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../src/errors.ts";
import { type Folder, missingMigrations, openFolder, readStamp } from "./folder.ts";
import {
  CLIENT_HEADER,
  HELLO_PATH,
  LINK_PATH,
  PRESENCE_PATH,
  PROGRAM_HEADER,
  READMIT_PATH,
} from "./front.ts";
import type { HostFailure } from "./host.ts";
import type { LocalClient } from "./local-client.ts";
import { readPlan } from "./plan.ts";
import { isAlive, readServer, type ServerEntry } from "./server-file.ts";

/** Arbitrary: twenty times what a first start takes on two cores. */
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 40;
/** Loading miniflare leaves much behind: collected early, the server takes some 220 MB instead of 270. */
const NODE_OPTIONS = ["--max-semi-space-size=2"];
/** Between two attempts to start one, while an earlier one ends or another one begins. */
const RESTART_MS = 250;

export interface LocalServer {
  /** To the Worker, in the client's name. Starts the server again where it is gone. */
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** An address that opens the pages once, without a sign-in. */
  readonly link: () => Promise<string>;
  /** Lets a client in again that was revoked. False: none of this name was here. */
  readonly readmit: (name: string) => Promise<boolean>;
  /** Settles when the server that serves now has ended. */
  readonly gone: () => Promise<"gone">;
  readonly close: () => void;
}

interface JoinOptions {
  /** Who acts. May change until the first request. */
  readonly client: () => LocalClient;
  /** Where nobody serves the folder yet. 0: any. */
  readonly port?: number;
  readonly warn?: (sentence: string) => void;
}

/** @throws UserError what stands in the way, in words */
export async function joinServer(
  path: string,
  { client, port = 0, warn = () => {} }: JoinOptions,
): Promise<LocalServer> {
  const folder = openFolder(path);
  const { build, migrations } = readPlan();
  missingMigrations(
    folder,
    readStamp(folder),
    migrations.map(({ name }) => name),
  );
  let present = await enter();
  let entering: Promise<Presence> | null = null;

  async function enter(): Promise<Presence> {
    const entry = await findOrStart(folder, port);
    if (port !== 0 && entry.port !== port) {
      throw new UserError(
        "invalid_input",
        `This folder is served already, on port ${entry.port}.`,
        "Leave --port out, or close the clients that use the folder and wait a minute.",
      );
    }
    if (entry.build !== build) {
      warn(
        "Another version of Cofio serves this folder until its last client has been gone for a minute.",
      );
    }
    return announce(entry);
  }
  async function call(path: string, init: RequestInit = {}): Promise<Response> {
    if (!present.isThere()) {
      // Calls that find it gone at the same time look for another one together.
      entering ??= enter().finally(() => (entering = null));
      present = await entering;
    }
    const { entry } = present;
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${entry.token}`);
    const acting = client();
    if (acting.trusted) headers.set(PROGRAM_HEADER, "1");
    else headers.set(CLIENT_HEADER, encodeURIComponent(acting.name));
    return fetch(`${addressOf(entry)}${path}`, { ...init, headers });
  }
  async function callAgain(path: string, init?: RequestInit): Promise<Response> {
    // What the system has to say of our connection comes first, for the server may be gone: heard in one turn of the event loop, told
    // in the next.
    await setImmediate();
    await setImmediate();
    const before = present;
    try {
      return await call(path, init);
    } catch (error) {
      if (init?.signal?.aborted === true || !(error instanceof TypeError)) throw error;
      before.leave();
      // It was never sent. Anything else may have been done, and is not repeated behind the caller's back.
      if (isRefused(error)) return call(path, init);
      throw new UserError(
        "expired",
        "The local Cofio ended in the middle of this, and whether it was done is not known.",
        "Look, or try again.",
      );
    }
  }
  // The shapes are those that front.ts answers.
  async function tell<T>(path: string): Promise<T> {
    const response = await callAgain(path, { method: "POST" });
    return (await response.json()) as T;
  }
  return {
    fetch: callAgain,
    link: async () => (await tell<{ url: string }>(LINK_PATH)).url,
    readmit: async (name) =>
      (await tell<{ readmitted: boolean }>(`${READMIT_PATH}?client=${encodeURIComponent(name)}`))
        .readmitted,
    gone: () => present.gone,
    close: () => present.leave(),
  };
}

/** Waits until somebody serves the folder. Several that start it at once end with one server: the others of them do not get its lock. */
async function findOrStart(folder: Folder, port: number): Promise<ServerEntry> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  let starting: Starting | null = null;
  while (Date.now() < deadline) {
    const entry = readServer(folder);
    if (entry !== null && isAlive(entry.pid) && (await answers(entry))) return entry;
    const { failure, hasEnded } = starting?.state() ?? { failure: null, hasEnded: true };
    if (failure !== null) throw new UserError("invalid_input", failure.message, failure.hint);
    if (hasEnded) {
      if (starting !== null) await sleep(RESTART_MS);
      starting = start(folder, port);
    }
    await sleep(POLL_MS);
  }
  throw new UserError(
    "expired",
    `The local Cofio did not start within ${START_TIMEOUT_MS / 1_000} s.`,
    `${folder.log} says why.`,
  );
}

interface Starting {
  state(): { readonly failure: HostFailure["failed"] | null; readonly hasEnded: boolean };
}

function start(folder: Folder, port: number): Starting {
  const log = openSync(folder.log, "a", 0o600);
  const [program = ""] = process.argv.slice(1);
  const child = spawn(
    process.execPath,
    [...NODE_OPTIONS, program, "host", "--db-path", folder.path, "--port", String(port)],
    // Of its own: the signal that ends a client in a terminal shall not reach it.
    { detached: true, stdio: ["ignore", log, log, "ipc"], cwd: folder.path },
  );
  closeSync(log);
  let failure: HostFailure["failed"] | null = null;
  let hasEnded = false;
  child.on("message", (message) => {
    failure = (message as HostFailure).failed; // the one message of host.ts
  });
  child.once("exit", () => {
    hasEnded = true;
  });
  // This Node is not there any more: a long-lived client has outlived an update of it.
  child.once("error", ({ message }) => {
    failure = {
      message: `The local Cofio cannot be started (${message}).`,
      hint: "Restart the program that uses it.",
    };
  });
  child.unref();
  child.channel?.unref();
  return { state: () => ({ failure, hasEnded }) };
}

/** Also while it starts: the answer comes when it serves. */
async function answers({ port, token }: ServerEntry): Promise<boolean> {
  const response = await fetch(`${addressOf({ port })}${HELLO_PATH}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(START_TIMEOUT_MS),
  }).catch(() => null);
  await response?.body?.cancel();
  return response?.ok === true;
}

interface Presence {
  readonly entry: ServerEntry;
  isThere(): boolean;
  readonly gone: Promise<"gone">;
  leave(): void;
}

/** Keeps a connection open, by which the server knows that somebody is there. The system closes it, however this process ends. */
function announce(entry: ServerEntry): Presence {
  let isOpen = true;
  const request = requestOf({
    host: "127.0.0.1",
    port: entry.port,
    path: PRESENCE_PATH,
    headers: { authorization: `Bearer ${entry.token}` },
    agent: false,
  });
  request.on("socket", (socket) => socket.unref());
  request.on("response", (response) => response.resume());
  request.on("error", () => {});
  const gone = new Promise<"gone">((ended) => {
    request.on("close", () => {
      isOpen = false;
      ended("gone");
    });
  });
  request.end();
  return {
    entry,
    isThere: () => isOpen,
    gone,
    leave: () => {
      isOpen = false;
      request.destroy();
    },
  };
}

function addressOf({ port }: Pick<ServerEntry, "port">): string {
  return `http://127.0.0.1:${port}`;
}

function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : null;
  return cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED";
}

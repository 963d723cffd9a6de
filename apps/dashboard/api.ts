/** The only way to the server: its API with types, and its refusals as `ApiProblem`. */
import { hc, type ClientResponse } from "hono/client";
import type { Api } from "../../src/http/api.ts";

/** What went wrong, in words for the person. */
export class ApiProblem extends Error {
  /** As the API names it; besides, `offline`: no answer at all, `signed_out`, and `not_confirmed`: for this the person signs in once more first. */
  readonly code: string;
  /** What to do about it; may be empty. */
  readonly hint: string;

  constructor(code: string, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}

/** Ask it inside `answerOf`: `answerOf(api.stats.$get())`. */
export const api = hc<Api>("/", { headers: { accept: "application/json" } }).api;

/** The answer to a request. @throws ApiProblem */
export async function answerOf<Answer>(
  request: Promise<ClientResponse<Answer, number, "json">>,
): Promise<Answer> {
  const response = await request.catch((cause: unknown) => {
    throw offline(cause);
  });
  if (response.ok) return response.json();
  throw await problemOf(response);
}

/** Of whatever was thrown while asking. */
export function toProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  return new ApiProblem(
    "internal",
    "Something went wrong in this page.",
    "Load it again. The browser's console says more.",
    { cause: error },
  );
}

function offline(cause: unknown): ApiProblem {
  return new ApiProblem(
    "offline",
    "The server cannot be reached.",
    "This page goes on by itself when the connection is back.",
    { cause },
  );
}

async function problemOf(response: Pick<Body, "json"> & { status: number }): Promise<ApiProblem> {
  if (response.status === 401) {
    return new ApiProblem("signed_out", "You are signed out.", "Sign in again, then go on.");
  }
  // A proxy on the way may answer with a page of its own.
  const body: unknown = await response.json().catch(() => null);
  // The form of every error of the API.
  const error = (
    body as { error?: { code?: string; message?: string; hint?: string; reason?: string } } | null
  )?.error;
  return new ApiProblem(
    error?.reason === "not_confirmed" ? error.reason : (error?.code ?? "internal"),
    error?.message ?? `The server answered ${response.status}.`,
    error?.hint ?? "",
  );
}

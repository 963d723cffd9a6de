/** The server's API, with the session of the browser: from the page and from its Web Worker alike. */

/** What went wrong, and what the person can do about it. */
export interface Problem {
  readonly message: string;
  readonly hint: string;
}

export class NoConnection extends Error {}

/** @param body sent as JSON, a string as it is @throws NoConnection */
export async function callApi(
  method: "GET" | "POST",
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const isText = typeof body === "string";
  let response: Response;
  let text: string;
  try {
    response = await fetch(`/api${path}`, {
      method,
      headers: {
        accept: "application/json",
        ...(body === undefined
          ? {}
          : { "content-type": isText ? "text/plain" : "application/json" }),
      },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
    text = await response.text();
  } catch (cause) {
    throw new NoConnection("The server did not answer.", { cause });
  }
  return { status: response.status, body: parsed(text) };
}

export const NOT_CONNECTED: Problem = {
  message: "The server cannot be reached.",
  hint: "What was sent is kept. Go on when the connection is back.",
};

/** What the API says with a status that is no success. */
export function problemOf({ status, body }: { status: number; body: unknown }): Problem {
  if (status === 401) return { message: "You are signed out.", hint: "Sign in again, then go on." };
  // The form of every error of the API; a proxy on the way may answer in another.
  const { message, hint } = (body as { error?: Partial<Problem> } | null)?.error ?? {};
  return { message: message ?? `The server answered ${status}.`, hint: hint ?? "Try again." };
}

/** Null: no JSON, such as a page that a proxy answers with. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

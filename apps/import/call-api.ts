/** The server's API, with the session of the browser. */
import type { ApiAnswer } from "../../src/transfer/send.ts";

export class NoConnection extends Error {}

/** @throws NoConnection */
export async function callApi(path: string, body: unknown): Promise<ApiAnswer> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(`/api${path}`, {
      method: "POST",
      headers: { accept: "application/json", "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    text = await response.text();
  } catch (cause) {
    throw new NoConnection("The server did not answer.", { cause });
  }
  return { status: response.status, body: parsed(text) };
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

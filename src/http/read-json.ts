import { UserError } from "../errors.ts";

/** The body of a request. @param wanted what to send instead, as the hint @throws UserError invalid_input */
export async function readJson(
  { req }: { readonly req: Pick<Body, "json"> },
  wanted: string,
): Promise<unknown> {
  try {
    return await req.json();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UserError("invalid_input", "The body is not JSON.", wanted);
  }
}

/** A body of named values. @throws UserError invalid_input */
export async function readObject(
  c: { readonly req: Pick<Body, "json"> },
  wanted: string,
): Promise<object> {
  const body = await readJson(c, wanted);
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return body;
  throw new UserError("invalid_input", "The body is no JSON object.", wanted);
}

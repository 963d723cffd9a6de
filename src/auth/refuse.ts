import type { PageContext } from "./bindings.ts";

/** In the form of every error of the API. */
export function refuse(c: Pick<PageContext, "json">, status: 401 | 403, message: string): Response {
  return c.json(
    { error: { code: status === 401 ? "unauthorized" : "forbidden", message } },
    status,
  );
}

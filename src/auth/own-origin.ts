import type { MiddlewareHandler } from "hono";

/**
 * Requests that change something come from this deployment's own pages: the exact origin, port included. All ports of
 * localhost share cookies, and SameSite does not tell them apart, so a page of another local server could post with the
 * person's session.
 */
export const ownOriginOnly: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  if (!isReading(c.req.method) && c.req.header("origin") !== c.env.PUBLIC_ORIGIN) {
    return c.text("Refused: this request did not come from a page of this server.", 403);
  }
  return next();
};

export function isReading(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

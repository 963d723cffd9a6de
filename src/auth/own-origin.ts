import type { Context, MiddlewareHandler } from "hono";

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

/** Browsers send no Origin when a page of this server reads its API; when they do send one, it is to be this server's. */
export function isFromOwnPage({
  req,
  env,
}: Pick<Context<{ Bindings: Env }>, "req" | "env">): boolean {
  const origin = req.header("origin");
  return origin === undefined ? isReading(req.method) : origin === env.PUBLIC_ORIGIN;
}

function isReading(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

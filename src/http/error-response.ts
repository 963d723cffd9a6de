import type { Context } from "hono";
import { retryHeaders } from "../errors.ts";
import { reportError } from "../log.ts";
import { errorAnswer } from "../mcp/answers.ts";
import { userErrorOf } from "../storage/plan.ts";
import { STATUS } from "./error-status.ts";

/** What was thrown, as an answer of the API: what the caller can mend in words, anything else under a reference. */
export function errorResponse(error: Error, c: Context): Response {
  const told = userErrorOf(error);
  if (told !== null) {
    return c.json({ error: errorAnswer(told).error }, STATUS[told.code], retryHeaders(told));
  }
  const message = reportError(c.req.routePath, error);
  return c.json({ error: { code: "internal", message, hint: "Try again." } }, 500);
}

/** A refusal before anybody's route is reached, in the form that whoever asked can read. */
import { Hono } from "hono";
import { retryHeaders, type UserError } from "../errors.ts";
import { createRefusingApi } from "../http/api.ts";
import { STATUS } from "../http/error-status.ts";
import { refuseCall } from "../mcp/refuse-call.ts";
import { Notice } from "./layout.tsx";

export async function refuseAtDoor(request: Request, refusal: UserError): Promise<Response> {
  const { pathname } = new URL(request.url);
  const { code, message, hint } = refusal;
  const answer = { status: STATUS[code], headers: retryHeaders(refusal) };
  if (pathname === "/mcp") return refuseCall(refusal);
  // As better-auth words its own, which the pages' script shows.
  if (pathname.startsWith("/api/auth/")) {
    return Response.json({ code, message: `${message} ${hint}` }, answer);
  }
  if (/^\/(?:api|v1)\//.test(pathname)) return createRefusingApi(refusal).fetch(request);
  if (pathname.startsWith("/oauth/")) {
    // RFC 6749 §5.2 and RFC 7591 §3.2.2 have no word for either.
    const error = code === "rate_limited" ? "temporarily_unavailable" : "invalid_request";
    return Response.json({ error, error_description: `${message} ${hint}` }, answer);
  }
  const page = (
    <Notice title="Not now">
      <p>{message}</p>
      <p>{hint}</p>
    </Notice>
  );
  const { status, headers } = answer;
  return new Hono().all("*", (c) => c.html(page, status, headers)).fetch(request);
}

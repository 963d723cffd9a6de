import "./zod-first.ts";
import {
  hostHeaderValidationResponse,
  originValidationResponse,
} from "@modelcontextprotocol/server";
import { env } from "cloudflare:workers";
import { addressRefusal } from "./auth/address-limit.ts";
import { tellWatchers } from "./auth/handshake-watch.ts";
import { provider, RESOURCE } from "./auth/provider.ts";
import { registrationRefusal } from "./auth/registration-limit.ts";
import { refuseAtDoor } from "./auth/refuse-at-door.tsx";
import { withinSize } from "./auth/request-size.ts";
import { checkSecrets } from "./auth/secrets.ts";
import { withSecurityHeaders } from "./auth/security-headers.ts";
import { isLoopback } from "./auth/sign-up.ts";
import { sweepSignIns } from "./auth/sweep-sign-ins.ts";
import { UserError } from "./errors.ts";
import { readLimits } from "./storage/limits.ts";
import { readPlan } from "./storage/plan.ts";
import { deploymentRules } from "./storage/rules.ts";

export { UserAgent } from "./user-agent.ts";
export { BackupWorkflow } from "./workflows/backup-workflow.ts";
export { ExportWorkflow } from "./workflows/export-workflow.ts";
export { ScratchDatabase } from "./workflows/scratch-database.ts";

const hosts = [new URL(env.PUBLIC_ORIGIN).hostname];

/** Both forms of each document are asked for by some client; the library answers one. */
const ALIASES: Readonly<Record<string, string>> = {
  "/.well-known/oauth-protected-resource": "/.well-known/oauth-protected-resource/mcp",
  "/.well-known/oauth-authorization-server/mcp": "/.well-known/oauth-authorization-server",
  "/mcp/": "/mcp",
};

export default {
  async fetch(request, bindings, ctx): Promise<Response> {
    checkSecrets(bindings);
    // A mistake in these stops everything, as a missing secret does: the deployer sees it at once, and nobody's rules are ignored.
    deploymentRules(bindings.MEMORY_RULES);
    readPlan(bindings.PLAN);
    readLimits(bindings);
    return withSecurityHeaders(await respond(request, bindings, ctx), {
      path: new URL(request.url).pathname,
      isLoopback: isLoopback(bindings.PUBLIC_ORIGIN),
    });
  },

  /** Nightly (`triggers` in wrangler.jsonc): what belongs to nobody. Whose it is goes by the schedule of their own object. */
  async scheduled(_controller, bindings): Promise<void> {
    await sweepSignIns(bindings.DB, Date.now());
  },
} satisfies ExportedHandler<Env>;

async function respond(request: Request, bindings: Env, ctx: ExecutionContext): Promise<Response> {
  const rejected =
    hostHeaderValidationResponse(request, hosts) ?? originValidationResponse(request, hosts);
  if (rejected !== undefined) return rejected;
  const canonical = toCanonical(request);
  const bounded =
    (await addressRefusal(canonical, bindings)) ??
    (await registrationRefusal(canonical, bindings, Date.now())) ??
    (await withinSize(canonical));
  if (bounded instanceof UserError) return refuseAtDoor(canonical, bounded);
  const response = await provider.fetch(bounded, bindings, ctx);
  const { pathname } = new URL(canonical.url);
  // The page that watches examines the server too, and is no app.
  const isOwnPage = request.headers.get("sec-fetch-site") === "same-origin";
  if (!isOwnPage) ctx.waitUntil(tellWatchers(bindings, pathname, response));
  return pathname === "/mcp" ? inWords(canonical, response) : response;
}

/** Rewrites what clients get slightly wrong, never by a redirect: they do not follow those with a body. */
function toCanonical(request: Request): Request {
  const url = new URL(request.url);
  url.pathname = plain(url.pathname);
  const isEventStream = (request.headers.get("accept") ?? "").includes("text/event-stream");
  const isMcpAtRoot = url.pathname === "/" && (request.method === "POST" || isEventStream);
  url.pathname = isMcpAtRoot ? "/mcp" : (ALIASES[url.pathname] ?? url.pathname);
  const moved = url.href === request.url ? request : new Request(url, request);
  if (url.pathname !== "/mcp" || request.method !== "POST") return moved;
  // Several clients name only one of the two kinds, and the older protocol's handler would answer 406.
  const headers = new Headers(moved.headers);
  headers.set("accept", "application/json, text/event-stream");
  return new Request(moved, { headers });
}

/** Routes are found by decoded paths: what is decided by the path beforehand has to see the same one (RFC 3986 §6.2.2.2). */
function plain(path: string): string {
  return path.replace(/%[0-9a-f]{2}/giu, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[\w.~-]/u.test(character) ? character : encoded;
  });
}

/** The library's challenge has no body. Whoever typed the wrong address, or opened this one in a browser, reads the right one here. */
function inWords(request: Request, response: Response): Response {
  if (response.status !== 401 || response.body !== null || request.method === "HEAD")
    return response;
  const description = `Cofio's MCP address is exactly ${RESOURCE}. Add it to an MCP client, which signs you in; or send a personal access token as a Bearer token.`;
  return Response.json({ error: "unauthorized", error_description: description }, response);
}

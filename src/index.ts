import "./zod-first.ts";
import {
  hostHeaderValidationResponse,
  originValidationResponse,
} from "@modelcontextprotocol/server";
import { env } from "cloudflare:workers";
import { tellWatchers } from "./auth/handshake-watch.ts";
import { provider, RESOURCE } from "./auth/provider.ts";
import { checkSecrets } from "./auth/secrets.ts";
import { withSecurityHeaders } from "./auth/security-headers.ts";
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
    return withSecurityHeaders(
      await respond(request, bindings, ctx),
      new URL(request.url).pathname,
    );
  },
} satisfies ExportedHandler<Env>;

async function respond(request: Request, bindings: Env, ctx: ExecutionContext): Promise<Response> {
  const rejected =
    hostHeaderValidationResponse(request, hosts) ?? originValidationResponse(request, hosts);
  if (rejected !== undefined) return rejected;
  const canonical = toCanonical(request);
  const response = await provider.fetch(canonical, bindings, ctx);
  const { pathname } = new URL(canonical.url);
  ctx.waitUntil(tellWatchers(bindings, pathname, response));
  return pathname === "/mcp" ? inWords(canonical, response) : response;
}

/** Rewrites what clients get slightly wrong, never by a redirect: they do not follow those with a body. */
function toCanonical(request: Request): Request {
  const url = new URL(request.url);
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

/** The library's challenge has no body. Whoever typed the wrong address, or opened this one in a browser, reads the right one here. */
function inWords(request: Request, response: Response): Response {
  if (response.status !== 401 || response.body !== null || request.method === "HEAD")
    return response;
  const description = `Cofio's MCP address is exactly ${RESOURCE}. Add it to an MCP client, which signs you in; or send a personal access token as a Bearer token.`;
  return Response.json({ error: "unauthorized", error_description: description }, response);
}

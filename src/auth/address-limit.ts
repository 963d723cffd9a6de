/**
 * How often strangers may ask for what costs more than an answer: a value in KV, a document fetched from elsewhere, a ceremony. By the
 * prefix of their address, for want of anything else that is known of them, and approximately: each of Cloudflare's locations counts for
 * itself. Never `/mcp`, the API or the token endpoint: connectors of one vendor share their addresses, and what they bring says who it is.
 */
import { retryAfter, UserError } from "../errors.ts";

const SIGN_IN_PATHS = /^\/(?:api\/auth\/passkey\/|(?:sign-in|sign-up)\/|(?:authorize|recover)$)/;
/** Of the bindings (`wrangler.jsonc`), which do not tell when there is room again. */
const PERIOD_MS = 60_000;

/** Null: it may go on. */
export async function addressRefusal(request: Request, env: Env): Promise<UserError | null> {
  const prefix = prefixOf(request);
  // Where there is none, there may be no binding either: the program `cofio` has neither.
  if (prefix === null) return null;
  const counter = counterOf(request.method, new URL(request.url).pathname, env);
  if (counter === null) return null;
  const { success } = await counter.limit({ key: prefix });
  return success ? null : tooMany();
}

/** Whether a request comes from elsewhere than this machine. */
export function isStranger(request: Request): boolean {
  return prefixOf(request) !== null;
}

/** Cloudflare sets the address, whatever a client says. */
function prefixOf(request: Request): string | null {
  return addressPrefix(request.headers.get("cf-connecting-ip") ?? "");
}

function counterOf(method: string, path: string, env: Env): RateLimit | null {
  if (path === "/oauth/register") return method === "POST" ? env.REGISTRATIONS : null;
  return SIGN_IN_PATHS.test(path) ? env.SIGN_INS : null;
}

/** One IPv4 address, or the /64 that a household or server has of IPv6. Null: this machine, which is no stranger. */
export function addressPrefix(address: string): string | null {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  if (mapped === "" || mapped === "::1" || mapped.startsWith("127.")) return null;
  if (!mapped.includes(":")) return mapped;
  const [head = "", tail] = mapped.toLowerCase().split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - after.length);
  const all = [...groups, ...Array.from({ length: zeros }, () => "0"), ...after];
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}

function tooMany(): UserError {
  const wait = retryAfter(PERIOD_MS);
  return new UserError(
    "rate_limited",
    "Too many sign-ins or registrations came from your network in the last minute.",
    `Wait ${wait.retry_after_seconds} s, then try again.`,
    wait,
  );
}

/**
 * Tells the pages of people who watch what clients do before they are anybody's: read the metadata, and register. Who watches is known in
 * the memory of this isolate only, for ten minutes, and nothing is kept of who asked. What another isolate answered is therefore not seen:
 * a page may say that a step was seen, and never that it was not taken.
 */
import { WATCH_MS, type HandshakeStep } from "../handshake.ts";
import { reportError } from "../log.ts";

/** User id and until when, milliseconds UTC. */
const watchers = new Map<string, number>();
/** Arbitrary: each is a request of its object for every step. */
const MAX_WATCHERS = 20;

export function watch(userId: string, now: number): void {
  for (const [id, until] of watchers) if (until <= now) watchers.delete(id);
  if (watchers.size < MAX_WATCHERS || watchers.has(userId)) watchers.set(userId, now + WATCH_MS);
}

/** @param path of a request that was answered */
export async function tellWatchers(env: Env, path: string, response: Response): Promise<void> {
  const step = anonymousStep(path);
  if (step === null || !response.ok) return;
  const now = Date.now();
  const watching = [...watchers].filter(([, until]) => until > now).map(([id]) => id);
  await Promise.all(watching.map((userId) => tellPerson(env, userId, { step, client: null })));
}

/** Never fails: nobody's sign-in depends on being watched. */
export async function tellPerson(
  env: Env,
  userId: string,
  { step, client }: { readonly step: HandshakeStep; readonly client: string | null },
): Promise<void> {
  try {
    await env.USERS.getByName(userId).noteHandshake(step, client);
  } catch (error) {
    reportError("handshake", error);
  }
}

function anonymousStep(path: string): HandshakeStep | null {
  if (path.startsWith("/.well-known/oauth-")) return "metadata_read";
  return path === "/oauth/register" ? "registered" : null;
}

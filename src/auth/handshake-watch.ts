/**
 * Tells the pages of people who watch what clients do before they are anybody's: read the metadata, and register. Who watches is known in
 * the memory of this isolate only, for ten minutes, and nothing is kept of who asked. What another isolate answered is therefore not seen:
 * a page may say that a step was seen, and never that it was not taken.
 */
import { WATCH_MS, type HandshakeStep } from "../handshake.ts";
import { reportError } from "../log.ts";

interface Watcher {
  /** Milliseconds UTC. */
  readonly until: number;
  /** Each step is shown once, whoever takes it: so nobody's requests make more than one of an object. */
  readonly told: Set<HandshakeStep>;
}

/** By user id, who asked last at the end. */
const watchers = new Map<string, Watcher>();
/** Each is a request of its object, of the 50 that the free plan allows an invocation. */
const MAX_WATCHERS = 20;

/**
 * Where too many watch, who has not asked for the longest time is told nothing more.
 * @param isAnew what was told already is told again
 */
export function watch(userId: string, now: number, { isAnew = false } = {}): void {
  for (const [id, { until }] of watchers) if (until <= now) watchers.delete(id);
  const told = (isAnew ? undefined : watchers.get(userId)?.told) ?? new Set();
  watchers.delete(userId);
  const [first] = watchers.keys();
  if (first !== undefined && watchers.size === MAX_WATCHERS) watchers.delete(first);
  watchers.set(userId, { until: now + WATCH_MS, told });
}

/** @param path of a request that was answered */
export async function tellWatchers(env: Env, path: string, response: Response): Promise<void> {
  const step = anonymousStep(path);
  if (step === null || !response.ok) return;
  const now = Date.now();
  const untold = [...watchers].filter(([, { until, told }]) => until > now && !told.has(step));
  await Promise.all(
    untold.map(([userId, { told }]) => {
      told.add(step);
      return tellPerson(env, userId, { step, client: null });
    }),
  );
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

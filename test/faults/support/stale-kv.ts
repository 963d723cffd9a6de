/**
 * KV as one place of Cloudflare's network has it (developers.cloudflare.com/kv/concepts/how-kv-works): what was read there, or found
 * missing, is answered so for a minute, whatever was written elsewhere since.
 */

const STALE_MS = 60_000;

export interface StaleKv {
  readonly namespace: KVNamespace;
  /** What this asks and writes is elsewhere: the store itself sees it, and this place does not. */
  readonly elsewhere: <T>(work: () => Promise<T>) => Promise<T>;
  /** How often this place answered what was no longer so. */
  readonly staleReads: () => number;
}

export function openStaleKv(kv: KVNamespace): StaleKv {
  const read = new Map<string, { readonly at: number; readonly value: Promise<string | null> }>();
  let isElsewhere = false;
  let stale = 0;

  async function textOf(key: string): Promise<string | null> {
    const known = read.get(key);
    if (!isElsewhere && known !== undefined && Date.now() - known.at < STALE_MS) {
      if ((await known.value) !== (await kv.get(key))) stale += 1;
      return known.value;
    }
    const value = kv.get(key);
    if (!isElsewhere) read.set(key, { at: Date.now(), value });
    return value;
  }

  const namespace = new Proxy(kv, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      switch (name) {
        case "get":
          return async (keys: string | string[], options?: unknown) => {
            const type =
              typeof options === "object" && options !== null && "type" in options
                ? options.type
                : options;
            const valueOf = async (key: string): Promise<unknown> => {
              const text = await textOf(key);
              return type === "json" && text !== null ? JSON.parse(text) : text;
            };
            if (typeof keys === "string") return valueOf(keys);
            const all = keys.map(async (key) => [key, await valueOf(key)] as const);
            return new Map(await Promise.all(all));
          };
        case "getWithMetadata":
        case "getWithCacheStatus":
          throw new Error("Nobody asked for this before");
        case "put":
        case "delete":
          return (key: string, ...rest: unknown[]) => {
            // A place sees its own writes.
            if (!isElsewhere) read.delete(key);
            return Reflect.apply(value, target, [key, ...rest]) as unknown;
          };
        default:
          return value.bind(target) as unknown;
      }
    },
  });
  return {
    namespace,
    async elsewhere(work) {
      isElsewhere = true;
      try {
        return await work();
      } finally {
        isElsewhere = false;
      }
    },
    staleReads: () => stale,
  };
}

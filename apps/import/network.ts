/** Whether there is a network, as the page says: browsers do not tell it to every Web Worker. */
export interface Network {
  readonly set: (isThere: boolean) => void;
  /** Waits for it, or for the signal. */
  readonly whenThere: (signal: AbortSignal) => Promise<void>;
}

export function openNetwork(): Network {
  let isThere = true;
  const waiting = new Set<() => void>();
  return {
    set(value) {
      isThere = value;
      if (!isThere) return;
      for (const goOn of waiting) goOn();
      waiting.clear();
    },
    async whenThere(signal) {
      if (isThere || signal.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.add(resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
      await promise;
    },
  };
}

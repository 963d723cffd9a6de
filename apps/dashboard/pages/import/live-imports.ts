import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { LiveImport } from "../../../../src/transfer/import-answer.ts";
import type { LiveImports } from "../../live/import-standings.ts";
import { LIVE_IMPORTS } from "../../live/live.ts";

/** A reader that said nothing for so long has gone; the longest pause between two batches is a minute. Arbitrary. */
const SILENCE_MS = 120_000;
const TICK_MS = 15_000;

const NONE: LiveImports = {};

/** As the server tells them while they run. */
export function useLiveState(): LiveImports {
  return useQuery<LiveImports>({ queryKey: LIVE_IMPORTS, enabled: false }).data ?? NONE;
}

/** Those that a reader is at work on, here or elsewhere. */
export function useRunningImports(): ReadonlyMap<string, LiveImport> {
  const live = useLiveState();
  const [heard, setHeard] = useState<Heard>(new Map());
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    setHeard((before) => heardOf(live, before, Date.now()));
    setNow(Date.now());
  }, [live]);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return new Map(
    Object.entries(live).filter(
      ([id, { state, updatedAt }]) =>
        state === "running" && now - (heard.get(id)?.at ?? updatedAt) < SILENCE_MS,
    ),
  );
}

/** When each gave a sign, by this computer's clock; and by the server's, which may be another. */
type Heard = ReadonlyMap<string, { readonly at: number; readonly updatedAt: number }>;

function heardOf(live: LiveImports, before: Heard, now: number): Heard {
  return new Map(
    Object.entries(live).map(([id, { updatedAt }]) => {
      const last = before.get(id);
      if (last?.updatedAt === updatedAt) return [id, last];
      // What is told first may be of yesterday: only the server's clock knows.
      return [id, { at: last === undefined ? updatedAt : now, updatedAt }];
    }),
  );
}

/** Two accounts of one deployment as the sides of a sync: their keys differ, so nothing keyed is alike. */
import type { BatchLimits } from "../../src/transfer/batches.ts";
import type { SyncBase } from "../../src/transfer/sync-pairs.ts";
import { sync, type SideName, type SyncReport } from "../../src/transfer/sync.ts";
import { callApi, newPerson, type Person } from "./people.ts";

export interface TwoSides {
  readonly here: Person;
  readonly there: Person;
  base: SyncBase | null;
  /** Requests of the last sync, by path. */
  readonly requests: string[];
  /** Smaller batches than the plan's: items then go in parts. */
  limits?: BatchLimits;
}

/** `before`: the request does not arrive; `after`: its answer gets lost. */
export interface Break {
  readonly at: number;
  readonly when: "before" | "after";
}

export class BrokenOff extends Error {}

export async function twoSides(): Promise<TwoSides> {
  const [here, there] = [await newPerson({ trusted: true }), await newPerson({ trusted: true })];
  return { here, there, base: null, requests: [] };
}

/** @throws BrokenOff where it was to break */
export async function syncSides(
  sides: TwoSides,
  {
    breaks,
    dryRun = false,
    trashMore = false,
    beforeWrite = null,
  }: {
    readonly breaks?: Break;
    readonly dryRun?: boolean;
    readonly trashMore?: boolean;
    /** What somebody does once both sides were read. */
    readonly beforeWrite?: (() => Promise<unknown>) | null;
  } = {},
): Promise<SyncReport> {
  const controller = new AbortController();
  sides.requests.length = 0;
  return sync({
    async call(side: SideName, path, body) {
      sides.requests.push(path);
      if (path === "/write" && !sides.requests.slice(0, -1).includes(path)) await beforeWrite?.();
      const isBreak = sides.requests.length === breaks?.at;
      if (isBreak && breaks.when === "before") breakOff(controller);
      const { status, data } = await callApi(
        sides[side],
        body === undefined ? "GET" : "POST",
        `/api/sync${path}`,
        body,
      );
      if (isBreak) breakOff(controller);
      // Trying again is for networks.
      if (status >= 500) controller.abort(new Error(`${path}: ${JSON.stringify(data)}`));
      const { limits } = sides;
      return { status, body: path === "/begin" && limits ? { ...data, limits } : data };
    },
    base: sides.base,
    keepBase: (base) => void (sides.base = base),
    dryRun,
    trashMore,
    onProgress: () => {},
    onDelay: () => {},
    signal: controller.signal,
    now: Date.now,
  });
}

function breakOff(controller: AbortController): never {
  const error = new BrokenOff();
  controller.abort(error);
  throw error;
}

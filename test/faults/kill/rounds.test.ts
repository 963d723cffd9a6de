import { expect, test } from "vitest";
import { lacksOf, newSeed, runKillRounds } from "./rounds.ts";

/** `npm run faults` makes 200. */
const ROUNDS = 20;
/** Some 3 s a round where nothing else runs. */
const TIMEOUT_MS = 900_000;

test(
  "what was acknowledged survives SIGKILL under load, all rows agree, and nobody was told what cannot have been",
  async () => {
    const seed = newSeed();
    const totals = await runKillRounds({ rounds: ROUNDS, seed });
    expect(totals.problems.join("\n"), `npm run faults -- --seed ${seed}`).toBe("");
    expect(totals).toMatchObject({ rounds: ROUNDS });
    expect(lacksOf(totals)).toEqual([]);
    expect(totals.histories).toBeGreaterThan(ROUNDS);
  },
  TIMEOUT_MS,
);

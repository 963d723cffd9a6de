/**
 * `npm run faults [-- --rounds N --seed N]`: kills a server of its own again and again while clients write to it, and says what of what it
 * had acknowledged is lost. Exit code 1: something is, or the rounds show nothing, or do not end. A short round of it is in `npm test`.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { END_SIGNALS } from "../apps/cli/end-signals.ts";
import { lacksOf, newSeed, runKillRounds } from "../test/faults/kill/rounds.ts";
import { root } from "./wrangler.ts";

/** Some 3 s where nothing else runs. */
const ROUND_LIMIT_MS = 60_000;
const START_LIMIT_MS = 120_000;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "200" },
    seed: { type: "string", default: String(newSeed()) },
  },
});
const rounds = Number(values.rounds);
const seed = Number(values.seed);
const isRightUse = Number.isInteger(rounds) && rounds > 0 && Number.isInteger(seed);

// What was started ends with this process, however that ends.
for (const signal of END_SIGNALS) process.once(signal, () => process.exit(1));

if (isRightUse) {
  // Killed is what is built, and that is to be what stands here.
  const build = spawnSync(process.execPath, [join(root, "scripts/build-cli.ts")], {
    cwd: root,
    stdio: "inherit",
  });
  if (build.status !== 0) process.exit(1);
  const limit = setTimeout(
    () => {
      console.error("The rounds do not end.");
      process.exit(1);
    },
    START_LIMIT_MS + rounds * ROUND_LIMIT_MS,
  );
  const began = Date.now();
  console.log(`Seed ${seed}, ${rounds} rounds.`);
  const totals = await runKillRounds({
    rounds,
    seed,
    onRound: (round, { calls, writes, problems }) => {
      const isTold = round % 10 === 0 || round === rounds;
      if (isTold)
        console.log(
          `${round} rounds: ${calls} calls, ${writes} acknowledged writes, ${problems.length} problems`,
        );
    },
  });
  clearTimeout(limit);
  const lacks = lacksOf(totals);
  for (const problem of totals.problems) console.error(problem);
  if (lacks.length > 0) console.error(`These rounds show nothing: ${lacks.join(", ")}`);
  const { problems, ...counts } = totals;
  const seconds = Math.round((Date.now() - began) / 1_000);
  console.log(JSON.stringify({ seed, ...counts, problems: problems.length, seconds }));
  process.exitCode = problems.length === 0 && lacks.length === 0 ? 0 : 1;
} else {
  console.error("Use: npm run faults [-- --rounds N --seed N], both whole numbers");
  process.exitCode = 1;
}

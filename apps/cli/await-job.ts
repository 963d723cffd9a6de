import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../src/errors.ts";

const POLL_MS = 300;
/** A workflow that never ends must not hold a script for ever. Arbitrary: many times what a large export takes. */
const PATIENCE_MS = 3_600_000;

interface AwaitOptions<Answer> {
  readonly stateOf: (answer: Answer) => string;
  readonly askAgain: (answer: Answer) => Promise<Answer>;
}

/** Asks until the job has ended, well or not. @throws UserError expired */
export async function awaitJob<Answer>(
  first: Answer,
  { stateOf, askAgain }: AwaitOptions<Answer>,
): Promise<Answer> {
  const deadline = Date.now() + PATIENCE_MS;
  let answer = first;
  while (stateOf(answer) === "created" || stateOf(answer) === "running") {
    if (Date.now() > deadline) {
      throw new UserError("expired", "It has not ended within an hour.", "Look again later.");
    }
    await sleep(POLL_MS);
    answer = await askAgain(answer);
  }
  return answer;
}

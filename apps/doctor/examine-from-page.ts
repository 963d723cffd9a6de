/**
 * As much of the examination as a page of the server itself can walk: it has the server's own origin, the browser's name and no token, and
 * leaves nothing behind.
 */
import type { AskServer } from "./ask.ts";
import { resourceDocument, serverDocument } from "./documents.ts";
import { challenge, nearbyPaths, reach } from "./reach.ts";
import { signInPage, tokenEndpoint } from "./sign-in.ts";
import type { Step } from "./step.ts";

export interface ExamineFromPageOptions {
  readonly origin: string;
  readonly ask: AskServer;
  readonly now: () => number;
  readonly onStep: (step: Step) => void;
}

/** Nobody has registered it. */
const NOBODY = "cofio-doctor";

export async function examineFromPage(options: ExamineFromPageOptions): Promise<void> {
  const { origin, ask, now, onStep } = options;
  const examined = { origin, ask };
  const reached = await reach(examined, now);
  onStep(reached.step);
  if (reached.value === null) return;
  const challenged = await challenge(examined);
  onStep(challenged.step);
  if (challenged.value?.isRight === true) onStep(await nearbyPaths(examined));
  onStep((await resourceDocument(examined)).step);
  const described = await serverDocument(examined);
  onStep(described.step);
  if (described.value !== null) onStep(await tokenEndpoint(examined, described.value, NOBODY));
  onStep(await signInPage(examined));
}

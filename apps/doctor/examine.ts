/**
 * The sequences in which Claude, Claude Code, ChatGPT, Cursor and the Inspector connect, walked one after the other, and what is wrong with each
 * answer. Pure but for `ask`; a step that builds on a failed one is left out, so that one fault is named once.
 */
import type { AskServer } from "./ask.ts";
import { discover, initialize, tools } from "./calls.ts";
import type { FaultCode } from "./faults.ts";
import { resourceDocument, serverDocument, type Endpoints } from "./documents.ts";
import { challenge, inspectorPage, nearbyPaths, reach, userAgents } from "./reach.ts";
import {
  clientDocument,
  consent,
  refresh,
  type Refresh,
  registration,
  type RenewedTokens,
  tokenEndpoint,
} from "./sign-in.ts";
import { EVERYONE, type Examined, type Outcome, type Step } from "./step.ts";

/** What a person or program already has, to go on where strangers may not. */
export type Access =
  | { readonly token: string }
  | {
      readonly token: string;
      readonly refresh: Refresh;
      /** Told at once: a refresh token is good for one use. */
      readonly onRenewed: (tokens: RenewedTokens) => void;
    };

export interface ExamineOptions {
  /** Of the server, without a path. */
  readonly origin: string;
  readonly ask: AskServer;
  /** Null: as far as the page that asks for consent. */
  readonly access: Access | null;
  readonly now: () => number;
  readonly onStep: (step: Step) => void;
}

export async function examine({
  origin,
  ask,
  access,
  now,
  onStep,
}: ExamineOptions): Promise<readonly Step[]> {
  const examined: Examined = { origin, ask };
  const steps: Step[] = [];
  const add = (step: Step): void => {
    steps.push(step);
    onStep(step);
  };
  const valueOf = <T>({ step, value }: Outcome<T>): T | null => {
    add(step);
    return value;
  };

  if (valueOf(await reach(examined, now)) === null) return steps;
  const challenged = valueOf(await challenge(examined));
  const isChallenged = challenged?.isRight === true;
  if (isChallenged) {
    add(await userAgents(examined, null));
    add(await nearbyPaths(examined));
  }
  const isDescribed = valueOf(await resourceDocument(examined)) !== null;
  if (isChallenged && isDescribed) add(await inspectorPage(examined));
  const endpoints = valueOf(await serverDocument(examined));
  if (endpoints !== null) for (const step of await signInSteps(examined, endpoints)) add(step);
  if (access === null || challenged === null) return steps;
  if (!isDescribed || endpoints === null || isDoubtful(steps)) {
    add(KEPT_BACK);
    return steps;
  }

  const token = await renewedToken(access);
  if (token === null || valueOf(await initialize(examined, token)) === null) return steps;
  add(await userAgents(examined, token));
  add(await tools(examined, token));
  add(await discover(examined, token));
  return steps;

  async function renewedToken(given: Access): Promise<string | null> {
    if (endpoints === null || !("refresh" in given)) return given.token;
    const renewed = valueOf(await refresh(examined, endpoints, given.refresh));
    if (renewed === null) return null;
    given.onRenewed(renewed);
    return renewed.access_token;
  }
}

/** A token is for one server, and the address may be mistyped, or another's who would like to have it. */
const DOUBTS: ReadonlySet<FaultCode> = new Set([
  "not_cofio",
  "challenge_missing",
  "challenge_wrong",
  "resource_mismatch",
  "issuer_mismatch",
]);
const KEPT_BACK: Step = {
  name: "token",
  clients: EVERYONE,
  found:
    "it was kept back and sent nowhere: mend the above first, by which this server is not the one that it should be",
  faults: [],
};

function isDoubtful(steps: readonly Step[]): boolean {
  return steps.some(({ faults }) => faults.some(({ code }) => DOUBTS.has(code)));
}

async function signInSteps(examined: Examined, endpoints: Endpoints): Promise<readonly Step[]> {
  const { step, value: clientId } = await registration(examined, endpoints);
  // Without one the server would refuse each request for its client alone.
  const known =
    clientId === null
      ? []
      : [
          await consent(examined, endpoints, clientId),
          await tokenEndpoint(examined, endpoints, clientId),
        ];
  // A server on this machine may have no way to the internet, and nobody there is known by a document.
  const isPublic = new URL(examined.origin).protocol === "https:";
  const documents =
    isPublic && endpoints.takesDocuments ? [await clientDocument(examined, endpoints)] : [];
  return [step, ...known, ...documents];
}

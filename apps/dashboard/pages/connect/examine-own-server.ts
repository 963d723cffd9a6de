/** The network of an examination from a page: this server alone, as a stranger without the person's session. Loaded when it is asked for. */
import "./without-eval.ts";
import type { Answer, Ask, AskServer } from "../../../doctor/ask.ts";
import { examineFromPage } from "../../../doctor/examine-from-page.ts";
import type { Step } from "../../../doctor/step.ts";

/** As `cofio doctor` waits. */
const ANSWER_TIMEOUT_MS = 15_000;

export function examineOwnServer(onStep: (step: Step) => void): Promise<void> {
  return examineFromPage({ origin: location.origin, ask: askOwnServer, now: Date.now, onStep });
}

const askOwnServer: AskServer = async ({ method, path, headers, body }: Ask): Promise<Answer> => {
  try {
    const response = await fetch(path, {
      method,
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
      credentials: "omit",
      cache: "no-store",
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    return response.type === "opaqueredirect" ? REDIRECTED : await answerOf(response);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isLate = error.name === "TimeoutError";
    return { kind: "silent", reason: isLate ? "late" : "refused", detail: error.message };
  }
};

/** Browsers say no more of it. */
const REDIRECTED: Answer = {
  kind: "answered",
  status: 302,
  headers: new Headers({ location: "an address that a page is not told" }),
  text: "",
  isWhole: true,
};

async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response;
  return { kind: "answered", status, headers, text: await response.text(), isWhole: true };
}

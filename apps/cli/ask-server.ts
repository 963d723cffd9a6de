/** The network of an examination: one server, no redirects, and bounds on what a hostile one can make of it. */
import type { Answer, AskServer, Silent } from "../doctor/ask.ts";
import { firstMessage } from "../doctor/first-message.ts";
import { versionOf } from "./plan.ts";

/** Of one answer. The list of tools is the longest; clients wait longer, people do not. Arbitrary. */
const ANSWER_TIMEOUT_MS = 15_000;
/** Of all of them: some forty, a few of which may be late. Arbitrary. */
const EXAMINATION_TIMEOUT_MS = 120_000;
/** Many times the list of tools. */
const MAX_BODY_BYTES = 1_048_576;

export interface AskOptions {
  readonly answerTimeoutMs?: number;
}

/** @param origin to which every request goes, whatever its path says */
export function askServer(
  origin: string,
  { answerTimeoutMs = ANSWER_TIMEOUT_MS }: AskOptions = {},
): AskServer {
  const end = AbortSignal.timeout(EXAMINATION_TIMEOUT_MS);
  return async ({ method, path, headers = {}, body }) => {
    const url = new URL(path, origin);
    if (url.origin !== origin) throw new Error(`Not an address of ${origin}`);
    const signal = AbortSignal.any([end, AbortSignal.timeout(answerTimeoutMs)]);
    try {
      const response = await fetch(url, {
        method,
        headers: { "user-agent": `cofio/${versionOf()}`, ...headers },
        ...(body === undefined ? {} : { body }),
        redirect: "manual",
        signal,
      });
      return await answerOf(response);
    } catch (error) {
      return silentBecause(error);
    }
  };
}

async function answerOf(response: Response): Promise<Answer> {
  const { status, headers, body } = response;
  const isEvents = (headers.get("content-type") ?? "").includes("text/event-stream");
  const seesMessage = firstMessage();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  const answered = (isWhole: boolean): Answer => ({
    kind: "answered",
    status,
    headers,
    text,
    isWhole,
  });
  if (body === null) return answered(true);
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      const piece = decoder.decode(chunk, { stream: true });
      text += piece;
      // Leaving the loop closes the connection.
      if (bytes > MAX_BODY_BYTES) return answered(false);
      // A stream may stay open behind its one message.
      if (isEvents && seesMessage(piece)) return answered(true);
    }
  } catch (error) {
    if (!isAbort(error) && !(error instanceof TypeError)) throw error;
    // It ended within the body: what has come tells more than nothing.
    return bytes === 0 ? silentBecause(error) : answered(false);
  }
  return answered(true);
}

const NAME_ERRORS = new Set(["ENOTFOUND", "EAI_AGAIN"]);

function silentBecause(error: unknown): Silent {
  if (isAbort(error)) return { kind: "silent", reason: "late", detail: "no answer in time" };
  if (!(error instanceof TypeError)) throw error;
  const { cause } = error;
  const detail = cause instanceof Error ? cause.message : error.message;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (NAME_ERRORS.has(code)) return { kind: "silent", reason: "name", detail };
  const isCertificate = /CERT|SSL|TLS|ALTNAME/.test(code);
  return { kind: "silent", reason: isCertificate ? "certificate" : "refused", detail };
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && ["TimeoutError", "AbortError"].includes(error.name);
}

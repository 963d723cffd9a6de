/** What a client does once it has a token, in both eras of the protocol. */
import * as z from "zod";
import { type Answer, type Answered, type Ask, refusedAtEdge } from "./ask.ts";
import { fault, type Fault } from "./faults.ts";
import { EARLIER, HANDSHAKE, LATER, laterMessage, message, resultOf } from "./messages.ts";
import { answersWith, type Examined, type Outcome, type Step } from "./step.ts";

/** In the order in which they are listed; the names are for good. */
export const TOOL_NAMES: readonly string[] = [
  "search_memory",
  "save_memory",
  "list_memories",
  "get_memory",
  "delete_memory",
  "update_memory",
  "search_conversations",
  "get_conversation",
  "list_conversations",
  "get_stats",
  "export_data",
  "import_data",
];
/** What an app that the person made read-only is not shown. */
const WRITING_TOOLS = ["save_memory", "delete_memory", "update_memory", "import_data"];

/** As clients send them: Claude's first probe names one kind, others any. */
const ACCEPTS = [
  "application/json, text/event-stream",
  "application/json",
  "text/event-stream",
  "*/*",
];

const handshakeSchema = z.object({
  protocolVersion: z.string(),
  serverInfo: z.object({ name: z.string() }),
});
const discoverySchema = z.object({ supportedVersions: z.array(z.string()) });
const toolsSchema = z.object({ tools: z.array(z.object({ name: z.string() })) });

/** @returns true: the token is good for more */
export async function initialize({ ask }: Examined, token: string): Promise<Outcome<true>> {
  const step = {
    name: "initialize",
    clients: "Claude Code, Cursor, Codex, Gemini CLI and most others",
  };
  const found = `a session of ${EARLIER} begins, with every Accept header in use`;
  const refused: string[] = [];
  for (const accept of ACCEPTS) {
    const answer = await ask(message(HANDSHAKE, { ...bearer(token), accept }));
    const failed = tokenFault(answer);
    if (failed !== null) return { step: { ...step, found, faults: [failed] }, value: null };
    if (answer.kind === "answered" && answer.status === 406) refused.push(accept);
    else if (!fits(answer, handshakeSchema)) {
      const faults = [fault("initialize_fails", outcomeOf(answer))];
      return { step: { ...step, found, faults }, value: true };
    }
  }
  const faults = refused.length === 0 ? [] : [fault("accept_refused", refused.join(" · "))];
  return { step: { ...step, found, faults }, value: true };
}

export async function discover({ ask }: Examined, token: string): Promise<Step> {
  const answer = await ask(laterMessage("server/discover", bearer(token)));
  const result = answer.kind === "answered" ? resultOf(answer) : null;
  const versions = discoverySchema.safeParse(result).data?.supportedVersions ?? [];
  const faults = versions.includes(LATER) ? [] : [fault("discover_fails", outcomeOf(answer))];
  const found = `${LATER} is spoken as well`;
  return { name: "server/discover", clients: "Claude's connectors, newer SDKs", found, faults };
}

export async function tools({ ask }: Examined, token: string): Promise<Step> {
  const list = { jsonrpc: "2.0", id: 2, method: "tools/list", params: {} };
  const asks: Readonly<Record<string, Ask>> = {
    [EARLIER]: message(list, { ...bearer(token), "mcp-protocol-version": EARLIER }),
    [LATER]: laterMessage("tools/list", bearer(token)),
  };
  const faults: Fault[] = [];
  let isReadOnly = false;
  for (const [era, one] of Object.entries(asks)) {
    const answer = await ask(one);
    const result = answer.kind === "answered" ? resultOf(answer) : null;
    const listed = toolsSchema.safeParse(result).data?.tools.map(({ name }) => name);
    if (listed === undefined) {
      faults.push(fault("tools_incomplete", era, outcomeOf(answer)));
    } else if (isSame(listed, TOOL_NAMES)) continue;
    else if (
      isSame(
        listed,
        TOOL_NAMES.filter((name) => !WRITING_TOOLS.includes(name)),
      )
    )
      isReadOnly = true;
    else faults.push(fault("tools_incomplete", era, missingOf(listed)));
  }
  const found = isReadOnly
    ? "the reading tools in order: this app was made read-only"
    : `${TOOL_NAMES.length} tools in order, in both eras`;
  return { name: "tools/list", clients: "all", found, faults };
}

function missingOf(listed: readonly string[]): string {
  const missing = TOOL_NAMES.filter((name) => !listed.includes(name));
  if (missing.length === 0) return "has other tools too, or another order";
  return `has ${TOOL_NAMES.length - missing.length} of ${TOOL_NAMES.length} tools, without ${missing.join(", ")}`;
}

function tokenFault(answer: Answer): Fault | null {
  if (answer.kind === "silent" || answer.status !== 401) return null;
  const isWrong = (answer.headers.get("www-authenticate") ?? "").includes("invalid_token");
  return fault("token_refused", isWrong ? "" : ", as if none had been sent");
}

function fits(answer: Answer, schema: z.ZodType): boolean {
  return answer.kind === "answered" && schema.safeParse(resultOf(answer)).success;
}

function outcomeOf(answer: Answer): string {
  if (answer.kind === "silent") return "gets no answer";
  if (answer.status === 200) return cutOr(answer);
  const edge = refusedAtEdge(answer) === null ? "" : ", and not by Cofio";
  return `${answersWith(answer)}${edge}`;
}

function cutOr(answer: Answered): string {
  return answer.isWhole && resultOf(answer) !== null
    ? "answers something else than the protocol says"
    : "is answered with something that is no message, or only half of one";
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index]);
}

function bearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` };
}
